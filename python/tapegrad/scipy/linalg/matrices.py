"""What functions of matrices share: checks, triangles, transposes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import apply
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


def one_of(name: str, option: str, given: Any, known: tuple[Any, ...]) -> None:
    """Refuses what SciPy does not know, though no choice among these changes a result here."""
    if not any(given is x or (isinstance(given, str) and given == x) for x in known):
        names = ", ".join(map(repr, known))
        raise ValueError(f"{name}: {option}={given!r} is not known; {option}= is one of {names}")


def pair_of(name: str, what: str, given: Any) -> tuple[Any, Any]:
    """A tuple of two, such as the result of another function."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        kind = f"a {type(given).__name__}"
        raise ValueError(f"{name}: the first argument is {what}, a tuple of two, not {kind}")
    return given[0], given[1]


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an operand."""
    return tuple(np.shape(x)) if is_variable(x) else free_shape(x)


def turned(x: Any) -> Any:
    """The transposes of matrices."""
    return np.swapaxes(x, -1, -2)


def adjoint(x: Any) -> Any:
    """The transposes of matrices, with conjugate elements."""
    return np.conj(turned(x)) if np.iscomplexobj(x) else turned(x)


def mirrored(a: Any, lower: Any, hermitian: bool = True) -> Any:
    """The symmetric matrix that one triangle tells, Hermitian of a complex one; of such one itself.

    Its derivative is the symmetric one, as that of np.linalg.eigh.
    """
    other = adjoint if hermitian else turned
    strict = np.tril(a, -1) if lower else np.triu(a, 1)
    diagonal = np.triu(np.tril(a))
    if hermitian and np.iscomplexobj(a):
        diagonal = np.real(diagonal)
    whole = strict + diagonal + other(strict)
    half = (a + other(a)) * 0.5
    return half + stop_gradient(whole - half)


def triangular(a: Any, b: Any, lower: bool, trans: int = 0, unit: bool = False) -> Any:
    """The solution x of a x = b, a' x = b (`trans` 1), or with the adjoint of a (2)."""
    if not np.iscomplexobj(a) and not np.iscomplexobj(b):
        return apply("solve_triangular", (a, b), (lower, trans != 0, unit))
    a = np.tril(a) if lower else np.triu(a)
    if unit:
        a = (np.tril(a, -1) if lower else np.triu(a, 1)) + identity_like(a)
    if trans:
        a = turned(a) if trans == 1 else adjoint(a)
    return np.linalg.solve(a, b)


def identity_like(a: Any) -> Any:
    """The identity, of side and dtype of a square matrix."""
    return np.eye(shape_of(a)[-1], dtype=a.dtype)
