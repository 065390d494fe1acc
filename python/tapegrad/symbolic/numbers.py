"""Floating-point numbers as SymPy's: exact where they are short fractions or known constants."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from tapegrad.symbolic.lazy_sympy import sympy

MOST = 1024  # the largest denominator, a power of two, that is written as a fraction
MOST_OF_FRACTIONS = 360  # and of other quotients


def _constants() -> dict[float, Any]:
    """What the floating-point numbers are that stand for a constant of mathematics."""
    pi, log = sympy.pi, sympy.log
    found = {
        math.pi: pi,
        2 * math.pi: 2 * pi,
        math.pi / 2: pi / 2,
        math.pi / 4: pi / 4,
        1 / math.pi: 1 / pi,
        math.pi / 180: pi / 180,
        180 / math.pi: 180 / pi,
        math.e: sympy.E,
        math.log(2): log(2),
        1 / math.log(2): 1 / log(2),
        math.log(10): log(10),
        1 / math.log(10): 1 / log(10),
        math.sqrt(2): sympy.sqrt(2),
        math.sqrt(0.5): sympy.sqrt(2) / 2,
        math.sqrt(math.pi): sympy.sqrt(pi),
        2 / math.sqrt(math.pi): 2 / sympy.sqrt(pi),
        1 / math.sqrt(math.pi): 1 / sympy.sqrt(pi),
        math.sqrt(2 * math.pi): sympy.sqrt(2 * pi),
        1 / math.sqrt(2 * math.pi): 1 / sympy.sqrt(2 * pi),
        math.log(2 * math.pi): log(2 * pi),
        math.log(2 * math.pi) / 2: log(2 * pi) / 2,
    }
    return found | {-x: -formula for x, formula in found.items()}


CONSTANTS = _constants()


def number(x: Any) -> Any:
    """The number as SymPy's: an integer, a fraction, a constant, or a float of the same value."""
    if isinstance(x, (bool, np.bool_)):
        return sympy.true if x else sympy.false
    if isinstance(x, (int, np.integer)):
        return sympy.Integer(int(x))
    x = float(x)
    if not math.isfinite(x):
        return sympy.nan if math.isnan(x) else sympy.oo if x > 0 else -sympy.oo
    if x in CONSTANTS:
        return CONSTANTS[x]
    over, under = x.as_integer_ratio()
    if under <= MOST and abs(over) < 2**53:
        return sympy.Rational(over, under)
    return _fraction(x) or sympy.Float(x)


def _fraction(x: float) -> Any:
    """A quotient of small whole numbers that was rounded: 1/3, but not 0.1, which has a decimal."""
    if len(repr(x).partition("e")[0].strip("-0.").replace(".", "")) < 15:
        return None
    near = Fraction(x).limit_denominator(MOST_OF_FRACTIONS)
    same = near.numerator / near.denominator == x
    return sympy.Rational(near.numerator, near.denominator) if same else None


def numbers(array: Any) -> np.ndarray[Any, Any]:
    """An array of numbers as an array of SymPy's."""
    given = np.asarray(array)
    found = np.empty(given.shape, dtype=object)
    for place in np.ndindex(given.shape):
        found[place] = number(given[place])
    return found
