"""Where NumPy's result is a copy, it is one here; where it is a view, it shows writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tapegrad as tg

OPERATIONS = {
    "astype": lambda y: y.astype(float),
    "astype, no copy": lambda y: y.astype(float, copy=False),
    "np.astype": lambda y: np.astype(y, np.float64),
    "np.astype, no copy": lambda y: np.astype(y, np.float64, copy=False),
}
LAYOUTS = {
    "C": lambda y: y,
    "transposed": lambda y: y.T,
    "strided": lambda y: y[:, ::2],
    "row": lambda y: y[1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_writes_show_where_numpy_shows_them(name: str, layout: str) -> None:
    def through_result(x: Any) -> Any:
        y = x * 2.0
        z = OPERATIONS[name](LAYOUTS[layout](y))
        z[0] = 7.0
        return np.sum(y * y) + 3.0 * np.sum(z * z)

    def through_base(x: Any) -> Any:
        y = x * 2.0
        z = OPERATIONS[name](LAYOUTS[layout](y))
        y[...] = x * x
        return np.sum(y) + 3.0 * np.sum(z * z)

    x = np.arange(1.0, 13.0).reshape(3, 4)
    for f in (through_result, through_base):
        slope = np.zeros_like(x)
        for i in np.ndindex(*x.shape):
            step = np.zeros_like(x)
            step[i] = 1e-3
            slope[i] = (f(x + step) - f(x - step)) / 2e-3
        compiled = tg.compile(f)
        for _ in range(4):
            assert compiled(x) == pytest.approx(f(x))
        gradient = tg.compile(tg.grad(f))
        for g in (tg.grad(f), *[gradient] * 4):
            np.testing.assert_allclose(g(x), slope, rtol=1e-6, atol=1e-6)
