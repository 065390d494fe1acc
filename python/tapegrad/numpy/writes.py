"""Functions that write into an array: a Variable, where what they write holds one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, stands_for_array
from tapegrad.numpy import refusals
from tapegrad.numpy.operands import (
    as_mask,
    floating_dtype,
    is_integer,
    lift,
    ndim_of,
    plain,
    shape_of,
    where_mask,
)
from tapegrad.numpy.selection import take
from tapegrad.numpy.shapes import astype, ravel, reshape
from tapegrad.numpy.table import RECORD, implements


def _target(name: str, a: Any, word: str) -> Variable:
    """The Variable that is written to; `word` is what the function calls it."""
    if isinstance(a, Variable):
        return a
    told = refusals.of_calling_library(
        "the result is a plain array, which cannot hold the derivative of a Variable"
    )
    raise TypeError(
        told
        or f"{name}: the target is a plain array, which cannot hold the derivative of a "
        f"Variable; make it one, {word} = tg.Variable({word})"
    )


def _repeated(values: Any, n: int) -> Any:
    """The first `n` of the elements of `values`, which begin anew after the last."""
    values = ravel(values)
    own = shape_of(values)[0]
    if own == 1:
        return values
    return values[:n] if n <= own else take(values, np.arange(n) % own)


def write_at(a: Variable, positions: Any, values: Any) -> None:
    """Writes `values`, repeated, to these positions among all elements, the last of equals stays.

    The positions are valid or raise; recorded integers stay recorded.
    """
    shape = shape_of(a)
    n, own = math.prod(shape_of(positions)), math.prod(shape_of(values))
    if not n or not own:
        return
    values = _repeated(values, n)
    if not shape:
        np.arange(1)[plain(positions)]  # says what is wrong with one
        a[...] = values[-1]
        return
    if is_integer(positions):
        a[_spread(positions, shape)] = values
        return
    size = math.prod(shape)
    positions = np.asarray(positions)
    wrong = (positions < -size) | (positions >= size)
    if np.any(wrong):
        raise IndexError(
            f"index {positions[wrong][0]} is out of bounds for axis 0 with size {size}"
        )
    a[np.unravel_index(np.where(positions < 0, positions + size, positions), shape)] = values


def _spread(positions: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """An index of several arrays; what is out of bounds is so on the first axis."""
    index = []
    for length in reversed(shape[1:]):
        index.append(positions % length)
        positions = positions // length
    return (positions, *reversed(index))


@implements(np.put, on_data=RECORD)
def put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    a = _target("np.put", a, "a")
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"np.put: mode is 'raise', 'wrap' or 'clip', not {mode!r}")
    ind = ravel(_positions("np.put", ind))
    size = math.prod(shape_of(a))
    if mode != "raise" and size:
        ind = ind % size if mode == "wrap" else np.minimum(np.maximum(ind, 0), size - 1)
    if isinstance(a, Variable) and not stands_for_array(a) and not _core.is_leaf(a):
        a = a + 0.0  # NumPy's numbers keep their value, and only what is wrong is said
    write_at(a, ind, lift(v))


def _positions(name: str, ind: Any) -> Any:
    """Integers as NumPy's index type: recorded ones stay recorded."""
    ind = lift(ind)
    kind = floating_dtype(ind).kind
    if kind == "f" and not math.prod(shape_of(ind)):
        return np.zeros(shape_of(ind), np.intp)
    if kind not in "biu":
        raise TypeError(
            f"{name}: positions are integers, which have no derivative, not {floating_dtype(ind)}; "
            f"pass tg.value(i).astype(int)"
        )
    return astype(ind, np.intp) if isinstance(ind, Variable) else np.asarray(ind, np.intp)


@implements(np.place, on_data=RECORD)
def place(arr: Any, mask: Any, vals: Any) -> None:
    arr = _target("np.place", arr, "arr")
    chosen = np.asarray(plain(as_mask(mask)))
    if chosen.size != math.prod(shape_of(arr)):
        raise ValueError(
            f"np.place: mask and array must be of the same size, got shapes {chosen.shape} and "
            f"{shape_of(arr)}"
        )
    vals, positions = lift(vals), np.flatnonzero(chosen)
    if positions.size and not math.prod(shape_of(vals)):
        raise ValueError("np.place: cannot insert from an empty array")
    write_at(arr, positions, vals)


@implements(np.putmask, on_data=RECORD)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    a = _target("np.putmask", a, "a")
    if isinstance(values, np.ndarray) and not np.can_cast(values.dtype, a.dtype, "safe"):
        raise TypeError(
            f"np.putmask: cannot cast values from {values.dtype} to {a.dtype} according to the "
            "rule 'safe'"
        )
    shape, mask, values = shape_of(a), as_mask(mask), lift(values)
    size = math.prod(shape)
    if math.prod(shape_of(mask)) != size:
        raise ValueError(
            f"np.putmask: mask and array must be of the same size, got shapes {shape_of(mask)} "
            f"and {shape}"
        )
    if size and math.prod(shape_of(values)):
        values = np.broadcast_to(_repeated(values, size), (size,))
        a[...] = np.where(reshape(mask, shape), reshape(values, shape), a)


@implements(np.put_along_axis, on_data=RECORD)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    arr = _target("np.put_along_axis", arr, "arr")
    indices, values = lift(indices), lift(values)
    if floating_dtype(indices).kind not in "iu":
        raise IndexError("np.put_along_axis: `indices` must be an integer array")
    shape = shape_of(arr)
    if axis is None:
        raise TypeError(
            "np.put_along_axis: axis=None writes to the array in some versions of NumPy, in others "
            "to a copy; write np.put(arr, indices, values)"
        )
    axis = np.lib.array_utils.normalize_axis_index(axis, len(shape))
    if ndim_of(indices) != len(shape):
        raise ValueError(
            "np.put_along_axis: `indices` and `arr` must have the same number of dimensions"
        )
    index = [
        indices if i == axis else np.arange(n).reshape((-1,) + (1,) * (len(shape) - 1 - i))
        for i, n in enumerate(shape)
    ]
    arr[tuple(index)] = values


@implements(np.copyto, on_data=RECORD)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    dst, src = _target("np.copyto", dst, "dst"), lift(src)
    if ndim_of(src) and not np.can_cast(floating_dtype(src), dst.dtype, casting):
        raise TypeError(
            f"np.copyto: cannot cast from {floating_dtype(src)} to {dst.dtype} according to the "
            f"rule {casting!r}"
        )
    dst[...] = src if where is True else np.where(where_mask(where), src, dst)


@implements(np.fill_diagonal, on_data=RECORD)
def fill_diagonal(a: Any, val: Any, wrap: Any = False) -> None:
    a = _target("np.fill_diagonal", a, "a")
    shape = shape_of(a)
    if len(shape) < 2:
        raise ValueError(f"np.fill_diagonal: array must be at least 2-d, and has shape {shape}")
    end = math.prod(shape)
    if len(shape) == 2:
        step = shape[1] + 1
        end = end if wrap else min(end, shape[1] * shape[1])
    else:
        if len(set(shape)) != 1:
            raise ValueError(
                f"np.fill_diagonal: all dimensions must be of equal length, and the shape is "
                f"{shape}; write a[i, j, k] = x of index arrays"
            )
        step = 1 + sum(shape[0] ** i for i in range(1, len(shape)))
    write_at(a, np.arange(0, end, step), lift(val))
