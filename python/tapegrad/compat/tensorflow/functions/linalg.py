"""`tf.linalg`: inverses, factors, determinants, norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.dispatch import op
from tapegrad.compat.tensorflow.functions.arrays import (  # noqa: F401 - names of tf.linalg
    eye,
    matrix_transpose,
)
from tapegrad.compat.tensorflow.functions.math import (  # noqa: F401 - names of tf.linalg
    _axis,
    einsum,
    matmul,
    tensordot,
)
from tapegrad.compat.tensorflow.refusals import refusing


@op("MatrixInverse")
def matrix_inverse(input: Any) -> Any:
    """The inverse of a matrix."""
    return np.linalg.inv(input)


@op("MatrixDeterminant")
def matrix_determinant(input: Any) -> Any:
    """The determinant."""
    return np.linalg.det(input)


@op("MatrixSolve", tensors=2)
def matrix_solve(matrix: Any, rhs: Any) -> Any:
    """X of matrix @ x = rhs."""
    return np.linalg.solve(matrix, rhs)


@op("Cholesky")
def cholesky(input: Any) -> Any:
    """The lower triangular factor."""
    return np.linalg.cholesky(input)


@op("Trace")
def trace(x: Any) -> Any:
    """The sum of the diagonal."""
    return np.trace(x, axis1=-2, axis2=-1)


@op("Diag")
def diag(diagonal: Any) -> Any:
    """A matrix with this diagonal."""
    return np.diag(diagonal)


@op("DiagPart")
def diag_part(input: Any) -> Any:
    """The diagonal of a matrix, or of a stack of them."""
    return np.diagonal(input, axis1=-2, axis2=-1)


@op("Norm")
def norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Any:
    """The norm over axes, all of them by default."""
    if ord == "euclidean":
        return np.sqrt(np.sum(np.square(tensor), axis=_axis(axis), keepdims=keepdims))
    flat = np.ravel(tensor) if axis is None else tensor
    return np.linalg.norm(flat, ord, axis=_axis(axis), keepdims=keepdims)


@op("MatVec", tensors=2)
def matvec(a: Any, b: Any, transpose_a: bool = False) -> Any:
    """The product of a matrix and a vector, or of stacks of both."""
    left = np.swapaxes(a, -1, -2) if transpose_a else a
    return np.matmul(left, np.expand_dims(b, -1))[..., 0]


@op("LogDet")
def logdet(matrix: Any) -> Any:
    """log(det(a)) of a positive definite matrix."""
    return np.linalg.slogdet(matrix)[1]


inv, det, solve = matrix_inverse, matrix_determinant, matrix_solve
__getattr__ = refusing("linalg", globals())
