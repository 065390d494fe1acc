"""Polynomials as arrays of coefficients, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import polynomial as ascending

from tapegrad.numpy.operands import (
    as_array,
    cast,
    floating_dtype,
    free_shape,
    lift,
    ndim_of,
    shape_of,
)
from tapegrad.numpy.shapes import atleast_1d, reshape
from tapegrad.numpy.table import implements


def _coefficients(name: str, p: Any) -> Any:
    if isinstance(p, np.poly1d):
        raise TypeError(
            f"np.{name}: an np.poly1d holds plain numbers, and the result would lose the "
            "derivative; pass its array, p.coeffs"
        )
    return atleast_1d(lift(p))


def _sum(name: str, ufunc: Any, a1: Any, a2: Any) -> Any:
    a1, a2 = _coefficients(name, a1), _coefficients(name, a2)
    more = shape_of(a2)[0] - shape_of(a1)[0]
    if more > 0:
        a1 = np.concatenate((np.zeros(more, floating_dtype(a1)), a1))
    elif more < 0:
        a2 = np.concatenate((np.zeros(-more, floating_dtype(a2)), a2))
    return ufunc(a1, a2)


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    return _sum("polyadd", np.add, a1, a2)


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    return _sum("polysub", np.subtract, a1, a2)


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    a1, a2 = (_without_zeros(_coefficients("polymul", a)) for a in (a1, a2))
    return _product(a1, a2)


def _without_zeros(p: Any) -> Any:
    """Without zeros in front, as NumPy takes them for no coefficients; one stays."""
    if ndim_of(p) != 1:
        raise ValueError("Polynomial must be 1d only.")
    n = shape_of(p)[0]
    if not n:
        return np.zeros(1)
    start = 0
    while start < n - 1 and p[start] == 0:
        start += 1
    return p[start:] if start else p


def _product(a: Any, b: Any) -> Any:
    """The sums over the diagonals of the outer product: its rows are laid one further each."""
    n, m = shape_of(a)[0], shape_of(b)[0]
    rows = np.multiply.outer(a, b)
    wide = np.concatenate([rows, np.zeros((n, n), floating_dtype(rows))], axis=1)
    return np.sum(reshape(reshape(wide, (-1,))[: n * (n + m - 1)], (n, n + m - 1)), axis=0)


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> Any:
    u, v = _coefficients("polydiv", u) + 0.0, _coefficients("polydiv", v) + 0.0
    dtype = np.result_type(floating_dtype(u), floating_dtype(v))
    m, n = shape_of(u)[0] - 1, shape_of(v)[0] - 1
    scale = 1.0 / v[0]
    quotient, r = [], cast(u, dtype)
    for k in range(m - n + 1):
        d = scale * r[k]
        quotient.append(d)
        r = np.concatenate([r[:k], r[k : k + n + 1] - d * v, r[k + n + 1 :]])
    while np.allclose(r[0], 0, rtol=1e-14) and shape_of(r)[0] > 1:
        r = r[1:]
    return np.stack(quotient) if quotient else np.zeros(1, dtype), np.positive(r)


@implements(np.polyder)
def polyder(p: Any, m: Any = 1) -> Any:
    p, m = _coefficients("polyder", p), int(m)
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        powers = np.arange(shape_of(p)[0] - 1, 0, -1)
        p = p[:-1] * powers
    return p


@implements(np.polyint)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    p, m = _coefficients("polyint", p), int(m)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants: Any = np.zeros(m) if k is None else atleast_1d(lift(k))
    if shape_of(constants)[0] == 1 and m > 1:
        constants = constants[0] * np.ones(m)
    if shape_of(constants)[0] < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        powers = np.arange(shape_of(p)[0], 0, -1)
        p = np.concatenate((p / powers, constants[i : i + 1]))
    return p


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    zeros = atleast_1d(lift(seq_of_zeros))
    shape = shape_of(zeros)
    if len(shape) == 2 and shape[0] == shape[1] and shape[0]:
        of_roots = np.poly(np.linalg.eigvals(zeros))
        return of_roots.real if np.iscomplexobj(of_roots) else of_roots  # of conjugate pairs
    if len(shape) != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if not shape[0]:
        return 1.0
    found: Any = np.ones(1, floating_dtype(zeros))
    for i in range(shape[0]):
        longer = np.concatenate((found, np.zeros(1, floating_dtype(zeros))))
        found = longer - np.concatenate((np.zeros(1, floating_dtype(zeros)), found * zeros[i]))
    return found


def _value(x: Any, c: Any, tensor: bool) -> Any:
    """Of a polynomial whose coefficients, the lowest power first, lie along the first axis."""
    c = atleast_1d(lift(c)) + 0.0
    x = lift(x)
    if ndim_of(x) and tensor:
        c = reshape(c, free_shape(c) + (1,) * ndim_of(x))
    n = shape_of(c)[0]
    found = c[n - 1] + x * 0
    for i in range(2, n + 1):
        found = c[n - i] + found * x
    return found


def polyval2d(x: Any, y: Any, c: Any) -> Any:
    x, y = as_array(x), as_array(y)
    if shape_of(x) != shape_of(y):
        raise ValueError("x, y are incompatible")
    return _value(y, _value(x, c, True), False)


def polygrid2d(x: Any, y: Any, c: Any) -> Any:
    return _value(y, _value(x, c, True), True)


if hasattr(ascending.polyval2d, "_implementation"):  # from NumPy 2.4 on it asks others
    implements(ascending.polyval2d)(polyval2d)
    implements(ascending.polygrid2d)(polygrid2d)
