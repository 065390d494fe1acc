"""Piecewise cubics through points, by their slopes there."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate

from tapegrad.scipy.arrays import floats, ndim_of, shape_of
from tapegrad.scipy.functions import holds_variable, refuse
from tapegrad.scipy.interpolate.interpolator import (
    Interpolator,
    data_along,
    periodic,
    placed,
    raised,
)


class _Curve(Interpolator):
    """Of each piece the coefficients of the powers of the distance from its begin."""

    def _fit(self, x: Any, y: Any, slopes: Any, axis: int, extrapolate: Any) -> None:
        self._x, self._axis, self._extrapolate = x, axis, extrapolate
        steps = raised(x[1:] - x[:-1], ndim_of(y) - 1)
        rise = (y[1:] - y[:-1]) / steps
        bend = (slopes[:-1] + slopes[1:] - 2 * rise) / steps
        self._c = [y[:-1], slopes[:-1], (rise - slopes[:-1]) / steps - bend, bend / steps]

    def __call__(self, x: Any, nu: Any = 0, extrapolate: Any = None) -> Any:
        if self._plain is not None and not holds_variable(x):
            return self._plain(x, nu, extrapolate)
        extrapolate = self._extrapolate if extrapolate is None else extrapolate
        x = floats(x)
        first, last = self._x[0], self._x[-1]
        at = periodic(x, first, last) if extrapolate == "periodic" else x
        pieces = shape_of(self._x)[0] - 1
        piece = np.clip(np.searchsorted(self._x, at, side="right") - 1, 0, pieces - 1)
        tail = ndim_of(self._c[0]) - 1
        d = raised(at - self._x[piece], tail)
        factors = [float(np.prod(range(k, k - nu, -1))) for k in range(4)]
        found = raised(at * 0.0, tail)
        for k in range(3, nu - 1, -1):
            found = found * d + factors[k] * self._c[k][piece]
        if nu > 3:
            found = found + 0.0 * self._c[0][piece]
        if not extrapolate:
            found = np.where(raised((x < first) | (x > last), tail), np.nan, found)
        return placed(found, ndim_of(x), self._axis)


class CubicHermiteSpline(_Curve):
    """scipy.interpolate.CubicHermiteSpline of Variables."""

    _scipys = scipy.interpolate.CubicHermiteSpline

    def __init__(self, x: Any, y: Any, dydx: Any, axis: Any = 0, extrapolate: Any = None) -> None:
        self._take((x, y, dydx, axis, extrapolate), {})
        x, y, axis = data_along(x, y, axis)
        slopes = np.moveaxis(floats(dydx), axis, 0)
        if shape_of(slopes) != shape_of(y):
            raise ValueError("The shapes of `y` and `dydx` must be identical.")
        self._fit(x, y, slopes, axis, True if extrapolate is None else extrapolate)


class PchipInterpolator(_Curve):
    """scipy.interpolate.PchipInterpolator of Variables."""

    _scipys = scipy.interpolate.PchipInterpolator

    def __init__(self, x: Any, y: Any, axis: Any = 0, extrapolate: Any = None) -> None:
        self._take((x, y, axis, extrapolate), {})
        x, y, axis = data_along(x, y, axis)
        slopes = _monotone_slopes(x, y)
        self._fit(x, y, slopes, axis, True if extrapolate is None else extrapolate)


def _monotone_slopes(x: Any, y: Any) -> Any:
    """Harmonic means of neighbouring slopes; zero at an extremum (Fritsch and Butland, 1984)."""
    h = raised(x[1:] - x[:-1], ndim_of(y) - 1)
    m = (y[1:] - y[:-1]) / h
    if shape_of(y)[0] == 2:
        return np.concatenate([m, m])
    rises = np.sign(m)
    flat = (rises[1:] != rises[:-1]) | (m[1:] == 0) | (m[:-1] == 0)
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    before, after = np.where(flat, 1.0, m[:-1]), np.where(flat, 1.0, m[1:])
    inner = np.where(flat, 0.0, (w1 + w2) / (w1 / before + w2 / after))
    first = _end_slope(h[:1], h[1:2], m[:1], m[1:2])
    last = _end_slope(h[-1:], h[-2:-1], m[-1:], m[-2:-1])
    return np.concatenate([first, inner, last])


def _end_slope(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """By the parabola of three points, held back where the curve would turn."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    turned = np.sign(d) != np.sign(m0)
    steep = (np.sign(m0) != np.sign(m1)) & (np.abs(d) > 3.0 * np.abs(m0))
    return np.where(turned, 0.0, np.where(steep, 3.0 * m0, d))


class Akima1DInterpolator(_Curve):
    """scipy.interpolate.Akima1DInterpolator of Variables."""

    _scipys = scipy.interpolate.Akima1DInterpolator

    def __init__(
        self, x: Any, y: Any, axis: Any = 0, *, method: Any = "akima", extrapolate: Any = None
    ) -> None:
        if method not in ("akima", "makima"):
            raise NotImplementedError(f"`method`={method} is unsupported.")
        self._take((x, y, axis), {"method": method, "extrapolate": extrapolate})
        x, y, axis = data_along(x, y, axis)
        self._fit(x, y, _akima_slopes(x, y, method), axis, bool(extrapolate))


def _akima_slopes(x: Any, y: Any, method: str) -> Any:
    m = (y[1:] - y[:-1]) / raised(x[1:] - x[:-1], ndim_of(y) - 1)
    if shape_of(y)[0] == 2:
        return np.concatenate([m, m])
    before = 2.0 * m[:1] - m[1:2]
    after = 2.0 * m[-1:] - m[-2:-1]
    m = np.concatenate([2.0 * before - m[:1], before, m, after, 2.0 * after - m[-1:]])
    change = np.abs(m[1:] - m[:-1])
    if method == "makima":
        change = change + 0.5 * np.abs(m[1:] + m[:-1])
    right, left = change[2:], change[:-2]
    both = right + left
    known = both > 1e-9 * np.max(both)
    inner = m[1:-2] + left / np.where(known, both, 1.0) * (m[2:-1] - m[1:-2])
    return np.where(known, inner, 0.5 * (m[3:] + m[:-3]))


class CubicSpline(_Curve):
    """scipy.interpolate.CubicSpline of Variables."""

    _scipys = scipy.interpolate.CubicSpline

    def __init__(
        self, x: Any, y: Any, axis: Any = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None
    ) -> None:
        self._take((x, y, axis, bc_type, extrapolate), {})
        x, y, axis = data_along(x, y, axis)
        if isinstance(bc_type, str):
            bc_type = (bc_type, bc_type)
        if "periodic" in bc_type:
            if bc_type != ("periodic", "periodic"):
                raise ValueError("'periodic' `bc_type` is defined for both curve ends")
            if self._plain is None:
                refuse(self._name, "bc_type='periodic'", "write the period twice, with its ends")
        if extrapolate is None:
            extrapolate = "periodic" if "periodic" in bc_type else True
        if "periodic" in bc_type:
            slopes = np.moveaxis(self._plain(x, 1), axis, 0)
        else:
            slopes = _spline_slopes(x, y, [_end_condition(e, y) for e in bc_type])
        self._fit(x, y, slopes, axis, extrapolate)


def _end_condition(given: Any, y: Any) -> Any:
    """Which derivative at an end has which value; None: the third one does not jump beside it."""
    if isinstance(given, str):
        if given not in ("not-a-knot", "clamped", "natural"):
            raise ValueError(f"bc_type={given} is not allowed.")
        return {"not-a-knot": None, "clamped": (1, 0.0), "natural": (2, 0.0)}[given]
    order, amount = given
    if order not in (1, 2):
        raise ValueError("The specified derivative order must be 1 or 2.")
    if shape_of(floats(amount)) != shape_of(y)[1:]:
        raise ValueError(f"`deriv_value` shape {np.shape(amount)} is not {shape_of(y)[1:]}.")
    return order, floats(amount)


def _spline_slopes(x: Any, y: Any, ends: list[Any]) -> Any:
    """The slopes with which the second derivative is continuous (de Boor, 1978)."""
    n, tail = shape_of(x)[0], ndim_of(y) - 1
    dx = x[1:] - x[:-1]
    h = raised(dx, tail)
    m = (y[1:] - y[:-1]) / h
    if n == 2:
        ends = [(1, m[0]) if end is None else end for end in ends]
    if n == 3 and ends == [None, None]:  # the parabola
        a = (m[1:] - m[:1]) / (h[:1] + h[1:])
        return np.concatenate([m[:1] - a * h[:1], m[:1] + a * h[:1], m[1:] + a * h[1:]])
    first = _end_row(dx, h, m, ends[0])
    last = _end_row(dx[::-1], h[::-1], m[::-1], ends[1], sign=-1.0)
    main = np.concatenate([first[0], 2 * (dx[:-1] + dx[1:]), last[0]])
    upper = np.concatenate([first[1], dx[:-1]])
    lower = np.concatenate([dx[1:], last[1]])
    inner = 3 * (h[1:] * m[:-1] + h[:-1] * m[1:])
    right = np.concatenate([first[2], inner, last[2]])
    matrix = np.diag(main) + np.diag(upper, 1) + np.diag(lower, -1)
    flat = np.reshape(right, (n, -1))
    return np.reshape(np.linalg.solve(matrix, flat), shape_of(right))


def _end_row(dx: Any, h: Any, m: Any, end: Any, sign: float = 1.0) -> tuple[Any, Any, Any]:
    """Of the first equation: the coefficients of both slopes and the right side."""
    if end is None:
        both = dx[:1] + dx[1:2]
        d = h[:1] + h[1:2]
        right = ((h[:1] + 2 * d) * h[1:2] * m[:1] + h[:1] ** 2 * m[1:2]) / d
        return dx[1:2], both, right
    order, amount = end
    amount = amount + 0.0 * m[:1]
    if order == 1:
        return np.ones_like(dx[:1]), np.zeros_like(dx[:1]), amount
    return 2 * dx[:1], dx[:1], -0.5 * sign * amount * h[:1] ** 2 + 3 * m[:1] * h[:1]
