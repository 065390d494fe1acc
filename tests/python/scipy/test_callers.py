"""SciPy's optimisers and solvers call what tapegrad makes, also from threads and processes."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

import tapegrad as tg


def rosen(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def residuals(x):
    return np.stack([x[0] ** 2 - 1.0, x[0] * x[1] - 2.0, x[1] - 2.0])


def square(x):
    return residuals(x)[:2]


def stiff(t, y):
    return np.stack([-50.0 * y[0] + y[1], -(y[1] ** 2)])


def along(x, v):
    return tg.hvp(rosen, x, v)


def minimised(start):
    found = scipy.optimize.minimize(
        tg.value_and_grad(rosen), start, jac=True, method="BFGS", options={"gtol": 1e-8}
    )
    return found.x


START = np.array([-1.2, 1.0, 0.5])


def test_minimize():
    for method in ("BFGS", "L-BFGS-B", "CG"):
        found = scipy.optimize.minimize(rosen, START, jac=tg.grad(rosen), method=method)
        np.testing.assert_allclose(found.x, 1.0, atol=1e-3)
    both = tg.compile(tg.value_and_grad(rosen))
    found = scipy.optimize.minimize(both, START, jac=True, method="L-BFGS-B")
    np.testing.assert_allclose(found.x, 1.0, atol=1e-3)
    found = scipy.optimize.minimize(
        rosen, START, jac=tg.grad(rosen), hess=tg.hessian(rosen), method="Newton-CG"
    )
    np.testing.assert_allclose(found.x, 1.0, atol=1e-5)
    found = scipy.optimize.minimize(
        rosen, START, jac=tg.grad(rosen), hessp=along, method="trust-ncg"
    )
    np.testing.assert_allclose(found.x, 1.0, atol=1e-5)


def test_systems_and_fits():
    jacobian = tg.compile(tg.jacobian(residuals))
    found = scipy.optimize.least_squares(residuals, [0.5, 0.5], jac=jacobian)
    np.testing.assert_allclose(found.x, [1.0, 2.0], rtol=1e-6)
    found = scipy.optimize.root(square, [0.8, 1.7], jac=tg.jacobian(square))
    np.testing.assert_allclose(found.x, [1.0, 2.0], rtol=1e-6)

    def model(t, a, k):
        return a * np.exp(-k * t)

    t = np.linspace(0.0, 2.0, 9)

    def slopes(t, a, k):
        return np.stack(tg.jacobian(model, (1, 2))(t, a, k), 1)

    fitted, _ = scipy.optimize.curve_fit(model, t, model(t, 1.3, 0.7), p0=[1.0, 1.0], jac=slopes)
    np.testing.assert_allclose(fitted, [1.3, 0.7], rtol=1e-7)


def test_jacobians_of_stiff_equations():
    y0 = np.array([1.0, 0.5])
    jacobian = tg.jacobian(stiff, 1)
    tight = {"method": "BDF", "rtol": 1e-9, "atol": 1e-12}
    found = scipy.integrate.solve_ivp(stiff, (0.0, 1.0), y0, jac=jacobian, **tight)
    expected = scipy.integrate.solve_ivp(stiff, (0.0, 1.0), y0, **tight)
    np.testing.assert_allclose(found.y[:, -1], expected.y[:, -1], rtol=1e-7)


def test_threads_and_processes():
    starts = [START + 0.1 * k for k in range(6)]
    with ThreadPoolExecutor(3) as pool:
        for x in pool.map(minimised, starts):
            np.testing.assert_allclose(x, 1.0, atol=1e-4)
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        for x in pool.map(minimised, starts[:2]):
            np.testing.assert_allclose(x, 1.0, atol=1e-4)


def test_solvers_inside_differentiated_functions_are_named():
    def g(a):
        return np.sum(scipy.optimize.least_squares(lambda x: x**2 - a, np.ones(1)).x)

    with pytest.raises(TypeError, match=r"scipy\.optimize\.least_squares"):
        tg.grad(g)(2.0)
