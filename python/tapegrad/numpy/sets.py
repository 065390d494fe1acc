"""Sets of numbers, partitions, and arrays without their zeros: elements that are chosen by value.

The elements are differentiated: of several that are equal the first is taken. Positions and counts
are plain.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.numpy.families import table
from tapegrad.numpy.operands import free_shape, lift, ndim_of, plain, shape_of
from tapegrad.numpy.order import sort
from tapegrad.numpy.selection import take, take_along_axis
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.table import implements


def _sorted(x: Any) -> Any:
    """A vector in order; of what is equal in the order in which it stands."""
    return take_along_axis(x, table[np.argsort](x, -1, "stable"), -1)


def _flat(x: Any) -> Any:
    return reshape(lift(x), (-1,))


def _distinct(x: Any, equal_nan: bool = True) -> Any:
    """The different elements of a vector, in order."""
    ordered = _sorted(x)
    new = ordered[1:] != ordered[:-1]
    if equal_nan:
        new = new & ~(np.isnan(ordered[1:]) & np.isnan(ordered[:-1]))
    return ordered[np.concatenate([_ends(ordered), new])]


def _ends(x: Any) -> Any:
    """The mask of the first element of a vector, or of the last; an empty one has none."""
    return np.ones(min(shape_of(x)[0], 1), bool)


@implements(np.unique)
def unique(
    ar: Any, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False,
    axis: Any = None, *, equal_nan: Any = True, sorted: Any = True,
) -> Any:  # fmt: skip
    ar = lift(ar)
    extra = {
        "return_index": return_index, "return_inverse": return_inverse,
        "return_counts": return_counts, "axis": axis, "equal_nan": equal_nan,
    }  # fmt: skip
    if axis is not None:
        np.lib.array_utils.normalize_axis_index(axis, ndim_of(ar))
    if axis is not None and ndim_of(ar) != 1:
        extra["return_index"] = True
        _, index, *rest = np.unique(plain(ar), **extra)
        found = [take(ar, index, axis), *([index] if return_index else []), *rest]
    else:
        rest = []
        if return_index or return_inverse or return_counts:
            _, *rest = np.unique(plain(ar), **extra)
        found = [_distinct(_flat(ar), equal_nan), *rest]
    return tuple(found) if len(found) > 1 else found[0]


@implements(np.unique_values)
def unique_values(x: Any) -> Any:
    return _distinct(_flat(x), equal_nan=False)


def _with_values(function: Any, x: Any) -> Any:
    x = lift(x)
    return function(plain(x))._replace(values=_distinct(_flat(x), equal_nan=False))


@implements(np.unique_counts)
def unique_counts(x: Any) -> Any:
    return _with_values(np.unique_counts, x)


@implements(np.unique_inverse)
def unique_inverse(x: Any) -> Any:
    return _with_values(np.unique_inverse, x)


@implements(np.unique_all)
def unique_all(x: Any) -> Any:
    return _with_values(np.unique_all, x)


@implements(np.intersect1d)
def intersect1d(ar1: Any, ar2: Any, assume_unique: Any = False, return_indices: Any = False) -> Any:
    one, two = _flat(ar1), _flat(ar2)
    places: list[Any] = []
    if return_indices:
        _, *places = np.intersect1d(plain(one), plain(two), assume_unique, return_indices=True)
    if not assume_unique:
        one, two = (_distinct(x) if isinstance(x, Variable) else np.unique(x) for x in (one, two))
    both = _sorted(np.concatenate([one, two]))
    # Of each pair that of the first array stands first.
    found = (both[:-1] if isinstance(one, Variable) else both[1:])[both[1:] == both[:-1]]
    return (found, *places) if return_indices else found


@implements(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    return _distinct(np.concatenate([_flat(ar1), _flat(ar2)]))


@implements(np.setdiff1d)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: Any = False) -> Any:
    one = _flat(ar1)
    if not assume_unique:
        one = _distinct(one) if isinstance(one, Variable) else np.unique(one)
    return one[
        np.isin(plain(one), plain(lift(ar2)), assume_unique=bool(assume_unique), invert=True)
    ]


@implements(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: Any = False) -> Any:
    one, two = _flat(ar1), _flat(ar2)
    if not assume_unique:
        one, two = (_distinct(x) if isinstance(x, Variable) else np.unique(x) for x in (one, two))
    both = _sorted(np.concatenate([one, two]))
    differs, end = both[1:] != both[:-1], _ends(both)
    return both[np.concatenate([end, differs]) & np.concatenate([differs, end])]


@implements(np.partition, values=1)
def partition(
    a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None
) -> Any:
    """Sorted: NumPy leaves open in which order the elements before and after stand."""
    a = lift(a)
    if order is not None:
        raise ValueError("np.partition: order= names fields, and an array of numbers has none")
    if axis is None:
        a, axis = reshape(a, (-1,)), -1
    axis = np.lib.array_utils.normalize_axis_index(axis, ndim_of(a))
    n = free_shape(a)[axis] if isinstance(kth, int) and kth in (0, -1) else shape_of(a)[axis]
    np.partition(np.zeros(n), plain(kth), kind=kind)  # NumPy says here what is wrong with them
    return sort(a, axis)


# NumPy before 2.2 iterates there, and refuses an array without axes; before 2.3 it makes a number.
_VERSION = tuple(map(int, np.__version__.split(".")[:2]))
_ITERATES, _PICKS_NUMBERS = _VERSION < (2, 2), _VERSION < (2, 3)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    x = lift(filt)
    n = ndim_of(x)
    if _ITERATES and n == 0:
        raise TypeError("np.trim_zeros: iteration over a 0-d array")
    sides = str(trim).lower()
    if sides not in ("fb", "bf", "f", "b"):
        raise ValueError(f"np.trim_zeros: trim= is 'fb', 'f' or 'b', not {trim!r}")
    axes = range(n) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, n)
    others = np.argwhere(plain(x != 0))
    key = [slice(None)] * n
    for i in axes:
        if not len(others):
            key[i] = slice(0, 0)
        else:
            low, high = int(others[:, i].min()), int(others[:, i].max()) + 1
            key[i] = slice(low if "f" in sides else None, high if "b" in sides else None)
    if not axes:
        return x[()] if _PICKS_NUMBERS and n == 0 else filt
    return filt[key[0]] if n == 1 else filt[tuple(key)]
