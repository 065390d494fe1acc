"""An extreme's derivative goes to equal elements alike: over lanes as without."""

import numpy as np
import pytest

import tapegrad as tg

EXTREMES = {
    "max": np.max,
    "min": np.min,
    "reduce": lambda x: np.maximum.reduce(x),
    "of magnitudes": lambda x: np.max(np.abs(x)),
    "norm": lambda x: np.linalg.norm(x, np.inf),
    "shift": lambda x: np.log(np.sum(np.exp(x - np.max(x)))),
    "along an axis": lambda x: np.sum(np.max(np.outer(x, x), axis=0)),
}
POINTS = np.array(
    [[1.0, 1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 2.0, 0.0, 2.0], [3.0, 1.0, -1.0, 2.0, 0.5]]
)


@pytest.mark.parametrize("name", EXTREMES)
def test_shares_are_equal_in_every_mode(name):
    f = EXTREMES[name]
    expected = np.stack([tg.grad(f)(x) for x in POINTS])
    compiled = tg.compile(tg.vmap(f))
    for _ in range(3):
        compiled(POINTS)
    modes = {
        "lanes": tg.grad(lambda x: np.sum(tg.vmap(f)(x))),
        "lanes of a checkpoint": tg.grad(lambda x: np.sum(tg.vmap(tg.checkpoint(f))(x))),
        "compiled": tg.compile(tg.grad(lambda x: np.sum(tg.vmap(f)(x)))),
        "of a compiled function": tg.grad(lambda x: np.sum(compiled(x))),
    }
    for mode, gradient in modes.items():
        for _ in range(3):
            np.testing.assert_allclose(gradient(POINTS), expected, rtol=1e-14, err_msg=mode)
