"""Eigenvalues, singular values and QR."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapegrad._core import apply, to_number
from tapegrad.numpy.linear_algebra import inv, norm
from tapegrad.numpy.operands import lift, shape_of
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import stop_gradient

UNTOUCHED = 0  # singular values beside vectors have no tip (Tip in kernels/decompose/ties.h)


class EighResult(NamedTuple):
    """Eigenvalues in ascending order and the eigenvectors, in columns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """Left singular vectors, in columns, singular values, right singular vectors, in rows."""

    U: Any
    S: Any
    Vh: Any


class QRResult(NamedTuple):
    """Orthonormal columns and an upper triangle."""

    Q: Any
    R: Any


def is_lower(name: str, uplo: Any) -> bool:
    """Which triangle UPLO= names."""
    uplo = str(uplo).upper()
    if uplo not in ("L", "U"):
        raise ValueError(f"{name}: UPLO argument must be 'L' or 'U', got {uplo!r}")
    return bool(uplo == "L")


@implements(np.linalg.eigh, values=1)
def eigh(a: Any, UPLO: Any = "L") -> EighResult:
    return EighResult(*apply("eigh", (lift(a),), (is_lower("np.linalg.eigh", UPLO),)))


@implements(np.linalg.eigvalsh, values=1)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    return apply("eigvalsh", (lift(a),), (is_lower("np.linalg.eigvalsh", UPLO),))


def mirrored(a: Any) -> Any:
    """The symmetric matrix that the lower triangle tells; of a symmetric one that itself.

    Its derivative is the symmetric one, as that of eigh.
    """
    lower = np.tril(a)
    whole = lower + np.swapaxes(np.tril(a, -1), -1, -2)
    half = (a + np.swapaxes(a, -1, -2)) * 0.5
    return half + stop_gradient(whole - half)


def _svd_of_hermitian(a: Any, compute_uv: Any) -> Any:
    """By eigenvalues, as NumPy does it: absolute values in descending order, signs on the right."""
    if not compute_uv:
        return np.sort(np.abs(eigvalsh(a)))[..., ::-1]
    w, u = eigh(a)
    order = np.argsort(np.abs(w))[..., ::-1]
    w = np.take_along_axis(w, order, -1)
    u = np.take_along_axis(u, order[..., None, :], -1)
    return SVDResult(u, np.abs(w), np.swapaxes(u * np.sign(w)[..., None, :], -1, -2))


@implements(np.linalg.svd, values=1)
def svd(a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False) -> Any:
    a = lift(a)
    if hermitian:
        return _svd_of_hermitian(a, compute_uv)
    if not compute_uv:
        return apply("svdvals", (a,))
    u, s, vt = apply("svd", (a,))
    shape = shape_of(a)
    if full_matrices and shape[-1] != shape[-2]:
        rest, rest_t = apply("svd_rest", (a,))
        u = completed(u, rest)
        vt = np.swapaxes(completed(np.swapaxes(vt, -1, -2), np.swapaxes(rest_t, -1, -2)), -1, -2)
    return SVDResult(u, s, vt)


def completed(q: Any, rest: Any) -> Any:
    """Orthonormal columns and the rest of a basis, whose derivative follows from theirs.

    The rest may turn within the space that is left; it does not. Its projection on that space is
    orthonormal up to t**2 after a step t, and up to t**8 after two steps of Newton's iteration for
    the polar factor: its derivatives are right up to the seventh.
    """
    if not shape_of(rest)[-1]:
        return q
    rest = rest - q @ (_turned(q) @ rest)
    for _ in range(2):
        rest = rest * 1.5 - rest @ (_turned(rest) @ rest) * 0.5
    return np.concatenate((q, rest), axis=-1)


def _turned(q: Any) -> Any:
    return np.swapaxes(np.conj(q), -1, -2)


@implements(np.linalg.svdvals, values=1)
def svdvals(x: Any, /) -> Any:
    return apply("svdvals", (lift(x),))


@implements(np.linalg.qr, values=1)
def qr(a: Any, mode: Any = "reduced") -> Any:
    a = lift(a)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(
            f"np.linalg.qr: mode={mode!r} is not supported for Variables; 'reduced', 'complete' "
            "and 'r' are"
        )
    found = QRResult(*apply("qr", (a,)))
    if mode == "r":
        return found.R
    m, n = shape_of(a)[-2:]
    if mode == "complete" and m > n:
        return QRResult(completed(found.Q, apply("qr_rest", (a,))), _padded(found.R, m))
    return found


def _padded(r: Any, rows: int) -> Any:
    """With rows of zeros below."""
    shape = shape_of(r)
    below = np.zeros((*shape[:-2], rows - shape[-2], shape[-1]), r.dtype)
    return np.concatenate((r, below), axis=-2)


@implements(np.linalg.cond, values=1)
def cond(x: Any, p: Any = None) -> Any:
    x = lift(x)
    shape = shape_of(x)
    if 0 in shape[-2:]:
        raise np.linalg.LinAlgError(
            f"np.linalg.cond: cond is not defined on empty arrays, got shape {shape}"
        )
    if p is not None and p not in (2, -2):
        return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))
    s = apply("svdvals", (x,))
    largest, smallest = s[..., 0], s[..., -1]
    if p == -2:
        largest, smallest = smallest, largest
    both = np.logical_and(largest == 0, smallest == 0)
    return to_number(np.where(both, np.inf, largest / smallest))
