"""z**w, exact for integer exponents."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.complex.elementary import divide, exp, log, multiply, reciprocal, sqrt, square
from tapegrad.complex.parts import Pair

_MOST_PRODUCTS = 100  # NumPy's limit


def power(a: Pair, b: Pair) -> Pair:
    """NumPy's power: products for an integer exponent, else exp(b log a)."""
    exponent = _fixed(b)
    if exponent is not None:
        if exponent == 0.5:
            return sqrt(*a)
        if exponent == int(exponent) and abs(exponent) < _MOST_PRODUCTS:
            return integer_power(a, int(exponent))
    zero = (a[0] == 0) & (a[1] == 0)
    base = np.where(zero, 1.0, a[0]), np.where(zero, 0.0, a[1])
    re, im = exp(*multiply(b, log(*base)))
    none = (b[0] == 0) & (b[1] == 0)
    vanishes = b[0] > 0
    number = re.dtype.type
    of_zero = np.where(none, number(1.0), np.where(vanishes, number(0.0), number(np.nan)))
    return (
        np.where(zero, of_zero, np.where(none, 1.0, re)),
        np.where(
            zero,
            np.where(none | vanishes, number(0.0), number(np.nan)),
            np.where(none, number(0.0), im),
        ),
    )


def _fixed(b: Pair) -> Any:
    """The plain real number that the exponent is, or None."""
    re, im = b
    if isinstance(re, Variable) or isinstance(im, Variable) or np.ndim(re) or np.ndim(im):
        return None
    return float(re) if im == 0 and np.isfinite(re) else None


def integer_power(a: Pair, n: int) -> Pair:
    """a**n by squaring, the products in NumPy's order."""
    if n == 0:
        return 0.0 * a[0] + 1.0, 0.0 * a[1]
    if n == -1:
        return reciprocal(*a)
    if n == 1:
        return +a[0], +a[1]
    if n == 2:
        return square(*a)
    if n == 3:
        return multiply(a, multiply(a, a))
    found: Pair | None = None
    rest, factor = abs(n), a
    while True:
        if rest & 1:
            found = factor if found is None else multiply(found, factor)
        rest >>= 1
        if not rest:
            break
        factor = multiply(factor, factor)
    assert found is not None
    number = found[0].dtype.type
    return divide((number(1.0), number(0.0)), found) if n < 0 else found
