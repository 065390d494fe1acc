"""B-splines: their basis by the recursion of Cox and de Boor, which Variables go through."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import scipy.interpolate

from tapegrad.scipy.arrays import array, floats, ndim_of, normal_axis, shape_of
from tapegrad.scipy.functions import derives, holds_variable, refuse
from tapegrad.scipy.interpolate.interpolator import (
    Interpolator,
    data_along,
    periodic,
    placed,
    raised,
)


def basis(t: Any, k: int, x: Any, n: int) -> tuple[Any, list[Any]]:
    """The first of the k + 1 functions that are not zero at x, and their values there."""
    last = np.clip(np.searchsorted(t, x, side="right") - 1, k, n - 1)
    values: list[Any] = [1.0 + 0.0 * x]
    for j in range(1, k + 1):
        new: list[Any] = [0.0] * (j + 1)
        for r in range(j):
            left, right = t[last + (1 + r - j)], t[last + (1 + r)]
            share = values[r] / (right - left)
            new[r] = new[r] + (right - x) * share
            new[r + 1] = new[r + 1] + (x - left) * share
        values = new
    return last - k, values


def knots(x: Any, k: int) -> Any:
    """Those of the interpolating spline that is smoothest at the ends ("not a knot")."""
    n = shape_of(x)[0]
    if k == 0:
        return np.concatenate([x, x[-1:]])
    inner = x[(k + 1) // 2 : n - (k + 1) // 2]
    if k % 2 == 0:
        middle = (x[1:] + x[:-1]) / 2.0
        inner = middle[k // 2 : n - 1 - k // 2]
    return np.concatenate([x[:1]] * (k + 1) + [inner] + [x[-1:]] * (k + 1))


def coefficients(x: Any, y: Any, t: Any, k: int) -> Any:
    """Those of the spline through values y, first axis, at x."""
    n = shape_of(x)[0]
    first, values = basis(t, k, x, n)
    columns = np.arange(n)
    places = np.expand_dims(first, 1)
    matrix = sum(v[:, None] * (columns == places + r) for r, v in enumerate(values))
    flat = np.reshape(y, (n, -1))
    return np.reshape(np.linalg.solve(matrix, flat), shape_of(y))


class BSpline(Interpolator):
    """scipy.interpolate.BSpline of Variables."""

    _scipys = scipy.interpolate.BSpline

    def __init__(self, t: Any, c: Any, k: Any, extrapolate: Any = True, axis: Any = 0) -> None:
        self._take((t, c, k), {"extrapolate": extrapolate, "axis": axis})
        self._t, self._k, self._extrapolate = floats(t), operator.index(k), extrapolate
        c = floats(c)
        self._axis = normal_axis(axis, ndim_of(c))
        self._c = np.moveaxis(c, self._axis, 0)
        self._n = shape_of(self._t)[0] - self._k - 1
        if ndim_of(self._t) != 1 or self._n < self._k + 1 or shape_of(self._c)[0] < self._n:
            raise ValueError(
                f"{self._name}: {shape_of(self._t)} knots and {shape_of(self._c)} coefficients do "
                f"not fit degree {k}"
            )

    def __call__(self, x: Any, nu: Any = 0, extrapolate: Any = None) -> Any:
        if self._plain is not None and not holds_variable(x):
            return self._plain(x, nu, extrapolate)
        if nu:
            refuse(self._name, f"nu={nu}", "differentiate the call itself, tg.elementwise_grad(f)")
        extrapolate = self._extrapolate if extrapolate is None else extrapolate
        x = floats(x)
        first, last = self._t[self._k], self._t[self._n]
        at = periodic(x, first, last) if extrapolate == "periodic" else x
        begin, values = basis(self._t, self._k, at, self._n)
        tail = ndim_of(self._c) - 1
        found = sum(raised(v, tail) * self._c[begin + r] for r, v in enumerate(values))
        if not extrapolate:
            found = np.where(raised((x < first) | (x > last), tail), np.nan, found)
        return placed(found, ndim_of(x), self._axis)


@derives(
    scipy.interpolate.make_interp_spline,
    name="scipy.interpolate.make_interp_spline",
    refused={"bc_type": "use CubicSpline for conditions at the ends, or leave bc_type= out"},
)
def _make_interp_spline(
    x: Any,
    y: Any,
    k: Any = 3,
    t: Any = None,
    bc_type: Any = None,
    axis: Any = 0,
    check_finite: Any = True,
) -> Any:
    if check_finite and not (np.all(np.isfinite(array(x))) and np.all(np.isfinite(array(y)))):
        raise ValueError("array must not contain infs or NaNs")
    x, y, axis = data_along(x, y, axis)
    k = operator.index(k)
    t = knots(x, k) if t is None else floats(t)
    if shape_of(x)[0] < k + 1:
        raise ValueError(f"{shape_of(x)[0]} points are too few for degree {k}")
    c = np.moveaxis(coefficients(x, y, t, k), 0, axis)
    return BSpline(t, c, k, axis=axis)


def make_interp_spline(
    x: Any,
    y: Any,
    k: Any = 3,
    t: Any = None,
    bc_type: Any = None,
    axis: Any = 0,
    check_finite: Any = True,
) -> BSpline:
    """scipy.interpolate.make_interp_spline; the spline takes Variables for points."""
    found = _make_interp_spline(x, y, k, t, bc_type, axis, check_finite)
    if isinstance(found, BSpline):
        return found
    c = np.moveaxis(found.c, 0, found.axis)  # SciPy keeps them with their axis first
    return BSpline(found.t, c, found.k, found.extrapolate, found.axis)
