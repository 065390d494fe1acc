"""Orders of modes agree where values are special; compiled, eager and plain programs too."""

import math

import numpy as np
import pytest

import tapegrad as tg


def seconds(f, x):
    """The second derivative in every order of modes."""
    return {
        "reverse over reverse": tg.grad(tg.grad(f))(x),
        "forward over reverse": tg.jvp(tg.grad(f), (x,), (1.0,))[1],
        "reverse over forward": tg.grad(lambda t: tg.jvp(f, (t,), (1.0,))[1])(x),
        "forward over forward": tg.jvp(lambda t: tg.jvp(f, (t,), (1.0,))[1], (x,), (1.0,))[1],
        "hessian": float(tg.hessian(f)(x)),
    }


@pytest.mark.parametrize("y", [0.3, 1.0, 1.5, 2.0, 7.0])
def test_powers_of_zero_by_the_exponent(y):
    def f(y):
        return 0.0**y

    assert set(seconds(f, y).values()) == {0.0}
    assert tg.grad(tg.grad(tg.grad(f)))(y) == 0.0


@pytest.mark.parametrize(("y", "mixed"), [(1.0, -math.inf), (1.5, 0.0), (2.0, 0.0), (3.0, 0.0)])
def test_powers_of_zero_by_base_and_exponent(y, mixed):
    by_base = tg.grad(lambda y: tg.grad(lambda x: x**y)(0.0))(y)
    by_exponent = tg.grad(lambda x: tg.grad(lambda y: x**y)(y))(0.0)
    assert by_base == by_exponent == mixed


@pytest.mark.parametrize("x", [-math.inf, -0.0, 0.0, 1.0, 4.0, math.inf])
@pytest.mark.parametrize("p", [0.5, -0.5, 2.0, -1.0, 3.0, 1.0, 0.0])
def test_powers_of_special_numbers(x, p):
    def f(x):
        return x**p

    with np.errstate(all="ignore"):
        plain, of_array = float(np.float64(x) ** p), np.full(3, x) ** p
    compiled = tg.compile(f)
    for _ in range(3):
        assert repr(compiled(x)) == repr(plain)
        np.testing.assert_array_equal(compiled(np.full(3, x)), of_array)
    assert repr(tg.value(f(tg.Variable(x)))) == repr(plain)
    np.testing.assert_array_equal(tg.value(f(tg.Variable(np.full(3, x)))), of_array)


# Zeros meet infinities in these, in values or in derivatives of some order.
CLASHES = {
    "tanh of a derivative": lambda x: np.tanh(tg.grad(lambda q: q * q * np.inf)(x)),
    "tanh of a tangent": lambda x: np.tanh(tg.jvp(lambda q: q * q * np.inf, (x,), (x,))[1]),
    "tanh of a logarithm's": lambda x: np.tanh(tg.grad(lambda q: q * np.log(q * q))(x)),
    "arctan": lambda x: np.arctan(x * x * np.inf),
    "0 * inf": lambda x: (x * 0.0) * np.inf + x * x,
    "0 * inf chosen": lambda x: np.maximum(x * np.inf, x) * 0.0 + x**3,
    "0 / 0": lambda x: np.divide(x, x),
    "x / 0": lambda x: np.arctan(np.divide(x, 0.0)),
    "where": lambda x: np.where(x > 0, x * x, x * np.inf),
    "clip": lambda x: np.clip(x * x * np.inf, -1.0, 1.0) * x,
    "minimum": lambda x: np.minimum(np.exp(1e3 * x * x), 2.0) * x,
    "tanh of exp": lambda x: np.tanh(np.exp(x * x * 1e3)),
    "sqrt": lambda x: np.sqrt(np.abs(x)) * x,
    "log": lambda x: np.log(np.abs(x)) * x * x,
    "prod": lambda x: np.tanh(np.prod(np.stack([x, x * np.inf, x]))),
    "dot": lambda x: np.maximum(np.dot(np.stack([x, np.inf]), np.stack([x, x])), np.inf) + x,
    "vdot": lambda x: np.tanh(np.vdot(np.stack([x, np.inf]), np.stack([1.0, x]))),
    "einsum": lambda x: np.tanh(np.einsum("i,i", np.stack([x, np.inf]), np.stack([1.0, x]))),
    "dot with a constant": lambda x: np.dot(np.stack([x, 0 * x]), np.array([1.0, np.inf])),
    "scan": lambda x: tg.scan(
        lambda c, _: (np.tanh(c * c * np.inf) * x, c), x, np.zeros(3)
    )[0],
}  # fmt: skip
ORDERS = {
    "value": lambda f: f,
    "grad": tg.grad,
    "jvp": lambda f: lambda x: tg.jvp(f, (x,), (1.0,))[1],
    "grad of grad": lambda f: tg.grad(tg.grad(f)),
    "jvp of grad": lambda f: lambda x: tg.jvp(tg.grad(f), (x,), (1.0,))[1],
    "grad of jvp": lambda f: tg.grad(lambda x: tg.jvp(f, (x,), (1.0,))[1]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", CLASHES)
def test_the_same_zero_wins_against_infinity_in_every_mode(name, order):
    f, points = CLASHES[name], np.array([0.5, 0.0, -0.75, 1.0, -0.0])
    derived = ORDERS[order](f)
    with np.errstate(all="ignore"):
        expected = [float(tg.value(derived(float(x)))) for x in points]
        compiled, over_lanes = tg.compile(derived), tg.compile(tg.vmap(derived))
        for _ in range(3):
            found = [compiled(float(x)) for x in points]
            np.testing.assert_allclose(found, expected, rtol=1e-12)
            np.testing.assert_allclose(over_lanes(points), expected, rtol=1e-12)
        np.testing.assert_allclose(tg.vmap(derived)(points), expected, rtol=1e-12)
        along = tg.scan(lambda c, x: (c, derived(x)), 0.0, points)[1]
        np.testing.assert_allclose(along, expected, rtol=1e-12)
        checkpointed = ORDERS[order](tg.checkpoint(f))
        found = [checkpointed(float(x)) for x in points]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


# Slopes that are zero where the operand is not looked at, behind an infinite one.
UNSEEN = {
    "abs": (lambda x: np.sqrt(np.abs(0.0 * x)), 1.0),
    "abs at a kink": (lambda x: np.cbrt(np.abs(x)), 0.0),
    "fabs": (lambda x: np.sqrt(np.fabs(x - x)), 2.0),
    "maximum": (lambda x: np.sqrt(np.maximum(x - 1.0, 0.0)), 0.5),
    "minimum": (lambda x: np.sqrt(-np.minimum(1.0 - x, 0.0)), 0.5),
    "fmax": (lambda x: np.log1p(np.fmax(x, -1.0) * 1.0), -2.0),
    "fmin": (lambda x: np.cbrt(np.fmin(x, 0.0)), 3.0),
    "clip": (lambda x: np.arccos(np.clip(x, -1.0, 1.0)), 1.5),
    "clip from below": (lambda x: np.sqrt(np.clip(x, 0.0, None)), -1.0),
    "where": (lambda x: np.sqrt(np.where(x > 0, x, 0.0)), -1.0),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", UNSEEN)
def test_nothing_goes_back_to_what_is_not_looked_at(name):
    f, x = UNSEEN[name]
    modes = {
        "grad": tg.grad(f),
        "jvp": lambda x: tg.jvp(f, (x,), (1.0,))[1],
        "arrays": lambda x: tg.vjp(f, np.full(3, x))[1](np.ones(3))[0][1],
        "tangents of arrays": lambda x: tg.jvp(f, (np.full(3, x),), (np.ones(3),))[1][1],
        "lanes": lambda x: tg.vmap(tg.grad(f))(np.full(3, x))[1],
        "grad of grad": tg.grad(tg.grad(f)),
        "jvp of grad": lambda x: tg.jvp(tg.grad(f), (x,), (1.0,))[1],
        "hessian": tg.hessian(f),
        "single": lambda x: tg.grad(f)(np.float32(x)),
    }
    for mode, derived in modes.items():
        assert derived(x) == 0.0, mode
        compiled = tg.compile(derived)
        assert [float(compiled(x)) for _ in range(4)] == [0.0] * 4, mode


def raising(name, error):
    def fail(*args):
        raise error(name)

    held = property(fail) if name == "__dict__" else fail
    return type("Raising", (), {name: held})()


@pytest.mark.parametrize("error", [KeyError, ZeroDivisionError, AttributeError])
@pytest.mark.parametrize(
    "name", ["__getattr__", "__dict__", "__eq__", "__hash__", "__len__", "__bool__", "__array__"]
)
@pytest.mark.filterwarnings("ignore")
def test_objects_whose_special_methods_raise(name, error):
    x = raising(name, error)
    captured = tg.compile(lambda v: v * (2.0 if x is not None else 1.0))
    given = tg.compile(lambda v, other: v * (2.0 if other is not None else 1.0))
    for v in (1.0, 2.0, 3.0):
        assert captured(v) == given(v, x) == 2 * v
    assert tg.grad(lambda v, other: v * 2.0)(1.0, x) == 2.0


@pytest.mark.parametrize("name", ["__class__", "__getattribute__"])
def test_objects_that_cannot_be_looked_into_run_as_plain_python(name):
    def fail(*args):
        raise KeyError(name)

    x = type("Closed", (), {name: property(fail) if name == "__class__" else fail})()
    compiled = tg.compile(lambda v: v * (2.0 if x is not None else 1.0))
    with pytest.warns(UserWarning, match="can't be looked into: that raises KeyError"):
        assert compiled(1.0) == 2.0
    assert compiled(2.0) == 4.0


@pytest.mark.parametrize("f", [np.max, np.min, np.ptp, np.maximum.reduce])
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0), (0, 2, 0)])
def test_the_largest_of_nothing_is_refused_however_many_results_there_are(f, shape):
    x = np.zeros(shape)
    for axis in range(len(shape)):
        compiled = tg.compile(lambda x, axis=axis: f(x, axis=axis))
        if shape[axis]:
            assert f(tg.Variable(x), axis=axis).shape == f(x, axis=axis).shape
            assert compiled(x).shape == f(x, axis=axis).shape
            continue
        for call in (f, lambda x, axis: f(tg.Variable(x), axis=axis)):
            with pytest.raises(ValueError, match="which has no identity"):
                call(x, axis=axis)
        with pytest.raises(ValueError, match="which has no identity"):
            compiled(x)
