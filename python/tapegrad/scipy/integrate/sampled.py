"""Integrals of curves that are known at some points, and of functions at fixed points."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.integrate

from tapegrad.scipy.arrays import (
    along,
    array,
    floats,
    ndim_of,
    normal_axis,
    part,
    same_dtype,
    shape_of,
)
from tapegrad.scipy.functions import derives

# Whether this SciPy goes on in double precision where it is given single: before 1.18.
_DOUBLE = scipy.integrate.simpson(np.ones(4, np.float32)).dtype == np.float64
_SINGLE = np.arange(3, dtype=np.float32)
# The same of cumulative_simpson with points: before 1.16.
_DOUBLE_SUMS = scipy.integrate.cumulative_simpson(_SINGLE, x=_SINGLE).dtype == np.float64
_SHAPES = "If given, shape of x must be 1-D or the same as y."


def _steps(x: Any, y: Any, axis: int) -> Any:
    """The distances of the points, which broadcast with y."""
    x, shape = array(x), shape_of(y)
    if ndim_of(x) == 1:
        x = along(x, axis, len(shape))
    elif ndim_of(x) != len(shape):
        raise ValueError(_SHAPES)
    if shape_of(x)[axis] != shape[axis]:
        raise ValueError("If given, length of x along axis must be the same as y.")
    return np.diff(x, axis=axis)


@derives(scipy.integrate.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    return np.trapezoid(array(y), None if x is None else array(x), dx, axis)


@derives(scipy.integrate.cumulative_trapezoid)
def cumulative_trapezoid(
    y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1, initial: Any = None
) -> Any:
    y = floats(y)
    axis = normal_axis(axis, ndim_of(y))
    if not shape_of(y)[axis]:
        raise ValueError("At least one point is required along `axis`.")
    steps = dx if x is None else _steps(x, y, axis)
    found = np.cumsum(steps * (part(y, axis, 1, None) + part(y, axis, None, -1)) / 2.0, axis)
    if initial is None:
        return found
    if initial != 0:
        raise ValueError("`initial` must be `None` or `0`.")
    return (
        np.concatenate([np.zeros_like(part(found, axis, 0, 1)), found], axis)
        if shape_of(found)[axis]
        else part(y, axis, 0, 1) * 0.0
    )


def _pairs(y: Any, steps: Any, axis: int) -> Any:
    """Simpson's rule over pairs of intervals; `steps` is a number, or one for each interval."""
    y0, y1, y2 = (part(y, axis, k, n, 2) for k, n in ((0, -2), (1, -1), (2, None)))
    if ndim_of(steps) == 0:
        return np.sum(y0 + 4.0 * y1 + y2, axis) * (steps / 3.0)
    h0, h1 = part(steps, axis, 0, None, 2), part(steps, axis, 1, None, 2)
    both = h0 + h1
    weights = 2.0 - h1 / h0, both * both / (h0 * h1), 2.0 - h0 / h1
    return np.sum(both / 6.0 * (weights[0] * y0 + weights[1] * y1 + weights[2] * y2), axis)


@derives(scipy.integrate.simpson)
def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: Any = -1) -> Any:
    y = floats(y)
    axis = normal_axis(axis, ndim_of(y))
    n = shape_of(y)[axis]
    plain_step = type(dx) in (int, float)  # which takes the dtype of y
    steps = _steps(x, y, axis) if x is not None else dx if plain_step else array(dx)
    if x is None and not plain_step and ndim_of(steps):
        raise ValueError(
            f"scipy.integrate.simpson: dx= is one number, and has shape {shape_of(steps)}; give "
            "the points as x="
        )
    if _DOUBLE and n != 2 and (x is not None or (n % 2 == 0 and ndim_of(y) == 1)):
        y = y.astype(np.float64)
    if n % 2:
        return _pairs(y, steps, axis)
    if n == 2:
        step = steps if ndim_of(steps) == 0 else np.take(steps, -1, axis)
        return 0.5 * step * (np.take(y, 1, axis) + np.take(y, 0, axis))
    uniform = ndim_of(steps) == 0
    first = _pairs(part(y, axis, None, -1), steps if uniform else part(steps, axis, None, -1), axis)
    h0 = steps if uniform else np.take(steps, -2, axis)
    h1 = steps if uniform else np.take(steps, -1, axis)
    # The last interval, by the parabola of the last three points (Cartwright, 2017, equation 8).
    last = (2.0 * h1**2 + 3.0 * h0 * h1) / (6.0 * (h0 + h1)) * np.take(y, -1, axis)
    last = last + (h1**2 + 3.0 * h0 * h1) / (6.0 * h0) * np.take(y, -2, axis)
    return first + last - h1**3 / (6.0 * h0 * (h0 + h1)) * np.take(y, -3, axis)


def _first_intervals(y: Any, steps: Any) -> Any:
    """Of each three points the integral up to the second one, by their parabola."""
    h0, h1 = steps[..., :-1], steps[..., 1:]
    share, ratio = h0 / (h0 + h1), h0 / h1
    weights = 3.0 - share, 3.0 + share * ratio + share, share * ratio
    inner = weights[0] * y[..., :-2] + weights[1] * y[..., 1:-1] - weights[2] * y[..., 2:]
    return h0 / 6.0 * inner


@derives(scipy.integrate.cumulative_simpson)
def cumulative_simpson(
    y: Any, *, x: Any = None, dx: Any = 1.0, axis: Any = -1, initial: Any = None
) -> Any:
    y = floats(y)
    shape = shape_of(y)
    axis = normal_axis(axis, len(shape))
    if shape[axis] < 3:
        found = np.moveaxis(cumulative_trapezoid(y, x, dx, axis), axis, -1)
    else:
        y = np.moveaxis(y, axis, -1)
        if x is not None and _DOUBLE_SUMS:
            y = y.astype(np.float64)
        if x is None:
            steps = np.broadcast_to(
                _one_along(floats(dx), axis), (*shape_of(y)[:-1], shape[axis] - 1)
            )
        else:
            x = floats(x)
            if shape_of(x) not in (shape, (shape[axis],)):
                raise ValueError(
                    "If given, shape of `x` must be the same as `y` or 1-D with the same length as "
                    "`y` along `axis`."
                )
            steps = np.diff(x if ndim_of(x) == 1 else np.moveaxis(x, axis, -1))
            if np.any(steps <= 0):
                raise ValueError("Input x must be strictly increasing.")
            steps = np.broadcast_to(steps, (*shape_of(y)[:-1], shape[axis] - 1))
        ahead = _first_intervals(y, steps)
        back = _first_intervals(y[..., ::-1], steps[..., ::-1])[..., ::-1]
        # An interval at an even place by the parabola that begins there, any other, and the last
        # one, by that which ends there.
        n = shape[axis] - 1
        even = np.arange(n) % 2 == 0
        even[-1] = False
        pad = back[..., :1]
        ahead = np.concatenate([ahead, pad], -1)
        back = np.concatenate([pad, back], -1)
        found = np.cumsum(np.where(even, ahead, back), -1)
    if initial is not None:
        first = _one_along(floats(initial), axis)
        first = np.broadcast_to(first, (*shape_of(found)[:-1], 1))
        found = np.concatenate([first, found + first], -1)
    return np.moveaxis(found, -1, axis)


def _one_along(x: Any, axis: int) -> Any:
    return np.moveaxis(x, axis, -1) if ndim_of(x) else x


@derives(
    scipy.integrate.romb,
    refused={"show": "the table can be printed of the plain value, romb(tg.value(y), show=True)"},
)
def romb(y: Any, dx: Any = 1.0, axis: Any = -1, show: Any = False) -> Any:
    y = floats(y).astype(np.float64)
    axis = normal_axis(axis, ndim_of(y))
    n = shape_of(y)[axis] - 1
    if n < 1 or n & (n - 1):
        raise ValueError("Number of samples must be one plus a non-negative power of 2.")
    # The sums of the trapezoidal rule with ever smaller steps, then Richardson's extrapolation.
    row, step = [], n
    while step:
        ends = (np.take(y, 0, axis) + np.take(y, -1, axis)) / 2.0
        inner = np.sum(part(y, axis, step, -1, step), axis)
        row.append((ends + inner) * (dx * float(step)))
        step //= 2
    for k in range(1, len(row)):
        row = [b + (b - a) / (4.0**k - 1.0) for a, b in pairwise(row)]
    return row[0]


@derives(scipy.integrate.fixed_quad, functions=("func",))
def fixed_quad(
    func: Callable[..., Any], a: Any, b: Any, args: Any = (), n: Any = 5
) -> tuple[Any, None]:
    if np.any(np.isinf(a)) or np.any(np.isinf(b)):
        raise ValueError("Gaussian quadrature is only available for finite limits.")
    x, w = np.polynomial.legendre.leggauss(n)
    if not _DOUBLE:
        a, b = same_dtype(a, b)
        x, w = x.astype(a.dtype), w.astype(a.dtype)
    at = (b - a) * (x + 1) / 2.0 + a
    return (b - a) / 2.0 * np.sum(w * func(at, *args), axis=-1), None
