"""Random programs: every way to differentiate them agrees with every other and with differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg

# Smooth everywhere, so that any composition is.
UNARY = {
    "sin": np.sin,
    "tanh": np.tanh,
    "gauss": lambda x: np.exp(-x * x),
    "softplus": lambda x: np.logaddexp(0.0, x),
    "root": lambda x: np.sqrt(1.0 + x * x),
    "arctan": np.arctan,
    "square": lambda x: 0.5 * np.square(x),
    "flip": lambda x: x[::-1],
    "roll": lambda x: np.roll(x, 1),
    "mean": lambda x: x - np.mean(x),
    "cumsum": lambda x: np.cumsum(x) / 3.0,
    "outer": lambda x: np.outer(x, x) @ np.ones(3) / 3.0,
    "gather": lambda x: x[[2, 0, 2]],
}
BINARY = {
    "add": np.add,
    "subtract": lambda x, y: x - y,
    "multiply": np.multiply,
    "divide": lambda x, y: x / (2.0 + np.cos(y)),
    "hypot": lambda x, y: np.hypot(x, 1.0 + y * y),
    "where": lambda x, y: np.where([True, False, True], x, y),
    "dot": lambda x, y: np.dot(x, y) * x / 3.0,
    "concatenate": lambda x, y: np.concatenate([x[:1], y])[:3],
}

STEP = st.one_of(
    st.tuples(st.sampled_from(sorted(UNARY)), st.integers(0, 50)),
    st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 50), st.integers(0, 50)),
)
PROGRAM = st.lists(STEP, min_size=1, max_size=8)
POINT = st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6).map(np.array)


def run(program, x):
    """Straight-line code over vectors of three: each step reads two earlier ones."""
    values = [x[:3], x[3:]]
    for name, *places in program:
        operands = [values[place % len(values)] for place in places]
        values.append(UNARY.get(name, BINARY.get(name))(*operands))
    return values[-1]


@settings(max_examples=60, deadline=None)
@given(PROGRAM, POINT)
def test_sweeps_agree_with_differences(program, x):
    tg.testing.check_grads(lambda x: run(program, x) + 0.0 * x[:3], (x,), rtol=1e-4, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(PROGRAM, POINT)
def test_all_ways_to_the_hessian_agree(program, x):
    def f(x):
        return np.sum(np.tanh(run(program, x))) + 0.0 * np.sum(x)

    forward_over_reverse = tg.hessian(f)(x)
    reverse_over_reverse = tg.jacobian(tg.grad(f), mode="reverse")(x)
    reverse_over_forward = tg.jacobian(tg.jacobian(f, mode="forward"), mode="reverse")(x)
    forward_over_forward = tg.jacobian(tg.jacobian(f, mode="forward"), mode="forward")(x)
    scale = 1e-9 * (1 + np.abs(forward_over_reverse).max())
    for other in (reverse_over_reverse, reverse_over_forward, forward_over_forward):
        np.testing.assert_allclose(other, forward_over_reverse, rtol=1e-8, atol=scale)
    np.testing.assert_allclose(forward_over_reverse, forward_over_reverse.T, rtol=1e-8, atol=scale)


@settings(max_examples=60, deadline=None)
@given(PROGRAM, POINT)
def test_values_are_the_plain_ones(program, x):
    value, _ = tg.vjp(lambda x: run(program, x), x)
    np.testing.assert_allclose(value, run(program, x), rtol=1e-12, atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=0, max_size=4),
    st.data(),
)
def test_broadcasting_is_undone(shape, data):
    kept = [data.draw(st.booleans()) for _ in shape]
    own = [n if keep else 1 for n, keep in zip(shape, kept, strict=True)]
    own = own[data.draw(st.integers(0, len(own))) :] if shape else own
    x = np.random.default_rng(0).standard_normal(own)
    y = np.random.default_rng(1).standard_normal(shape)
    gx, gy = tg.elementwise_grad(np.multiply, argnum=(0, 1))(x, y)
    assert np.shape(gx) == x.shape
    expected = np.broadcast_to(y, np.broadcast_shapes(x.shape, y.shape))
    lead = tuple(range(expected.ndim - x.ndim))
    expected = expected.sum(axis=lead)
    ones = tuple(i for i, n in enumerate(x.shape) if n == 1 and expected.shape[i] != 1)
    np.testing.assert_allclose(gx, expected.sum(axis=ones, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(gy, np.broadcast_to(x, y.shape))


KEY = st.one_of(
    st.integers(-4, 3),
    st.slices(4),
    st.none(),
    st.just(Ellipsis),
    st.lists(st.integers(-4, 3), max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(KEY, max_size=3))
def test_indexing_is_numpys(key):
    key = tuple(key)
    if sum(k is Ellipsis for k in key) > 1:
        return
    key = tuple(np.array(k, int) if isinstance(k, list) else k for k in key)
    x = np.arange(64.0).reshape(4, 4, 4)
    try:
        expected = x[key]
    except IndexError:
        with pytest.raises(IndexError):
            tg.Variable(x)[key]
        return
    value, pullback = tg.vjp(lambda x: x[key], x)
    np.testing.assert_array_equal(value, expected)
    assert np.shape(value) == np.shape(expected)
    seed = np.random.default_rng(0).standard_normal(np.shape(expected))[()]
    found = pullback(seed)[0]
    transpose = np.zeros_like(x)
    np.add.at(transpose, key, seed)
    np.testing.assert_allclose(found, transpose, rtol=1e-15)

    def write(target):
        target[key] = 2.0 * seed
        return target

    v = tg.Variable(x)
    np.testing.assert_array_equal(tg.value(write(v)), write(x.copy()))
