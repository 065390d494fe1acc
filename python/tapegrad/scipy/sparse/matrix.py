"""Sparse matrices with Variables for elements, and products of sparse matrices with Variables.

A matrix is a list of elements with their rows and columns, whatever its format: elements at one
place add up. SciPy's own matrices are taken as such lists too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from tapegrad._core import Variable, apply
from tapegrad._tree import is_variable
from tapegrad.scipy.arrays import array, ndim_of, shape_of


class SparseVariable:
    """A sparse matrix of which the elements are a Variable; the places of the others are fixed.

    `data` are the elements at `coords`, rows and columns; `shape`, `format`, `nnz`, `T`, `toarray`
    and products are as in SciPy.
    """

    _holds_variables = True
    __array_ufunc__ = None  # NumPy's arrays leave operators to this class

    def __init__(
        self, data: Any, coords: Any, shape: Any, format: str = "coo", is_array: bool = True
    ) -> None:
        self.data = data
        self.coords = tuple(np.asarray(x, np.int64) for x in coords)
        self.shape = tuple(int(n) for n in shape)
        self.format = format
        self.is_array = is_array

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes, two."""
        return 2

    @property
    def nnz(self) -> int:
        """The number of elements that are listed."""
        return int(self.coords[0].size)

    @property
    def row(self) -> Any:
        """The rows of the elements."""
        return self.coords[0]

    @property
    def col(self) -> Any:
        """The columns of the elements."""
        return self.coords[1]

    @property
    def T(self) -> SparseVariable:  # noqa: N802 - as in NumPy
        """The transpose."""
        return self.transpose()

    def __repr__(self) -> str:
        return (
            f"<sparse Variable of shape {self.shape} and dtype {self.dtype}, {self.nnz} elements>"
        )

    def __reduce__(self) -> Any:
        raise TypeError(
            "a sparse Variable can't be pickled or copied: its elements belong to a tape; keep "
            "tg.value(a.data) and a.coords"
        )

    def _like(self, data: Any, coords: Any = None, shape: Any = None) -> SparseVariable:
        coords, shape = self.coords if coords is None else coords, shape or self.shape
        return SparseVariable(data, coords, shape, self.format, self.is_array)

    def asformat(self, format: Any, copy: bool = False) -> SparseVariable:
        """The same matrix in another format, which is a name alone."""
        found = self._like(self.data)
        found.format = self.format if format is None else format
        return found

    def tocsr(self, copy: bool = False) -> SparseVariable:
        return self.asformat("csr")

    def tocsc(self, copy: bool = False) -> SparseVariable:
        return self.asformat("csc")

    def tocoo(self, copy: bool = False) -> SparseVariable:
        return self.asformat("coo")

    def transpose(self, axes: Any = None, copy: bool = False) -> SparseVariable:
        return self._like(self.data, self.coords[::-1], self.shape[::-1])

    def toarray(self) -> Any:
        """The dense array, a Variable."""
        places = np.ravel_multi_index(self.coords, self.shape)
        flat = scattered(self.data, places, self.shape[0] * self.shape[1])
        return np.reshape(flat, self.shape)

    todense = toarray

    def diagonal(self, k: int = 0) -> Any:
        """The diagonal, k columns to the right."""
        rows, columns = self.coords
        on = np.flatnonzero(columns - rows == k)
        first = max(0, -k)
        n = max(0, min(self.shape[0] - first, self.shape[1] - max(0, k)))
        return scattered(self.data[on], rows[on] - first, n)

    def trace(self, offset: int = 0) -> Any:
        return np.sum(self.diagonal(offset))

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """The sum over an axis, or of all elements, a dense Variable."""
        if dtype is not None or out is not None:
            raise TypeError(
                "sum: dtype= and out= have no derivative here; write .astype of the sum"
            )
        if axis is None:
            return np.sum(self.data)
        if axis not in (-2, -1, 0, 1):
            raise ValueError(f"sum: axis={axis!r} of a matrix; it is 0 or 1")
        kept = 1 - axis % 2
        return scattered(self.data, self.coords[kept], self.shape[kept])

    def dot(self, other: Any) -> Any:
        return self @ other

    def multiply(self, other: Any) -> SparseVariable:
        return multiplied(self, other)

    def __matmul__(self, other: Any) -> Any:
        return product(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return product_of_left(other, self)

    def __mul__(self, other: Any) -> Any:
        return (
            product(self, other)
            if not self.is_array and ndim_of(other)
            else multiplied(self, other)
        )

    def __rmul__(self, other: Any) -> Any:
        if not self.is_array and ndim_of(other):
            return product_of_left(other, self)
        return multiplied(self, other)

    def __truediv__(self, other: Any) -> SparseVariable:
        if type(other) in (int, float):  # where SciPy goes on in double precision
            return self._like(self.data.astype(np.float64) * (1.0 / other))
        return multiplied(self, 1.0 / array(other))

    def __neg__(self) -> SparseVariable:
        return self._like(-self.data)

    def __add__(self, other: Any) -> Any:
        return added(self, other, 1.0)

    def __radd__(self, other: Any) -> Any:
        return added(self, other, 1.0)

    def __sub__(self, other: Any) -> Any:
        return added(self, other, -1.0)

    def __rsub__(self, other: Any) -> Any:
        return added(-self, other, 1.0)


def is_sparse(x: Any) -> bool:
    """Whether it is a sparse matrix, SciPy's or one of Variables."""
    return isinstance(x, SparseVariable) or bool(scipy.sparse.issparse(x))


def listed(a: Any) -> SparseVariable:
    """Any sparse matrix as a list of elements; those of SciPy's are plain."""
    if isinstance(a, SparseVariable):
        return a
    if a.ndim != 2:
        raise ValueError(
            f"scipy.sparse: a sparse array of shape {a.shape} has {a.ndim} axes; products with "
            "Variables need two, write a.reshape(1, -1)"
        )
    if a.dtype.kind == "c":
        raise TypeError(
            "scipy.sparse: products of complex sparse matrices with Variables have no derivative "
            "here; compute with a.real and a.imag apart"
        )
    is_array = isinstance(a, scipy.sparse.sparray)
    if a.format in ("csr", "csc"):  # SciPy's conversion would note in the matrix what it found
        major = np.repeat(np.arange(a.indptr.size - 1), np.diff(a.indptr))
        coords = (major, a.indices) if a.format == "csr" else (a.indices, major)
        n = major.size  # there may be room for more elements
        return SparseVariable(a.data[:n], [x[:n] for x in coords], a.shape, a.format, is_array)
    coo = a.tocoo(copy=False)
    return SparseVariable(coo.data, (coo.row, coo.col), a.shape, a.format, is_array)


def scattered(x: Any, places: Any, n: int) -> Any:
    """A vector of length n in which the elements of x are added at their places."""
    one = np.ones(1, x.dtype)
    return apply("sparse_product", (x, one, places, np.zeros_like(places)), (n,))


def product(a: Any, x: Any) -> Any:
    """The product a @ x of a sparse matrix with a vector or a matrix."""
    if is_sparse(x):
        raise TypeError(
            "a @ b: products of two sparse matrices have no derivative; write a @ (b @ v), or "
            "a.toarray() of one of them"
        )
    a, x = listed(a), array(x)
    _refuse_complex(x)
    shape = shape_of(x)
    if len(shape) not in (1, 2):
        raise ValueError(
            f"a @ v: a sparse matrix of shape {a.shape} and an array of shape {shape}; pass a "
            "vector or a matrix"
        )
    if shape[0] != a.shape[1]:
        raise ValueError(
            f"matmul: dimension mismatch with signature (n,k={a.shape[1]}),(k={shape[0]},m)->(n,m)"
        )
    return apply("sparse_product", (a.data, x, a.row, a.col), (a.shape[0],))


def product_of_left(x: Any, a: Any) -> Any:
    """The product x @ a."""
    x = array(x)
    found = product(listed(a).T, np.transpose(x))
    return np.transpose(found)


def multiplied(sparse: Any, x: Any) -> SparseVariable:
    """The elements of a sparse matrix times those at their places of an array that broadcasts."""
    a = listed(sparse)
    if type(x) in (int, float):  # which take the dtype of the elements
        return a._like(a.data * x)
    x = array(x.toarray() if is_sparse(x) else x)
    _refuse_complex(x)
    if ndim_of(x) == 0:
        return a._like(a.data * x)
    wide = np.broadcast_to(x, a.shape)
    return a._like(a.data * wide[a.row, a.col])


def added(a: SparseVariable, other: Any, sign: float) -> Any:
    """The sum a + sign * other: sparse where both are, else dense."""
    if is_sparse(other):
        b = listed(other)
        if a.shape != b.shape:
            raise ValueError(f"inconsistent shapes {a.shape} and {b.shape}")
        coords = [np.concatenate([x, y]) for x, y in zip(a.coords, b.coords, strict=True)]
        return a._like(np.concatenate([array(a.data), sign * array(b.data)]), coords)
    other = array(other)
    if ndim_of(other) == 0 and not isinstance(other, Variable) and other == 0:
        return a
    if ndim_of(other) == 0:
        raise NotImplementedError("adding a nonzero scalar to a sparse array is not supported")
    return a.toarray() + sign * other


def _refuse_complex(x: Any) -> None:
    if is_variable(x) and not isinstance(x, Variable):
        raise TypeError(
            "a @ z: products of sparse matrices with complex Variables have no derivative; compute "
            "with z.real and z.imag apart"
        )
