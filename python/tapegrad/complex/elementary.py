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
_LARGE = 300.0  # beyond it the square of cosh overflows


def multiply(a: Pair, b: Pair) -> Pair:
    """The product."""
    (x, y), (u, v) = a, b
    return x * u - y * v, x * v + y * u


def divide(a: Pair, b: Pair) -> Pair:
    """The quotient by Smith's method (Communications of the ACM 5, 1962), as NumPy's."""
    (x, y), (u, v) = a, b
    by_real = abs(u) >= abs(v)
    large: Any = np.where(by_real, u, v)
    small: Any = np.where(by_real, v, u)
    zero: Any = large == 0
    large = np.where(zero, abs(large), large)
    ratio = small / np.where(zero, 1.0, large)
    scale = 1.0 / (large + small * ratio)
    first, second = np.where(by_real, x, y), np.where(by_real, y, x)
    return (first + second * ratio) * scale, np.where(by_real, y - x * ratio, y * ratio - x) * scale


def reciprocal(x: Any, y: Any) -> Pair:
    """1 / z."""
    by_real = abs(y) <= abs(x)
    large, small = np.where(by_real, x, y), np.where(by_real, y, x)
    ratio = small / large
    size = large + small * ratio
    whole, rest = 1.0 / size, ratio / size
    return np.where(by_real, whole, rest), -np.where(by_real, rest, whole)


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
    large, small = np.where(swap, y, x), np.where(swap, x, y)
    large = np.where(large < 0, -large, large)
    large, small = np.where(near, large, 1.0), np.where(near, small, 0.0)
    close = 0.5 * np.log1p((large - 1.0) * (large + 1.0) + small * small)
    return np.where(near, close, np.log(np.where(near, 1.0, size)))


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
    a, b = np.where(near, x, 0.0), np.where(near, y, 0.0)
    close = 0.5 * np.log1p(a * (2.0 + a) + b * b)
    return np.where(near, close, np.log(np.where(near, 1.0, np.hypot(1.0 + x, y)))), np.arctan2(
        y, 1.0 + x
    )


def sqrt(x: Any, y: Any) -> Pair:
    """The root with a real part that is not negative."""
    left, below = x < 0, np.signbit(y)
    height = np.where(below, -y, y)
    size = np.sqrt(np.where(left, -x, x) * 0.5 + np.hypot(x, y) * 0.5)
    at_zero = size == 0
    other = np.where(
        at_zero,
        np.sqrt(np.where(at_zero, height, 1.0)),
        height * 0.5 / np.where(at_zero, 1.0, size),
    )
    re, im = np.where(left, other, size), np.where(left, size, other)
    return re, np.where(below, -im, im)


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
    inverse = 1.0 / np.cosh(np.where(large, 0.0, x))
    drop = np.where(large, 4.0 * np.exp(-2.0 * abs(x)), inverse * inverse)  # 1 - tanh(x)**2
    below = cosine * cosine + slope * slope * (sine * sine)
    return slope / below, sine * cosine * drop / below


def arctanh(x: Any, y: Any) -> Pair:
    """Cut along the real axis outside of [-1, 1]."""
    left = np.signbit(x)
    near = np.where(left, -x, x)
    far = 1.0 - near
    re = 0.25 * np.log1p(4.0 * near / (far * far + y * y))
    im = 0.5 * np.arctan2(2.0 * y, (1.0 - x) * (1.0 + x) - y * y)
    return np.where(left, -re, re), im


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
    size = np.where(zero, 1.0, size)
    return np.where(zero, 0.0, x / size), np.where(zero, 0.0, y / size)
