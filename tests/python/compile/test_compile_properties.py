"""Random programs, compiled and plain: whatever changes between the calls, the results agree."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tapegrad as tg

UNARY = {
    "sin": np.sin,
    "tanh": np.tanh,
    "exp": lambda x: np.exp(-x * x),
    "abs": np.abs,
    "flip": lambda x: x[::-1],
    "roll": lambda x: np.roll(x, 1),
    "center": lambda x: x - np.mean(x),
    "cumsum": lambda x: np.cumsum(x) / 3.0,
    "gather": lambda x: x[[2, 0, 2]],
    "outer": lambda x: np.outer(x, x) @ np.ones(3, x.dtype) / 3.0,
    "reshape": lambda x: np.reshape(np.reshape(x, (3, 1)).T, (3,)),
    "logsumexp": lambda x: x - np.logaddexp.reduce(x),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "sort": np.sort,
    "masked": lambda x: np.where(x > 0.1, x, 0.5 * x),
    "largest": lambda x: x * np.max(x),
}
BINARY = {
    "add": np.add,
    "subtract": lambda x, y: x - y,
    "multiply": np.multiply,
    "divide": lambda x, y: x / (2.0 + np.cos(y)),
    "maximum": np.maximum,
    "dot": lambda x, y: np.dot(x, y) * x / 3.0,
    "concatenate": lambda x, y: np.concatenate([x[:1], y])[:3],
    "choose": lambda x, y: np.where(x < y, x, y * y),
}
# What plain Python does with values: each is a branch, a write or a number taken out.
CONTROL = {
    "if": lambda x, y: x * 2.0 if np.sum(x) > np.sum(y) else x - y,
    "while": lambda x, y: _halved(x, y),
    "int": lambda x, y: x * float(int(np.max(np.abs(y)) * 2.0) % 3),
    "mask": lambda x, y: y + np.sum(x[x > 0.0]),
    "any": lambda x, y: x if np.any(y > 1.0) else y,
    "write": lambda x, y: _written(x, y),
    "view": lambda x, y: _through_a_view(x, y),
    "add_to": lambda x, y: _added(x, y),
}


def _halved(x, y):
    for _ in range(4):
        if np.sum(x * x) < 0.5:
            break
        x = 0.5 * x + 0.1 * y
    return x


def _written(x, y):
    z = x * 1.0
    z[1] = y[0] * x[2]
    z[:2] *= 2.0
    return z


def _through_a_view(x, y):
    z = x + 0.0
    tail = z[1:]
    tail[0] = y[2]
    return z * tail[1]


def _added(x, y):
    x = x + 0.0
    x += y
    return x


STEP = st.one_of(
    st.tuples(st.sampled_from(sorted(UNARY)), st.integers(0, 50)),
    st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 50), st.integers(0, 50)),
    st.tuples(st.sampled_from(sorted(CONTROL)), st.integers(0, 50), st.integers(0, 50)),
)
PROGRAM = st.lists(STEP, min_size=1, max_size=7)
POINT = st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6)
# The state that the function reads besides its arguments, and what happens to it before a call.
CHANGE = st.sampled_from(["", "", "", "write", "rebind", "rate", "flag", "weights", "list"])
CALLS = st.lists(st.tuples(st.integers(0, 2), CHANGE), min_size=6, max_size=16)
OPTIONS = st.sampled_from([None, None, {"fuse": False}, {"shared": False, "views": False}])
DTYPE = st.sampled_from([np.float64, np.float64, np.float32])


class State:
    def __init__(self, dtype):
        self.dtype = dtype
        self.data = np.array([0.5, -1.0, 2.0], dtype)
        self.rate = 0.5
        self.flag = True
        self.weights = {"w": np.array([1.0, 0.5, 0.25], dtype)}
        self.offsets = [0.0, 1.0]

    def change(self, what, k):
        if what == "write":
            self.data[k % 3] += 0.5
        elif what == "rebind":
            self.data = self.data[::-1].copy()
        elif what == "rate":
            self.rate = 1.0 - self.rate + 0.25 * (k % 2)
        elif what == "flag":
            self.flag = not self.flag
        elif what == "weights":
            self.weights = {"w": self.weights["w"] * self.dtype(0.5)}
        elif what == "list":
            self.offsets[k % 2] += 1.0


def function_of(program, state):
    def f(x):
        values = [x[:3], x[3:], state.data * x[0], state.weights["w"] + x[:3]]
        for name, *places in program:
            operands = [values[place % len(values)] for place in places]
            step = UNARY.get(name) or BINARY.get(name) or CONTROL[name]
            values.append(step(*operands))
        found = values[-1] * state.rate
        if state.flag:
            found = found + state.offsets[1] * state.data.mean()
        return found

    return f


def assert_close(found, expected, dtype):
    tolerance = 1e-10 if dtype is np.float64 else 2e-3
    assert np.shape(found) == np.shape(expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    scale = 1.0 + np.abs(np.nan_to_num(expected)).max()
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


def run(compiled, plain, calls, points, state, dtype):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # falling back is allowed, being wrong is not
        for k, (which, change) in enumerate(calls):
            state.change(change, k)
            x = np.array(points[which], dtype)
            kept = x.copy()
            assert_close(compiled(x), plain(x), dtype)
            assert np.array_equal(x, kept)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROGRAM, st.tuples(POINT, POINT, POINT), CALLS, OPTIONS, DTYPE)
def test_values(program, points, calls, passes, dtype):
    state = State(dtype)
    f = function_of(program, state)
    run(tg.compile(f, passes=passes), f, calls, points, state, dtype)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROGRAM, st.tuples(POINT, POINT, POINT), CALLS, OPTIONS)
def test_gradients(program, points, calls, passes):
    state = State(np.float64)
    f = function_of(program, state)
    gradient = tg.grad(lambda x: np.sum(f(x)) + 0.0 * np.sum(x))
    run(tg.compile(gradient, passes=passes), gradient, calls, points, state, np.float64)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROGRAM, st.tuples(POINT, POINT, POINT), CALLS)
def test_hessians(program, points, calls):
    state = State(np.float64)
    f = function_of(program, state)
    hessian = tg.hessian(lambda x: np.sum(np.tanh(f(x))) + 0.0 * np.sum(x))
    run(tg.compile(hessian), hessian, calls[:8], points, state, np.float64)


def around(f, order):
    """A gradient, or a Hessian's product, of something that calls `f`."""

    def loss(x):
        return np.sum(np.tanh(f(x * x - 0.5))) + 0.0 * np.sum(x)

    return tg.grad(loss) if order == 1 else lambda x: tg.hvp(loss, x, np.cos(x))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROGRAM, st.tuples(POINT, POINT, POINT), CALLS, OPTIONS, st.integers(1, 2))
def test_derivatives_from_outside(program, points, calls, passes, order):
    state = State(np.float64)
    f = function_of(program, state)
    compiled = tg.compile(f, passes=passes)
    run(around(compiled, order), around(f, order), calls, points, state, np.float64)


@pytest.mark.parametrize("change", ["", "write", "rebind", "rate", "flag", "weights", "list"])
def test_programs_are_used_again_after_a_change(change):
    state = State(np.float64)
    f = function_of([("sin", 0), ("multiply", 4, 2)], state)
    compiled = tg.compile(f)
    x = np.linspace(-1.0, 1.0, 6)
    for k in range(15):
        if k % 5 == 4:
            state.change(change, k)
        assert_close(compiled(x), f(x), np.float64)
    assert compiled.inspect().signatures[0].replays >= 7
