"""Elementary functions of x + iy, with NumPy's branch cuts and signed zeros.

Each takes the parts and gives the parts. The formulas are Kahan's ("Branch cuts for complex
elementary functions", 1987), written without |x| where x = 0 is an inner point: the derivative of
each branch is that of the function, at every order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad.complex.parts import Pair

_LOG_2, _LOG_10 = math.log(2.0), math.log(10.0)
_HUGE, _INFINITE = 1e10, 1e30  # far from 1, and as good as infinite, in float32 too
_LARGE = 300.0  # beyond it the square of cosh overflows


def _where(mask: Any, a: Any, b: Any) -> Any:
    if type(mask) is np.bool_:  # of one number, where nothing but derivatives is recorded
        return a if mask else b
    return np.where(mask, a, b)


def multiply(a: Pair, b: Pair) -> Pair:
    """The product."""
    (x, y), (u, v) = a, b
    return x * u - y * v, x * v + y * u


def divide(a: Pair, b: Pair) -> Pair:
    """The quotient by Smith's method (Communications of the ACM 5, 1962), as NumPy's."""
    (x, y), (u, v) = a, b
    by_real = abs(u) >= abs(v)
    large: Any = _where(by_real, u, v)
    small: Any = _where(by_real, v, u)
    zero: Any = large == 0
    large = _where(zero, abs(large), large)
    ratio = small / _where(zero, 1.0, large)
    scale = 1.0 / (large + small * ratio)
    first, second = _where(by_real, x, y), _where(by_real, y, x)
    return (first + second * ratio) * scale, _where(by_real, y - x * ratio, y * ratio - x) * scale


def reciprocal(x: Any, y: Any) -> Pair:
    """1 / z."""
    by_real = abs(y) <= abs(x)
    large, small = _where(by_real, x, y), _where(by_real, y, x)
    ratio = small / large
    size = large + small * ratio
    whole, rest = 1.0 / size, ratio / size
    return _where(by_real, whole, rest), -_where(by_real, rest, whole)


def absolute(x: Any, y: Any) -> Any:
    """The modulus, without overflow; its derivative at 0 is taken as zero."""
    return np.hypot(x, y)


def square(x: Any, y: Any) -> Pair:
    """Z * z."""
    product = x * y
    return x * x - y * y, product + product


def exp(x: Any, y: Any) -> Pair:
    """e**x (cos y + i sin y)."""
    size = np.exp(x)
    return size * np.cos(y), size * np.sin(y)


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
    large, small = _where(swap, y, x), _where(swap, x, y)
    large = _where(large < 0, -large, large)
    large, small = _where(near, large, 1.0), _where(near, small, 0.0)
    close = 0.5 * np.log1p((large - 1.0) * (large + 1.0) + small * small)
    return _where(near, close, np.log(_where(near, 1.0, size)))


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
    a, b = _where(near, x, 0.0), _where(near, y, 0.0)
    close = 0.5 * np.log1p(a * (2.0 + a) + b * b)
    return _where(near, close, np.log(_where(near, 1.0, np.hypot(1.0 + x, y)))), np.arctan2(
        y, 1.0 + x
    )


def sqrt(x: Any, y: Any) -> Pair:
    """The root with a real part that is not negative."""
    left, below = x < 0, np.signbit(y)
    height = _where(below, -y, y)
    size = np.sqrt(_where(left, -x, x) * 0.5 + np.hypot(x, y) * 0.5)
    at_zero = size == 0
    other = _where(
        at_zero,
        np.sqrt(_where(at_zero, height, 1.0)),
        height * 0.5 / _where(at_zero, 1.0, size),
    )
    re, im = _where(left, other, size), _where(left, size, other)
    return re, _where(below, -im, im)


def sin(x: Any, y: Any) -> Pair:
    """Sine."""
    return np.sin(x) * np.cosh(y), np.cos(x) * np.sinh(y)


def cos(x: Any, y: Any) -> Pair:
    """Cosine."""
    return np.cos(x) * np.cosh(y), -(np.sin(x) * np.sinh(y))


def sinh(x: Any, y: Any) -> Pair:
    """Hyperbolic sine."""
    return np.sinh(x) * np.cos(y), np.cosh(x) * np.sin(y)


def cosh(x: Any, y: Any) -> Pair:
    """Hyperbolic cosine."""
    return np.cosh(x) * np.cos(y), np.sinh(x) * np.sin(y)


def tanh(x: Any, y: Any) -> Pair:
    """Hyperbolic tangent, without overflow."""
    large = abs(x) > _LARGE
    cosine, sine, slope = np.cos(y), np.sin(y), np.tanh(x)
    inverse = 1.0 / np.cosh(_where(large, 0.0, x))
    drop = _where(large, 4.0 * np.exp(-2.0 * abs(x)), inverse * inverse)  # 1 - tanh(x)**2
    below = cosine * cosine + slope * slope * (sine * sine)
    return slope / below, sine * cosine * drop / below


def _finite(x: Any) -> Any:
    return _where(np.isinf(x), np.sign(x) * _INFINITE, x)


def arctanh(x: Any, y: Any) -> Pair:
    """Cut along the real axis outside of [-1, 1]."""
    huge = (abs(x) > _HUGE) | (abs(y) > _HUGE)  # where 1/z + i pi/2 is as good
    left = np.signbit(x)
    far_re, far_im = reciprocal(_where(huge, _finite(x), 1.0), _where(huge, _finite(y), 0.0))
    a, b = _where(huge, 0.0, x), _where(huge, 0.0, y)
    near = _where(left, -a, a)
    gap = 1.0 - near
    re = 0.25 * np.log1p(4.0 * near / (gap * gap + b * b))
    im = 0.5 * np.arctan2(2.0 * b, (1.0 - a) * (1.0 + a) - b * b)
    side = np.copysign(0.5 * math.pi, y)
    return _where(huge, far_re, _where(left, -re, re)), _where(huge, side + far_im, im)


def _of_turned(f: Any, x: Any, y: Any) -> Pair:
    """-i f(iz)."""
    re, im = f(-y, x)
    return im, -re


def tan(x: Any, y: Any) -> Pair:
    """Tangent, without overflow."""
    return _of_turned(tanh, x, y)


def arctan(x: Any, y: Any) -> Pair:
    """Cut along the imaginary axis outside of [-i, i]."""
    return _of_turned(arctanh, x, y)


def arcsin(x: Any, y: Any) -> Pair:
    """Cut along the real axis outside of [-1, 1]."""
    (a, b), (c, d) = sqrt(1.0 - x, -y), sqrt(1.0 + x, y)
    return np.arctan2(x, a * c - b * d), np.arcsinh(a * d - b * c)


def arcsinh(x: Any, y: Any) -> Pair:
    """Cut along the imaginary axis outside of [-i, i]."""
    return _of_turned(arcsin, x, y)


def arccos(x: Any, y: Any) -> Pair:
    """Cut as arcsin."""
    (a, b), (c, d) = sqrt(1.0 - x, -y), sqrt(1.0 + x, y)
    return 2.0 * np.arctan2(a, c), np.arcsinh(c * b - d * a)


def arccosh(x: Any, y: Any) -> Pair:
    """Cut along the real axis below 1."""
    (a, b), (c, d) = sqrt(x - 1.0, y), sqrt(x + 1.0, y)
    return np.arcsinh(a * c + b * d), 2.0 * np.arctan2(b, c)


def sign(x: Any, y: Any) -> Pair:
    """Z / |z|, and 0 at 0."""
    size = np.hypot(x, y)
    zero = size == 0
    size = _where(zero, 1.0, size)
    return _where(zero, 0.0, x / size), _where(zero, 0.0, y / size)
