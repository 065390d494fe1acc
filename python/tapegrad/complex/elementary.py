"""Elementary functions of x + iy, with NumPy's branch cuts, signed zeros and infinities.

Each takes the parts and gives the parts. The formulas are Kahan's ("Branch cuts for complex
elementary functions", 1987), written without |x| where x = 0 is an inner point: the derivative of
each branch is that of the function, at every order. Special values: see choices.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad.complex.choices import (
    are_far_from_zero,
    are_single,
    are_usual,
    known,
    small,
    where,
    where_number,
)
from tapegrad.complex.parts import Pair

_LOG_2, _LOG_10 = math.log(2.0), math.log(10.0)
_MODEST = 80.0  # exp neither overflows nor vanishes below it, in float32 too
_LARGE = 300.0  # beyond it the square of cosh overflows
_STEPS = 64  # doublings of a tiny number


def exp(x: Any, y: Any) -> Pair:
    """e**x (cos y + i sin y)."""
    cosine, sine = np.cos(y), np.sin(y)
    if are_usual(x, y, below=_MODEST):
        size = np.exp(x)
        return size * cosine, size * sine
    limit, step = _limits(x)
    far = x > limit
    size, factor = np.exp(x - where_number(far, step, 0.0, x)), _factor(far, step, x)
    lost = np.isinf(x) & np.isnan(cosine)  # the size is 0 or infinite whatever the direction
    re = known(lost, size * cosine * factor, size)
    real = (y == 0) | (lost & (x < 0))
    return re, known(real, size * sine * factor, np.copysign(0.0, y))


def _limits(x: Any) -> tuple[float, float]:
    """Where exp is near overflow, and a step back from there."""
    return (80.0, 70.0) if are_single(x) else (700.0, 600.0)


def _factor(far: Any, step: float, x: Any) -> Any:
    return where_number(far, math.exp(step), 1.0, x)


def _nearer(x: Any) -> Pair:
    """A number and a factor for the same hyperbolic functions, where those are near overflow."""
    limit, step = _limits(x)
    far = abs(x) > limit
    return where(far, x - np.copysign(step, x), x), _factor(far, step, x)


def exp2(x: Any, y: Any) -> Pair:
    """2**z."""
    return exp(x * _LOG_2, y * _LOG_2)


def expm1(x: Any, y: Any) -> Pair:
    """exp(z) - 1, without cancellation."""
    half = np.sin(y * 0.5)
    return np.expm1(x) * np.cos(y) - 2.0 * half * half, np.exp(x) * np.sin(y)


def _log_of_size(x: Any, y: Any) -> Any:
    """Log |z|, without cancellation near |z| = 1."""
    size = np.hypot(x, y)
    near = (size > 0.5) & (size < 2.0)
    swap = abs(x) < abs(y)
    large, small = where(swap, y, x), where(swap, x, y)
    large = where(large < 0, -large, large)
    large, small = where(near, large, 1.0), where(near, small, 0.0)
    close = 0.5 * np.log1p((large - 1.0) * (large + 1.0) + small * small)
    return where(near, close, np.log(where(near, 1.0, size)))


def log(x: Any, y: Any) -> Pair:
    """Cut along the negative real axis; the sign of a zero imaginary part says on which side."""
    return _log_of_size(x, y), np.arctan2(y, x)


def log2(x: Any, y: Any) -> Pair:
    """log(z) / log(2)."""
    re, im = log(x, y)
    return re * (1.0 / _LOG_2), im * (1.0 / _LOG_2)


def log10(x: Any, y: Any) -> Pair:
    """log(z) / log(10)."""
    re, im = log(x, y)
    return re * (1.0 / _LOG_10), im * (1.0 / _LOG_10)


def log1p(x: Any, y: Any) -> Pair:
    """log(1 + z)."""
    near = (x > -0.5) & (x < 1.0) & (abs(y) < 0.5)
    a, b = where(near, x, 0.0), where(near, y, 0.0)
    close = 0.5 * np.log1p(a * (2.0 + a) + b * b)
    return where(near, close, np.log(where(near, 1.0, np.hypot(1.0 + x, y)))), np.arctan2(
        y, 1.0 + x
    )


def sqrt(x: Any, y: Any) -> Pair:
    """The root with a real part that is not negative."""
    re, im = root(x, y)
    if are_usual(x, y):
        return re, im
    up = np.isinf(y)
    along = np.isinf(x) & ~up
    right = x > 0
    nothing = y * 0.0  # with the sign of y, and NaN where that is
    re = known(along, re, where(right, abs(x), abs(nothing)))
    im = known(along, im, where(right, nothing, np.copysign(abs(x), y)))
    return known(up, re, abs(y)), known(up, im, y)


def root(x: Any, y: Any) -> Pair:
    """The same of finite numbers."""
    limit, size = small(x, y), np.hypot(x, y)
    if are_far_from_zero(size, limit):
        return _root(x, y, size)
    tiny = (abs(x) < limit) & (abs(y) < limit)
    up = where_number(tiny, 2.0**_STEPS, 1.0, x, y)
    back = where_number(tiny, 2.0 ** (-_STEPS // 2), 1.0, x, y)
    re, im = _root(x * up, y * up, np.hypot(x * up, y * up))
    return re * back, im * back


def _root(x: Any, y: Any, modulus: Any) -> Pair:
    left, below = x < 0, np.signbit(y)
    height = where(below, -y, y)
    size = np.sqrt(where(left, -x, x) * 0.5 + modulus * 0.5)
    at_zero = size == 0
    other = where(
        at_zero,
        np.sqrt(where(at_zero, height, 1.0)),
        height * 0.5 / where(at_zero, 1.0, size),
    )
    re, im = where(left, other, size), where(left, size, other)
    return re, where(below, -im, im)


def sinh(x: Any, y: Any) -> Pair:
    """Hyperbolic sine."""
    cosine, sine = np.cos(y), np.sin(y)
    if are_usual(x, y, below=_MODEST):
        return np.sinh(x) * cosine, np.cosh(x) * sine
    near, factor = _nearer(x)
    re, im = np.sinh(near) * cosine * factor, np.cosh(near) * sine * factor
    none = x == 0
    lost = (none | np.isinf(x)) & np.isnan(cosine)
    return known(lost, re, where(none, x, abs(x))), known(y == 0, im, y)


def cosh(x: Any, y: Any) -> Pair:
    """Hyperbolic cosine."""
    cosine, sine = np.cos(y), np.sin(y)
    if are_usual(x, y, below=_MODEST):
        return np.cosh(x) * cosine, np.sinh(x) * sine
    near, factor = _nearer(x)
    re, im = np.cosh(near) * cosine * factor, np.sinh(near) * sine * factor
    lost = np.isnan(cosine)
    re = known(np.isinf(x) & lost, re, abs(x))
    im = known((x == 0) & lost, im, 0.0)
    return re, known(y == 0, im, where(np.isnan(x), y, np.copysign(1.0, x) * y))


def of_turned(f: Any, x: Any, y: Any) -> Pair:
    """-i f(iz)."""
    re, im = f(-y, x)
    return im, -re


def sin(x: Any, y: Any) -> Pair:
    """Sine."""
    return sinh(y, x)[::-1]


def cos(x: Any, y: Any) -> Pair:
    """Cosine."""
    return cosh(-y, x)


def tanh(x: Any, y: Any) -> Pair:
    """Hyperbolic tangent, without overflow."""
    large = abs(x) > _LARGE
    cosine, sine, slope = np.cos(y), np.sin(y), np.tanh(x)
    inverse = 1.0 / np.cosh(where(large, 0.0, x))
    drop = where(large, 4.0 * np.exp(-2.0 * abs(x)), inverse * inverse)  # 1 - tanh(x)**2
    below = cosine * cosine + slope * slope * (sine * sine)
    re, im = slope / below, sine * cosine * drop / below
    if are_usual(x, y):
        return re, im
    lost = np.isinf(x) & np.isnan(cosine)
    real = lost | (y == 0)
    return known(lost | (x == 0), re, slope), known(real, im, np.copysign(0.0, y))


def tan(x: Any, y: Any) -> Pair:
    """Tangent, without overflow."""
    return of_turned(tanh, x, y)
