"""Joining arrays and taking them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tapegrad._core import Variable, apply
from tapegrad.numpy.operands import (
    NO_VALUE,
    axis_of,
    cast,
    finish,
    floating_dtype,
    free_shape,
    holds_for_these_lengths,
    integer,
    integers,
    lift,
    ndim_of,
    shape_of,
)
from tapegrad.numpy.shapes import atleast_1d, atleast_2d, atleast_3d, reshape
from tapegrad.numpy.table import RECORD, implements, is_data, op


def _parts(name: str, arrays: Any) -> list[Any]:
    if isinstance(arrays, Variable):
        if arrays.ndim == 0:
            raise TypeError(f"{name}: expects a sequence of arrays, got a scalar Variable")
        return [arrays[i] for i in range(len(arrays))]
    return [lift(x) for x in arrays]


def _cast(name: str, parts: list[Any], dtype: Any, casting: Any) -> list[Any]:
    """The parts in the dtype of what they are joined to, where `casting` allows that."""
    if casting != "same_kind":
        types = [floating_dtype(x) for x in parts]
        wanted = np.result_type(*types) if dtype is None else np.dtype(dtype)
        for found in types:
            if not np.can_cast(found, wanted, casting):
                raise TypeError(
                    f"{name}: cannot cast from {found} to {wanted} according to the rule "
                    f"{casting!r}"
                )
    return [cast(x, dtype) for x in parts]


@implements(
    np.concatenate, values=1, on_data=RECORD,
    in_core=op("concatenate", arrays="operands", axis="integer"),
)  # fmt: skip
def concatenate(
    arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    usual = dtype is None and casting == "same_kind"
    if type(arrays) in (list, tuple) and axis is not None and usual and out is None:
        return apply("concatenate", tuple([lift(x) for x in arrays]), (axis,))
    parts = _cast("np.concatenate", _parts("np.concatenate", arrays), dtype, casting)
    if axis is None:
        parts, axis = [reshape(x, (-1,)) for x in parts], 0
    return finish(
        "np.concatenate",
        apply("concatenate", tuple(parts), (integer("np.concatenate: axis", axis),)),
        out,
    )


@implements(
    np.stack, values=1, on_data=RECORD, in_core=op("stack", arrays="operands", axis="integer"),
)  # fmt: skip
def stack(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    parts = _cast("np.stack", _parts("np.stack", arrays), dtype, casting)
    if is_data(parts):  # numbers become arrays, as in NumPy, and take part in promotion
        parts = [np.asarray(x) if isinstance(x, int) else x for x in parts]
    return finish("np.stack", apply("stack", tuple(parts), (integer("np.stack: axis", axis),)), out)


def _axes_in_common(arrays: Any) -> int:
    """How many axes Variables and arrays of floats have; 0 where that differs, or for others."""
    if type(arrays) is not list and type(arrays) is not tuple:
        return 0
    n = 0
    for x in arrays:
        if type(x) is not Variable and (type(x) is not np.ndarray or x.dtype.char not in "fd"):
            return 0
        if not x.ndim or n not in (0, x.ndim):
            return 0
        n = x.ndim
    return n


def _raised(least: Callable[..., Any], n: int, name: str, arrays: Any) -> list[Any]:
    """The arrays, each with so many axes at least."""
    parts = _parts(name, arrays)
    if all(ndim_of(x) >= n for x in parts):
        return parts
    found = least(*parts)
    return list(found) if isinstance(found, tuple) else [found]


@implements(np.vstack, values=1, on_data=RECORD)
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    n = _axes_in_common(tup) if dtype is None and casting == "same_kind" else 0
    if n > 1:
        return apply("concatenate", tuple(tup), (0,))
    if n and len({free_shape(x) for x in tup}) == 1:
        return apply("stack", tuple(tup), (0,))
    return concatenate(_raised(atleast_2d, 2, "np.vstack", tup), 0, dtype=dtype, casting=casting)


@implements(np.hstack, values=1, on_data=RECORD)
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    n = _axes_in_common(tup) if dtype is None and casting == "same_kind" else 0
    if n:
        return apply("concatenate", tuple(tup), (0 if n == 1 else 1,))
    parts = _raised(atleast_1d, 1, "np.hstack", tup)
    axis = 0 if parts and ndim_of(parts[0]) == 1 else 1
    return concatenate(parts, axis, dtype=dtype, casting=casting)


@implements(np.dstack, values=1, on_data=RECORD)
def dstack(tup: Any) -> Any:
    return concatenate(_raised(atleast_3d, 3, "np.dstack", tup), 2)


@implements(np.column_stack, values=1, on_data=RECORD)
def column_stack(tup: Any) -> Any:
    n = _axes_in_common(tup)
    if n == 1 and len({free_shape(x) for x in tup}) == 1:
        return apply("stack", tuple(tup), (1,))
    parts = []
    for x in _parts("np.column_stack", tup):
        shape = free_shape(x)
        parts.append(reshape(x, (*(shape or (1,)), 1)) if len(shape) < 2 else x)
    return concatenate(parts, 1)


@implements(np.append, values=2, on_data=RECORD)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    if axis is None and _axes_in_common((arr,)) == 1:
        values = np.asarray([values]) if type(values) is float else values
        if _axes_in_common((values,)) == 1:
            return apply("concatenate", (arr, values), (0,))
    return concatenate((lift(arr), lift(values)), axis)


@implements(np.block, values=1, on_data=RECORD)
def block(arrays: Any) -> Any:
    depth = _depth(arrays)
    ndim = max(depth, _widest(arrays))
    if depth == 0 and isinstance(arrays, Variable):
        return np.copy(arrays)
    return _block(arrays, ndim, depth)


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) and arrays else 0


def _widest(arrays: Any) -> int:
    if isinstance(arrays, list):
        return max((_widest(x) for x in arrays), default=0)
    return ndim_of(arrays)


def _block(arrays: Any, ndim: int, depth: int) -> Any:
    if depth == 0:
        if isinstance(arrays, list):
            raise ValueError("np.block: the lists are nested to different depths")
        x = lift(arrays)
        return reshape(x, (1,) * (ndim - ndim_of(x)) + free_shape(x))
    if not isinstance(arrays, list) or not arrays:
        raise ValueError("np.block: the lists are nested to different depths, or one is empty")
    return concatenate([_block(x, ndim, depth - 1) for x in arrays], -depth)


@implements(np.array_split, values=1, view=True, on_data=RECORD)
def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Any]:
    ary = lift(ary)
    _check_splits(ary)
    axis = axis_of("np.array_split", axis, ndim_of(ary))
    if np.iterable(indices_or_sections):
        cuts = [0, *integers("np.split: an index", indices_or_sections), None]
    else:
        sections = integer("np.split: the number of sections", indices_or_sections)
        if sections <= 0:
            raise ValueError(
                f"np.array_split: the number of sections must be above 0, got {sections}"
            )
        small, larger = divmod(shape_of(ary)[axis], sections)
        sizes = [small + 1] * larger + [small] * (sections - larger)
        cuts = [0, *(int(i) for i in np.cumsum(sizes))]
    key: list[Any] = [slice(None)] * ndim_of(ary)
    found = []
    for start, stop in pairwise(cuts):
        key[axis] = slice(start, stop)
        found.append(ary[tuple(key)])
    return found


def _check_splits(ary: Any) -> None:
    if not ndim_of(ary):
        raise IndexError("np.split: an array of shape () does not split; write v.reshape(1)")


def _equal_parts(ary: Any, sections: int, axis: Any) -> list[Any]:
    """Parts of a reshaped array, so that programs serve other lengths that split evenly."""
    n = ndim_of(ary)
    axis = range(n)[axis]
    shape = free_shape(ary)
    stacked = reshape(ary, (*shape[:axis], sections, -1, *shape[axis + 1 :]))
    return [stacked[(*[slice(None)] * axis, i)] for i in range(sections)]


@implements(np.split, values=1, view=True, on_data=RECORD)
def split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Any]:
    if not np.iterable(indices_or_sections):
        ary = lift(ary)
        _check_splits(ary)
        axis = axis_of("np.split", axis, ndim_of(ary))
        n = free_shape(ary)[axis]
        sections = integer("np.split: the number of sections", indices_or_sections)
        if sections > 0 and n % sections == 0 and 0 not in free_shape(ary):
            return _equal_parts(ary, sections, axis)
        if sections <= 0 or n % sections:
            holds_for_these_lengths(ary)
            raise ValueError(
                f"np.split: an axis of length {n} does not split into {sections} equal parts; "
                f"np.array_split(v, {sections}) gives unequal ones"
            )
    return array_split(ary, indices_or_sections, axis)


def _split_on(name: str, least: int, axis: int, ary: Any, parts: Any) -> list[Any]:
    ary = lift(ary)
    if ndim_of(ary) < least:
        raise ValueError(
            f"np.{name}: the array has shape {shape_of(ary)}, and needs {least} axes or more"
        )
    return split(ary, parts, axis)


@implements(np.hsplit, values=1, view=True, on_data=RECORD)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    axis = 1 if ndim_of(lift(ary)) > 1 else 0
    return _split_on("hsplit", 1, axis, ary, indices_or_sections)


@implements(np.vsplit, values=1, view=True, on_data=RECORD)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return _split_on("vsplit", 2, 0, ary, indices_or_sections)


@implements(np.dsplit, values=1, view=True, on_data=RECORD)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return _split_on("dsplit", 3, 2, ary, indices_or_sections)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    x = lift(x)
    if not shape_of(x):
        raise ValueError("np.unstack: the array has shape (), and needs an axis")
    moved = np.moveaxis(x, axis, 0)
    return tuple(moved[i] for i in range(shape_of(moved)[0]))


if hasattr(np, "unstack"):  # from NumPy 2.1 on
    implements(np.unstack, values=1, view=True, on_data=RECORD)(unstack)


@implements(
    np.diff, values=1, on_data=RECORD,
    in_core=op("diff", a="array", n="count", axis="integer"),
)  # fmt: skip
def diff(
    a: Any, n: Any = 1, axis: Any = -1, prepend: Any = NO_VALUE, append: Any = NO_VALUE
) -> Any:
    a, n = lift(a), integer("np.diff: n", n)
    if n < 0:
        raise ValueError(f"np.diff: the order must be at least 0, got {n}")
    if n == 0:
        return a
    if not ndim_of(a):
        raise ValueError("np.diff: the array has shape (), and needs an axis")
    axis = np.lib.array_utils.normalize_axis_index(axis, ndim_of(a))
    edges = [
        _edge(x, free_shape(a), axis) if x is not NO_VALUE else None for x in (prepend, append)
    ]
    joined: Sequence[Any] = [x for x in (edges[0], a, edges[1]) if x is not None]
    if len(joined) > 1:
        a = concatenate(joined, axis)
    if floating_dtype(a).kind == "f":
        return apply("diff", (a,), (n, axis))
    head: list[Any] = [slice(None)] * ndim_of(a)
    tail = list(head)
    head[axis], tail[axis] = slice(None, -1), slice(1, None)
    of_masks = floating_dtype(a).kind == "b"
    for _ in range(n):
        later, earlier = a[tuple(tail)], a[tuple(head)]
        a = later != earlier if of_masks else later - earlier
    return a


def _edge(x: Any, shape: tuple[int, ...], axis: int) -> Any:
    x = lift(x)
    if ndim_of(x):
        return x
    edge = list(shape)
    edge[axis] = 1
    return np.broadcast_to(x, tuple(edge))


@implements(np.ediff1d, values=3)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = [diff(reshape(ary, (-1,)))]
    dtype = floating_dtype(parts[0])  # that of the array, whatever the ends are
    if to_begin is not None:
        parts.insert(0, reshape(cast(lift(to_begin), dtype), (-1,)))
    if to_end is not None:
        parts.append(reshape(cast(lift(to_end), dtype), (-1,)))
    return concatenate(parts)
