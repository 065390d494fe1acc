import optimize_cases
import pytest
from scipy_checks import holds


@pytest.mark.parametrize("name", [x for x in optimize_cases.ROOTS if "brent" not in x])
def test_values_and_derivatives(name):
    f, args = optimize_cases.ROOTS[name]
    holds(f, args, single=False, rtol=1e-9)
