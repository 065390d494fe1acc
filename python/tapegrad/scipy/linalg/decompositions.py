"""Factors of matrices, eigenvalues and singular values."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad._core import apply
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.matrices import (
    adjoint,
    array,
    mirrored,
    one_of,
    shape_of,
    square,
    triangular,
    turned,
)
from tapegrad.transforms.trace import value, warn_user

_SUBSET = "take part of all of them, w[:k] and v[:, :k]"


@derives(scipy.linalg.cholesky, complex_too=True)
def cholesky(a: Any, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    a = square("scipy.linalg.cholesky", a, check_finite)
    # NumPy's function reads the lower triangle.
    found = np.linalg.cholesky(a if lower else mirrored(a, lower))
    return found if lower else adjoint(found)


@derives(
    scipy.linalg.qr,
    refused={"mode='raw'": "call it with mode='economic' for q and r"},
)
def qr(
    a: Any,
    overwrite_a: Any = False,
    lwork: Any = None,
    mode: Any = "full",
    pivoting: Any = False,
    check_finite: Any = True,
) -> Any:
    a = array(a, check_finite)
    shape = shape_of(a)
    if len(shape) < 2:
        raise ValueError(f"scipy.linalg.qr: expected a matrix, got shape {shape}")
    if mode not in ("full", "r", "economic"):
        raise ValueError("Mode argument should be one of ['full', 'r', 'economic', 'raw']")
    m, n = shape[-2:]
    order: tuple[Any, ...] = ()
    if pivoting:
        if len(shape) > 2:
            raise ValueError("scipy.linalg.qr: pivoting= needs one matrix, not a stack")
        order = (scipy.linalg.qr(value(a), mode="r", pivoting=True)[1],)
        a = a[:, order[0]]
    if mode == "r":
        r: Any = np.linalg.qr(a, "r")
        if m > n:
            r = np.concatenate([r, np.zeros((*shape[:-2], m - n, n), a.dtype)], -2)
        return (r, *order)  # a tuple, as SciPy gives it
    return (*np.linalg.qr(a, "complete" if mode == "full" else "reduced"), *order)


@derives(scipy.linalg.svd, complex_too=True)
def svd(
    a: Any,
    full_matrices: Any = True,
    compute_uv: Any = True,
    overwrite_a: Any = False,
    check_finite: Any = True,
    lapack_driver: Any = "gesdd",
) -> Any:
    one_of("scipy.linalg.svd", "lapack_driver", lapack_driver, ("gesdd", "gesvd"))
    a = array(a, check_finite)
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    return tuple(np.linalg.svd(a, full_matrices=full_matrices))


@derives(scipy.linalg.svdvals, complex_too=True)
def svdvals(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    return np.linalg.svd(array(a, check_finite), compute_uv=False)


def _standard(a: Any, b: Any, kind: Any) -> tuple[Any, Any]:
    """The symmetric matrix with the eigenvalues of a pair, and the lower factor of b."""
    factor = np.linalg.cholesky(b)
    if kind == 1:  # a v = w b v
        half = triangular(factor, a, True)
        whole = triangular(factor, adjoint(half), True)
    else:  # a b v = w v, b a v = w v
        whole = adjoint(factor) @ a @ factor
    return (whole + adjoint(whole)) * 0.5, factor


_DRIVERS = (None, "ev", "evd", "evr", "evx", "gv", "gvd", "gvx")


@derives(
    scipy.linalg.eigh,
    refused={"subset_by_index": _SUBSET, "subset_by_value": _SUBSET},
    complex_too=True,
)
def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: Any = True,
    eigvals_only: Any = False,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    type: Any = 1,
    check_finite: Any = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    one_of("scipy.linalg.eigh", "driver", driver, _DRIVERS)
    a = square("scipy.linalg.eigh", a, check_finite)
    if type not in (1, 2, 3):
        raise ValueError('"type" keyword only accepts 1, 2, and 3.')
    a = mirrored(a, lower)
    factor = None
    if b is not None:
        b = mirrored(square("scipy.linalg.eigh", b, check_finite), lower)
        a, factor = _standard(a, b, type)
    if eigvals_only:
        return np.linalg.eigvalsh(a)
    w, v = np.linalg.eigh(a)
    if factor is None:
        return w, v
    if type == 3:
        return w, factor @ v
    return w, triangular(factor, v, True, 2)


@derives(
    scipy.linalg.eigvalsh,
    refused={"subset_by_index": _SUBSET, "subset_by_value": _SUBSET},
    complex_too=True,
)
def eigvalsh(
    a: Any,
    b: Any = None,
    *,
    lower: Any = True,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    type: Any = 1,
    check_finite: Any = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    return eigh(
        a, b, lower=lower, eigvals_only=True, type=type, check_finite=check_finite, driver=driver
    )


@derives(scipy.linalg.polar)
def polar(a: Any, side: Any = "right") -> Any:
    if side not in ("right", "left"):
        raise ValueError("`side` must be either 'right' or 'left'")
    a = array(a)
    w, s, vh = np.linalg.svd(a, full_matrices=False)
    s = s[..., None, :]
    return w @ vh, (turned(vh) * s) @ vh if side == "right" else (w * s) @ turned(w)


def _rank(s: Any, shape: tuple[int, ...], rcond: Any) -> int:
    rcond = np.finfo(s.dtype).eps * max(shape) if rcond is None else rcond
    return int(np.sum(s > np.max(s, initial=0.0) * rcond))


@derives(scipy.linalg.orth)
def orth(A: Any, rcond: Any = None) -> Any:
    A = _one_matrix("scipy.linalg.orth", A)
    u, s, _ = np.linalg.svd(A, full_matrices=False)
    return u[:, : _rank(s, shape_of(A), rcond)]


@derives(scipy.linalg.null_space)
def null_space(
    A: Any,
    rcond: Any = None,
    *,
    overwrite_a: Any = False,
    check_finite: Any = True,
    lapack_driver: Any = "gesdd",
) -> Any:
    A = _one_matrix("scipy.linalg.null_space", A, check_finite)
    basis = scipy.linalg.null_space(value(A), rcond, lapack_driver=lapack_driver)
    if basis.shape[1] > 1:
        warn_user(
            f"scipy.linalg.null_space: the {basis.shape[1]} vectors of the basis are a matter of "
            "choice; their derivative is right for what no choice changes, such as z @ z.T"
        )
    # What is left of the basis when the rows are taken off it, made orthonormal again.
    rcond = np.finfo(basis.dtype).eps * max(shape_of(A)) if rcond is None else rcond
    left = basis - np.linalg.pinv(A, rcond) @ (A @ basis)
    factor = np.linalg.cholesky(turned(left) @ left)
    return turned(apply("solve_triangular", (factor, turned(left)), (True, False, False)))


def _one_matrix(name: str, a: Any, check_finite: Any = True) -> Any:
    a = array(a, check_finite)
    if len(shape_of(a)) != 2:
        raise ValueError(f"{name}: expected one matrix, got shape {shape_of(a)}")
    return a


@derives(scipy.linalg.orthogonal_procrustes)
def orthogonal_procrustes(A: Any, B: Any, check_finite: Any = True) -> Any:
    name = "scipy.linalg.orthogonal_procrustes"
    A, B = _one_matrix(name, A, check_finite), _one_matrix(name, B, check_finite)
    if shape_of(A) != shape_of(B):
        raise ValueError(f"the shapes of A and B differ ({shape_of(A)} vs {shape_of(B)})")
    u, w, vt = np.linalg.svd(turned(A) @ B)
    return u @ vt, np.sum(w)


def _basis(a: Any) -> Any:
    """An orthonormal basis of what the columns span, by a factor that no tie disturbs."""
    a = _one_matrix("scipy.linalg.subspace_angles", a, True)
    found = orth(value(a))
    m, n = shape_of(a)
    return np.linalg.qr(a)[0] if m >= n and shape_of(found)[1] == n else orth(a)


@derives(scipy.linalg.subspace_angles)
def subspace_angles(A: Any, B: Any) -> Any:
    first, second = _basis(A), _basis(B)
    if shape_of(first)[0] != shape_of(second)[0]:
        raise ValueError(
            f"A and B must have the same number of rows, got {shape_of(A)[0]} and {shape_of(B)[0]}"
        )
    if shape_of(first)[1] < shape_of(second)[1]:
        first, second = second, first
    shared = turned(first) @ second
    cosines = np.linalg.svd(shared, compute_uv=False)
    sines = np.linalg.svd(second - first @ shared, compute_uv=False)
    # Of each angle the function that is not flat there, as Knyazev and Argentati (2002) say.
    cosines = cosines[::-1]
    small = cosines**2 >= 0.5
    by_sine = np.arcsin(np.where(small, np.clip(sines, -1.0, 1.0), 0.5))
    return np.where(small, by_sine, np.arccos(np.where(small, 0.5, np.clip(cosines, -1.0, 1.0))))
