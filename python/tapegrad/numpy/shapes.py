"""Rearranging axes and elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._core import (
    Variable,
    apply,
    index_number,
    is_blank,
    memory_strides,
    overlap,
    stands_for_array,
    to_array,
    to_number,
)
from tapegrad.numpy.operands import (
    astype_integer,
    cast,
    cut_to_integers,
    describe,
    floating_dtype,
    free_shape,
    integer,
    integers,
    lift,
    ndim_of,
    plain,
    shape_of,
)
from tapegrad.numpy.table import ALL, RECORD, F, implements, is_data, op

_NUMPY = tuple(map(int, np.__version__.split(".")[:2]))


def resolved_order(name: str, order: Any, a: Variable) -> str:
    """The order "C", "F" or "K" that is meant for this array."""
    from tapegrad.numpy.layout import is_fortran

    if order is None or order == "C":
        return "C"
    if order not in ("F", "A", "K"):
        raise ValueError(f"{name}: order={order!r} is none of 'C', 'F', 'A' and 'K'")
    return order if order != "A" else "F" if is_fortran(a) else "C"


def _is_reshape(shape: str) -> Callable[[F], F]:
    """Registers a function as np.reshape, with this name for the shape."""
    return implements(
        np.reshape, values=1, view=True, on_data=RECORD,
        in_core=op("reshape", a="operand", **{shape: "gathered"}),
    )  # fmt: skip


@_is_reshape("shape")
def reshape(a: Any, /, shape: Any, order: Any = "C", *, copy: Any = None) -> Any:
    a = lift(a)
    if not isinstance(a, Variable):  # a view of the plain array, not an array of its own
        return np.reshape(a, shape, order=order, **({} if copy is None else {"copy": copy}))
    if order == "K":
        raise ValueError("np.reshape: order='K' is not permitted for reshaping; give 'A'")
    if order != "C" and resolved_order("np.reshape", order, a) == "F":
        target = np.reshape(np.broadcast_to(0, shape_of(a)), shape).shape  # resolves -1
        found = np.transpose(reshape(np.transpose(a), target[::-1]))
    else:
        found = apply("reshape", (a,), (integers("np.reshape: shape", shape),))
    if copy is False and not overlap(found, a) and 0 not in shape_of(a):
        raise ValueError(
            f"np.reshape: unable to avoid creating a copy of {describe(a)}; leave out copy=False"
        )
    return found.copy() if copy else found


if _NUMPY < (2, 1):

    @_is_reshape("newshape")
    def _reshape_of_2_0(a: Any, newshape: Any, order: Any = "C") -> Any:
        return reshape(a, newshape, order)

elif _NUMPY < (2, 4):

    @_is_reshape("shape")
    def _reshape_of_2_1(
        a: Any, /, shape: Any = None, order: Any = "C", *, newshape: Any = None, copy: Any = None
    ) -> Any:
        if (shape is None) == (newshape is None):
            raise TypeError("np.reshape: give shape=, and not newshape= beside it")
        return reshape(a, newshape if shape is None else shape, order, copy=copy)


@implements(
    np.ravel, values=1, view=True, method="ravel", on_data=RECORD,
    in_core=op("ravel", a="operand"),
)  # fmt: skip
def ravel(a: Any, order: Any = "C") -> Any:
    from tapegrad.numpy.layout import axes_of

    a = lift(a)
    if not isinstance(a, Variable):
        return np.ravel(a, order)
    wanted = resolved_order("np.ravel", order, a)
    if wanted != "C":
        a = transpose(a, axes_of(a)) if wanted == "K" else transpose(a)
    return apply("ravel", (a,))


@implements(
    np.transpose, values=1, view=True, on_data=RECORD,
    in_core=op("transpose", a="operand", axes="gathered_axes"),
)  # fmt: skip
def transpose(a: Any, axes: Any = None) -> Any:
    wanted = None if axes is None else integers("np.transpose: axes", axes)
    return apply("transpose", (lift(a),), (wanted,))


@implements(np.matrix_transpose, np.linalg.matrix_transpose, values=1, view=True, on_data=RECORD)
def matrix_transpose(x: Any, /) -> Any:
    x = lift(x)
    if ndim_of(x) < 2:
        raise ValueError(
            f"np.matrix_transpose: the array has shape {shape_of(x)}, and needs two axes or more"
        )
    return apply("swapaxes", (x,), (-1, -2))


@implements(
    np.swapaxes, values=1, view=True, method="swapaxes", on_data=RECORD,
    in_core=op("swapaxes", a="operand", axis1="index", axis2="index"),
)  # fmt: skip
def swapaxes(a: Any, axis1: Any, axis2: Any) -> Any:
    axes = integer("np.swapaxes: axis1", axis1), integer("np.swapaxes: axis2", axis2)
    return apply("swapaxes", (lift(a),), axes)


@implements(
    np.moveaxis, values=1, view=True, on_data=RECORD,
    in_core=op("moveaxis", a="operand", source="ints", destination="ints"),
)  # fmt: skip
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    places = integers("np.moveaxis: source", source)
    return apply(
        "moveaxis", (lift(a),), (places, integers("np.moveaxis: destination", destination))
    )


@implements(np.rollaxis, values=1, view=True, on_data=RECORD)
def rollaxis(a: Any, axis: Any, start: Any = 0) -> Any:
    a = lift(a)
    order = np.rollaxis(np.empty([1] * ndim_of(a)), axis, start)  # raises as NumPy does
    n = order.ndim
    axis, start = axis % n, start + n if start < 0 else start
    axes = [i for i in range(n) if i != axis]
    axes.insert(start - 1 if axis < start else start, axis)
    return transpose(a, axes)


@implements(
    np.expand_dims, values=1, view=True, on_data=RECORD,
    in_core=op("expand_dims", a="operand", axis="ints"), gives_array=True,
)  # fmt: skip
def expand_dims(a: Any, axis: Any) -> Any:
    return to_array(apply("expand_dims", (lift(a),), (integers("np.expand_dims: axis", axis),)))


@implements(
    np.squeeze, values=1, view=True, method="squeeze", on_data=RECORD,
    in_core=op("squeeze", a="operand", axis="axes"),
)  # fmt: skip
def squeeze(a: Any, axis: Any = None) -> Any:
    axes = None if axis is None else integers("np.squeeze: axis", axis)
    return apply("squeeze", (lift(a),), (axes,))


@implements(
    np.broadcast_to, values=1, view=True, on_data=RECORD,
    in_core=op("broadcast_to", array="operand", shape="ints"), gives_array=True,
)  # fmt: skip
def broadcast_to(array: Any, shape: Any, subok: Any = False) -> Any:
    return to_array(
        apply("broadcast_to", (lift(array),), (integers("np.broadcast_to: shape", shape),))
    )


@implements(np.broadcast_arrays, values=ALL, view=True, on_data=RECORD)
def broadcast_arrays(*args: Any, subok: Any = False) -> Any:
    arrays = [lift(x) for x in args]
    shape = np.broadcast_shapes(*(free_shape(x) for x in arrays))
    if all(free_shape(x) == shape for x in arrays):
        return tuple(to_array(x) if isinstance(x, Variable) else np.asarray(x) for x in arrays)
    return tuple(
        x[...] if isinstance(x, Variable) and free_shape(x) == shape else np.broadcast_to(x, shape)
        for x in arrays
    )


@implements(np.meshgrid, values=ALL, on_data=RECORD)
def meshgrid(*xi: Any, copy: Any = True, sparse: Any = False, indexing: Any = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid: indexing is 'xy' or 'ij', not {indexing!r}")
    n = len(xi)
    axes = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    arrays = [
        reshape(x, tuple(-1 if i == axis else 1 for i in range(n)))
        for x, axis in zip(xi, axes, strict=True)
    ]
    found = arrays if sparse else broadcast_arrays(*arrays)
    return tuple(np.copy(x) if copy else x for x in found)


@implements(
    np.flip, values=1, view=True, on_data=RECORD, in_core=op("flip", m="operand", axis="ints"),
)  # fmt: skip
def flip(m: Any, axis: Any = None) -> Any:
    m = lift(m)
    if axis in (None, ()) and not ndim_of(m):
        return to_number(m)
    return apply("flip", (m,), (None if axis is None else integers("np.flip: axis", axis),))


@implements(np.fliplr, values=1, view=True, on_data=RECORD)
def fliplr(m: Any) -> Any:
    m = lift(m)
    if ndim_of(m) < 2:
        raise ValueError(f"np.fliplr: the array has shape {shape_of(m)}, needs two axes or more")
    return flip(m, 1)


@implements(np.flipud, values=1, view=True, on_data=RECORD)
def flipud(m: Any) -> Any:
    m = lift(m)
    if not ndim_of(m):
        raise ValueError("np.flipud: the array has shape (), and needs an axis")
    return flip(m, 0)


@implements(np.rot90, values=1, view=True, on_data=RECORD)
def rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    m = lift(m)
    axes = integers("np.rot90: axes", axes)
    if len(axes) != 2:
        raise ValueError(f"np.rot90: axes={axes} must name two axes")
    first, second = np.lib.array_utils.normalize_axis_tuple(axes, ndim_of(m))
    k = integer("np.rot90: k", k) % 4
    if k == 2:
        return flip(m, (first, second))
    if k == 1:
        return swapaxes(flip(m, second), first, second)
    return flip(swapaxes(m, first, second), second) if k == 3 else m[...]


@implements(np.roll, values=1, on_data=RECORD)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if isinstance(shift, Variable) and isinstance(a, Variable) and is_data(shift):
        found = _rolled_by_data(a, shift, axis)
        if found is not None:
            return found
    axes = None if axis is None else integers("np.roll: axis", axis)
    shifts = integers("np.roll: shift", shift)
    if axes is not None:  # NumPy broadcasts the two
        pairs = np.broadcast(shifts, axes)
        shifts, axes = (tuple(map(int, x)) for x in zip(*pairs, strict=True))
    return to_array(apply("roll", (lift(a),), (shifts, axes)))


def _rolled_by_data(a: Variable, shift: Variable, axis: Any) -> Any:
    """By one recorded number; None where only a plain one will do."""
    flat = reshape(a, (-1,)) if axis is None else a
    k = 0 if axis is None else integer("np.roll: axis", axis)
    in_order = a.ndim == 1 or axis is None or _lies_in_order(a)
    if shift.ndim or shift.dtype.kind != "i" or not flat.ndim or not in_order:
        return None
    n = shape_of(flat)[k]
    if n == 0:
        return None
    places = (np.arange(n) - index_number(shift)) % n
    found = np.take(flat, places, axis=k)
    return found if axis is not None else reshape(found, shape_of(a))


def _lies_in_order(a: Variable) -> bool:
    """Whether each axis lies inside the one before it."""
    lying = memory_strides(a)
    if lying is None:  # packed
        return True
    strides = [abs(s) for s, n in zip(lying, shape_of(a), strict=True) if n != 1]
    return strides == sorted(strides, reverse=True)


@implements(np.tile, values=1, on_data=RECORD)
def tile(A: Any, reps: Any) -> Any:
    return to_array(apply("tile", (lift(A),), (integers("np.tile: reps", reps),)))


@implements(
    np.repeat, values=1, method="repeat", on_data=RECORD,
    in_core=op("repeat", a="operand", repeats="ints", axis="number"),
)  # fmt: skip
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    counts = integers("np.repeat: repeats", plain(repeats))
    return apply("repeat", (lift(a),), (counts, axis))


@implements(np.resize, values=1, on_data=RECORD)
def resize(a: Any, new_shape: Any) -> Any:
    a = reshape(a, (-1,))
    shape = integers("np.resize: new_shape", new_shape)
    where = np.resize(np.arange(shape_of(a)[0]), shape)
    return a[where] if shape_of(a)[0] else np.zeros(shape, floating_dtype(a))


def _at_least(n: int, arys: tuple[Any, ...]) -> Any:
    found = []
    for x in arys:
        x = lift(x)
        shape = free_shape(x)
        if len(shape) < n:
            if n == 3 and len(shape) == 2:
                shape = (*shape, 1)
            elif n == 3:
                shape = (1, *(shape or (1,)), 1)
            else:
                shape = (1,) * (n - len(shape)) + shape
            x = reshape(x, shape)
        found.append(x)
    return found[0] if len(found) == 1 else tuple(found)


@implements(np.atleast_1d, values=ALL, view=True, on_data=RECORD)
def atleast_1d(*arys: Any) -> Any:
    return _at_least(1, arys)


@implements(np.atleast_2d, values=ALL, view=True, on_data=RECORD)
def atleast_2d(*arys: Any) -> Any:
    return _at_least(2, arys)


@implements(np.atleast_3d, values=ALL, view=True, on_data=RECORD)
def atleast_3d(*arys: Any) -> Any:
    return _at_least(3, arys)


@implements(np.copy, values=1, on_data=RECORD, in_core=op("positive", a="packed"), gives_array=True)
def copy(a: Any, order: Any = "K", subok: Any = False) -> Any:
    a = lift(a)
    return to_array(a.copy(order)) if isinstance(a, Variable) else np.array(a, order=order)


def copied(a: Variable) -> Any:
    """A recorded copy, which lies in memory as `a` does."""
    if a.dtype.kind in "iu":
        found = np.positive(a)
    elif a.dtype.kind == "b":
        found = apply("logical_or", (a, a))
    else:
        found = apply("positive", (a,))
    return to_array(found) if stands_for_array(a) else found


@implements(np.astype, values=1, on_data=RECORD)
def astype(x: Any, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Any:
    wanted = np.dtype(dtype)
    if wanted.kind == "O":
        return np.array(x, object)
    if wanted.kind != "f" and is_blank(x):
        return np.array(x).astype(wanted)
    if isinstance(x, Variable) and wanted.kind != "f":
        if wanted.kind != "b" and x.dtype.kind in "biu":
            return astype_integer(x, wanted)
        if wanted.kind in "iu":
            return cut_to_integers(x, wanted)
        if wanted.kind == "b":
            mask = x if x.dtype == wanted else x != 0
            return np.copy(mask) if copy and mask is x else mask
    found = cast(x, wanted)
    if isinstance(x, Variable) and found is x:
        return copied(x) if copy else x
    return to_array(found) if stands_for_array(x) else found
