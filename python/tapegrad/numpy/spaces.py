"""Numbers in even steps between two ends: linspace, logspace, geomspace."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.numpy.layout import lie_in_c_order, lying_as, small_like
from tapegrad.numpy.operands import (
    cast,
    floating_dtype,
    free_shape,
    integer,
    lift,
    ndim_of,
    stand_in,
)
from tapegrad.numpy.shapes import expand_dims, moveaxis, reshape
from tapegrad.numpy.table import implements


@implements(np.linspace, values=2)
def linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, retstep: Any = False,
    dtype: Any = None, axis: Any = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    num = _number(num)
    start, stop = lift(start), lift(stop)
    parts = num - 1 if endpoint else num
    shape = np.broadcast_shapes(free_shape(start), free_shape(stop))
    own = np.result_type(stand_in(start), stand_in(stop), 1.0)
    counts = np.arange(num, dtype=own).reshape((-1,) + (1,) * len(shape))
    whole = stop - start
    step = whole / parts if parts > 0 else np.nan
    found = counts * (step if parts > 0 else whole) + start
    if endpoint and num > 1:
        last = np.reshape(np.broadcast_to(stop, shape), (1, *shape))
        found = np.concatenate([found[:-1], cast(last, floating_dtype(found))])
    if not lie_in_c_order(start, stop):
        found = lying_as(found, np.linspace(small_like(start), small_like(stop), 2))
    found = cast(np.moveaxis(found, 0, axis), dtype)
    return (found, step) if retstep else found


def _number(num: Any) -> int:
    found = integer("the number of samples, num=,", num)
    if found < 0:
        raise ValueError(f"Number of samples, {found}, must be non-negative.")
    return found


@implements(np.logspace)
def logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, base: Any = 10.0,
    dtype: Any = None, axis: Any = 0,
) -> Any:  # fmt: skip
    start, stop, base = lift(start), lift(stop), lift(base)
    if ndim_of(base):
        n = max(ndim_of(x) for x in (start, stop, base))
        start, stop, base = (_with_axes(x, n) for x in (start, stop, base))
        base = expand_dims(base, axis)
    return cast(np.power(base, linspace(start, stop, num, endpoint, axis=axis)), dtype)


def _with_axes(x: Any, n: int) -> Any:
    shape = free_shape(x)
    return reshape(x, (1,) * (n - len(shape)) + shape)


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, dtype: Any = None, axis: Any = 0
) -> Any:
    num = _number(num)
    start, stop = lift(start), lift(stop)
    if np.any(start == 0) or np.any(stop == 0):
        raise ValueError("Geometric sequence cannot include zero")
    ends = [np.asarray(stand_in(x)) for x in (start, stop)]
    own = np.result_type(*ends, float(num), np.zeros((), dtype))
    wanted = own if dtype is None else np.dtype(dtype)
    start, stop = cast(start, own), cast(stop, own)
    sign = np.sign(start)  # negative ends are allowed
    start, stop = start / sign, stop / sign
    found = logspace(np.log10(start), np.log10(stop), num, endpoint)
    shape = np.broadcast_shapes(free_shape(start), free_shape(stop))

    def end(x: Any) -> Any:
        return np.reshape(np.broadcast_to(x, shape), (1, *shape))

    if num > 1 and endpoint:
        found = np.concatenate([end(start), found[1:-1], end(stop)])
    elif num > 0:
        found = np.concatenate([end(start), found[1:]])
    return cast(moveaxis(found * sign, 0, axis), wanted)
