"""Products, quotients and what else is rational in the parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.complex.choices import any_of, are_usual, known, where
from tapegrad.complex.parts import Pair


def multiply(a: Pair, b: Pair) -> Pair:
    """The product."""
    (x, y), (u, v) = a, b
    return x * u - y * v, x * v + y * u


def recover(found: Pair, a: Pair, b: Pair) -> Pair:
    """The product `found` of a and b, infinite where the parts have lost that (C99, G.5.1)."""
    lost = np.isnan(found[0]) & np.isnan(found[1])
    if not any_of(lost):
        return found
    (x, y), (u, v) = a, b
    overflows = np.isinf(x * u) | np.isinf(y * v) | np.isinf(x * v) | np.isinf(y * u)
    lost = lost & (_is_infinite(a) | _is_infinite(b) | overflows)
    re, im = multiply(_direction(a), _direction(b))
    return known(lost, found[0], np.inf * re), known(lost, found[1], np.inf * im)


def _is_infinite(a: Pair) -> Any:
    return np.isinf(a[0]) | np.isinf(a[1])


def _direction(a: Pair) -> Pair:
    """On a box around 0 where a part is infinite, with 0 for what is no number."""
    infinite = _is_infinite(a)

    def part(x: Any) -> Any:
        x = where(infinite, where(np.isinf(x), np.copysign(1.0, x), np.copysign(0.0, x)), x)
        return where(np.isnan(x), np.copysign(0.0, x), x)

    return part(a[0]), part(a[1])


def divide(a: Pair, b: Pair) -> Pair:
    """The quotient by Smith's method (Communications of the ACM 5, 1962), as NumPy's."""
    (x, y), (u, v) = a, b
    by_real = abs(u) >= abs(v)
    large: Any = where(by_real, u, v)
    small: Any = where(by_real, v, u)
    zero: Any = large == 0
    large = where(zero, abs(large), large)
    ratio = small / where(zero, 1.0, large)
    scale = 1.0 / (large + small * ratio)
    first, second = where(by_real, x, y), where(by_real, y, x)
    re = (first + second * ratio) * scale
    im = where(by_real, y - x * ratio, y * ratio - x) * scale
    if any_of(zero):
        re, im = known(zero, re, x * scale), known(zero, im, y * scale)
    return re, im


def reciprocal(x: Any, y: Any) -> Pair:
    """1 / z."""
    by_real = abs(y) <= abs(x)
    large, small = where(by_real, x, y), where(by_real, y, x)
    ratio = small / large
    size = large + small * ratio
    whole, rest = 1.0 / size, ratio / size
    return where(by_real, whole, rest), -where(by_real, rest, whole)


def absolute(x: Any, y: Any) -> Any:
    """The modulus, without overflow; its derivative at 0 is taken as zero."""
    return np.hypot(x, y)


def square(x: Any, y: Any) -> Pair:
    """Z * z."""
    product = x * y
    return x * x - y * y, product + product


def sign(x: Any, y: Any) -> Pair:
    """Z / |z|, 0 at 0, and a unit where one part alone is infinite."""
    size = np.hypot(x, y)
    zero = size == 0
    size = where(zero, 1.0, size)
    re, im = where(zero, 0.0, x / size), where(zero, 0.0, y / size)
    if are_usual(x, y):
        return re, im
    one = np.isinf(x) != np.isinf(y)
    return (
        known(one, re, where(np.isinf(x), np.copysign(1.0, x), 0.0)),
        known(one, im, where(np.isinf(y), np.copysign(1.0, y), 0.0)),
    )
