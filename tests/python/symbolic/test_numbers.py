"""Floating-point numbers as SymPy's."""

import math

import numpy as np
import pytest
import sympy

from tapegrad.symbolic.numbers import CONSTANTS, number, numbers


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (2.0, "2"),
        (-0.5, "-1/2"),
        (0.0, "0"),
        (1e15, "1000000000000000"),
        (0.1, "0.1"),
        (1 / 3, "1/3"),
        (-2 / 7, "-2/7"),
        (0.30000000000000004, "0.3"),
        (math.pi, "pi"),
        (-2 * math.pi, "-2*pi"),
        (3.14159, "3.14159"),
        (np.nextafter(math.pi, 4), "3.14159265358979"),
        (math.inf, "oo"),
        (-math.inf, "-oo"),
        (math.nan, "nan"),
        (7, "7"),
        (np.int64(-3), "-3"),
        (True, "True"),
        (np.float32(0.25), "1/4"),
    ],
)
def test_numbers(x, text):
    assert sympy.sstr(number(x), full_prec=False) == text


@pytest.mark.parametrize("x", [0.1, 1 / 3, 1e-300, 1e300, 123456.789, 2**60 + 0.0, 0.7 / 0.9])
def test_no_digit_is_lost(x):
    assert float(number(x)) == x


def test_constants_are_those_numbers():
    for x, formula in CONSTANTS.items():
        assert abs(float(formula.evalf(30)) - x) <= 2 * np.spacing(abs(x))


def test_arrays():
    found = numbers(np.array([[0.5, 2.0]]))
    assert found.shape == (1, 2)
    assert found[0, 0] == sympy.Rational(1, 2)
    assert numbers(3.0)[()] == 3
    assert numbers(np.empty((0, 2))).shape == (0, 2)
