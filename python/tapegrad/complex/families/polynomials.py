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
    if isinstance(x, np.poly1d):
        raise TypeError(
            "np.polyval: x is an np.poly1d, which holds no complex Variables; write "
            "np.polyval(p, np.polyval(x.coeffs, t)) for its value at t"
        )
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
    x = np.astype(operand_of(x), complex)  # NumPy's, which is that of integers beside x
    n = len(x) if N is None else N
    columns = [x**k for k in range(n)]
    return np.stack(columns if increasing else columns[::-1], axis=-1)


@on_complex(np.polydiv)
def polydiv(u: Any, v: Any) -> Any:
    """Quotient and remainder, by long division."""
    u, v = (np.atleast_1d(operand_of(x)) for x in (u, v))
    m, n = len(u) - 1, len(v) - 1
    scale, quotient, rest = 1.0 / v[0], [], u + 0j
    for k in range(m - n + 1):
        d = scale * rest[k]
        quotient.append(d)
        rest = np.concatenate([rest[:k], rest[k : k + n + 1] - d * v, rest[k + n + 1 :]])
    while len(rest) > 1 and np.abs(rest[0]) <= 1e-8:  # what np.allclose takes for zero
        rest = rest[1:]
    return np.stack(quotient) if quotient else np.zeros(1, rest.dtype), rest


@on_complex(np.polyfit)
def polyfit(
    x: Any,
    y: Any,
    deg: Any,
    rcond: Any = None,
    full: Any = False,
    w: Any = None,
    cov: Any = False,
) -> Any:
    """Coefficients of the least squares, as NumPy's function computes them."""
    x, y, order = operand_of(x) + 0.0, operand_of(y) + 0.0, int(deg) + 1
    if order < 1:
        raise ValueError("expected deg >= 0")
    if np.ndim(x) != 1 or np.ndim(y) not in (1, 2) or len(x) != len(y) or not len(x):
        raise TypeError(
            f"np.polyfit: expected vectors of one length, got shapes {np.shape(x)} and "
            f"{np.shape(y)}"
        )
    if cov and not full:
        raise TypeError(
            "np.polyfit: cov= of complex Variables has no derivative; leave it out, or compute it "
            "of the residuals, y - np.polyval(p, x)"
        )
    if rcond is None:
        rcond = len(x) * np.finfo(x.dtype).eps
    left, right = np.vander(x, order), y
    if w is not None:
        w = operand_of(w) + 0.0
        left, right = left * w[:, None], right * (w if np.ndim(y) == 1 else w[:, None])
    scale = np.sqrt(np.sum(left * left, axis=0))
    found, rest, rank, s = np.linalg.lstsq(left / scale, right, rcond)
    found = found / (scale if np.ndim(found) == 1 else scale[:, None])
    return (found, rest, rank, s, rcond) if full else found
