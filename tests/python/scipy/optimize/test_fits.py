import numpy as np
import optimize_cases
import pytest

import tapegrad as tg
from tapegrad.scipy import optimize


@pytest.mark.parametrize("name", optimize_cases.FITS)
def test_values_and_derivatives(name):
    args = optimize_cases.A, optimize_cases.C
    optimize_cases.matches(optimize_cases.FITS[name], args, 1e-5)


def test_plain_calls_are_scipys():
    args = optimize_cases.A, optimize_cases.C
    for f, _ in optimize_cases.FITS.values():
        found, expected = f(*map(tg.Variable, args)), f(*args)
        for x, e in zip(found, expected, strict=True):
            np.testing.assert_allclose(tg.value(x), e, rtol=1e-5, atol=1e-8)


def test_too_few_points_have_no_covariance():
    with pytest.raises(TypeError, match=r"curve_fit: the covariance of 2 parameters by 2 points"):
        optimize.curve_fit(optimize_cases.curve, np.arange(2.0), tg.Variable([2.0, 1.0]))
