"""Elementary functions: NumPy's values with signed zeros and on branch cuts, and derivatives."""

import numpy as np
import pytest
from complex_cases import ELEMENTARY

import tapegrad as tg

NAMES = tuple(ELEMENTARY)
HOLOMORPHIC = tuple(x for x in NAMES if x not in ("sign", "conjugate", "rint"))

# On cuts, on both sides of them, at branch points and poles' neighbours, tiny and large.
_AXIS = (-3.0, -1.0, -0.5, -1e-9, -0.0, 0.0, 1e-9, 0.5, 1.0, 2.0)
GRID = np.array([complex(x, y) for x in _AXIS for y in _AXIS])
LARGE = np.array(
    [complex(x, y) for x in (-1e3, -30.0, 30.0, 1e3, 1e6) for y in (-1e3, -0.0, 0.0, 2.0)]
)


def plain(name, z):
    with np.errstate(all="ignore"):
        return getattr(np, name)(z)


def assert_same(found, wanted, tolerance):
    """Relative to the size of the number; a zero part has the sign of NumPy's."""
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    wanted, found = wanted[finite], found[finite]
    error = np.abs(found - wanted) / np.maximum(np.abs(wanted), 1e-300)
    assert error.max(initial=0.0) < tolerance, (error.max(), wanted[error.argmax()])
    for part in ("real", "imag"):
        f, w = getattr(found, part), getattr(wanted, part)
        zero = w == 0
        np.testing.assert_array_equal(
            np.signbit(f[zero & (f == 0)]), np.signbit(w[zero & (f == 0)])
        )


@pytest.mark.parametrize("name", NAMES)
def test_values_are_numpys(name):
    z = GRID
    if name in ("reciprocal", "log", "log2", "log10"):
        z = z[z != 0]
    if name in ("log1p", "arctanh"):
        z = z[(z != -1) & (z != 1)]
    if name == "arctan":
        z = z[(z != 1j) & (z != -1j)]
    found = getattr(np, name)(tg.Variable(z)).value
    assert found.dtype == np.complex128
    # NumPy's own log1p adds 1 first, and is off near 0.
    assert_same(found, plain(name, z), 1e-14 if name != "log1p" else 1e-6)


def test_log1p_does_not_cancel():
    found = np.log1p(tg.Variable(np.array([1e-9 + 0j, 1e-9 - 1e-9j, -1e-12j]))).value
    np.testing.assert_allclose(
        found, [1e-9 - 5e-19, 1e-9 - 1e-9j + 1e-18j, -1e-12j + 5e-25], rtol=1e-15
    )


@pytest.mark.parametrize(
    "name", ["tan", "tanh", "arctan", "arctanh", "arcsinh", "arccosh", "log", "sqrt"]
)
def test_large_arguments_do_not_overflow(name):
    found = getattr(np, name)(tg.Variable(LARGE)).value
    assert_same(found, plain(name, LARGE), 1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_single_precision(name):
    z = np.array([0.3 + 0.7j, -1.2 + 0.1j, 2 - 3j], np.complex64)
    found = getattr(np, name)(tg.Variable(z))
    assert found.dtype == np.complex64
    assert_same(found.value, plain(name, z), 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_one_number(name):
    z = 0.3 - 0.7j
    found = getattr(np, name)(tg.Variable(z))
    assert found.shape == ()
    assert abs(found.value - plain(name, z)) < 1e-14 * abs(plain(name, z))


POINTS = np.array([0.3 + 0.7j, -1.2 + 0.1j, 2 - 3j, 0.5 + 0j, 0j + 0.4j, -0.7 - 0j, 1e-3 - 1e-3j])


def central(function, z, h=1e-5):
    """df/dz by a complex difference of fourth order, along the axis that crosses no cut."""
    steps = h * np.array([1, -1, 2, -2])
    with np.errstate(all="ignore"):
        f1, f2, f3, f4 = (function(z + step) for step in steps)
    return (8 * (f1 - f2) - (f3 - f4)) / (12 * h)


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_derivatives_against_complex_differences(name):
    function = getattr(np, name)
    wanted = central(function, POINTS)
    found = tg.holomorphic_grad(function)(POINTS)
    np.testing.assert_allclose(found, wanted, rtol=2e-8, atol=1e-9)
    direction = np.exp(1j * np.arange(len(POINTS)))
    _, tangent = tg.jvp(function, (POINTS,), (direction,))
    np.testing.assert_allclose(tangent, found * direction, rtol=1e-12)


@pytest.mark.parametrize("name", [x for x in HOLOMORPHIC if x not in ("positive", "negative")])
def test_second_derivatives(name):
    function = getattr(np, name)
    z = POINTS[:6]
    found = tg.holomorphic_grad(tg.holomorphic_grad(function))(z)
    wanted = central(tg.holomorphic_grad(function), z)
    np.testing.assert_allclose(found, wanted, rtol=2e-7, atol=1e-8)


@pytest.mark.parametrize("name", ["tanh", "tan"])
def test_slopes_far_out_are_finite(name):
    z = np.array([800.0 + 1j, -800.0 - 2j, 1 + 800j, 1 - 800j])
    found = tg.holomorphic_grad(getattr(np, name))(z)
    assert np.all(np.isfinite(found))
    _, tangent = tg.jvp(getattr(np, name), (z,), (np.ones(4),))
    assert np.all(np.isfinite(tangent))


@pytest.mark.parametrize("name", ["arctan", "arctanh", "log", "abs"])
def test_infinite_arguments(name):
    parts = (-np.inf, -1e200, -1.0, -0.0, 0.0, 1.0, 1e200, np.inf)
    z = np.array([complex(x, y) for x in parts for y in parts])
    z = z[~np.isfinite(z) | (np.abs(z) > 1e100)]
    found, wanted = tg.value(getattr(np, name)(tg.Variable(z))), plain(name, z)
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-29)
