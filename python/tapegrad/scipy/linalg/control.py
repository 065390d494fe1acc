"""Algebraic Riccati equations, which SciPy solves; the rules are linear equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.operations.primitive import primitive
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.equations import solve_discrete_lyapunov, solve_sylvester
from tapegrad.scipy.linalg.matrices import shape_of, square, turned

_ONE = {
    "e": "multiply the equation of states by the inverse of e",
    "s": "write a - b @ inv(r) @ s.T for a, and q - s @ inv(r) @ s.T for q",
}


def _symmetric(x: Any) -> Any:
    """The symmetric part: q, r and the solution move within symmetric matrices."""
    return (x + turned(x)) * 0.5


# The differential of a'x + x a - x b r^-1 b'x + q = 0, with k = r^-1 b'x and c = a - b k, is
# c' dx + dx c + dq + da'x + x da - x db k - k' db'x + k' dr k = 0; so, with c s + s c' = -g, the
# adjoint of q is s, that of r is k s k', of a it is 2 x s and of b -2 x s k' (Kao and Hennequin,
# 2020).


@primitive
def _continuous(a: Any, b: Any, q: Any, r: Any, balanced: Any) -> Any:
    return scipy.linalg.solve_continuous_are(a, b, q, r, balanced=balanced)


def _pull_continuous(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    a, b, _, r, _ = args

    def pull(g: Any) -> Any:
        k = np.linalg.solve(r, turned(b) @ x)
        closed = a - b @ k
        s = solve_sylvester(closed, turned(closed), -_symmetric(g))
        return _adjoints(argnums, 2.0 * x @ s, k, s)

    return pull


_continuous.defvjp_argnums(_pull_continuous)


def _adjoints(argnums: Any, of_a: Any, k: Any, s: Any) -> list[Any]:
    found = (
        lambda: of_a,
        lambda: -of_a @ turned(k),
        lambda: _symmetric(s),
        lambda: _symmetric(k @ s @ turned(k)),
    )
    return [found[i]() for i in argnums]


# x = a'x a - a'x b (r + b'x b)^-1 b'x a + q, with k = (r + b'x b)^-1 b'x a and c = a - b k, has the
# differential dx = c' dx c + dq + da'x c + c'x da - c'x db k - k' db'x c + k' dr k; so, with
# s = c s c' + g, the adjoint of a is 2 x c s, and the others follow as above.


@primitive
def _discrete(a: Any, b: Any, q: Any, r: Any, balanced: Any) -> Any:
    return scipy.linalg.solve_discrete_are(a, b, q, r, balanced=balanced)


def _pull_discrete(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    a, b, _, r, _ = args

    def pull(g: Any) -> Any:
        k = np.linalg.solve(r + turned(b) @ x @ b, turned(b) @ x @ a)
        closed = a - b @ k
        s = solve_discrete_lyapunov(closed, _symmetric(g))
        return _adjoints(argnums, 2.0 * x @ closed @ s, k, s)

    return pull


_discrete.defvjp_argnums(_pull_discrete)


def _checked(name: str, a: Any, b: Any, q: Any, r: Any) -> tuple[Any, Any, Any, Any]:
    a, q, r = square(name, a), square(name, q), square(name, r)
    if len(shape_of(a)) != 2:
        raise ValueError(f"{name}: expected one matrix, got shape {shape_of(a)}")
    return a, np.atleast_2d(b), q, r


@derives(scipy.linalg.solve_continuous_are, refused=_ONE)
def solve_continuous_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: Any = True
) -> Any:
    return _continuous(*_checked("scipy.linalg.solve_continuous_are", a, b, q, r), balanced)


@derives(scipy.linalg.solve_discrete_are, refused=_ONE)
def solve_discrete_are(
    a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: Any = True
) -> Any:
    return _discrete(*_checked("scipy.linalg.solve_discrete_are", a, b, q, r), balanced)
