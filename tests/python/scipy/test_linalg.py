"""scipy.linalg of Variables: SciPy's values, derivatives, programs, lanes, single precision."""

import linalg_cases
import pytest
from scipy_checks import holds

CASES = linalg_cases.CASES


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    f, args = CASES[name]
    holds(f, args, lanes=name not in linalg_cases.ONE_BY_ONE)
