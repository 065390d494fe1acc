"""Products of arrays in any layout: stacks, vectors and matrices that are views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg

_VIEWS = {
    "as it is": lambda x: x,
    "backwards": lambda x: x[..., ::-1],
    "rows backwards": lambda x: x[::-1],
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "swapped": lambda x: np.swapaxes(np.swapaxes(x, 0, -1).copy(), 0, -1),
    "one row for all": lambda x: np.broadcast_to(x[:1], x.shape),
}


@settings(max_examples=150)
@given(st.data())
def test_any_layout(data: Any) -> None:
    size = st.sampled_from([1, 2, 3, 5, 7, 8, 9, 17])
    m, k, n, count = (data.draw(size) for _ in range(4))
    lefts = [(count, m, k), (m, k), (2, count, m, k), (k,)]
    shapes = [(a, b) for a in lefts for b in ((k,), (k, n), (count, k, n)) if a + b != (k, k)]
    left, right = data.draw(st.sampled_from(shapes))
    views = [_VIEWS[data.draw(st.sampled_from(sorted(_VIEWS)))] for _ in range(2)]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    a, b = rng.normal(size=left), rng.normal(size=right)

    def product(x: Any, y: Any) -> Any:
        return views[0](x) @ views[1](y)

    value, pull = tg.vjp(product, a, b)
    want = product(a, b)
    np.testing.assert_allclose(value, want, rtol=1e-12, atol=1e-12)
    ct = rng.normal(size=np.shape(want))
    da, db = rng.normal(size=left), rng.normal(size=right)
    tangent = np.sum(ct * (product(da, b) + product(a, db)))
    got = pull(ct)
    assert np.sum(got[0] * da) + np.sum(got[1] * db) == pytest.approx(tangent, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("lanes", [1, 3])
def test_lanes_of_small_matrices_with_one_vector(lanes: int) -> None:
    """A stack is one tall product, which is no small one any more and reads no strides."""
    rng = np.random.default_rng(0)
    a, v = rng.normal(size=(lanes, 5, 7)), rng.normal(size=7)
    got = tg.vmap(lambda x, y: x @ np.flip(y), in_axes=(0, None))(a, v)
    np.testing.assert_allclose(got, a @ v[::-1], rtol=1e-13)
    x, y = tg.Variable(a), tg.Variable(v)
    np.testing.assert_allclose(tg.value(x @ y[::-1]), a @ v[::-1], rtol=1e-13)
