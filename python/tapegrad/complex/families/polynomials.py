"""Polynomials with complex coefficients, roots or places."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.complex.functions import on_complex, register_linear
from tapegrad.complex.parts import operand_of

register_linear(np.polyadd, np.polysub, places=(0, 1))
register_linear(np.polyder, np.polyint)


@on_complex(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """By Horner's rule."""
    p, x = operand_of(p), operand_of(x)
    found: Any = 0.0 * x
    for coefficient in p:
        found = found * x + coefficient
    return found


@on_complex(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """The coefficients, from the roots."""
    roots = np.atleast_1d(operand_of(seq_of_zeros))
    lengths = np.shape(roots)
    if len(lengths) == 2 and lengths[0] == lengths[1] and lengths[0]:
        roots = np.linalg.eigvals(roots)
    elif len(lengths) != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    found: Any = np.ones(1, complex)
    for root in roots:
        found = np.convolve(found, np.stack([1.0, -root]))
    # Of conjugate pairs the polynomial is real.
    return found.real if np.all(np.sort(roots) == np.sort(np.conj(roots))) else found


@on_complex(np.vander)
def vander(x: Any, N: Any = None, increasing: Any = False) -> Any:
    """The powers of the elements."""
    x = operand_of(x)
    n = len(x) if N is None else N
    columns = [x**k for k in range(n)]
    return np.stack(columns if increasing else columns[::-1], axis=-1)
