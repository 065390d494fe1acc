"""What follows from the order of elements: sorted arrays, medians, positions.

Positions are plain, but recorded while a whole function is: see `table`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply, memory_strides
from tapegrad.numpy.families import table
from tapegrad.numpy.operands import (
    NO_VALUE,
    finish,
    flag,
    free_shape,
    given,
    holds_for_these_lengths,
    integer,
    lift,
    ndim_of,
    plain,
    shape_of,
)
from tapegrad.numpy.selection import take_along_axis, where
from tapegrad.numpy.shapes import copy, expand_dims, reshape, transpose
from tapegrad.numpy.table import RECORD, implements, is_data, op

_NOTHING = np.empty(0)


def _check_options(**options: Any) -> None:
    """Raises what NumPy raises for these options, of which `descending` is known from 2.5 on."""
    found = {name: x for name, x in options.items() if given(x)}
    if found:
        np.sort(_NOTHING, **found)


@implements(np.argsort, values=1, method="argsort", on_data=RECORD, plain_unless_recording=True)
def argsort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None,
    descending: Any = NO_VALUE,
) -> Any:  # fmt: skip
    _check_options(kind=kind, order=order, stable=stable, descending=descending)
    a = lift(a)
    falls = flag(descending)
    if not ndim_of(a) or (falls and is_data(a)):
        return NotImplemented
    if falls:  # NaN stays last, and what is equal in its order
        a = -a
    if axis is None:
        a, axis = reshape(a, (-1,)), -1
    places = apply("argsort", (a,), (integer("np.argsort: axis", axis),))
    if (
        stable
        or kind in ("stable", "mergesort")
        or _all_differ(take_along_axis(a, places, axis), axis)
    ):
        return places
    return NotImplemented  # the order of what is equal is NumPy's to choose


def _all_differ(ordered: Any, axis: int) -> bool:
    """Whether no two elements of vectors in order are equal, and none is NaN."""
    low: list[Any] = [slice(None)] * ndim_of(ordered)
    high = list(low)
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return bool(np.all(ordered[tuple(low)] < ordered[tuple(high)]))


def _extreme(name: str, a: Any, axis: Any, out: Any, keepdims: Any) -> Any:
    a = lift(a)
    n = ndim_of(a)
    if out is not None or not n:
        return NotImplemented
    if axis is None:
        found = apply(name, (reshape(a, (-1,)),), (0,))
        return reshape(found, (1,) * n) if flag(keepdims) else found
    axis = integer(f"np.{name}: axis", axis)
    found = apply(name, (a,), (axis,))
    return expand_dims(found, axis) if flag(keepdims) else found


@implements(np.argmax, method="argmax", on_data=RECORD, plain_unless_recording=True)
def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NO_VALUE) -> Any:
    return _extreme("argmax", a, axis, out, keepdims)


@implements(np.argmin, method="argmin", on_data=RECORD, plain_unless_recording=True)
def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NO_VALUE) -> Any:
    return _extreme("argmin", a, axis, out, keepdims)


@implements(
    np.searchsorted, values=2, method="searchsorted", on_data=RECORD, plain_unless_recording=True,
)  # fmt: skip
def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
    if ndim_of(a) != 1 or sorter is not None or side not in ("left", "right"):
        return NotImplemented
    for x in (a, v):
        if isinstance(x, Variable):
            _core.lose_weakness(x)  # NumPy makes an array of it
    arrays = tuple(x if isinstance(x, Variable) else np.asarray(plain(x)) for x in (a, v))
    return apply("searchsorted", arrays, (side == "right",))


@implements(np.digitize, values=1, on_data=RECORD, plain_unless_recording=True)
def digitize(x: Any, bins: Any, right: Any = False) -> Any:
    rising = (
        not isinstance(bins, Variable) and np.ndim(bins) == 1 and bool(np.all(np.diff(bins) >= 0))
    )
    if not rising:
        return NotImplemented
    return searchsorted(bins, x, "left" if right else "right")


@implements(np.sort, values=1, on_data=RECORD, in_core=op("sort", a="packed", axis="integer"))
def sort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None,
    descending: Any = NO_VALUE,
) -> Any:  # fmt: skip
    from tapegrad.numpy.layout import axes_of

    options: dict[str, Any] = {}
    if not (kind is order is stable is None and descending is NO_VALUE):
        _check_options(kind=kind, order=order, stable=stable, descending=descending)
        options = {"descending": descending} if given(descending) else {}
    a = lift(a)
    if axis is None:
        a, axis = reshape(a, (-1,)), -1
    if isinstance(a, Variable) and memory_strides(a) is not None:
        # As NumPy's copy of it lies in memory.
        axes = axes_of(a)
        axis = np.lib.array_utils.normalize_axis_index(axis, len(axes))
        back = tuple(sorted(range(len(axes)), key=axes.__getitem__))
        return transpose(sort(copy(transpose(a, axes)), axes.index(axis), **options), back)
    if options:
        return take_along_axis(a, table[np.argsort](a, axis, stable=True, **options), axis)
    return apply("sort", (a,), (integer("np.sort: axis", axis),))


@implements(np.sort_complex)
def sort_complex(a: Any) -> Any:
    return np.sort(a).astype(np.complex128)  # float32 too


def merged(a: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """`a` with the reduced axes as one, the last; its shape reduced, and with axes of length 1."""
    a = lift(a)
    shape = free_shape(a)
    n = len(shape)
    if n == 1 and axis is None and 0 not in shape:
        return a, (), (1,)
    axes = tuple(range(n)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, n)
    rest = [i for i in range(n) if i not in axes]
    length = -1
    if 0 in shape:  # where it does not follow from the others
        holds_for_these_lengths(a)
        length = math.prod(shape[i] for i in axes)
    flat = reshape(np.transpose(a, (*rest, *axes)), (*(shape[i] for i in rest), length))
    kept = tuple(1 if i in axes else m for i, m in enumerate(shape))
    return flat, tuple(shape[i] for i in rest), kept


def nan_where_any(ordered: Any, found: Any) -> Any:
    """NaN in place of what was found in sorted vectors that hold NaN, which is then the last."""
    last = ordered[..., -1:]
    missing = np.isnan(last)
    if isinstance(missing, Variable) or missing.any():
        found = where(missing, last, found)
    return found


@implements(np.median, values=1)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, keepdims: Any = False
) -> Any:
    from tapegrad.numpy.layout import lying_as_reduced

    flat, rest, kept = merged(a, axis)
    if free_shape(flat)[-1] == 0:
        raise ValueError(f"np.median: no elements to take the median of in shape {shape_of(a)}")
    ordered = sort(flat)
    middle = take_along_axis(ordered, apply("middle", (ordered,)), -1)
    found = nan_where_any(ordered, 0.5 * (middle[..., :1] + middle[..., 1:]))
    found = reshape(found, kept if keepdims else rest)
    return finish("np.median", lying_as_reduced(found, lift(a), axis, bool(keepdims)), out)
