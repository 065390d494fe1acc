"""np.pad: borders of constants, of elements, of statistics, or of what a function writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._core import Variable, apply, to_array
from tapegrad.numpy.layout import lying_as_new
from tapegrad.numpy.operands import cast, free_shape, integer, integers, lift, ndim_of, shape_of
from tapegrad.numpy.table import implements

_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median
}  # fmt: skip
_OPTIONS = {
    "constant": "constant_values", "linear_ramp": "end_values", "reflect": "reflect_type",
    "symmetric": "reflect_type", **dict.fromkeys(_STATISTICS, "stat_length"),
}  # fmt: skip
_OF_THE_OP = ("constant", "edge", "reflect", "symmetric", "wrap")


@implements(np.pad, values=1)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    array = lift(array)
    return to_array(lying_as_new(_padded(array, pad_width, mode, kwargs), array))


def _padded(array: Any, pad_width: Any, mode: Any, kwargs: dict[str, Any]) -> Any:
    widths = [integers("np.pad: a width", pair) for pair in _pairs(pad_width, ndim_of(array))]
    if callable(mode):
        return _written(array, widths, mode, kwargs)
    unknown = kwargs.keys() - {_OPTIONS.get(mode)}
    if unknown and mode in (*_OPTIONS, *_OF_THE_OP, "empty"):
        raise ValueError(f"np.pad: unsupported keyword arguments for mode {mode!r}: {unknown}")
    fill = lift(kwargs.get("constant_values", 0))
    if mode == "constant" and (isinstance(fill, Variable) or np.ndim(fill)):
        return _pad_with(array, widths, fill)
    if mode == "linear_ramp" or mode in _STATISTICS:
        return _by_axes(array, widths, mode, kwargs)
    if kwargs.get("reflect_type", "even") == "odd":
        return _reflected(array, widths, include_edge=mode == "symmetric")
    flat = tuple(w for pair in widths for w in pair)
    # What an empty border holds is nobody's business.
    return apply("pad", (array,), (flat, "constant" if mode == "empty" else mode, float(fill)))


def _pairs(widths: Any, n: int) -> Any:
    if isinstance(widths, dict):
        found = [(0, 0)] * n
        for axis, width in widths.items():
            found[axis] = width if np.iterable(width) else (width, width)
        return found
    return np.broadcast_to(np.asarray(widths), (n, 2)) if n else []


def _pad_with(array: Any, widths: list[tuple[int, ...]], values: Any) -> Any:
    """A constant border whose values differ, or carry derivatives."""
    fills = np.broadcast_to(values, (len(widths), 2))
    for axis, width in enumerate(widths):
        edges = []
        for side in (0, 1):
            edge = list(free_shape(array))
            edge[axis] = width[side]
            edges.append(np.broadcast_to(cast(fills[axis, side], array.dtype), tuple(edge)))
        array = np.concatenate([edges[0], array, edges[1]], axis)
    return array


def _written(
    array: Any, widths: list[tuple[int, ...]], function: Callable[..., Any], kwargs: dict[str, Any]
) -> Any:
    """A border that the function writes, one row of the padded array after the other."""
    padded = pad(array, widths)
    for axis in range(ndim_of(padded)):
        rows = np.moveaxis(padded, axis, -1)
        for at in np.ndindex(*shape_of(rows)[:-1]):
            function(rows[(*at, ...)], widths[axis], axis, kwargs)
    return padded


def _by_axes(array: Any, widths: list[tuple[int, ...]], mode: str, kwargs: dict[str, Any]) -> Any:
    """Ramps or statistics on both sides of each axis, those of later axes with the former."""
    n = len(widths)
    if 0 in shape_of(array):
        for axis, (width, length) in enumerate(zip(widths, shape_of(array), strict=True)):
            if not length and any(width):
                raise ValueError(
                    f"np.pad: can't extend empty axis {axis} using modes other than 'constant' or "
                    "'empty'"
                )
        return pad(array, widths)
    option = kwargs.get(_OPTIONS[mode], None if mode in _STATISTICS else 0)
    pairs = [(option, option)] * n if option is None else np.broadcast_to(lift(option), (n, 2))
    for axis, width in enumerate(widths):
        edges = [
            _ramp(array, axis, side, width[side], pairs[axis][side])
            if mode == "linear_ramp"
            else _statistic(array, axis, side, width[side], pairs[axis][side], mode)
            for side in (0, 1)
        ]
        array = np.concatenate([edges[0], array, edges[1]], axis)
    return array


def _part(array: Any, axis: int, start: Any, stop: Any, step: Any = None) -> Any:
    return array[(*(slice(None),) * axis, slice(start, stop, step))]


def _ramp(array: Any, axis: int, side: int, width: int, end: Any) -> Any:
    """From the border to the edge, which is no part of it."""
    edge = np.squeeze(_part(array, axis, -1, None) if side else _part(array, axis, 0, 1), axis)
    ramp = cast(np.linspace(end, edge, width, endpoint=False, axis=axis), array.dtype)
    return _part(ramp, axis, None, None, -1) if side else ramp


def _statistic(array: Any, axis: int, side: int, width: int, length: Any, mode: str) -> Any:
    n = shape_of(array)[axis]
    length = n if length is None else min(integer("np.pad: stat_length", length), n)
    if length < 0:
        raise ValueError("np.pad: index can't contain negative values")
    if length == 0 and mode in ("maximum", "minimum"):
        raise ValueError("np.pad: stat_length of 0 yields no value for padding")
    chunk = _part(array, axis, n - length, None) if side else _part(array, axis, 0, length)
    shape = list(shape_of(array))
    shape[axis] = width
    return np.broadcast_to(_STATISTICS[mode](chunk, axis, keepdims=True), tuple(shape))


def _reflected(array: Any, widths: list[tuple[int, ...]], include_edge: bool) -> Any:
    """Reflected at the edges, and upside down: twice the edge less what is reflected."""
    own = 1 if include_edge else 0
    for axis, pair in enumerate(widths):
        period = shape_of(array)[axis] - (1 - own)
        if any(pair) and period <= 0:
            array = pad(array, [pair if k == axis else (0, 0) for k in range(len(widths))], "edge")
            continue
        rest = list(pair)
        while any(rest):
            most = (shape_of(array)[axis] - (1 - own)) // period * period
            left, right = (min(most, w) for w in rest)
            parts = [array]
            if left:
                chunk = _part(array, axis, 1 - own, left + 1 - own)
                turned = _part(chunk, axis, None, None, -1)
                parts.insert(0, 2 * _part(array, axis, 0, 1) - turned)
            if right:
                n = shape_of(array)[axis]
                chunk = _part(array, axis, n - right - 1 + own, n - 1 + own)
                turned = _part(chunk, axis, None, None, -1)
                parts.append(2 * _part(array, axis, n - 1, n) - turned)
            array = np.concatenate(parts, axis)
            rest = [rest[0] - left, rest[1] - right]
    return array
