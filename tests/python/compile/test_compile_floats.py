"""Python floats are inputs that take the precision of what they meet, as in NumPy."""

import warnings

import numpy as np
import pytest
from compile_checks import assert_same, replays
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tapegrad as tg

SINGLE = np.array([0.3, -1.1, 2.7], np.float32)
DOUBLE = np.array([0.3, -1.1, 2.7])
WHOLE = np.array([3, -1, 2])
FLOATS = (0.1, 0.3, -1.7, 2.0, 1e-3, 0.1)


def follow(f, x, least=None):
    """Compiled `f(x, a)` for several floats, against `f`: values and dtypes."""
    compiled = tg.compile(f)
    for a in FLOATS:
        found, expected = compiled(x, a), f(x, a)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        tolerance = 1e-13 if np.asarray(expected).dtype == np.float64 else 2e-6
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    if least is not None:
        assert replays(compiled) >= least, compiled.inspect()
    return compiled


REPLAYED = {
    "times": lambda x, a: x * a,
    "reflected": lambda x, a: a / (x + 3.0),
    "of floats": lambda x, a: x * (2 * a + 1.5 - a / 3.0),
    "negative": lambda x, a: x * -a + abs(a) * x,
    "square": lambda x, a: x * a**2,
    "power": lambda x, a: np.abs(x) ** a,
    "comparison": lambda x, a: np.where(x > a, x, a),
    "flags": lambda x, a: (x > a) * x,
    "flags of floats": lambda x, a: ((a > 0.2) * a + ((a > 0.1) & (a < 3.0)) * 0.5) * x,
    "in place": lambda x, a: _in_place(x, a),
    "written": lambda x, a: _written(x, a),
    "builtins": lambda x, a: x * sum([a, a, 1.0]),
    "sine": lambda x, a: np.sin(a) * x,
    "maximum": lambda x, a: np.maximum(x, a) + np.maximum(a, 0.5) * x,
    "clip": lambda x, a: np.clip(x, -abs(a), abs(a)),
    "joined": lambda x, a: np.concatenate([x, [a, 2.0]]),
    "double": lambda x, a: x * (np.float64(2.0) * a),
    "full": lambda x, a: np.full_like(x, a),
    "floor": lambda x, a: x * (a // 0.7) + x * (a % 0.7),
    "nothing": lambda x, a: a * 2.0,
    "stop_gradient": lambda x, a: tg.stop_gradient(a) * x + tg.stop_gradient(2.0 * a) * x,
}


def _in_place(x, a):
    scale = 1.0
    scale *= a
    y = x * 1.0
    y *= scale
    y += a
    return y


def _written(x, a):
    y = x * 1.0
    y[0] = a
    y[1:] = a * a
    return y


@pytest.mark.parametrize("x", [SINGLE, DOUBLE, WHOLE], ids=["float32", "float64", "int64"])
@pytest.mark.parametrize("name", REPLAYED)
def test_other_floats_replay(name, x):
    if x is WHOLE and name in ("in place", "written", "full"):
        return  # whole numbers are plain in writes
    follow(REPLAYED[name], x, len(FLOATS) - 2 if x is not WHOLE else None)


@pytest.mark.parametrize("name", sorted(set(REPLAYED) - {"nothing", "full"}))
def test_gradients(name):
    f = REPLAYED[name]
    for x in (SINGLE, DOUBLE):
        gradient = tg.grad(lambda x, a: np.sum(f(x, a) ** 2))
        compiled = tg.compile(gradient)
        for a in FLOATS:
            found, expected = compiled(x, a), gradient(x, a)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert replays(compiled) == len(FLOATS) - 2


# A float that is seen as an array or a float64: fixed, each value a program of its own.
FIXED = {
    "array": lambda x, a: np.array([a, 1.0])[0] * x,
    "asarray": lambda x, a: np.asarray(a) * x,
    "round": lambda x, a: round(a, 2) * x,
    "result_type": lambda x, a: np.ones(3, np.result_type(x, a)) * x,
    "array and stop_gradient": lambda x, a: tg.stop_gradient(np.asarray(a)) * x,
    "derivative": lambda x, a: tg.grad(lambda t: t * t)(a) * x,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("x", [SINGLE, DOUBLE], ids=["float32", "float64"])
@pytest.mark.parametrize("name", FIXED)
def test_floats_that_are_seen_as_something_else(name, x):
    follow(FIXED[name], x)


def test_a_rate_that_changes_at_every_call():
    def step(w, x, y, rate):
        return w - rate * tg.grad(lambda w: np.mean((x @ w - y) ** 2))(w)

    compiled = tg.compile(step)
    rng = np.random.default_rng(1)
    w = plain = np.zeros(3, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(40):
            x = rng.normal(size=(8, 3)).astype(np.float32)
            y = np.sum(x, axis=1)
            w, plain = compiled(w, x, y, 0.1 / (1 + k)), step(plain, x, y, 0.1 / (1 + k))
            assert w.dtype == plain.dtype == np.float32
            np.testing.assert_allclose(w, plain, rtol=1e-5, atol=1e-6)
    assert replays(compiled) == 38


def test_numpy_floats_stay_what_they_are():
    compiled = tg.compile(lambda x, a: x * a)
    for a in (np.float64(0.1), np.float64(0.3), np.float64(0.5)):
        assert_same(compiled(SINGLE, a), SINGLE * a)
        assert compiled(SINGLE, a).dtype == np.float64
    for a in (np.float32(0.1), np.float32(0.3), np.float32(0.5)):
        assert compiled(SINGLE, a).dtype == np.float32


NUMBERS = {
    "add": lambda p, q: p + q,
    "subtract": lambda p, q: p - q,
    "multiply": lambda p, q: p * q,
    "divide": lambda p, q: p / (1.5 + q * q),
    "negative": lambda p, q: -p,
    "square": lambda p, q: p**2,
    "sine": lambda p, q: np.sin(p),
    "maximum": lambda p, q: np.maximum(p, q),
    "sum": lambda p, q: np.sum(p) * q,
    "less": lambda p, q: (p < q) * q,
    "both": lambda p, q: ((p < q) & (q < 2.5)) * p,
    "where": lambda p, q: np.where(p > 0.5, p, q),
    "array": lambda p, q: np.array([0.5, 1.0])[0] * p,
    "max": lambda p, q: p if np.sum(p) > np.sum(q) else q,
}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(NUMBERS)), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.lists(st.floats(-2.0, 2.0, width=32), min_size=3, max_size=6))
def test_random_programs_have_numpys_dtypes(steps, floats):
    def f(x, a, b):
        values = [x, a, b, 2.0, np.float32(0.5), a * 2.0]
        for name, i, j in steps:
            values.append(NUMBERS[name](values[i % len(values)], values[j % len(values)]))
        return values[-1], values[-1] * x

    compiled = tg.compile(f)
    with np.errstate(all="ignore"):
        for a in floats:
            for found, expected in zip(compiled(SINGLE, a, 0.7), f(SINGLE, a, 0.7), strict=True):
                if np.ndim(expected):
                    assert np.asarray(found).dtype == np.asarray(expected).dtype
                np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_fixed_zeros_keep_their_signs():
    def f(x, a):
        return x * np.copysign(1.0, np.array([a, 1.0])[0])

    compiled = tg.compile(f)
    for a in (0.0, -0.0, 0.0, -0.0, 0.0, -0.0):
        np.testing.assert_array_equal(compiled(SINGLE, a), f(SINGLE, a))


# What the plain function gives for numbers: NumPy's, or Python's own.
RESULTS = {
    "comparison": lambda x: x > 0.5,
    "comparisons": lambda x: (x > 0.5) & (x < 3.0),
    "negated": lambda x: ~(np.asarray(x) > 0.5),
    "all": lambda x: np.all(np.ravel(x) > 0.5),
    "isfinite": lambda x: np.isfinite(x),
    "argmax": lambda x: np.argmax(np.ravel(x)),
    "count": lambda x: np.sum(np.ravel(x) > 0.5),
    "operators": lambda x: 2.0 * x**2 - x / 3.0,
    "floor": lambda x: (x // 0.3, divmod(x, 0.2)[1], abs(-x), +x),
    "functions": lambda x: {"a": np.sin(x), "b": [np.maximum(x, 1), np.sum(x)]},
    "itself": lambda x: x + 0.0,
    "gradient": lambda x: tg.grad(lambda t: t * t)(x),
    "value and gradient": lambda x: tg.value_and_grad(lambda t: np.sum(np.sin(t) * t))(x),
    "arithmetic of gradients": lambda x: 0.5 * tg.grad(lambda t: t * t)(x) + 1.0,
    "jvp": lambda x: tg.jvp(lambda t: t * t, (x,), (1.0,)),
    "second": lambda x: tg.hessian(lambda t: t**3)(x),
    "pullback": lambda x: tg.vjp(lambda t: t * t, x)[1](1.0),
    "loop": lambda x: tg.scan(lambda c, t: (c * t + x, c), 0.5, np.ones(3)),
    "checkpoint": lambda x: tg.checkpoint(lambda t: np.sum(t * t))(x),
    "nested": lambda x: tg.grad(lambda t: tg.grad(lambda u: u**3)(t) * t)(x),
    "value": lambda x: tg.value(np.sum(x)),
    "stopped": lambda x: tg.stop_gradient(np.sum(x)) * 2.0,
}


def types_in(found):
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, (list, tuple)):
        return [types_in(part) for part in found]
    return type(found)


@pytest.mark.filterwarnings("ignore:compile.*runs without a program:UserWarning")
@pytest.mark.parametrize("x", [0.75, np.float64(0.75), np.float32(0.75)], ids=repr)
@pytest.mark.parametrize("name", RESULTS)
def test_types_of_numbers_are_those_of_the_plain_function(name, x):
    f = RESULTS[name]
    compiled = tg.compile(f)
    for _ in range(4):
        assert types_in(compiled(x)) == types_in(f(x))
        assert repr(compiled(x)) == repr(f(x))


def test_a_mask_of_one_number_is_negated_as_numpy_does():
    compiled = tg.compile(lambda x: x > 0.5)
    for _ in range(4):
        assert not ~compiled(np.float64(0.75))
    assert not ~(tg.Variable(0.75) > 0.5)
    assert type(tg.Variable(0.75) > 0.5) is np.bool_
    assert type(tg.Variable(0.75) == np.float32(0.75)) is np.bool_


@pytest.mark.parametrize("single", [np.float32(2.0), SINGLE], ids=["number", "array"])
def test_precision_beside_derivatives_and_held_values(single):
    functions = [
        lambda x: x * tg.grad(lambda t: np.sum(x * t))(3.0),
        lambda x: x * tg.value(np.sum(x.astype(float))),
        lambda x: x * tg.stop_gradient(np.sum(x.astype(float))),
        lambda x: x * tg.stop_gradient(2.0),
    ]
    for f in functions:
        compiled = tg.compile(f)
        for _ in range(4):
            assert compiled(single).dtype == f(single).dtype
    v = tg.Variable(single)
    assert (v * tg.stop_gradient(2.0)).dtype == np.float32
    assert (v * tg.stop_gradient(np.sum(v.astype(float)))).dtype == np.float64


TRUTHS = {
    "product": lambda e: (e > 0) * 2,
    "sum": lambda e: (e > 0) + 1,
    "difference": lambda e: 1 - (e > 0) * 3,
    "quotient": lambda e: (e > 0) / 2,
    "power": lambda e: (e > 0) ** 2,
    "whole quotient": lambda e: (e > 0) // 1,
    "remainder": lambda e: (e > 0) % 2,
    "of a float": lambda e: (e > 0) * 2.0,
    "count": lambda e: sum(k * (e > k) for k in (0, 1, 2)),
    "largest": lambda e: max(e, 3),
    "pair": lambda e: ((e > 0) * 2, e * (e > 0)),
    "of a scan": lambda e: (tg.scan(lambda c, x: (c * x, c), e, np.ones(3))[0] > 0) * 2,
}


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("kind", [float, np.float64])
def test_numbers_made_of_comparisons_are_those_of_the_function(name, kind):
    f = TRUTHS[name]
    compiled = tg.compile(f)
    for x in (1.0, 2.0, 3.0, 4.0, -1.0, -2.0, 2.5, 0.0):
        found, expected = compiled(kind(x)), f(kind(x))
        assert found == expected
        if name != "of a scan":
            assert types_in(found) == types_in(expected)
        else:  # whose carry is NumPy's
            assert isinstance(found, (int, np.int64))
