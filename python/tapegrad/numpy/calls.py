"""Functions that call functions: np.piecewise, np.apply_along_axis, np.apply_over_axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply, to_array
from tapegrad.numpy.operands import (
    as_mask,
    cast,
    floating_dtype,
    holds_for_these_lengths,
    lift,
    ndim_of,
    plain,
    shape_of,
)
from tapegrad.numpy.shapes import expand_dims, moveaxis, reshape
from tapegrad.numpy.table import implements


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = lift(x)
    shape = shape_of(x)
    first = condlist if np.isscalar(condlist) or not ndim_of(condlist) else condlist[0]
    if first is condlist or (ndim_of(first) == 0 and shape):
        condlist = [condlist]
    chosen = [np.asarray(plain(as_mask(c))) for c in condlist]
    if len(chosen) == len(funclist) - 1:
        chosen.append(~np.any(chosen, axis=0))
    elif len(chosen) != len(funclist):
        n = len(chosen)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    if not isinstance(x, Variable):  # only the conditions came from one
        return np.piecewise(x, chosen, funclist, *args, **kw)
    if not shape:  # whose functions get arrays of one element
        x, chosen = reshape(x, (1,)), [c.reshape(1) for c in chosen]
    y = apply("where", (False, x, x.dtype.type(0)))
    for mask, function in zip(chosen, funclist, strict=True):
        if not callable(function):
            y[mask] = function
        elif np.any(mask):
            y[mask] = function(x[mask], *args, **kw)
    return reshape(y, shape) if len(shape) < 2 else y


@implements(np.apply_along_axis)
def apply_along_axis(
    func1d: Callable[..., Any], axis: Any, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    arr = lift(arr)
    shape = shape_of(arr)
    axis = np.lib.array_utils.normalize_axis_index(axis, len(shape))
    rows = moveaxis(arr, axis, -1)
    outer = shape[:axis] + shape[axis + 1 :]
    if 0 in outer:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    found = [func1d(rows[(*at, ...)], *args, **kwargs) for at in np.ndindex(*outer)]
    if _core.holds_complex(found):
        return _assembled(np.stack(found), outer, axis)
    found = [lift(x) for x in found]
    inner = shape_of(found[0])
    joined = np.stack([np.broadcast_to(x, inner) for x in found])
    joined = cast(joined, floating_dtype(found[0]))
    return _assembled(joined, outer, axis)


def _assembled(joined: Any, outer: tuple[int, ...], axis: int) -> Any:
    """Results of rows, their axes where the rows' axis was."""
    inner = tuple(joined.shape[1:])
    n = len(inner)
    whole = np.reshape(joined, outer + inner)
    return np.moveaxis(whole, range(len(outer), len(outer) + n), range(axis, axis + n))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    found = to_array(lift(a))
    n = ndim_of(found)
    holds_for_these_lengths(found)
    for axis in axes if np.ndim(axes) else (axes,):
        at = axis + n if axis < 0 else axis
        result = func(found, at)
        if np.ndim(result) != ndim_of(found):
            result = expand_dims(result, at)
        if np.ndim(result) != ndim_of(found):
            raise ValueError("function is not returning an array of the correct shape")
        found = result
    return found
