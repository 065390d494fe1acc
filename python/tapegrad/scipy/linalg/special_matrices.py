"""Matrices that are laid out from vectors or from blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.matrices import array, shape_of


def _vector(x: Any) -> Any:
    return np.atleast_1d(array(x))


@derives(scipy.linalg.toeplitz)
def toeplitz(c: Any, r: Any = None) -> Any:
    c = _vector(c)
    r = c if r is None else _vector(r)
    m, n = shape_of(c)[-1], shape_of(r)[-1]
    batch = np.broadcast_shapes(shape_of(c)[:-1], shape_of(r)[:-1])
    c, r = (np.broadcast_to(x, (*batch, shape_of(x)[-1])) for x in (c, r))
    both = np.concatenate([c[..., ::-1], r[..., 1:]], -1)
    return both[..., (m - 1) - np.arange(m)[:, None] + np.arange(n)]


@derives(scipy.linalg.circulant)
def circulant(c: Any) -> Any:
    c = _vector(c)
    n = shape_of(c)[-1]
    return c[..., np.mod(np.arange(n)[:, None] - np.arange(n), n)]


@derives(scipy.linalg.hankel)
def hankel(c: Any, r: Any = None) -> Any:
    c = array(c)
    if len(shape_of(c)) != 1 or (r is not None and np.ndim(r) != 1):
        raise ValueError("scipy.linalg.hankel: c and r need one axis each; write c.ravel()")
    r = np.zeros(shape_of(c), c.dtype) if r is None else array(r)
    m, n = shape_of(c)[0], shape_of(r)[0]
    return np.concatenate([c, r[1:]])[np.arange(m)[:, None] + np.arange(n)]


@derives(scipy.linalg.block_diag)
def block_diag(*arrs: Any) -> Any:
    blocks = [np.atleast_2d(array(x)) for x in arrs]
    batch = np.broadcast_shapes(*(shape_of(x)[:-2] for x in blocks))
    dtype = np.result_type(*(x.dtype for x in blocks))
    columns = sum(shape_of(x)[-1] for x in blocks)
    rows, before = [], 0
    for x in blocks:
        m, n = shape_of(x)[-2:]
        parts = [
            np.zeros((*batch, m, before), dtype),
            np.broadcast_to(x, (*batch, m, n)),
            np.zeros((*batch, m, columns - before - n), dtype),
        ]
        rows.append(np.concatenate(parts, -1))
        before += n
    return np.concatenate(rows, -2)


@derives(scipy.linalg.companion)
def companion(a: Any) -> Any:
    a = _vector(a)
    n = shape_of(a)[-1]
    if n < 2:
        raise ValueError(
            f"The length of `a` along the last axis must be at least 2, got shape {shape_of(a)}"
        )
    if np.any(a[..., 0] == 0):
        raise ValueError(
            "The first coefficient(s) of `a` (i.e. elements of `a[..., 0]`) must not be zero."
        )
    first = (-a[..., 1:] / a[..., :1])[..., None, :]
    below = np.broadcast_to(np.eye(n - 2, n - 1, dtype=a.dtype), (*shape_of(a)[:-1], n - 2, n - 1))
    return np.concatenate([first, below], -2)


@derives(scipy.linalg.convolution_matrix)
def convolution_matrix(a: Any, n: Any, mode: Any = "full") -> Any:
    a = array(a)
    if n <= 0:
        raise ValueError("n must be a positive integer.")
    if len(shape_of(a)) != 1 or not shape_of(a)[0]:
        raise ValueError("convolution_matrix expects a one-dimensional `a` that is not empty")
    if mode not in ("full", "valid", "same"):
        raise ValueError("'mode' argument must be one of ('full', 'valid', 'same')")
    m = shape_of(a)[0]
    zeros = np.zeros(n - 1, a.dtype)
    padded = np.concatenate([zeros, a, zeros])
    full = padded[np.arange(m + n - 1)[:, None] - np.arange(n) + n - 1]
    if mode == "full":
        return full
    if mode == "same":
        begin = (min(m, n) - 1) // 2
        return full[begin : begin + max(m, n)]
    return full[min(m, n) - 1 : max(m, n)]


@derives(scipy.linalg.khatri_rao)
def khatri_rao(a: Any, b: Any) -> Any:
    a, b = array(a), array(b)
    if len(shape_of(a)) < 2 or len(shape_of(b)) < 2:
        raise ValueError("The both arrays should be 2-dimensional.")
    if shape_of(a)[-1] != shape_of(b)[-1]:
        raise ValueError("The number of columns for both arrays should be equal.")
    both = a[..., :, None, :] * b[..., None, :, :]
    rows = shape_of(both)[-3] * shape_of(both)[-2]
    return np.reshape(both, (*shape_of(both)[:-3], rows, shape_of(both)[-1]))


@derives(scipy.linalg.diagsvd)
def diagsvd(s: Any, M: Any, N: Any) -> Any:
    s = array(s)
    n = shape_of(s)[-1]
    if n == M:
        return np.concatenate([np.diag(s), np.zeros((M, N - M), s.dtype)], 1)
    if n == N:
        return np.concatenate([np.diag(s), np.zeros((M - N, N), s.dtype)], 0)
    raise ValueError("Length of s must be M or N.")


@derives(scipy.linalg.matmul_toeplitz)
def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: Any = False, workers: Any = None) -> Any:
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    found = toeplitz(array(c, check_finite), r) @ array(x, check_finite)
    return found.astype(np.float64)  # as SciPy gives it, which goes by the Fourier transform
