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


def test_plain_ones_are_scipys_to_its_functions():
    spline = interpolate.make_interp_spline(X, Y)
    assert isinstance(spline, scipy.interpolate.BSpline)
    expected = scipy.interpolate.splev(AT, scipy.interpolate.make_interp_spline(X, Y), 1)
    np.testing.assert_array_equal(interpolate.splev(AT, spline, 1), expected)
    assert isinstance(interpolate.CubicSpline(X, Y), interpolate.CubicSpline)
    of_variables = interpolate.CubicSpline(X, tg.Variable(Y))
    assert not isinstance(of_variables, scipy.interpolate.CubicSpline)
    knots = np.arange(8.0)
    found = interpolate.BSpline.design_matrix([3.5, 4.0], knots, 3).toarray()
    wanted = scipy.interpolate.BSpline.design_matrix([3.5, 4.0], knots, 3).toarray()
    np.testing.assert_array_equal(found, wanted)
    with pytest.raises(AttributeError, match="no_such_name"):
        interpolate.BSpline.no_such_name  # noqa: B018 - that is what is tested


def test_refusals():
    v = tg.Variable(Y)
    with pytest.raises(TypeError, match=r"BSpline: .* call the interpolator itself, f\(x\)"):
        interpolate.splev(AT, interpolate.make_interp_spline(X, v))
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
