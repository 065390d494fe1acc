"""What functions of matrices share: checks, triangles, transposes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._tree import is_variable
from tapegrad.numpy.operands import free_shape, lift
from tapegrad.transforms.trace import stop_gradient


def array(x: Any, check_finite: Any = False) -> Any:
    """`x` as an operand; infinite elements and NaN are refused where SciPy refuses them."""
    x = x if is_variable(x) else lift(x)
    if check_finite and not np.all(np.isfinite(x)):
        raise ValueError("array must not contain infs or NaNs")
    return x


def square(name: str, x: Any, check_finite: Any = False) -> Any:
    """The same of a square matrix, or of a stack of them."""
    x = array(x, check_finite)
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"{name}: expected a square matrix, got shape {shape}")
    return x


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an operand."""
    return tuple(np.shape(x)) if is_variable(x) else free_shape(x)


def turned(x: Any) -> Any:
    """The transposes of matrices."""
    return np.swapaxes(x, -1, -2)


def mirrored(a: Any, lower: Any) -> Any:
    """The symmetric matrix that one triangle tells; of a symmetric one that itself.

    Its derivative is the symmetric one, as that of np.linalg.eigh.
    """
    whole = np.tril(a) + turned(np.tril(a, -1)) if lower else np.triu(a) + turned(np.triu(a, 1))
    half = (a + turned(a)) * 0.5
    return half + stop_gradient(whole - half)


def identity_like(a: Any) -> Any:
    """The identity, of side and dtype of a square matrix."""
    return np.eye(shape_of(a)[-1], dtype=a.dtype)
