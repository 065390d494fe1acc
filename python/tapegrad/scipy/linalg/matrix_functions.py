"""The exponential of matrices, and other functions of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad import _core
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.matrices import identity_like, one_of, shape_of, square
from tapegrad.transforms.trace import stop_gradient, value

# Degrees of diagonal Pade approximants of exp, and up to which norm each of them is right to double
# precision (Higham, The Scaling and Squaring Method for the Matrix Exponential Revisited, SIAM
# Review 51, 2009, table 2.3; the coefficients: equation 2.3).
_DEGREES = (3, 5, 7, 9, 13)
_LIMITS = (1.495585217958292e-2, 2.539398330063230e-1, 9.504178996162932e-1, 2.097847961257068,
           5.371920351148152)  # fmt: skip


def _coefficients(m: int) -> list[float]:
    b = [1.0]
    for k in range(1, m + 1):
        b.append(b[-1] * (m + 1 - k) / ((2 * m + 1 - k) * k))
    return b


def _pade(a: Any, m: int) -> Any:
    """The approximant of degree m: p(a) / p(-a), with even and odd powers apart."""
    b = _coefficients(m)
    one = identity_like(a)
    square_ = a @ a
    even, odd, power = one * b[0], one * b[1], None
    for k in range(2, m + 1, 2):
        power = square_ if power is None else power @ square_
        even = even + power * b[k]
        if k + 1 <= m:
            odd = odd + power * b[k + 1]
    odd = a @ odd
    return np.linalg.solve(even - odd, even + odd)


def _plan(norm: Any) -> tuple[int, int]:
    """Degree and most squarings for matrices up to this norm.

    While a whole function is recorded, the choice is a coarse one: a program serves many norms, and
    lanes of different norms take the same steps.
    """
    if _core.tracing():
        if norm <= _LIMITS[2]:
            return 7, 0
        for squarings in range(4, 60, 6):
            if norm <= _LIMITS[-1] * 2.0**squarings:
                return 13, squarings
        return 13, 64
    for m, limit in zip(_DEGREES, _LIMITS, strict=True):
        if norm <= limit:
            return m, 0
    norm = float(value(norm))
    return 13, int(np.ceil(np.log2(norm / _LIMITS[-1]))) if np.isfinite(norm) else 0


@derives(scipy.linalg.expm, complex_too=True)
def expm(A: Any) -> Any:
    A = square("scipy.linalg.expm", A)
    if 0 in shape_of(A):
        return A
    norms = stop_gradient(np.max(np.sum(np.abs(A), axis=-2), axis=-1))
    m, most = _plan(np.max(norms))
    if not most:
        return _pade(A, m)
    # Each matrix is squared as often as its own norm asks for.
    needed = np.ceil(np.log2(np.maximum(norms / _LIMITS[-1], 1.0)))[..., None, None]
    found = _pade(A * (0.5**needed).astype(A.dtype), m)
    for k in range(most):
        found = np.where(needed > k, found @ found, found)
    return found


@derives(
    scipy.linalg.expm_frechet,
    refused={"method='blockEnlarge'": "leave method= out; the value is the same"},
)
def expm_frechet(
    A: Any, E: Any, method: Any = None, compute_expm: Any = True, check_finite: Any = True
) -> Any:
    one_of("scipy.linalg.expm_frechet", "method", method, (None, "SPS", "blockEnlarge"))
    A = square("scipy.linalg.expm_frechet", A, check_finite)
    E = square("scipy.linalg.expm_frechet", E, check_finite)
    if shape_of(A) != shape_of(E):
        raise ValueError("expected A and E to be the same shape")
    n = shape_of(A)[-1]
    A, E = A.astype(np.float64), E.astype(np.float64)
    # Of the block matrix [[A, E], [0, A]] the upper right block (Mathias, 1996).
    whole = expm(np.block([[A, E], [A * 0.0, A]]))
    return (whole[:n, :n], whole[:n, n:]) if compute_expm else whole[:n, n:]
