"""np.i0, np.angle and np.real_if_close on Variables."""

import math

import numpy as np
import pytest
from agreement import agrees, assert_equal_parts

import tapegrad as tg


def series(x, order):
    """The derivative of the Bessel function I0, from its power series, by exact sums."""
    terms = (
        math.prod(range(2 * k - order + 1, 2 * k + 1)) * x ** (2 * k - order)
        / (4.0**k * math.factorial(k) ** 2)
        for k in range((order + 1) // 2, 90)
    )  # fmt: skip
    return math.fsum(terms)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_i0_and_its_derivatives(order):
    f = np.i0
    for _ in range(order):
        f = tg.elementwise_grad(f)
    x = np.array([-40.0, -7.5, -1.0, 0.0, 1e-9, 0.5, 3.0, 29.9, 30.0, 30.1, 44.0])
    np.testing.assert_allclose(f(x), [series(float(t), order) for t in x], rtol=2e-14, atol=1e-300)


def test_i0_is_numpys():
    agrees(np.i0, [(np.array([0.0, 0.5, -3.0, 7.0]),), (np.array([1.0, -2.0, 40.0, 9.0]),)])
    for x in (
        np.linspace(-60, 60, 1001),
        np.array([np.nan, np.inf, -np.inf, 700.0, 720.0]),
        np.array([0, 1, -5, 40], "f4"),
    ):
        with np.errstate(all="ignore"):
            expected = np.i0(x)
        expected = np.where(np.isinf(x), np.abs(x), expected)  # NumPy's is NaN there
        assert_equal_parts(np.i0(tg.Variable(x)), expected, 1e-13 if x.dtype == float else 1e-5)


@pytest.mark.parametrize("deg", [False, True])
def test_angle(deg):
    agrees(lambda x: np.angle(x, deg), [(np.array([1.0, -2.0, 3.0]),), (np.array([1.0, -2, -3]),)])
    for x in (np.array([0.0, -0.0, np.nan, -np.nan, -np.inf]), np.array([-1, 2], "f4")):
        assert_equal_parts(np.angle(tg.Variable(x), deg), np.angle(x, deg), 1e-7)
    np.testing.assert_array_equal(tg.grad(lambda x: np.sum(np.angle(x)))(np.zeros(2)), 0)


def test_real_if_close_is_the_array_itself():
    v = tg.Variable([1.0, 2.0])
    np.real_if_close(v)[0] = 5.0
    np.testing.assert_array_equal(v.value, [5.0, 2.0])
