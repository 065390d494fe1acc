"""Pseudo-inverses, least squares and fits of polynomials."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapegrad._core import apply
from tapegrad.numpy.decompositions import mirrored
from tapegrad.numpy.linear_algebra import inv, matmul, outer
from tapegrad.numpy.operands import NO_VALUE, lift, plain, shape_of
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import warn_user

_ROUNDING = 1e-12  # a share of the largest singular value; below it is noise
_ZERO_SHARE = 1e-10  # of the smallest one that counts: beside it this is zero


def _number(name: str, what: str, x: Any) -> float:
    """A threshold, which is no part of what is differentiated."""
    if np.ndim(x) != 0:
        raise np.linalg.LinAlgError(
            f"{name}: {what}= is an array of shape {np.shape(x)}; write one number"
        )
    return float(plain(x))


def _inverse(a: Any, share: float) -> Any:
    """The pseudo-inverse, singular values up to this share of the largest taken for zero."""
    return apply("pinv", (a,), (share, leaves_out(a, share)))


def leaves_out(a: Any, share: float) -> bool:
    """Whether singular values are left out that are not zero beside the smallest of the rest."""
    if share <= _ROUNDING or 0 in shape_of(a):
        return False
    s = np.linalg.svdvals(a)
    rest = s > share * s[..., :1]
    smallest = np.min(np.where(rest, s, np.inf), axis=-1, keepdims=True)
    if share < 1.0 and bool(np.any(_at_threshold(s, share))):
        warn_user(
            f"pinv, lstsq: a singular value is {share:g} times the largest one, where the "
            "pseudo-inverse jumps: its derivative is that of the singular values that it uses "
            "here. Write an rcond= that lies between singular values",
            RuntimeWarning,
        )
    return bool(np.any((s > _ZERO_SHARE * smallest) & ~rest))


def _at_threshold(s: Any, share: float) -> Any:
    """Of which singular values rounding decides whether they count."""
    threshold = share * s[..., :1]
    # They are computed in double precision.
    error = 4 * shape_of(s)[-1] * float(np.finfo(float).eps) * s[..., :1]
    error = error + 2 * float(np.finfo(s.dtype).eps) * threshold
    return (np.abs(s[..., 1:] - threshold) <= error) & (threshold > 0)


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
        a = mirrored(a)
    shares = np.asarray(plain(rcond), float)
    if not shares.ndim:
        return _inverse(a, float(shares))
    # A share for each matrix.
    stack, matrix = shape_of(a)[:-2], shape_of(a)[-2:]
    pairs = zip(shares.shape, stack[len(stack) - shares.ndim :], strict=False)
    if shares.ndim > len(stack) or any(n not in (1, m) for n, m in pairs):
        raise ValueError(
            f"np.linalg.pinv: rcond= of shape {shares.shape} does not fit a stack of shape "
            f"{stack}; write one number, or one for each matrix"
        )
    shares = np.broadcast_to(shares, stack)
    found = [_inverse(a[at], float(shares[at])) for at in np.ndindex(*stack)]
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
        x = matmul(apply("pinv", (a,), (share, True)), b)
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
