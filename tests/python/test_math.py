"""Python's math module inside of transforms: NumPy's derivatives, math's own values and errors."""

from __future__ import annotations

import math
import math as m
import pickle
import threading
import types
import warnings
from math import exp, log, sqrt

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _math, numerical

ORIGINALS = dict(_math.ORIGINALS)
NEEDS_SCIPY = {"erf", "erfc", "gamma", "lgamma"}
OF_ONE = sorted(
    set(_math._FUNCTIONS).intersection(vars(math)) - {"atan2", "copysign", "fmod", "pow"}
)


def inner(x):
    from math import cos

    return cos(x) * m.pi


OTHERS = {
    "atan2": lambda x: math.atan2(x, 0.3) + math.atan2(0.3, x) + math.atan2(x, 2 * x),
    "copysign": lambda x: math.copysign(x, -2.0) * x,
    "dist and prod": lambda x: math.prod([x, 2.0, x]) * math.hypot(x, 1.0, 2 * x),
    "floor": lambda x: x * math.floor(3 * x) + x * math.ceil(x) + x * math.trunc(3.9 * x),
    "fmod": lambda x: math.fmod(5 * x, 0.7) * x,
    "hypot": lambda x: math.hypot(x, 1.0) * math.hypot(3.0, x),
    "hypot of large numbers": lambda x: math.hypot(1e200 * x, 3e200, 1.0) * 1e-200,
    "log of a base": lambda x: math.log(x, 3) + math.log(3, x) + math.log(x + 1.0, x),
    "names of their own": lambda x: sqrt(x) * exp(-x) + log(x),
    "imported inside": inner,
    "pow": lambda x: math.pow(x, 2.5) + math.pow(2.0, x) + math.pow(x, x),
    "a sum": lambda x: sum(math.sin(k * x) / (k + 1) for k in range(6)),
    "a branch": lambda x: math.exp(x) if math.isfinite(x) and not math.isnan(x) else 0.0 * x,
    "isclose": lambda x: x * x if math.isclose(x, 0.6, abs_tol=0.5) else 3 * x,
}


def check(f, x):
    value, slope = tg.value_and_grad(f)(x)
    assert type(value) is type(f(x)) is float
    assert value == pytest.approx(f(x), rel=1e-15, abs=1e-300)  # the last place may differ
    assert slope == pytest.approx(numerical.grad(f)(x), rel=1e-6, abs=1e-9)
    assert tg.jvp(f, (x,), (1.0,))[1] == pytest.approx(slope, rel=1e-12)
    curvature = numerical.grad(lambda y: tg.grad(f)(y))(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a straight line has no second derivative
        assert tg.grad(tg.grad(f))(x) == pytest.approx(curvature, rel=1e-5, abs=1e-8)
    at = x + 0.01 * np.arange(6.0)
    np.testing.assert_allclose(tg.vmap(f)(at), [f(y) for y in at.tolist()], rtol=1e-14)
    for plain, compiled in ((f, tg.compile(f)), (tg.grad(f), tg.compile(tg.grad(f)))):
        for y in at.tolist():
            assert compiled(y) == pytest.approx(plain(y), rel=1e-12)
        (report,) = compiled.inspect().signatures
        assert report.replays >= 3
        assert not report.eager


@pytest.mark.parametrize("name", OF_ONE)
def test_functions_of_one_number(name):
    if name in NEEDS_SCIPY:
        pytest.importorskip("scipy")
    check(lambda x: getattr(math, name)(x), 1.3 if name == "acosh" else 0.6)


@pytest.mark.parametrize("name", OTHERS)
def test_other_ways_to_call_them(name):
    check(OTHERS[name], 0.61)


def outcome(call):
    try:
        return call()
    except (ValueError, OverflowError) as error:
        return f"{type(error).__name__}: {error}"


EDGES = {
    "sqrt": lambda x: math.sqrt(x),
    "log": lambda x: math.log(x),
    "log1p": lambda x: math.log1p(x),
    "exp": lambda x: math.exp(x),
    "cosh": lambda x: math.cosh(x),
    "acos": lambda x: math.acos(x),
    "atanh": lambda x: math.atanh(x),
    "pow": lambda x: math.pow(x, 0.5),
    "inverse": lambda x: math.pow(x, -1),
    "sin": lambda x: math.sin(x),
    "fmod": lambda x: math.fmod(x, 0.0 * x),
    "tanh": lambda x: math.tanh(x),
    "isnan": lambda x: 1.0 * x if math.isnan(x) else 2.0 * x,
    "isclose": lambda x: 1.0 * x if math.isclose(x, math.inf) else 2.0 * x,
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("x", [-1.0, 0.0, -0.5, 2.0, 1e3, math.inf, -math.inf, math.nan])
def test_outside_of_their_domains_they_raise_as_ever(name, x):
    f = EDGES[name]
    expected = outcome(lambda: f(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [outcome(lambda: tg.vjp(f, x)[0])]
        compiled, later = tg.compile(f), tg.compile(f)
        found += [outcome(lambda: compiled(x)) for _ in range(4)]
        for _ in range(4):  # a program of other numbers is there by then
            outcome(lambda: later(0.5))
        found.append(outcome(lambda: later(x)))
    for one in found:
        if isinstance(expected, float):
            assert one == pytest.approx(expected, rel=1e-15, nan_ok=True)
        else:
            assert one == expected


def test_a_program_that_catches_their_errors_takes_the_other_branch():
    def sigmoid(x):
        try:
            return 1.0 / (1.0 + math.exp(-x))
        except OverflowError:
            return 0.0 * x

    compiled = tg.compile(tg.value_and_grad(sigmoid))
    for x in (0.1, 0.2, 0.3, -800.0, 0.4, -900.0, 0.5):
        assert compiled(x) == pytest.approx(tg.value_and_grad(sigmoid)(x), rel=1e-14)
        assert compiled(x)[0] == pytest.approx(sigmoid(x), rel=1e-14)


def test_a_loop_of_them_is_rolled():
    returns = np.random.default_rng(3).normal(size=400).tolist()

    def likelihood(p):
        total, s = 0.0, p[0]
        for r in returns:
            s = p[0] + p[1] * r * r + p[2] * s
            total = total + math.log(s) + math.pow(r, 2) / s
        return total

    compiled, p = tg.compile(tg.grad(likelihood)), np.array([0.2, 0.3, 0.1])
    for k in range(5):
        at = p * (1.0 + 0.01 * k)
        np.testing.assert_allclose(compiled(at), numerical.grad(likelihood)(at), rtol=1e-6)
    (report,) = compiled.inspect().signatures
    assert report.programs[0].n_steps < 10


def test_single_precision_is_left_for_that_of_floats():
    third = np.float32(1 / 3)
    for f in (math.sqrt, math.exp, math.sin):
        expected = f(third)
        assert expected == f(float(third))
        assert tg.vjp(lambda x, f=f: getattr(math, f.__name__)(x), third)[0] == pytest.approx(
            expected, rel=1e-15
        )


def test_names_of_other_modules_stand_for_them():
    other = types.ModuleType("shapes_of_somebody")
    exec("from math import cos, sqrt\ndef area(x): return sqrt(x) * cos(x)", vars(other))
    library = types.ModuleType("scipy.something")
    exec("from math import cos\ndef f(x): return cos(x)", vars(library))
    area, x = other.area, 0.7
    expected = numerical.grad(area)(x)
    for f in (area, lambda x: area(x), lambda x: other.area(x), lambda x, f=area: f(x)):
        assert tg.grad(f)(x) == pytest.approx(expected, rel=1e-7)
        assert tg.compile(tg.grad(f))(x) == pytest.approx(expected, rel=1e-7)
    assert vars(other)["sqrt"] is ORIGINALS["sqrt"]
    with pytest.raises(TypeError, match="plain number would lose"):
        tg.grad(lambda x: x * math.sin(x) * library.f(x))(x)


def test_arrays_complex_numbers_and_what_is_no_number_go_to_math_itself():
    for f, x, error in (
        (lambda x: math.sin(x), np.array([1.0, 2.0]), TypeError),
        (lambda x: np.real(math.sin(x)), 1.0 + 2.0j, TypeError),
        (lambda x: x * math.sin("1"), 1.0, TypeError),
        (lambda x: math.atan2(x), 1.0, TypeError),
        (lambda x: math.atan2(x, np.ones(2)), 1.0, TypeError),
    ):
        with pytest.raises(error):
            tg.grad(f)(x)
    assert tg.grad(lambda x: x * math.sqrt(4) * math.gcd(4, 6))(1.0) == 4.0


def test_they_are_themselves_outside():
    seen = {}

    def f(x):
        other = threading.Thread(target=lambda: seen.update(value=math.sin(1.0), sqrt=sqrt(4.0)))
        other.start()
        other.join()
        seen["copy"] = pickle.loads(pickle.dumps(math.sin))
        return math.sin(x)

    tg.grad(f)(0.5)
    assert seen["value"] == math.sin(1.0)
    assert seen["sqrt"] == 2.0
    assert all(getattr(math, name) is original for name, original in ORIGINALS.items())
    assert sqrt is ORIGINALS["sqrt"]
    with pytest.raises(ZeroDivisionError):
        tg.grad(lambda x: math.sin(x) * (1 / 0))(0.5)
    assert math.sin is ORIGINALS["sin"]
    with pytest.raises(TypeError, match="plain number would lose"):
        math.sin(tg.Variable(1.0))
    with tg.patch_numpy():
        assert tg.value(math.sin(tg.Variable(1.0))) == np.sin(1.0)
    with tg.patch_numpy(False), pytest.raises(TypeError, match="plain number would lose"):
        tg.grad(lambda x: math.sin(x))(1.0)
