"""Interpolators of Variables in data, places and points, against SciPy's."""

import interpolate_cases
import numpy as np
import pytest
import scipy.interpolate
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import interpolate

X, Y, AT = interpolate_cases.X, interpolate_cases.Y, interpolate_cases.AT


@pytest.mark.parametrize("name", interpolate_cases.CASES)
def test_values_and_derivatives(name):
    f, args = interpolate_cases.CASES[name]
    holds(f, args, rtol=1e-9, single=False)


def test_plain_data_take_points_that_are_variables():
    for make in (interpolate.CubicSpline, interpolate.PchipInterpolator, interpolate.interp1d):
        f, scipys = make(X, Y), getattr(scipy.interpolate, make.__name__)(X, Y)
        np.testing.assert_array_equal(f(AT), scipys(AT))
        np.testing.assert_array_equal(f.x, scipys.x)
        holds(lambda at, f=f: f(at), (AT,), single=False)
    periodic = interpolate.CubicSpline(X, np.append(Y[:-1], Y[0]), bc_type="periodic")
    holds(lambda at: periodic(at), (AT + 4.05,), single=False)


def test_refusals():
    v = tg.Variable(Y)
    with pytest.raises(TypeError, match="bc_type='periodic'"):
        interpolate.CubicSpline(X, v, bc_type="periodic")
    with pytest.raises(AttributeError, match="derivative is there where the data are plain"):
        interpolate.CubicSpline(X, v).derivative()
    with pytest.raises(ValueError, match="strictly increasing"):
        interpolate.CubicSpline(X[::-1], v)
    with pytest.raises(ValueError, match="below the interpolation range"):
        interpolate.interp1d(X, v)(-1.0)
    with pytest.raises(ValueError, match="out of the bounds"):
        interpolate.RegularGridInterpolator((X,), v)(tg.Variable([9.0]))
    with pytest.raises(TypeError, match="method='pchip'"):
        interpolate.RegularGridInterpolator((X,), v, "pchip")([1.0])
    with pytest.raises(TypeError, match="nu=1"):
        interpolate.make_interp_spline(X, v)(1.0, 1)
