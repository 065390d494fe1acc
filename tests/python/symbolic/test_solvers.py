"""FindRoot, FindMinimum, NDSolve."""

import numpy as np
import pytest
import sympy

from tapegrad.symbolic import FindMinimum, FindRoot, NDSolve

x, y = sympy.symbols("x y")


def rosenbrock(v):
    return (1 - v[0]) ** 2 + 100 * (v[1] - v[0] ** 2) ** 2


def test_roots():
    assert FindRoot(lambda x: np.cos(x) - x, 1.0) == pytest.approx(0.7390851332151607, abs=1e-14)
    root = FindRoot(lambda v: np.stack([v[0] ** 2 + v[1] ** 2 - 4, v[0] - v[1]]), [1.0, 2.0])
    np.testing.assert_allclose(root, [np.sqrt(2)] * 2, rtol=1e-13)
    assert FindRoot(lambda x: np.arctan(x), 10.0) == pytest.approx(0.0, abs=1e-12)  # damped
    assert FindRoot(sympy.Eq(sympy.cos(x), x), {x: 1}) == {x: pytest.approx(0.7390851332151607)}
    both = FindRoot([x**2 + y**2 - 4, x - y], {x: 1, y: 2})
    assert FindRoot(x**2 - 2, (x, 1)) == {x: pytest.approx(2**0.5)}
    assert FindRoot([x - 1, y - 2], [(x, 0), (y, 0)]) == {x: 1.0, y: 2.0}
    assert FindRoot("u**2 - 2", {"u": 1.0}) == {"u": pytest.approx(2**0.5)}
    assert both == {x: pytest.approx(2**0.5), y: pytest.approx(2**0.5)}


def test_newton_converges_quadratically():
    calls = []

    def f(x):
        calls.append(x)
        return x**2 - 2

    FindRoot(f, 1.0)
    assert len(calls) < 15


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: FindRoot(lambda x: x**2 + 1, 1.0), RuntimeError, "no root found"),
        (lambda: FindRoot(lambda x: x**2 + 1, 0.0), RuntimeError, "derivative is 0"),
        (lambda: FindRoot(lambda v: v * v[0] + 1, [0.0, 0.0]), RuntimeError, "singular"),
        (lambda: FindRoot(lambda v: v[:1], [1.0, 2.0]), ValueError, "as many equations"),
        (lambda: FindRoot(np.sin, "1"), TypeError, "not a number"),
        (lambda: FindMinimum(np.sin, 1.0, method="Powell"), ValueError, "'BFGS' or 'Newton'"),
        (lambda: FindMinimum(lambda x: -(x**2), 1.0), RuntimeError, "FindMinimum"),
        (lambda: NDSolve(lambda t, y: y, np.ones((2, 2)), (0, 1)), ValueError, "vector"),
        (lambda: NDSolve(lambda t, y: y[:1], [1.0, 2.0], (0, 1)), ValueError, "rates"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words), np.errstate(all="ignore"):
        call()


@pytest.mark.parametrize("method", ["BFGS", "Newton"])
def test_minima(method):
    value, place = FindMinimum(rosenbrock, [-1.2, 1.0], method=method)
    assert value < 1e-12
    np.testing.assert_allclose(place, [1.0, 1.0], rtol=1e-5)
    value, place = FindMinimum(np.cos, 3.0, method=method)
    assert (value, place) == (pytest.approx(-1.0), pytest.approx(np.pi))
    value, place = FindMinimum((x - 1) ** 2 + (x * y) ** 2 + y**2, {x: 0, y: 1}, method=method)
    assert place == {x: pytest.approx(1.0, abs=1e-6), y: pytest.approx(0.0, abs=1e-6)}
    shape = FindMinimum(lambda a: np.sum((a - 2) ** 2), np.zeros((2, 2)), method=method)[1]
    np.testing.assert_allclose(shape, np.full((2, 2), 2.0), rtol=1e-8)


@pytest.mark.parametrize("method", ["LSODA", "Radau", "BDF", "RK45", "DOP853"])
def test_differential_equations(method):
    y = NDSolve(lambda t, y: -2.0 * y, 1.0, (0.0, 1.0), method=method)
    assert y(1.0) == pytest.approx(np.exp(-2.0), rel=1e-6)
    assert y(np.array([0.0, 0.5])).shape == (2,)
    circle = NDSolve(lambda t, v: [v[1], -v[0]], [0.0, 1.0], (0.0, np.pi), method=method)
    np.testing.assert_allclose(circle(np.pi / 2), [1.0, 0.0], atol=1e-6)
    assert circle(np.array([0.1, 0.2, 0.3])).shape == (2, 3)
    with pytest.raises(ValueError, match="solved from 0"):
        circle(4.0)


def test_stiff_equations_get_the_exact_jacobian():
    def van_der_pol(t, y):
        return np.stack([y[1], 1000 * (1 - y[0] ** 2) * y[1] - y[0]])

    solution = NDSolve(van_der_pol, [2.0, 0.0], (0.0, 100.0), method="Radau")
    assert solution.t.size < 200
    assert solution(100.0)[0] == pytest.approx(1.93, abs=0.01)


def test_what_is_said_of_wrong_arguments():
    with pytest.raises(TypeError, match="FindRoot: int 3 is not a function"):
        FindRoot(3, 1.0)
    with pytest.raises(ValueError, match=r"NDSolve: the domain is the pair \(t0, t1\), not 3"):
        NDSolve(lambda t, y: -y, 1.0, 3)
