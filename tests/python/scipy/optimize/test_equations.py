import numpy as np
import optimize_cases
import pytest
from agreement import assert_same_kinds
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import optimize


@pytest.mark.parametrize("name", [x for x in optimize_cases.ROOTS if "brent" not in x])
def test_values_and_derivatives(name):
    f, args = optimize_cases.ROOTS[name]
    holds(f, args, single=False, rtol=1e-9)


@pytest.mark.parametrize("method", ["hybr", "krylov", "df-sane"])
def test_residuals_are_a_vector_as_scipys(method):
    def solved(a):
        return optimize.root(lambda x, a: np.cos(x) - a * x, np.ones((2, 2)), (a,), method)

    for a in (1.0, 1.2):
        expected, found = solved(a), solved(tg.Variable(a))
        assert found.x.shape == expected.x.shape
        assert found.fun.shape == expected.fun.shape
        np.testing.assert_allclose(tg.value(found.x), expected.x, rtol=1e-9)


@pytest.mark.parametrize(
    "solved",
    [
        lambda a: optimize.brentq(lambda x, a: x * x - a, 0.0, 3.0, (a,)),
        lambda a: optimize.newton(lambda x, a: x * x - a, 1.0, None, (a,)),
        lambda a: optimize.root_scalar(lambda x, a: x * x - a, (a,), bracket=(0.0, 3.0)).root,
        lambda a: optimize.minimize_scalar(lambda x, a: (x - a) ** 2, args=(a,)).x,
        lambda a: optimize.fixed_point(lambda x, a: np.cos(a * x), 1.0, (a,)),
    ],
)
def test_numbers_are_numbers(solved):
    """So that `y += 1` leaves another name of the root alone."""
    assert_same_kinds(solved(tg.Variable(1.3)), solved(1.3))
    assert_same_kinds(tg.compile(solved)(1.3), solved(1.3))
