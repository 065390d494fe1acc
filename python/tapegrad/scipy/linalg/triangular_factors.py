"""LU factors: rows are exchanged as LAPACK does it, and the exchange has no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.operations.primitive import primitive
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.matrices import array, pair_of, shape_of, square, triangular, turned

# With b = p' a = l u the square case is dl = l tril(l^-1 db u^-1, -1), du = triu(l^-1 db u^-1) u.


@primitive
def _factors(a: Any) -> Any:
    """Rows of the exchange matrix, the lower and the upper factor."""
    p, lower, upper = scipy.linalg.lu(a)
    return p.astype(lower.dtype), lower, upper


def _solve(matrix: Any, x: Any, lower: bool, trans: bool, unit: bool = False) -> Any:
    return triangular(matrix, x, lower, 1 if trans else 0, unit)


def _pull_factors(ans: Any, a: Any) -> Any:
    p, lower, upper = ans
    m, n = shape_of(a)
    k = min(m, n)

    def pull(g: Any) -> Any:
        _, of_lower, of_upper = g
        l1, u1 = lower[:k], upper[:, :k]
        rest = []
        if m > n:  # the further rows are l2 = b2 u^-1
            below = turned(_solve(u1, turned(of_lower[k:]), False, False))
            rest = [below]
            of_upper = of_upper - turned(lower[k:]) @ below
        right = None
        if n > m:  # the further columns are u2 = l^-1 b2
            right = _solve(l1, of_upper[:, k:], True, True, True)
            of_lower = of_lower - right @ turned(upper[:, k:])
        inner = np.tril(turned(l1) @ of_lower[:k], -1) + np.triu(of_upper[:, :k] @ turned(u1))
        inner = _solve(l1, inner, True, True, True)
        found = turned(_solve(u1, turned(inner), False, False))
        if right is not None:
            found = np.concatenate([found, right], 1)
        return p @ np.concatenate([found, *rest], 0)

    return pull


_factors.defvjp(_pull_factors)


def _one(name: str, a: Any, check_finite: Any) -> Any:
    a = array(a, check_finite)
    if len(shape_of(a)) != 2 or 0 in shape_of(a):
        raise ValueError(f"{name}: expected one matrix that is not empty, got shape {shape_of(a)}")
    return a


@derives(scipy.linalg.lu, complex_too=True)
def lu(
    a: Any,
    permute_l: Any = False,
    overwrite_a: Any = False,
    check_finite: Any = True,
    p_indices: Any = False,
) -> Any:
    p, lower, upper = _factors(_one("scipy.linalg.lu", a, check_finite))
    if permute_l:
        return p @ lower, upper
    return (np.argmax(p, axis=1).astype(np.int32) if p_indices else p), lower, upper


@primitive
def _pivots(a: Any) -> Any:
    return scipy.linalg.lu_factor(a, check_finite=False)[1].astype(np.int32)


_pivots.defvjp(None)


@derives(scipy.linalg.lu_factor, complex_too=True)
def lu_factor(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    a = _one("scipy.linalg.lu_factor", a, check_finite)
    _, lower, upper = _factors(a)
    m, n = shape_of(a)
    if m > n:
        upper = np.concatenate([upper, np.zeros((m - n, n), upper.dtype)], 0)
    elif n > m:
        lower = np.concatenate([lower, np.zeros((m, n - m), lower.dtype)], 1)
    return np.tril(lower, -1) + upper, _pivots(a)


@primitive
def _exchanged(x: Any, pivots: Any, back: Any) -> Any:
    """The rows of x, exchanged one after the other as LAPACK's pivots say, or back."""
    order = np.arange(x.shape[0])
    for i, k in enumerate(pivots):
        order[i], order[k] = order[k], order[i]
    return x[np.argsort(order)] if back else x[order]


_exchanged.defvjp(
    lambda ans, x, pivots, back: lambda g: _exchanged(g, pivots, not back), None, None
)


@derives(scipy.linalg.lu_solve, complex_too=True)
def lu_solve(
    lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: Any = False, check_finite: Any = True
) -> Any:
    factors, pivots = pair_of("scipy.linalg.lu_solve", "what lu_factor gives", lu_and_piv)
    factors = square("scipy.linalg.lu_solve", factors, check_finite)
    b = array(b, check_finite)
    if shape_of(b)[0] != shape_of(factors)[0]:
        raise ValueError(f"Shapes of lu {shape_of(factors)} and b {shape_of(b)} are incompatible")
    if trans not in (0, 1, 2):
        raise ValueError("trans must be 0, 1 or 2")
    if trans:
        half = triangular(factors, b, False, trans)
        return _exchanged(triangular(factors, half, True, trans, True), pivots, True)
    half = _solve(factors, _exchanged(b, pivots, False), True, False, True)
    return _solve(factors, half, False, False)
