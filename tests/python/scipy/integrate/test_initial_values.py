"""odeint and solve_ivp of Variables against solutions that are known, and differences."""

import numpy as np
import pytest
import scipy.integrate
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import integrate

TIMES = np.array([0.0, 0.4, 1.1, 1.5])
Y0, ARGS = np.array([1.0, 0.4]), (np.array(1.3), np.array([0.7, 0.2]))
TIGHT = {"rtol": 1e-10, "atol": 1e-10}


def pendulum(y, t, k, c):
    return np.stack([y[1], -k * np.sin(y[0]) - c[0] * y[1] + c[1] * t])


def turned(t, y, k, c):
    return pendulum(y, t, k, c)


def test_odeint():
    holds(
        lambda y0, k, c: integrate.odeint(pendulum, y0, TIMES, (k, c), **TIGHT),
        (Y0, *ARGS),
        single=False,
        rtol=1e-6,
    )
    holds(
        lambda y0, t: integrate.odeint(turned, y0, t, ARGS, tfirst=True, **TIGHT),
        (Y0, TIMES),
        single=False,
        rtol=1e-6,
    )


@pytest.mark.parametrize("method", ["RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"])
def test_solve_ivp(method):
    tight = {"rtol": 1e-9, "atol": 1e-9} if method in ("RK23", "BDF") else TIGHT

    def f(y0, k, c):
        return integrate.solve_ivp(turned, (0.0, 1.5), y0, method, TIMES, args=(k, c), **tight).y

    args = Y0, *ARGS
    found = f(*map(tg.Variable, args))
    np.testing.assert_allclose(tg.value(found), f(*args), rtol=1e-12)
    order = 2 if method in ("RK45", "LSODA") else 1
    tg.testing.check_grads(f, args, order=order, rtol=1e-5, atol=1e-6, eps=1e-4)


def decay(t, y, k):
    return -k * y


def test_derivatives_of_what_is_known():
    # y = y0 exp(-k (t - t0)), also where the equation is stiff.
    for k, method in ((0.8, "RK45"), (300.0, "Radau")):

        def at_end(y0, k, t0, t1, method=method):
            found = integrate.solve_ivp(
                decay, (t0, t1), y0, method, args=(k,), rtol=1e-9, atol=1e-11
            )
            return found.y[0, -1]

        y0, t0, t1 = np.array([2.0]), 0.1, 0.12
        y = 2.0 * np.exp(-k * (t1 - t0))
        found = tg.grad(at_end, (0, 1, 2, 3))(y0, k, t0, t1)
        expected = [y / 2.0], -(t1 - t0) * y, k * y, -k * y
        for x, e in zip(found, expected, strict=True):
            np.testing.assert_allclose(x, e, rtol=1e-5)


def test_backwards_in_time():
    def f(y0):
        return integrate.odeint(decay, y0, np.array([1.0, 0.2]), (0.8,), tfirst=True)[-1, 0]

    np.testing.assert_allclose(tg.grad(f)(np.array([1.0])), [np.exp(0.8 * 0.8)], rtol=1e-6)


def test_results_are_scipys():
    y0 = tg.Variable([2.0])
    found = integrate.solve_ivp(decay, (0.0, 1.0), y0, args=(0.5,))
    expected = scipy.integrate.solve_ivp(decay, (0.0, 1.0), [2.0], args=(0.5,))
    np.testing.assert_allclose(tg.value(found.t), expected.t)
    np.testing.assert_allclose(tg.value(found.y), expected.y)
    assert (found.success, found.status, found.nfev) == (True, 0, expected.nfev)


def test_refusals():
    k = tg.Variable(0.5)
    with pytest.raises(TypeError, match="jac="):
        integrate.solve_ivp(decay, (0, 1), tg.Variable([1.0]), "BDF", jac=np.eye(1), args=(k,))
