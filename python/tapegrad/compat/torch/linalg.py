"""`torch.linalg`: NumPy's linear algebra of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import call
from tapegrad.compat.torch.core.functions.joining import diagonal
from tapegrad.compat.torch.core.functions.linear import cross, matmul, matrix_power
from tapegrad.compat.torch.core.functions.reductions import norm as _norm
from tapegrad.compat.torch.core.graph import OTHERS
from tapegrad.compat.torch.core.registry import named
from tapegrad.compat.torch.refusals import refusing

__getattr__ = refusing(__name__)
__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "svd", "svdvals", "vector_norm",
]  # fmt: skip


def inv(A: Any) -> Any:
    """The inverse."""
    return call("LinalgInvEx", np.linalg.inv, A)


def pinv(A: Any) -> Any:
    """The pseudo-inverse."""
    return call("LinalgPinv", np.linalg.pinv, A)


def det(A: Any) -> Any:
    """The determinant."""
    return call("LinalgDet", np.linalg.det, A)


def slogdet(A: Any) -> Any:
    """Sign and logarithm of the determinant."""
    return call("LinalgSlogdet", lambda x: tuple(np.linalg.slogdet(x)), A)


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The solution of `A @ X = B`."""
    if not left:
        return solve(A.mT, B.mT).mT
    return call("LinalgSolveEx", np.linalg.solve, A, B)


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangle whose product with its transpose is A."""
    made = call("LinalgCholeskyEx", np.linalg.cholesky, A)
    return made.mT if upper else made


def qr(A: Any, mode: Any = "reduced") -> Any:
    """Q and R."""
    return call("LinalgQr", lambda x: tuple(np.linalg.qr(x, mode)), A)


def svd(A: Any, full_matrices: bool = True) -> Any:
    """U, the singular values, and the transpose of V."""
    return call("LinalgSvd", lambda x: tuple(np.linalg.svd(x, full_matrices)), A)


def svdvals(A: Any) -> Any:
    """The singular values."""
    return call("LinalgSvd", lambda x: np.linalg.svd(x, compute_uv=False), A)


def eigh(A: Any, UPLO: Any = "L") -> Any:
    """Eigenvalues and eigenvectors of a symmetric matrix."""
    return call("LinalgEigh", lambda x: tuple(np.linalg.eigh(x, UPLO)), A)


def eigvalsh(A: Any, UPLO: Any = "L") -> Any:
    """Eigenvalues of a symmetric matrix."""
    return call("LinalgEigh", lambda x: np.linalg.eigvalsh(x, UPLO), A)


def lstsq(A: Any, B: Any) -> Any:
    """The least-squares solution, as the only part of a tuple."""
    kind = named("lstsq", "solution")
    return kind(call("LinalgLstsq", lambda x, y: np.linalg.lstsq(x, y, rcond=None)[0], A, B))


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Any:
    """A norm of a vector, or of a matrix where `ord` or two axes say so."""
    matrix = (dim is None and A.ndim == 2 and ord is not None) or (
        isinstance(dim, tuple) and len(dim) == 2
    )
    if matrix:
        return matrix_norm(
            A, "fro" if ord is None else ord, (-2, -1) if dim is None else dim, keepdim
        )
    return _norm(A, 2 if ord is None else ord, dim, keepdim)


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """The p-norm of all elements, or along `dim`."""
    return _norm(x, ord, dim, keepdim)


def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False) -> Any:
    """A norm of matrices."""
    return call(
        "LinalgMatrixNorm", lambda x: np.linalg.norm(x, ord, axis=tuple(dim), keepdims=keepdim), A
    )


def matrix_rank(A: Any) -> Any:
    """The rank."""
    return call("MatrixRank", lambda x: np.linalg.matrix_rank(x), A.detach())


def multi_dot(tensors: Any) -> Any:
    """The product of matrices."""
    made = tensors[0]
    for t in tensors[1:]:
        made = call("Mm", lambda x, y: x @ y, made, t, saves=OTHERS)
    return made
