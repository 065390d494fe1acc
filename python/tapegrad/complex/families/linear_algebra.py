"""Linear algebra of complex matrices.

A + iB acts on pairs as the real matrix [[A, -B], [B, A]]: solutions, inverses and singular values
are those of a real matrix twice as large, at about twice the cost of complex arithmetic.
Cholesky and QR factors come from n recorded steps of elimination, and so do determinants of what
may be singular.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import apply
from tapegrad.complex.families.decompositions import (
    hermitian_from_triangle,
    singular_values_of_norm,
)
from tapegrad.complex.functions import on_complex
from tapegrad.complex.parts import as_pair, both_parts, is_complex, join, operand_of, split
from tapegrad.numpy.operands import NO_VALUE

_NOTHING = 1e-8  # of a matrix: a block of elements that are this small beside the largest one
_REGULAR = 1e-3  # the least share of the pivots, from which on the inverse serves


def _real_matrix(z: Any) -> Any:
    """[[A, -B], [B, A]] of A + iB."""
    a, b = both_parts(z)
    upper, lower = np.concatenate((a, -b), axis=-1), np.concatenate((b, a), axis=-1)
    return np.concatenate((upper, lower), axis=-2)


def _square(name: str, z: Any) -> int:
    lengths = np.shape(z)
    if len(lengths) < 2 or lengths[-1] != lengths[-2]:
        raise np.linalg.LinAlgError(
            f"np.linalg.{name}: the last 2 dimensions of an array of shape {lengths} must be square"
        )
    return int(lengths[-1])


@on_complex(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """X of a x = b."""
    a, b = operand_of(a), operand_of(b)
    n = _square("solve", a)
    axis = -1 if np.ndim(b) == 1 else -2
    if not is_complex(a):
        re, im = split(b)
        return join(np.linalg.solve(a, re), np.linalg.solve(a, im))
    re, im = both_parts(b)
    found = np.linalg.solve(_real_matrix(a), np.concatenate((re, im), axis=axis))
    if axis == -1:
        return join(found[:n], found[n:])
    return join(found[..., :n, :], found[..., n:, :])


@on_complex(np.linalg.inv)
def inv(a: Any) -> Any:
    """The inverse."""
    n = _square("inv", a)
    found = np.linalg.inv(_real_matrix(a))
    return join(found[..., :n, :n], found[..., n:, :n])


@on_complex(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: Any = False, *, rtol: Any = NO_VALUE) -> Any:
    """The pseudo-inverse."""
    if hermitian:
        a = join(*hermitian_from_triangle(a, True))
    rows, columns = np.shape(a)[-2:]
    if rtol is None:  # NumPy's, of a matrix of these lengths
        rtol = max(rows, columns) * np.finfo(a.dtype).eps
    given = {} if rtol is NO_VALUE else {"rtol": rtol}
    found = np.linalg.pinv(_real_matrix(a), rcond, **given)
    return join(found[..., :columns, :rows], found[..., columns:, :rows])


def _determinant(z: Any) -> Any:
    """The determinant at any rank, with derivatives of every order.

    An elimination whose pivots are the largest elements that are left. Where that is next to
    nothing, so is all that is left, and no divisor: its determinant is a polynomial of it.
    """
    product: Any = 1.0
    found: Any = 0.0
    done: Any = np.zeros(np.shape(z)[:-2], bool)
    first: Any = None
    while True:
        n = np.shape(z)[-1]
        sizes = np.abs(z)
        # Masks, since an index would hold for one matrix alone.
        row_at = np.argmax(np.max(sizes, axis=-1), axis=-1)
        here = (np.arange(n) == row_at[..., None])[..., None]
        row = np.sum(np.where(here, z, 0.0), axis=-2)
        column_at = np.argmax(np.abs(row), axis=-1)
        there = (np.arange(n) == column_at[..., None])[..., None, :]
        pivot = np.sum(np.where(there[..., 0, :], row, 0.0), axis=-1)
        size = np.abs(pivot)
        first = size if first is None else first
        none = size <= _NOTHING * first
        if np.any(none):
            found = found + np.where(none & ~done, product * _as_polynomial(z), 0.0)
            done = done | none
            pivot = np.where(none, 1.0, pivot)
        product = np.where((row_at == 0) == (column_at == 0), product, -product) * pivot
        if n == 1:
            return np.where(done, found, product)
        row = row[..., None, :]
        row = np.where(there, row[..., :1], row)[..., 1:]
        z = np.where(here, z[..., :1, :], z)[..., 1:, :]
        column = np.sum(np.where(there, z, 0.0), axis=-1)[..., None]
        z = np.where(there, z[..., :1], z)[..., 1:] - (column / pivot[..., None, None]) * row


def _as_polynomial(z: Any) -> Any:
    """The determinant without divisions, the last coefficient of the method of Faddeev."""
    n = np.shape(z)[-1]
    product: Any = 0.0 * z
    coefficient: Any = 1.0
    for k in range(1, n + 1):
        product = z @ (product + coefficient * np.eye(n))
        trace = np.trace(product, axis1=-2, axis2=-1)[..., None, None]
        coefficient = trace / -k
    return coefficient[..., 0, 0] * (-1) ** n


def _slogdet(a: Any) -> tuple[Any, Any, Any]:
    """Sign, logarithm of the modulus, and the share of the smallest pivot of the largest one."""
    z = as_pair(operand_of(a))
    re, im, logarithm, share = apply("slogdet_complex", (z.real, z.imag))
    return join(re, im), logarithm, share


@on_complex(np.linalg.det)
def det(a: Any) -> Any:
    """The determinant."""
    if not _square("det", a):
        return np.ones(np.shape(a)[:-2], a.dtype)[()]
    sign, logarithm, share = _slogdet(a)
    if np.all(share > _REGULAR):
        return sign * np.exp(logarithm)
    return _determinant(as_pair(operand_of(a)))


@on_complex(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """The sign, a number of modulus one, and the logarithm of the modulus."""
    _square("slogdet", a)
    return type(np.linalg.slogdet(np.eye(1)))(*_slogdet(a)[:2])


@on_complex(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: Any = False) -> Any:
    """L of L L^H, from the lower triangle."""
    n, columns = _square("cholesky", a), []
    if not n:
        return a
    z = np.conj(np.matrix_transpose(a)) if upper else a
    lead = np.shape(z)[:-2]
    for k in range(n):
        size = z[..., :1, 0].real
        if not np.all(size > 0):
            raise np.linalg.LinAlgError("np.linalg.cholesky: Matrix is not positive definite")
        root = np.sqrt(size)
        column = z[..., 1:, 0] / root
        columns.append(np.concatenate((np.zeros((*lead, k)), root, column), axis=-1))
        z = z[..., 1:, 1:] - column[..., :, None] * np.conj(column)[..., None, :]
    found = np.stack(columns, axis=-1)
    return np.conj(np.matrix_transpose(found)) if upper else found


def _reflector(x: Any) -> tuple[Any, Any, Any]:
    """v, t and b, so that (I - t v v^H)^H x = b e, with LAPACK's sign of the real number b."""
    alpha, rest = x[..., :1], x[..., 1:]
    below = np.sum(rest.real * rest.real + rest.imag * rest.imag, axis=-1, keepdims=True)
    done = (below == 0) & (alpha.imag == 0)
    size = np.sqrt(np.where(done, 1.0, alpha.real * alpha.real + alpha.imag * alpha.imag + below))
    beta = np.where(np.signbit(alpha.real), size, -size)
    tau = np.where(done, 0.0, (beta - alpha) / beta)
    rest = rest / np.where(done, 1.0, alpha - beta)
    return (
        np.concatenate((np.ones(np.shape(alpha)), rest), axis=-1),
        tau[..., None],
        np.where(done, alpha.real, beta),
    )


def _reflected(v: Any, factor: Any, z: Any) -> Any:
    """(I - factor v v^H) z."""
    return z - v[..., :, None] * (factor * (np.conj(v)[..., None, :] @ z))


def _unit_columns(v: Any, columns: int) -> Any:
    """The first columns of the identity, a matrix for each vector v."""
    return np.eye(np.shape(v)[-1], columns) + 0.0 * v[..., :, None]


@on_complex(np.linalg.qr)
def qr(a: Any, mode: Any = "reduced") -> Any:
    """Q and R by Householder's reflections, with LAPACK's signs."""
    if mode not in ("reduced", "r", "complete"):
        raise ValueError(
            f"np.linalg.qr: mode={mode!r} is not supported for Variables; 'reduced', 'complete' "
            "and 'r' are"
        )
    (*lead, m, n), z = np.shape(a), a
    least = min(m, n)
    columns = m if mode == "complete" else least
    if not least:
        return np.linalg.qr(np.zeros(np.shape(a), a.dtype), mode)
    reflectors, rows = [], []
    for k in range(least):
        v, tau, beta = _reflector(z[..., 0])
        reflectors.append((v, tau))
        rest = _reflected(v, np.conj(tau), z[..., 1:])
        rows.append(np.concatenate((np.zeros((*lead, k)), beta, rest[..., 0, :]), axis=-1))
        z = rest[..., 1:, :]
    r = np.stack(rows, axis=-2)
    if mode == "r":
        return r
    v, tau = reflectors[-1]
    q = _reflected(v, tau, _unit_columns(v, columns - least + 1))
    for v, tau in reflectors[-2::-1]:
        above = np.zeros((*lead, 1, np.shape(q)[-1]))
        whole = np.concatenate((above, q), axis=-2)
        q = _reflected(v, tau, np.concatenate((_unit_columns(v, 1), whole), axis=-1))
    if columns > least:
        r = np.concatenate((r, np.zeros((*lead, columns - least, n))), axis=-2)
    return type(np.linalg.qr(np.eye(1)))(q, r)


@on_complex(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Least squares: solution, residuals, rank and singular values, as NumPy's."""
    rows, columns = np.shape(a)
    re, im = both_parts(b)
    cut = np.finfo(re.dtype).eps * max(rows, columns) if rcond is None else rcond
    right = np.concatenate((re, im), axis=0 if np.ndim(re) == 1 else -2)
    x, residuals, rank, _ = np.linalg.lstsq(_real_matrix(a), right, cut)
    x = join(x[:columns], x[columns:])
    return x, residuals, rank // 2, np.linalg.svdvals(a)


@on_complex(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """X of tensordot(a, x, x.ndim) = b."""
    a, b = operand_of(a), operand_of(b)
    if axes is not None:
        kept = [k for k in range(np.ndim(a)) if k not in axes]
        a = np.transpose(a, (*kept, *axes))
    lengths = np.shape(a)[np.ndim(b) :]
    n = int(np.prod(lengths))
    return np.reshape(np.linalg.solve(np.reshape(a, (n, n)), np.ravel(b)), lengths)


@on_complex(np.linalg.tensorinv)
def tensorinv(a: Any, ind: Any = 2) -> Any:
    """The inverse for tensordot(_, _, ind)."""
    lengths = np.shape(a)
    n = int(np.prod(lengths[ind:]))
    return np.reshape(inv(np.reshape(a, (n, n))), (*lengths[ind:], *lengths[:ind]))


@on_complex(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """The norm times that of the inverse; by default the ratio of extreme singular values."""
    if p in (None, 2, -2):
        sizes = np.linalg.svdvals(x)
        first, last = sizes[..., 0], sizes[..., -1]
        return last / first if p == -2 else first / last
    return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))


@on_complex(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """Of the moduli, but for the norms that come from singular values."""
    z = as_pair(operand_of(x))
    matrix = (axis is None and z.ndim == 2) or np.size(axis) == 2
    if not (matrix and ord in (2, -2, "nuc")):
        return np.linalg.norm(np.abs(z), ord, axis, keepdims)
    axes = (0, 1) if axis is None else tuple(i % z.ndim for i in axis)
    found = singular_values_of_norm(np.moveaxis(z, axes, (-2, -1)))
    found = (
        np.sum(found, axis=-1)
        if ord == "nuc"
        else np.max(found, -1)
        if ord == 2
        else np.min(found, -1)
    )
    return np.expand_dims(found, tuple(sorted(axes))) if keepdims else found


@on_complex(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    """Of the moduli."""
    return np.linalg.vector_norm(np.abs(x), axis=axis, keepdims=keepdims, ord=ord)


@on_complex(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    """As np.linalg.norm of the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)
