"""Order of complex numbers: by real parts, then by imaginary parts, as NumPy's.

Positions are plain; the elements there are differentiated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.complex.families.elements import plain
from tapegrad.complex.functions import on_complex
from tapegrad.complex.parts import as_numpys, as_pair, operand_of
from tapegrad.complex.ufuncs import call
from tapegrad.numpy.operands import NO_VALUE, given


def _positions(z: Any, axis: Any) -> Any:
    """Where the elements are in order: recorded, while a whole function is."""
    if not _core.tracing():
        return np.argsort(plain(z), axis, kind="stable")
    by_imag = np.argsort(z.imag, axis, kind="stable")
    by_real = np.argsort(np.take_along_axis(z.real, by_imag, axis), axis, kind="stable")
    return np.take_along_axis(by_imag, by_real, axis)


@on_complex(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Sorted along an axis."""
    z = as_pair(operand_of(a))
    if axis is None:
        z, axis = np.ravel(z), -1
    return np.take_along_axis(z, _positions(z, axis), axis)


@on_complex(np.sort_complex)
def sort_complex(a: Any) -> Any:
    """Sorted along the last axis."""
    return sort(a)


@on_complex(np.partition)
def partition(
    a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None
) -> Any:
    """In NumPy's order of such a partition."""
    z = as_pair(operand_of(a))
    if axis is None:
        z, axis = np.ravel(z), -1
    return np.take_along_axis(z, np.argpartition(plain(z), kth, axis, kind), axis)


def _found(rows: Any, find: Any) -> Any:
    at = np.asarray(find(plain(rows), -1))
    return np.take_along_axis(rows, at[..., None], -1)[..., 0]


def _folded(rows: Any, choose: Any) -> Any:
    while rows.shape[-1] > 1:
        half, odd = divmod(rows.shape[-1], 2)
        chosen = call(choose.__name__, (rows[..., :half], rows[..., half : 2 * half]))
        rows = np.concatenate((chosen, rows[..., 2 * half :]), axis=-1) if odd else chosen
    return rows[..., 0]


def _extreme(find: Any, choose: Any) -> Any:
    def of(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
        initial: Any = NO_VALUE, where: Any = NO_VALUE,
    ) -> Any:  # fmt: skip
        if given(where) and where is not True:
            raise TypeError(
                f"np.{choose.__name__}.reduce of complex numbers with where= is not supported; "
                "write z[mask]"
            )
        z = as_pair(operand_of(a))
        axes = range(z.ndim) if axis is None else [i % z.ndim for i in np.atleast_1d(axis).tolist()]
        axes = list(axes)
        lengths = [1 if i in axes else n for i, n in enumerate(z.shape)]
        rows = np.moveaxis(z, axes, range(-len(axes), 0)) if z.ndim else z[None]
        kept = rows.shape[: rows.ndim - max(len(axes), 1)]
        rows = np.reshape(rows, (*kept, -1))
        found = _folded(rows, choose) if _core.tracing() else _found(rows, find)
        if given(initial):
            found = np.astype(call(choose.__name__, (found, initial)), z.dtype)
        if given(keepdims) and keepdims:
            return np.reshape(found, lengths)
        return found if found.ndim else found[()]  # a number

    return of


on_complex(np.max, np.amax)(_extreme(np.argmax, np.maximum))
on_complex(np.min, np.amin)(_extreme(np.argmin, np.minimum))


@on_complex(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE) -> Any:
    """The last in order, less the first."""
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


@on_complex(np.clip)
def clip(
    a: Any, a_min: Any = NO_VALUE, a_max: Any = NO_VALUE, out: Any = None, *,
    min: Any = NO_VALUE, max: Any = NO_VALUE, **kwargs: Any,
) -> Any:  # fmt: skip
    """Between bounds, in this order."""
    a = as_numpys(a)
    low = a_min if given(a_min) else min
    high = a_max if given(a_max) else max
    if given(low):
        a = call("maximum", (a, low))
    return call("minimum", (a, high)) if given(high) else a


@on_complex(np.median)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, keepdims: Any = False
) -> Any:
    """The mean of the middle elements."""
    z = as_pair(operand_of(a))
    place = 0 if axis is None else axis
    ordered = sort(np.ravel(z) if axis is None else z, place)
    n = ordered.shape[place]
    found = np.mean(np.take(ordered, sorted({(n - 1) // 2, n // 2}), axis=place), axis=place)
    if not keepdims:
        return found
    return np.expand_dims(found, tuple(range(z.ndim)) if axis is None else axis)


def _unique(z: Any) -> tuple[Any, ...]:
    """The elements in order, each once, and what NumPy tells of them."""
    whole = np.unique(plain(z), return_index=True, return_inverse=True, return_counts=True)
    return np.take(np.ravel(z), whole[1]), *whole[1:]


@on_complex(np.unique)
def unique(
    ar: Any, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False,
    axis: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    """The elements in order, each once."""
    if axis is not None or kwargs:
        raise TypeError("np.unique of complex Variables takes no axis= or equal_nan=; leave it out")
    found = _unique(as_pair(operand_of(ar)))
    wanted = (True, return_index, return_inverse, return_counts)
    chosen = tuple(x for x, is_wanted in zip(found, wanted, strict=True) if is_wanted)
    return chosen[0] if len(chosen) == 1 else chosen


@on_complex(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    """The elements of both, each once."""
    return unique(np.concatenate((np.ravel(operand_of(ar1)), np.ravel(operand_of(ar2)))))


@on_complex(np.trim_zeros)
def trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    """Without the zeros at its ends."""
    z = as_pair(operand_of(filt))
    there = np.flatnonzero(plain(z))
    if z.ndim != 1 or axis is not None:
        raise TypeError("np.trim_zeros of complex Variables takes one axis; write z[first:last]")
    first = int(there[0]) if len(there) and "f" in trim.lower() else 0
    last = int(there[-1]) + 1 if len(there) and "b" in trim.lower() else len(z)
    return z[first:last] if len(there) else z[:0]
