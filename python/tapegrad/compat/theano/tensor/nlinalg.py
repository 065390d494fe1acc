"""`theano.tensor.nlinalg`: inverses, determinants, factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.theano.refusals import refusing
from tapegrad.compat.theano.variables import apply


def matrix_inverse(a: Any) -> Any:
    """The inverse."""
    return apply(np.linalg.inv, a)


def det(a: Any) -> Any:
    """The determinant."""
    return apply(np.linalg.det, a)


def trace(a: Any) -> Any:
    """The sum of the diagonal."""
    return apply(np.trace, a)


def solve(a: Any, b: Any) -> Any:
    """X of a @ x = b."""
    return apply(np.linalg.solve, a, b)


def cholesky(a: Any) -> Any:
    """The lower triangular factor."""
    return apply(np.linalg.cholesky, a)


def pinv(a: Any) -> Any:
    """The pseudo-inverse."""
    return apply(np.linalg.pinv, a)


def matrix_dot(*args: Any) -> Any:
    """The product of several matrices."""
    found = args[0]
    for a in args[1:]:
        found = apply(np.dot, found, a)
    return found


__getattr__ = refusing("tensor.nlinalg", globals())
