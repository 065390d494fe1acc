import mpmath as m
import numpy as np
import pytest
from special_accuracy import hold

import tapegrad as tg

special = pytest.importorskip("scipy.special")

ONE = {
    "gammaln": (lambda x: m.log(abs(m.gamma(x))), (1e-8, 0.3, 0.7, 1.2, 1.9, 3.5, 7.9, 8.1, 500.0)),
    "psi": (m.digamma, (1e-8, 0.3, 0.7, 1.2, 1.9, 3.5, 7.9, 8.1, 500.0, -0.3, -2.6)),
    "gamma": (m.gamma, (0.3, 3.5, -1.3, 30.0)),
    "rgamma": (m.rgamma, (0.3, 3.5, -1.3, 0.0, -2.0, -3.0)),
    "loggamma": (m.loggamma, (0.3, 3.5)),
    "zetac": (lambda x: m.zeta(x) - 1, (2.5, 0.3, 5.0, 1.0625, -0.4, -0.6, -3.5, 20.0, 55.0)),
}


@pytest.mark.parametrize("name", ONE)
def test_of_one_argument(name):
    reference, points = ONE[name]
    hold(getattr(special, name), reference, [(x,) for x in points])


def gammainc(a, x):
    return m.gammainc(a, 0, x, regularized=True)


POINTS = [(0.3, 0.2), (1.5, 0.7), (1.5, 4.0), (9.0, 12.0), (9.0, 3.0), (0.2, 9.0)]
TWO = {
    "gammainc": (gammainc, POINTS),
    "gammaincc": (lambda a, x: m.gammainc(a, x, m.inf, regularized=True), POINTS),
    "beta": (m.beta, [(1.5, 0.7), (3.0, 8.0)]),
    "betaln": (lambda a, b: m.log(m.beta(a, b)), [(1.5, 0.7), (3.0, 8.0)]),
    "binom": (m.binomial, [(4.5, 1.7), (6.2, 2.0)]),
    "poch": (m.rf, [(1.5, 0.7), (3.2, 2.0)]),
}


@pytest.mark.parametrize("name", TWO)
def test_of_two_arguments(name):
    reference, points = TWO[name]
    hold(getattr(special, name), reference, points, rtol=2e-12)


def test_the_shape_of_gammainc_three_times():
    f = tg.grad(tg.grad(tg.grad(lambda a: special.gammainc(a, 2.0))))
    with m.workdps(50):
        wanted = float(m.diff(lambda a: gammainc(a, m.mpf(2)), m.mpf(1.5), 3))
    np.testing.assert_allclose(f(1.5), wanted, rtol=1e-11)
    assert np.isnan(tg.grad(f)(1.5))


def test_mixed_derivatives():
    found = tg.hessian(lambda v: special.gammainc(v[0], v[1]))(np.array([1.5, 2.0]))
    with m.workdps(50):
        wanted = float(m.diff(gammainc, (m.mpf(1.5), m.mpf(2)), (1, 1)))
    np.testing.assert_allclose([found[0, 1], found[1, 0]], wanted, rtol=1e-11)


def test_inverses_undo_the_function():
    for p in (0.05, 0.4, 0.93):
        a = 1.7
        x = special.gammaincinv(a, p)
        by_a, by_p = tg.grad(special.gammaincinv, (0, 1))(a, p)
        f_a, f_x = tg.grad(special.gammainc, (0, 1))(a, x)
        np.testing.assert_allclose([by_p * f_x, by_a * f_x + f_a + 1.0], 1.0, rtol=1e-12)
