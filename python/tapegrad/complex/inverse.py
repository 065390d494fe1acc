"""Inverses of circular and hyperbolic functions; the formulas are Kahan's, as in elementary.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad.complex.arithmetic import reciprocal
from tapegrad.complex.choices import any_of, are_usual, known, where, where_number
from tapegrad.complex.elementary import of_turned, root
from tapegrad.complex.parts import Pair

_HUGE, _INFINITE = 1e10, 1e30  # far from 1, and as good as infinite, in float32 too
_CLOSE = 1e-15  # its square underflows in float32
_LOG_2 = math.log(2.0)


def _finite(x: Any) -> Any:
    return where(np.isinf(x), np.sign(x) * _INFINITE, x)


def arctanh(x: Any, y: Any) -> Pair:
    """Cut along the real axis outside of [-1, 1]."""
    huge = (abs(x) > _HUGE) | (abs(y) > _HUGE)  # where 1/z + i pi/2 is as good
    left = np.signbit(x)
    far_re, far_im = reciprocal(where(huge, _finite(x), 1.0), where(huge, _finite(y), 0.0))
    a, b = where(huge, 0.0, x), where(huge, 0.0, y)
    near = where(left, -a, a)
    gap = 1.0 - near
    close = (gap == 0) & (abs(b) < _CLOSE)  # whose square is no number: there -log(|b| / 2) / 2
    if any_of(close):
        distance = 2.0**-60 / abs(b) - 1.0
        usual = 4.0 * near / where(close, 1.0, gap * gap + b * b)
        re = np.log1p(where(close, distance, usual)) * where_number(close, 0.5, 0.25, x, y)
        re = re + where_number(close, 30.5 * _LOG_2, 0.0, x, y)
    else:
        re = 0.25 * np.log1p(4.0 * near / (gap * gap + b * b))
    im = 0.5 * np.arctan2(2.0 * b, (1.0 - a) * (1.0 + a) - b * b)
    side = np.copysign(0.5 * math.pi, y)
    re = where(huge, far_re, where(left, -re, re))
    im = where(huge, side + far_im, im)
    if are_usual(x, y):
        return re, im
    infinite = np.isinf(x) | np.isinf(y)
    re = known(infinite, re, np.copysign(0.0, x))
    im = known(infinite, im, where(np.isnan(y), y, side))
    return known(x == 0, re, x), known((y == 0) & (abs(x) <= 1), im, y)


def arctan(x: Any, y: Any) -> Pair:
    """Cut along the imaginary axis outside of [-i, i]."""
    return of_turned(arctanh, x, y)


def arcsin(x: Any, y: Any) -> Pair:
    """Cut along the real axis outside of [-1, 1]."""
    (a, b), (c, d) = root(1.0 - x, -y), root(1.0 + x, y)
    re, im = np.arctan2(x, a * c - b * d), np.arcsinh(a * d - b * c)
    if are_usual(x, y):
        return re, im
    infinite = np.isinf(x) | np.isinf(y)
    re = known(infinite, re, np.arctan2(x, abs(y)))
    im = known(infinite, im, np.copysign(np.inf, y))
    return known((x == 0) & np.isnan(y), re, x), im


def arcsinh(x: Any, y: Any) -> Pair:
    """Cut along the imaginary axis outside of [-i, i]."""
    return of_turned(arcsin, x, y)


def arccos(x: Any, y: Any) -> Pair:
    """Cut as arcsin."""
    (a, b), (c, d) = root(1.0 - x, -y), root(1.0 + x, y)
    re, im = 2.0 * np.arctan2(a, c), np.arcsinh(c * b - d * a)
    if are_usual(x, y):
        return re, im
    infinite = np.isinf(x) | np.isinf(y)
    re = known(infinite, re, np.arctan2(abs(y), x))
    im = known(infinite, im, np.copysign(np.inf, -y))
    return known((x == 0) & np.isnan(y), re, 0.5 * math.pi), im


def arccosh(x: Any, y: Any) -> Pair:
    """Cut along the real axis below 1."""
    (a, b), (c, d) = root(x - 1.0, y), root(x + 1.0, y)
    re, im = np.arcsinh(a * c + b * d), 2.0 * np.arctan2(b, c)
    if are_usual(x, y):
        return re, im
    infinite = np.isinf(x) | np.isinf(y)
    re = known(infinite, re, np.inf)
    im = known(infinite, im, np.arctan2(y, x))
    return re, known((x == 0) & np.isnan(y), im, 0.5 * math.pi)
