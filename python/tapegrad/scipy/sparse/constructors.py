"""SciPy's classes and functions that make sparse matrices, of Variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from tapegrad.scipy.arrays import array, ndim_of, shape_of
from tapegrad.scipy.functions import FUNCTIONS, Function, derives, holds_variable, refuse
from tapegrad.scipy.sparse.matrix import SparseVariable


def _class_of(scipys: Any) -> Callable[..., Any]:
    """The function that stands for one of SciPy's classes."""
    name = f"scipy.sparse.{scipys.__name__}"
    kind = scipys.__name__[:3]
    is_array = scipys.__name__.endswith("array")

    def make(
        arg1: Any, shape: Any = None, dtype: Any = None, copy: Any = False, **kwds: Any
    ) -> Any:
        if not holds_variable(arg1):
            return scipys(arg1, shape, dtype, copy, **kwds)
        if dtype is not None:
            refuse(name, f"dtype={dtype}", "write data.astype(dtype) for its elements")
        if kwds:
            refuse(name, f"{next(iter(kwds))}=", "leave it out")
        found = _parts(name, kind, arg1, shape)
        found.format, found.is_array = kind, is_array
        return found

    make.__name__ = make.__qualname__ = scipys.__name__
    make.__doc__ = f"`{name}`, which takes Variables too: SciPy's documentation holds."
    FUNCTIONS[name] = Function(name, scipys, make, {}, False)
    return make


def _parts(name: str, kind: str, given: Any, shape: Any) -> SparseVariable:
    if isinstance(given, SparseVariable):
        return given._like(given.data)
    if not isinstance(given, tuple):
        dense = array(given)
        if ndim_of(dense) != 2:
            raise ValueError(f"{name}: a dense array of shape {shape_of(dense)}; pass a matrix")
        rows, columns = np.indices(shape_of(dense)).reshape(2, -1)
        return SparseVariable(np.reshape(dense, (-1,)), (rows, columns), shape_of(dense))
    data, *places = given
    if len(places) == 1 and kind == "dia":
        # SciPy says which of its elements is where.
        numbers = np.arange(1.0, np.prod(shape_of(array(data))) + 1)
        pattern = scipy.sparse.dia_array((numbers.reshape(shape_of(array(data))), places[0]), shape)
        pattern = pattern.tocoo()
        at = pattern.data.astype(np.int64) - 1
        data = np.reshape(array(data), (-1,))[at]
        return SparseVariable(data, (pattern.row, pattern.col), pattern.shape)
    data = array(data)
    if len(places) == 1:
        rows, columns = (np.asarray(x) for x in places[0])
        if shape is None:
            shape = (int(np.max(rows)) + 1, int(np.max(columns)) + 1)
        return _checked(name, data, (rows, columns), shape)
    if len(places) != 2 or kind not in ("csr", "csc"):
        form = f"this form with {len(places) + 1} parts"
        refuse(name, form, "write coo_array((data, (rows, columns)))")
    indices, indptr = (np.asarray(x) for x in places)
    major = np.repeat(np.arange(indptr.size - 1), np.diff(indptr))
    if shape is None:
        shape = (indptr.size - 1, int(np.max(indices, initial=-1)) + 1)
        shape = shape if kind == "csr" else shape[::-1]
    coords = (major, indices) if kind == "csr" else (indices, major)
    return _checked(name, data, coords, shape)


def _checked(name: str, data: Any, coords: tuple[Any, Any], shape: Any) -> SparseVariable:
    """A matrix whose elements all have a place of their own in it."""
    counts = shape_of(data), *(np.shape(x) for x in coords)
    if len(set(counts)) > 1 or len(counts[0]) != 1:
        raise ValueError(
            f"{name}: elements, rows and columns are vectors of one length, and have shapes "
            f"{counts[0]}, {counts[1]} and {counts[2]}"
        )
    for which, places, n in zip(("row", "column"), coords, shape, strict=True):
        if places.size and (np.min(places) < 0 or np.max(places) >= n):
            wrong = np.min(places) if np.min(places) < 0 else np.max(places)
            raise ValueError(f"{name}: {which} {wrong} is no place in a matrix of shape {shape}")
    return SparseVariable(data, coords, shape)


csr_array = _class_of(scipy.sparse.csr_array)
csc_array = _class_of(scipy.sparse.csc_array)
coo_array = _class_of(scipy.sparse.coo_array)
dia_array = _class_of(scipy.sparse.dia_array)
csr_matrix = _class_of(scipy.sparse.csr_matrix)
csc_matrix = _class_of(scipy.sparse.csc_matrix)
coo_matrix = _class_of(scipy.sparse.coo_matrix)
dia_matrix = _class_of(scipy.sparse.dia_matrix)


def _from_diagonals(
    name: str, diagonals: Any, offsets: Any, shape: Any, format: Any, dtype: Any, is_array: bool
) -> SparseVariable:
    if dtype is not None:
        refuse(name, f"dtype={dtype}", "write x.astype(dtype) for the diagonals")
    if np.ndim(offsets) == 0:
        diagonals = [diagonals] if ndim_of(array(diagonals)) == 1 else diagonals
    offsets = [int(k) for k in np.atleast_1d(offsets)]
    diagonals = [np.atleast_1d(array(x)) for x in diagonals]
    if len(diagonals) != len(offsets):
        raise ValueError("number of diagonals does not match the number of offsets")
    if shape is None:
        side = shape_of(diagonals[0])[0] + abs(offsets[0])
        shape = (side, side)
    m, n = shape
    data, rows, columns = [], [], []
    for x, k in zip(diagonals, offsets, strict=True):
        length = min(m + min(k, 0), n - max(k, 0))
        if length <= 0:
            raise ValueError(f"Offset {k} (index {offsets.index(k)}) out of bounds")
        if shape_of(x)[0] not in (length, 1):
            raise ValueError(
                f"Diagonal length (index {offsets.index(k)}: {shape_of(x)[0]} at offset {k}) does "
                f"not agree with array size ({m}, {n})."
            )
        data.append(np.broadcast_to(x, (length,)))
        rows.append(np.arange(length) + max(0, -k))
        columns.append(np.arange(length) + max(0, k))
    coords = np.concatenate(rows), np.concatenate(columns)
    return SparseVariable(np.concatenate(data), coords, shape, format or "dia", is_array)


@derives(scipy.sparse.diags_array)
def diags_array(
    diagonals: Any,
    /,
    *,
    offsets: Any = 0,
    shape: Any = None,
    format: Any = None,
    dtype: Any = None,
) -> Any:
    name = "scipy.sparse.diags_array"
    return _from_diagonals(name, diagonals, offsets, shape, format, dtype, True)


@derives(scipy.sparse.diags)
def diags(
    diagonals: Any, offsets: Any = 0, shape: Any = None, format: Any = None, dtype: Any = None
) -> Any:
    name = "scipy.sparse.diags"
    return _from_diagonals(name, diagonals, offsets, shape, format, dtype, False)
