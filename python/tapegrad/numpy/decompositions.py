"""Eigenvalues, singular values, QR, pseudo-inverses and least squares."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from tapegrad._core import apply, to_number
from tapegrad.numpy.linear_algebra import inv, matmul, norm, outer
from tapegrad.numpy.operands import NO_VALUE, lift, plain, shape_of
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import stop_gradient

_ROUNDING = 1e-12  # a share of the largest singular value; below it is noise
_ZERO_SHARE = 1e-10  # of the smallest one that counts: beside it this is zero
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


def _mirrored(a: Any) -> Any:
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


def _number(name: str, what: str, x: Any) -> float:
    """A threshold, which is no part of what is differentiated."""
    if np.ndim(x) != 0:
        raise np.linalg.LinAlgError(
            f"{name}: {what}= is an array of shape {np.shape(x)}; write one number"
        )
    return float(plain(x))


def _inverse_of_rest(a: Any, share: float) -> Any:
    """The pseudo-inverse, singular values up to this share of the largest taken for zero.

    The rule of the op holds for those that are zero; where others are left out, the vectors say how
    the subspaces of the rest turn.
    """
    if not leaves_out(a, share):
        return apply("pinv", (a,), (share,))
    return inverse_by_vectors(a, share)


def inverse_by_vectors(a: Any, share: float) -> Any:
    """The same, of the singular vectors of the rest."""
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    rest = s > share * s[..., :1]
    inverses = np.where(rest, 1.0 / np.where(rest, s, 1.0), 0.0)
    return (_turned(vt) * inverses[..., None, :]) @ _turned(u)


def leaves_out(a: Any, share: float) -> bool:
    """Whether singular values are left out that are not zero beside the smallest of the rest."""
    if share <= _ROUNDING or 0 in shape_of(a):
        return False
    s = np.linalg.svdvals(a)
    rest = s > share * s[..., :1]
    smallest = np.min(np.where(rest, s, np.inf), axis=-1, keepdims=True)
    return bool(np.any((s > _ZERO_SHARE * smallest) & ~rest))


@implements(np.linalg.pinv, values=1)
def pinv(a: Any, rcond: Any = None, hermitian: Any = False, *, rtol: Any = NO_VALUE) -> Any:
    a = lift(a)
    if rcond is not None and rtol is not NO_VALUE:
        raise ValueError(
            f"np.linalg.pinv: `rtol` and `rcond` can't be both set; rtol={rtol} is enough"
        )
    if rcond is None:
        rcond = 1e-15 if rtol is NO_VALUE else rtol
    if rcond is None:
        rcond = max(shape_of(a)[-2:]) * float(np.finfo(a.dtype).eps)
    if hermitian:
        a = _mirrored(a)
    shares = np.asarray(plain(rcond), float)
    if not shares.ndim:
        return _inverse_of_rest(a, float(shares))
    # A share for each matrix.
    stack, matrix = shape_of(a)[:-2], shape_of(a)[-2:]
    pairs = zip(shares.shape, stack[len(stack) - shares.ndim :], strict=False)
    if shares.ndim > len(stack) or any(n not in (1, m) for n, m in pairs):
        raise ValueError(
            f"np.linalg.pinv: rcond= of shape {shares.shape} does not fit a stack of shape "
            f"{stack}; write one number, or one for each matrix"
        )
    shares = np.broadcast_to(shares, stack)
    found = [_inverse_of_rest(a[at], float(shares[at])) for at in np.ndindex(*stack)]
    if not found:
        return np.swapaxes(a, -1, -2)
    return np.reshape(np.stack(found), stack + matrix[::-1])


@implements(np.linalg.lstsq, values=2)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    a, b = lift(a), lift(b)
    name, (shape, right) = "np.linalg.lstsq", (shape_of(a), shape_of(b))
    if len(shape) != 2 or len(right) not in (1, 2):
        raise np.linalg.LinAlgError(
            f"{name}: needs a matrix and a vector or a matrix, got shapes {shape} and {right}; "
            "for stacks write np.linalg.pinv(a) @ b"
        )
    if shape[0] != right[0]:
        raise np.linalg.LinAlgError(
            f"{name}: Incompatible dimensions: shapes {shape} and {right}; the first ones must "
            "agree"
        )
    eps = float(np.finfo(float).eps)
    share = eps * max(shape) if rcond is None else _number(name, "rcond", rcond)
    share = eps if share < 0 or share >= 1 else share  # as LAPACK takes them
    if leaves_out(a, share):
        x = matmul(_inverse_of_rest(a, share), b)
    elif len(right) == 1:
        x = apply("lstsq", (a, b[:, None]), (share,))[:, 0]
    else:
        x = apply("lstsq", (a, b), (share,))
    s = apply("svdvals", (a,))
    rank: Any = np.sum(s > share * s[0]) if min(shape) else np.int32(0)
    rank = rank.astype(np.int32)
    if int(rank) == shape[1] < shape[0]:
        rest = b - matmul(a, x)
        return x, np.sum(rest * rest, axis=0, keepdims=len(right) == 1), rank, s
    return x, np.ravel(x)[:0], rank, s


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


@implements(np.polyfit, values=2)
def polyfit(
    x: Any,
    y: Any,
    deg: Any,
    rcond: Any = None,
    full: Any = False,
    w: Any = None,
    cov: Any = False,
) -> Any:
    n = int(deg) + 1
    x, y = lift(x), lift(y)
    (points, values) = shape_of(x), shape_of(y)
    if n < 1:
        raise ValueError(f"np.polyfit: expected deg >= 0, got {deg}")
    if len(points) != 1 or points == (0,) or len(values) not in (1, 2):
        raise TypeError(
            f"np.polyfit: needs a vector of points and a vector or a matrix of values, got shapes "
            f"{points} and {values}"
        )
    if values[0] != points[0]:
        raise TypeError(f"np.polyfit: {points[0]} points have {values[0]} rows of values")
    left, right = np.vander(x + 0.0, n), y
    if w is not None:
        w = lift(w)
        if shape_of(w) != points:
            raise TypeError(
                f"np.polyfit: needs a weight for each of the {points[0]} points, got shape "
                f"{shape_of(w)}"
            )
        left, right = left * w[:, None], right * (w if len(values) == 1 else w[:, None])
    # Columns of norm 1 make a better conditioned system; the coefficients undo it.
    lengths = np.sqrt(np.sum(left * left, axis=0))
    left = left / lengths
    if rcond is None:
        rcond = points[0] * float(np.finfo((x + 0.0).dtype).eps)
    found, residuals, rank, s = lstsq(left, right, rcond)
    coefficients = np.transpose(np.transpose(found) / lengths)
    if full:
        return coefficients, residuals, rank, s, rcond
    if int(rank) != n:
        warnings.warn(
            "np.polyfit: Polyfit may be poorly conditioned",
            np.exceptions.RankWarning,
            stacklevel=2,
        )
    if not cov:
        return coefficients
    base = inv(matmul(np.transpose(left), left)) / outer(lengths, lengths)
    if cov != "unscaled":
        if points[0] <= n:
            raise ValueError(
                f"np.polyfit: the covariance of {n} coefficients needs more than {points[0]} "
                "points, or cov='unscaled'"
            )
        residuals = residuals / (points[0] - n)
        base = base * residuals if len(values) == 1 else base[:, :, None] * residuals
    elif len(values) == 2:
        base = base[:, :, None]
    return coefficients, base
