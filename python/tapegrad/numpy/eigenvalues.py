"""Eigenvalues of any square matrix, and the roots of polynomials.

Results are real or complex by their values, as NumPy's are; from NumPy 2.5 on, those of eigenvalues
are complex whatever their values.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapegrad._core import apply
from tapegrad.numpy.operands import floating_dtype, free_shape, lift, ndim_of, shape_of
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import stop_gradient

# Whether this NumPy gives real eigenvalues where all imaginary parts are zero.
_REAL_BY_VALUE = not np.iscomplexobj(np.linalg.eigvals(np.eye(1)))


class EigResult(NamedTuple):
    """Eigenvalues, and the eigenvectors that belong to them, in columns."""

    eigenvalues: Any
    eigenvectors: Any


def is_real(parts: Any) -> bool:
    """Whether the result is real: a guard of a program, and the same in all lanes."""
    return bool(np.all(parts == 0))


def _joined(re: Any, im: Any) -> Any:
    from tapegrad.complex.parts import join  # which imports this module

    return join(re, im)


def _of_real(op: str, a: Any) -> Any:
    a = lift(a)
    return apply(op, (a, stop_gradient(a)), (True,))  # whose second input is not read then


@implements(np.linalg.eig, values=1)
def eig(a: Any) -> EigResult:
    w, w_im, v, v_im, *_ = _of_real("eig", a)
    if _REAL_BY_VALUE and is_real(w_im):
        return EigResult(w, v)
    return EigResult(_joined(w, w_im), _joined(v, v_im))


@implements(np.linalg.eigvals, values=1)
def eigvals(a: Any) -> Any:
    w, w_im = _of_real("eigvals", a)
    return w if _REAL_BY_VALUE and is_real(w_im) else _joined(w, w_im)


def stripped(p: Any) -> tuple[Any, int]:
    """Coefficients without the zeros in front and at the end, and how many those at the end are."""
    if ndim_of(p) != 1:
        raise ValueError("Input must be a rank-1 array.")
    first, end = 0, shape_of(p)[0]
    while first < end and bool(p[first] == 0):
        first += 1
    n = end
    while end > first and bool(p[end - 1] == 0):
        end -= 1
    return p[first:end], n - end if end > first else 0


@implements(np.roots)
def roots(p: Any) -> Any:
    p = np.atleast_1d(lift(p))
    p, zeros = stripped(p)
    if shape_of(p)[0] < 2:
        return np.zeros(zeros)
    dtype = floating_dtype(p)
    re, im = apply("roots", (p, np.zeros(free_shape(p), dtype)), (True,))
    if is_real(im):
        return np.concatenate((re, np.zeros(zeros, dtype))) if zeros else re
    return _joined(*(np.concatenate((x, np.zeros(zeros, dtype))) if zeros else x for x in (re, im)))
