"""z**w, by products where the exponent is a small whole number."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.complex.arithmetic import divide, multiply, reciprocal, recover, square
from tapegrad.complex.choices import any_of, are_usual, known, where, where_number
from tapegrad.complex.elementary import exp, log, sqrt
from tapegrad.complex.parts import Pair

_MOST_PRODUCTS = 100  # NumPy's limit
_BITS = 7  # of numbers below it
# Before 2.3, NumPy's operator takes short cuts for numbers of its own too, and more of them.
_IS_OLDER = tuple(map(int, np.__version__.split(".")[:2])) < (2, 3)
_OLDER_SHORT_CUTS = (-1.0, 0.0, 0.5, 1.0, 2.0)


def power(a: Pair, b: Pair) -> Pair:
    """NumPy's power: products for an integer exponent, else exp(b log a)."""
    exponent = _fixed(b)
    if exponent is not None and exponent == int(exponent) and abs(exponent) < _MOST_PRODUCTS:
        return integer_power(a, int(exponent))
    (x, y), (u, v) = a, b
    zero = (x == 0) & (y == 0)
    base = where(zero, 1.0, x), where(zero, 0.0, y)
    logarithm = log(*base)
    if exponent is None:
        product = recover(multiply(b, logarithm), b, logarithm)
    else:
        product = u * logarithm[0], u * logarithm[1] + v * logarithm[0]
    exponential = exp(*product)
    if any_of(zero):  # z**w is z, flat or steep there
        one = (v == 0) & (u == 1)
        slope = where(one, 1.0, where_number(u > 1, 0.0, np.nan, x, y))
        exponential = where(zero, slope * x, exponential[0]), where(zero, slope * y, exponential[1])
    re, im = exponential if exponent is not None else _with_products(exponential, a, b)
    none = (u == 0) & (v == 0)
    re, im = known(none, re, 1.0), known(none, im, 0.0)
    of_zero = where_number(u > 0, 0.0, np.nan, x, y)
    zero = zero & np.logical_not(none)  # a truth of Python's where the exponent is a number
    return known(zero, re, of_zero), known(zero, im, of_zero)


def operator_power(a: Pair, b: Pair) -> Pair:
    """NumPy's operator **, which takes other functions for single exponents."""
    exponent = _fixed(b)
    if exponent == 1 and _IS_OLDER and a[0].ndim:
        return +a[0], +a[1]
    if exponent == 0.5:
        return sqrt(*a)
    if exponent == 2:
        return square(*a)
    return reciprocal(*a) if exponent == -1 else power(a, b)


def as_operator_takes_it(exponent: Any, base: Any) -> Any:
    """An exponent, a number of Python's instead of one of NumPy's where a short cut is taken."""
    if not _IS_OLDER or not np.ndim(base) or not isinstance(exponent, (np.ndarray, np.generic)):
        return exponent
    is_short_cut = (
        not exponent.ndim and exponent.dtype.kind in "iuf" and float(exponent) in _OLDER_SHORT_CUTS
    )
    return float(exponent) if is_short_cut else exponent


def _fixed(b: Pair) -> Any:
    """The plain real number that the exponent is, or None."""
    re, im = b
    if isinstance(re, Variable) or isinstance(im, Variable) or np.ndim(re) or np.ndim(im):
        return None
    return float(re) if im == 0 and np.isfinite(re) else None


def _with_products(found: Pair, a: Pair, b: Pair) -> Pair:
    """`found`, or a product where the exponent is a small whole number."""
    u, v = b
    whole = (v == 0) & (u == np.rint(u)) & (abs(u) < _MOST_PRODUCTS)
    if not any_of(whole):
        return found
    product = _products(a, where(whole, u, 0.0))
    if isinstance(u, Variable) or isinstance(v, Variable):  # products have no slope by exponents
        return known(whole, found[0], product[0]), known(whole, found[1], product[1])
    return where(whole, product[0], found[0]), where(whole, product[1], found[1])


def _products(a: Pair, n: Any) -> Pair:
    """a**n of whole numbers n, in NumPy's order."""
    rest, factor = abs(n), a
    none = rest * 0.0
    unit = found = none + 1.0, none
    for _ in range(_BITS):
        half = np.floor(rest * 0.5)
        odd = rest != 2.0 * half
        found = _chosen(odd, multiply(found, factor), found)
        rest = half
        if not any_of(rest != 0):
            break
        factor = square(*factor)
    twice = square(*a)
    for count, direct in ((1, a), (2, twice), (3, multiply(a, twice))):
        found = _chosen(n == count, direct, found)
    below = n < 0
    if not any_of(below):
        return found
    return _chosen(below, divide(unit, _chosen(below, found, unit)), found)


def _chosen(mask: Any, a: Pair, b: Pair) -> Pair:
    return (where(mask, a[0], b[0]), where(mask, a[1], b[1])) if any_of(mask) else b


def integer_power(a: Pair, n: int) -> Pair:
    """a**n by squaring, the products in NumPy's order, and with its value at 0."""
    x, y = a
    if n == 0:
        return np.where(True, 1.0, x), np.where(True, 0.0, y)
    re, im = (+x, +y) if n == 1 else _power_by_products(a, n)
    zero = (x == 0) & (y == 0)
    value = 0.0 if n > 0 else np.nan
    return known(zero, re, value), known(zero, im, value)


def _power_by_products(a: Pair, n: int) -> Pair:
    if n == 2:
        return square(*a)
    if n == 3:
        return multiply(a, square(*a))
    number = a[0].dtype.type
    one = number(1.0), number(0.0)
    found: Pair | None = None if are_usual(*a) else one
    rest, factor = abs(n), a
    while True:
        if rest & 1:
            found = factor if found is None else multiply(found, factor)
        rest >>= 1
        if not rest:
            break
        factor = square(*factor)
    assert found is not None
    return found if n > 0 else divide(one, found)
