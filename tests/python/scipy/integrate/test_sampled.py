import integrate_cases
import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import integrate


@pytest.mark.parametrize("name", integrate_cases.SAMPLED)
def test_values_and_derivatives(name):
    f, args = integrate_cases.SAMPLED[name]
    holds(f, args)


def test_points_that_do_not_fit():
    v = tg.Variable(np.ones(4))
    with pytest.raises(ValueError, match="length of x along axis"):
        integrate.simpson(v, x=np.arange(3.0))
    with pytest.raises(ValueError, match="shape of x must be 1-D"):
        integrate.simpson(v, x=np.ones((2, 4)))
    with pytest.raises(ValueError, match="one plus a non-negative power of 2"):
        integrate.romb(v)
    with pytest.raises(ValueError, match="strictly increasing"):
        integrate.cumulative_simpson(v, x=np.array([0.0, 1.0, 1.0, 2.0]))
