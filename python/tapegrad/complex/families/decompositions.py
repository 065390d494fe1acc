"""Eigenvalues, singular values and roots of what is complex."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import apply
from tapegrad.complex.functions import on_complex
from tapegrad.complex.parts import as_pair, join, operand_of
from tapegrad.numpy.decompositions import (
    UNTOUCHED,
    EighResult,
    SVDResult,
    completed,
    is_lower,
)
from tapegrad.numpy.eigenvalues import EigResult, stripped


def _parts(z: Any) -> tuple[Any, Any]:
    z = as_pair(operand_of(z))
    return z.real, z.imag


def _conjugate_transpose(z: Any) -> Any:
    return np.conj(np.matrix_transpose(z))


@on_complex(np.linalg.eig)
def eig(a: Any) -> EigResult:
    """Eigenvalues and eigenvectors."""
    w, w_im, v, v_im, *_ = apply("eig", _parts(a), (False,))
    return EigResult(join(w, w_im), join(v, v_im))


@on_complex(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """Eigenvalues."""
    return join(*apply("eigvals", _parts(a), (False,)))


@on_complex(np.roots)
def roots(p: Any) -> Any:
    """The roots of a polynomial."""
    p, zeros = stripped(np.atleast_1d(operand_of(p)))
    if len(p) < 2:
        return np.zeros(zeros)
    found = join(*apply("roots", _parts(p), (False,)))
    return np.concatenate((found, np.zeros(zeros, found.dtype))) if zeros else found


def hermitian_from_triangle(a: Any, lower: bool) -> tuple[Any, Any]:
    """Both parts of the Hermitian matrix that one triangle tells."""
    a = as_pair(operand_of(a))
    part = np.tril(a, -1) if lower else np.triu(a, 1)
    n = np.shape(a)[-1]
    re = part.real + np.matrix_transpose(part.real) + a.real * np.eye(n, dtype=a.real.dtype)
    return re, part.imag - np.matrix_transpose(part.imag)


@on_complex(np.linalg.eigh)
def eigh(a: Any, UPLO: Any = "L") -> EighResult:
    """Eigenvalues and eigenvectors of a Hermitian matrix, from one triangle."""
    lower = is_lower("np.linalg.eigh", UPLO)
    w, re, im = apply("eigh_complex", hermitian_from_triangle(a, lower), (lower,))
    return EighResult(w, join(re, im))


@on_complex(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    """Eigenvalues of a Hermitian matrix, from one triangle."""
    return eigh(a, UPLO).eigenvalues


def _tipped(x: Any, tip: int) -> tuple[Any, Any, Any]:
    u, u_im, s, vt, vt_im = apply("svd_complex", _parts(x), (tip,))
    return join(u, u_im), s, join(vt, vt_im)


@on_complex(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """Singular values; at zero they have a cone's tip."""
    return _tipped(x, 1)[1]


def singular_values_of_norm(x: Any) -> Any:
    """The same, at a tip where they are zero up to rounding."""
    return _tipped(x, 2)[1]


def _svd_of_hermitian(a: Any, compute_uv: Any) -> Any:
    """By eigenvalues, as NumPy does it."""
    if not compute_uv:
        return np.sort(np.abs(eigvalsh(a)))[..., ::-1]
    w, u = eigh(a)
    order = np.argsort(np.abs(w))[..., ::-1]
    w = np.take_along_axis(w, order, -1)
    u = np.take_along_axis(u, order[..., None, :], -1)
    return SVDResult(u, np.abs(w), _conjugate_transpose(u * np.sign(w)[..., None, :]))


@on_complex(np.linalg.svd)
def svd(a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False) -> Any:
    """Singular values and vectors."""
    if hermitian:
        return _svd_of_hermitian(a, compute_uv)
    if not compute_uv:
        return svdvals(a)
    u, s, vh = _tipped(a, UNTOUCHED)
    m, n = np.shape(a)[-2:]
    if full_matrices and m != n:
        u_re, u_im, vh_re, vh_im = apply("svd_complex_rest", _parts(a))
        u = completed(u, join(u_re, u_im))
        rest = _conjugate_transpose(join(vh_re, vh_im))
        vh = _conjugate_transpose(completed(_conjugate_transpose(vh), rest))
    return SVDResult(u, s, vh)
