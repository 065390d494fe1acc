"""Functions of sampled curves: interp, gradient, unwrap."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable, to_number
from tapegrad.numpy.layout import lying_as
from tapegrad.numpy.operands import cast, floating_dtype, free_shape, lift, ndim_of, shape_of
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import stop_gradient


def _double(name: str, x: Any) -> Any:
    return cast(lift(x), np.float64)


def _at(a: Any, places: Any) -> Any:
    """The elements of a vector at places of one axis, which may be recorded."""
    is_recorded = isinstance(places, Variable) and not isinstance(a, Variable)
    return np.take_along_axis(a, places, 0) if is_recorded else a[places]


@implements(np.interp, values=5)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    x, xp, fp = _double("x", x), _double("xp", xp), _double("fp", fp)
    n = _checked_length(xp, fp)
    shape = free_shape(x)
    x = reshape(x, (-1,))
    if period is not None:
        if np.any(period == 0):
            raise ValueError("np.interp: period= must not be zero")
        period = abs(period)
        x, xp = np.mod(x, period), np.mod(xp, period)
        order = np.argsort(xp)
        xp, fp, left, right = _at(xp, order), _at(fp, order), None, None
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        n += 2
    elif not (xp[1:] >= xp[:-1]).all():
        raise ValueError(
            "np.interp: xp must increase; sort both, i = np.argsort(xp), and pass xp[i] and fp[i]"
        )
    found = _between(x, xp, fp, n) if n > 1 else x * 0.0 + fp
    found = np.where(x < xp[:1], fp[:1] if left is None else left, found)
    found = np.where(x > xp[-1:], fp[-1:] if right is None else right, found)
    return to_number(reshape(found, shape))


def _checked_length(xp: Any, fp: Any) -> int:
    if ndim_of(xp) != 1 or ndim_of(fp) != 1:
        raise ValueError(
            f"np.interp: xp and fp need one axis each, and have shapes {shape_of(xp)} and "
            f"{shape_of(fp)}"
        )
    (n,) = shape_of(xp)
    if shape_of(fp) != (n,):
        raise ValueError(f"np.interp: xp has {n} elements, and fp has {shape_of(fp)[0]}")
    if not n:
        raise ValueError("np.interp: xp and fp are empty, so there is nothing to interpolate")
    return n


def _between(x: Any, xp: Any, fp: Any, n: int) -> Any:
    """On the line of the piece that holds x: rounded as NumPy does, at the points exactly theirs.

    At a point where two pieces meet the derivative is that of the piece to the right; at the last
    point it is that of the last piece.
    """
    after = np.minimum(np.maximum(np.searchsorted(xp, x, side="right"), 1), n - 1)
    before = after - 1
    x0, x1, y0, y1 = _at(xp, before), _at(xp, after), _at(fp, before), _at(fp, after)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (y1 - y0) / (x1 - x0)
    found = np.where(x == x1, slope * (x - x1) + y1, slope * (x - x0) + y0)
    gaps = np.isnan(found)
    if isinstance(gaps, Variable) or gaps.any():  # where points are infinite, or NaN, or equal
        found = np.where(gaps, slope * (x - x1) + y1, found)
        found = np.where(np.isnan(found) & (y0 == y1) & ~np.isnan(x), y0, found)
        found = np.where(gaps & (x == x0), y0, found)
        found = np.where(gaps & (x == x1), y1, found)
    return found


@implements(np.gradient, values=1)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    f = lift(f)
    n = ndim_of(f)
    axes = tuple(range(n)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, n)
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient: edge_order= is 1 or 2, not {edge_order}")
    steps = [_step(f, h, i) for h, i in zip(_spacings(varargs, axes), axes, strict=True)]
    dtype = floating_dtype(f) if floating_dtype(f).kind == "f" else np.dtype(float)
    if not isinstance(f, Variable):
        f = np.asarray(f, dtype)
    found = tuple(
        lying_as(cast(_slopes(f, h, i, edge_order), dtype), f)
        for h, i in zip(steps, axes, strict=True)
    )
    return found[0] if len(axes) == 1 else found


def _spacings(given: tuple[Any, ...], axes: tuple[int, ...]) -> list[Any]:
    """For each axis a distance, or the positions along it."""
    found = [lift(h) for h in given] or [1.0]
    if len(found) == 1 and ndim_of(found[0]) == 0:
        return found * len(axes)
    if len(found) != len(axes):
        raise TypeError(
            f"np.gradient: {len(given)} spacings for {len(axes)} axes; give one number, or one for "
            "each axis"
        )
    return found


def _step(f: Any, h: Any, axis: int) -> Any:
    """The distance of neighbours, or one for each pair of them."""
    if ndim_of(h) == 0:
        return h
    if ndim_of(h) != 1 or shape_of(h)[0] != shape_of(f)[axis]:
        raise ValueError(
            f"np.gradient: positions of shape {shape_of(h)} for axis {axis} of an array of shape "
            f"{shape_of(f)}; give a number, or a position for each element along the axis"
        )
    if isinstance(h, Variable):
        return np.diff(h)
    steps = np.diff(h.astype(float) if h.dtype.kind in "iu" else h)
    return steps[0] if steps.size and np.all(steps == steps[0]) else steps


def _slopes(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    """The derivative along one axis: of second order inside, of `edge_order` at both ends."""
    if shape_of(f)[axis] <= edge_order:
        raise ValueError(
            f"np.gradient: axis {axis} of shape {shape_of(f)} is too short; with "
            f"edge_order={edge_order} at least {edge_order + 1} elements are needed"
        )

    def part(begin: Any, end: Any) -> Any:
        return f[(slice(None),) * axis + (slice(begin, end),)]

    after = ndim_of(f) - axis - 1

    def along(weights: Any) -> Any:
        return reshape(weights, (-1, *(1,) * after)) if ndim_of(weights) else weights

    uniform = ndim_of(h) == 0
    low, high = (h, h) if uniform else (h[:-1], h[1:])
    if uniform:
        inside = (part(2, None) - part(None, -2)) / (2.0 * h)
    else:
        a = -high / (low * (low + high))
        b = (high - low) / (low * high)
        c = low / (high * (low + high))
        inside = along(a) * part(None, -2) + along(b) * part(1, -1) + along(c) * part(2, None)
    if edge_order == 1:
        first = (part(1, 2) - part(0, 1)) / (h if uniform else h[0])
        last = (part(-1, None) - part(-2, -1)) / (h if uniform else h[-1])
    else:
        a, b, c = _edge_weights(h, h) if uniform else _edge_weights(h[0], h[1])
        first = a * part(0, 1) + b * part(1, 2) + c * part(2, 3)
        c, b, a = _edge_weights(h, h) if uniform else _edge_weights(h[-1], h[-2])
        last = -a * part(-3, -2) - b * part(-2, -1) - c * part(-1, None)
    return np.concatenate([first, inside, last], axis)


def _edge_weights(near: Any, far: Any) -> tuple[Any, Any, Any]:
    """Of the first three elements: what the slope of their parabola at the first one is.

    `near` is the distance of the first and the second, `far` that of the second and the third.
    """
    if near is far:
        return -1.5 / near, 2.0 / near, -0.5 / near
    both = near + far
    return -(2.0 * near + far) / (near * both), both / (near * far), -near / (far * both)


@implements(np.unwrap, values=1)
def unwrap(p: Any, discont: Any = None, axis: Any = -1, *, period: Any = 2 * np.pi) -> Any:
    p, period = lift(p), lift(period)
    n = ndim_of(p)
    axis = np.lib.array_utils.normalize_axis_index(axis, n)
    # What is added is a multiple of the period: it changes with the period alone.
    steps = stop_gradient(np.diff(p, axis=axis))
    half = period / 2
    turned = np.mod(steps + half, period) - half
    turned = np.where((turned == -half) & (steps > 0), turned + period, turned)
    small = np.abs(steps) < (half if discont is None else lift(discont))
    added = np.cumsum(np.where(small, 0.0, turned - steps), axis=axis)
    rest = p[(slice(None),) * axis + (slice(1, None),)] + added
    found = np.concatenate([p[(slice(None),) * axis + (slice(None, 1),)], rest], axis)
    return lying_as(found, p)
