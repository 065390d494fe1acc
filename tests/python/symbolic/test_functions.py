"""from_sympy: expressions as functions, and there and back."""

import numpy as np
import pytest
import sympy
from sympy import Abs, Heaviside, Max, Min, Piecewise, Rational, cos, exp, log, pi, sin, sqrt

import tapegrad as tg
from tapegrad.symbolic import from_sympy, to_sympy

x, y, z = sympy.symbols("x y z")
EXPRESSIONS = [
    sin(x) * y + x**2,
    exp(-x * y) / (1 + x**2),
    sqrt(x + y) + x ** Rational(1, 3),
    log(x) * pi - y**-2,
    Max(x, y, 1) * Min(x, 2),
    Piecewise((x, x > y), (y**2, x > 0), (x * y, True)),
    Piecewise((x, (x > 1) & (y < 4)), (y, (x < 0) | (y > 9)), (x * y, True)),
    Abs(x - y) + sympy.sign(x) * y,
    Heaviside(x - 1) * x + sympy.floor(y) * x,
    sympy.atan2(y, x) + sympy.sinh(x) - sympy.acosh(1 + y),
    sympy.gamma(x) + sympy.loggamma(y) + sympy.digamma(x) + sympy.erf(y),
    sympy.besselj(2, x) + sympy.besselk(0, y) + sympy.zeta(x + 1, y),
    sympy.elliptic_k(x / 9) + sympy.elliptic_e(y / 9) + sympy.elliptic_f(x, y / 9),
    sympy.expint(1, x) + sympy.expint(3, y) + sympy.polygamma(1, x),
    (x + y) ** 2 * sin((x + y) ** 2),
    x * y + 0.1,
]


def difference(expr, at, symbol):
    """The derivative by a difference in 50 digits."""
    h = sympy.Rational(1, 10**15)
    expr = sympy.nsimplify(expr, rational=True)
    exact = {s: sympy.Rational(str(v)) for s, v in at.items()}
    there = [expr.subs(exact | {symbol: exact[symbol] + d}).evalf(50) for d in (h, -h)]
    return float((there[0] - there[1]) / (2 * h))


@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_values_and_derivatives(expr):
    f = from_sympy(expr, [x, y])
    at = {x: 1.3, y: 2.6}
    expected = float(expr.subs(at).evalf())
    assert f(1.3, 2.6) == pytest.approx(expected, rel=1e-11)
    slopes = [difference(expr, at, s) for s in (x, y)]
    np.testing.assert_allclose(tg.grad(f, (0, 1))(1.3, 2.6), slopes, rtol=1e-9)
    points = np.linspace(1.1, 1.7, 5), np.linspace(2.2, 3.1, 5)
    each = [f(a, b) for a, b in zip(*points, strict=True)]
    np.testing.assert_allclose(f(*points), each, rtol=1e-13)
    lanes = tg.vmap(f)(*points)
    np.testing.assert_allclose(lanes, each, rtol=1e-13)


def test_second_order_and_single_precision():
    f = from_sympy(sin(x) * y**2 + sqrt(x), [x, y])
    second = tg.jacobian(tg.grad(f, (0, 1)), (0, 1))(1.3, 2.6)
    expected = sympy.hessian(sin(x) * y**2 + sqrt(x), [x, y]).subs({x: 1.3, y: 2.6})
    np.testing.assert_allclose(second, np.array(expected.tolist(), float), rtol=1e-12)
    single = f(np.float32([1.3, 0.2]), np.float32(2.6))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, f(np.array([1.3, 0.2]), 2.6), rtol=1e-6)
    empty = f(np.empty((0, 2)), 1.0)
    assert empty.shape == (0, 2)


def test_compiled(recwarn):
    f = tg.compile(tg.grad(from_sympy(sin(x) * y + x**2, [x, y])))
    found = [f(1.0 + k, 2.0) for k in range(5)]
    expected = [np.cos(1.0 + k) * 2.0 + 2 * (1.0 + k) for k in range(5)]
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert "trusted" in str(f.inspect())
    assert not recwarn.list


def test_matrices_arrays_and_lists():
    g = from_sympy(sympy.Matrix([[x, y], [x * y, 1]]), [x, y])
    np.testing.assert_array_equal(g(2.0, 3.0), [[2.0, 3.0], [6.0, 1.0]])
    assert g(np.ones(4), 3.0).shape == (2, 2, 4)
    np.testing.assert_array_equal(tg.jacobian(g)(2.0, 3.0), [[1.0, 0.0], [3.0, 0.0]])
    np.testing.assert_array_equal(from_sympy([x, 2 * x], x)(3.0), [3.0, 6.0])
    assert from_sympy(sympy.Array([[x, y]]), [x, y])(1.0, 2.0).shape == (1, 2)


def test_vectors_as_arguments():
    f = from_sympy(x * y + z, [(x, y), z])
    assert f(np.array([2.0, 3.0]), 4.0) == 10.0
    np.testing.assert_array_equal(tg.grad(f)(np.array([2.0, 3.0]), 4.0), [3.0, 2.0])


@pytest.mark.parametrize("expr", [e for e in EXPRESSIONS[:10] if not e.has(Heaviside)], ids=str)
def test_there_and_back(expr):
    back = to_sympy(from_sympy(expr, [x, y]), x, y)
    for at in ({x: 1.3, y: 2.6}, {x: 2.5, y: 0.4}):
        assert float(back.subs(at)) == pytest.approx(float(expr.subs(at)), rel=1e-12)


def test_simple_expressions_come_back_the_same():
    for expr in (sin(x) * y + x**2, exp(-x * y), sqrt(x + y), x**3 - 2 * y, Max(x, y)):
        assert to_sympy(from_sympy(expr, [x, y]), x, y) == expr


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: from_sympy(x + y, [x]), ValueError, "the expression has y"),
        (
            lambda: from_sympy(x, [sympy.Symbol("x", real=True)]),
            ValueError,
            "assumptions",
        ),
        (lambda: from_sympy(sympy.Function("g")(x), [x]), NotImplementedError, "for g"),
        (lambda: from_sympy(sympy.DiracDelta(x), [x]), NotImplementedError, "DiracDelta"),
        (
            lambda: from_sympy(sympy.Derivative(sin(x), x), [x]),
            NotImplementedError,
            r"Derivative; carry it out with \.doit",
        ),
        (lambda: from_sympy(cos(x), [x])(1.0, 2.0), TypeError, "takes 1 arguments, got 2"),
        (lambda: from_sympy(cos(x), [3]), TypeError, "argument 0 is 3"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call()
