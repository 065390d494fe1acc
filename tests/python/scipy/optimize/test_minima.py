import numpy as np
import optimize_cases
import pytest

import tapegrad as tg
from tapegrad.scipy import optimize


@pytest.mark.parametrize("name", optimize_cases.MINIMA)
def test_values_and_derivatives(name):
    args = optimize_cases.A, optimize_cases.C
    optimize_cases.matches(optimize_cases.MINIMA[name], args, 1e-5)


def test_components_at_a_bound_stay_there():
    def minimum(c):
        return optimize.minimize(
            lambda x: np.sum((x - c) ** 2) + x[0] * x[1], [0.5, 0.5], bounds=[(0.0, 1.0)] * 2
        ).x

    # x1 is held at its bound, and 2 (x0 - c0) + x1 = 0.
    found = tg.jacobian(minimum)(np.array([0.8, 3.0]))
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.0, 0.0]], atol=1e-8)

    def scalar(c):
        return optimize.minimize_scalar(lambda x: (x - c) ** 2, bounds=(0.0, 1.0)).x

    assert tg.grad(scalar)(3.0) == 0.0
    assert tg.grad(scalar)(0.3) == pytest.approx(1.0)

    def squares(c):
        return optimize.least_squares(lambda x: x - c, [0.5, 0.5], bounds=(0.0, 1.0)).x

    found = tg.jacobian(squares)(np.array([0.3, 3.0]))
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.0, 0.0]], atol=1e-6)


def test_jacobians_of_the_users_are_used():
    calls = []

    def slope(x, a):
        calls.append(x)
        return 2.0 * (x - a)

    def f(a):
        return optimize.minimize(lambda x, a: np.sum((x - a) ** 2), [1.0], (a,), jac=slope).x[0]

    assert tg.grad(f)(3.0) == pytest.approx(1.0)
    assert calls
