"""Values on a regular grid: sums of products of one-dimensional weights."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import scipy.interpolate

from tapegrad.scipy.arrays import array, floats, ndim_of, shape_of
from tapegrad.scipy.functions import derives, holds_variable, refuse
from tapegrad.scipy.interpolate.bsplines import basis, coefficients, knots
from tapegrad.scipy.interpolate.interpolator import Interpolator, raised

_DEGREES = {"slinear": 1, "cubic": 3, "quintic": 5}


class RegularGridInterpolator(Interpolator):
    """scipy.interpolate.RegularGridInterpolator of Variables."""

    _scipys = scipy.interpolate.RegularGridInterpolator

    def __init__(
        self,
        points: Any,
        values: Any,
        method: Any = "linear",
        bounds_error: Any = True,
        fill_value: Any = np.nan,
        *,
        solver: Any = None,
        solver_args: Any = None,
    ) -> None:
        given = {"solver": solver, "solver_args": solver_args}
        self._take((tuple(points), values, method, bounds_error, fill_value), given)
        self._points = [floats(x) for x in points]
        self._values = floats(values)
        self._method, self._raises, self._fill = method, bounds_error, fill_value
        shape = shape_of(self._values)
        if len(self._points) > len(shape):
            raise ValueError(f"{len(self._points)} axes of points for values of shape {shape}")
        for i, x in enumerate(self._points):
            if ndim_of(x) != 1 or shape_of(x)[0] != shape[i]:
                raise ValueError(
                    f"There are {shape_of(x)} points and {shape[i]} values on axis {i}"
                )
            if np.any(x[1:] <= x[:-1]):
                if np.all(x[1:] < x[:-1]):
                    self._points[i] = x[::-1]
                    self._values = np.flip(self._values, i)
                else:
                    raise ValueError(
                        f"The points in dimension {i} must be strictly ascending or descending"
                    )

    def __call__(self, xi: Any, method: Any = None, *, nu: Any = None) -> Any:
        if isinstance(xi, tuple):
            xi = np.stack(np.broadcast_arrays(*(array(x) for x in xi)), -1)
        if self._plain is not None and not holds_variable(xi):
            return self._plain(xi, method, nu=nu)
        if nu is not None:
            refuse(self._name, f"nu={nu}", "differentiate the call itself with tg.grad")
        method = self._method if method is None else method
        if method not in ("linear", "nearest", *_DEGREES):
            if method == "pchip":
                refuse(self._name, "method='pchip'", "use 'linear', 'slinear', 'cubic', 'quintic'")
            raise ValueError(f"Method '{method}' is not defined")
        xi, d = floats(xi), len(self._points)
        if ndim_of(xi) == 1:
            xi = xi[:, None] if d == 1 else xi[None]
        if shape_of(xi)[-1] != d:
            raise ValueError(
                f"The requested sample points xi have dimension {shape_of(xi)[-1]} but this "
                f"RegularGridInterpolator has dimension {d}"
            )
        values, outside = self._values, np.zeros(shape_of(xi)[:-1], bool)
        parts: list[tuple[Any, list[Any]]] = []  # of each axis: the first place, and weights
        for i, x in enumerate(self._points):
            at, n = xi[..., i], shape_of(x)[0]
            outside = outside | (at < x[0]) | (at > x[-1])
            if method in _DEGREES:
                k = _DEGREES[method]
                if n <= k:
                    raise ValueError(f"There are {n} points in dimension {i}, {k + 1} are needed")
                t = knots(x, k)
                values = np.moveaxis(coefficients(x, np.moveaxis(values, i, 0), t, k), 0, i)
                parts.append(basis(t, k, at, n))
                continue
            first = np.clip(np.searchsorted(x, at, side="right") - 1, 0, n - 2)
            share = (at - x[first]) / (x[first + 1] - x[first])
            if method == "nearest":
                parts.append((np.where(share <= 0.5, first, first + 1), [1.0 + 0.0 * at]))
            else:
                parts.append((first, [1.0 - share, share]))
        if self._raises and np.any(outside):
            raise ValueError("a point of xi is out of the bounds of the grid")
        tail = ndim_of(values) - d
        found: Any = 0.0
        for choice in product(*(range(len(weights)) for _, weights in parts)):
            weight: Any = 1.0
            for r, (_, weights) in zip(choice, parts, strict=True):
                weight = weight * weights[r]
            places = tuple(first + r for r, (first, _) in zip(choice, parts, strict=True))
            found = found + raised(weight, tail) * values[places]
        if not self._raises and self._fill is not None:
            found = np.where(raised(outside, tail), self._fill, found)
        return found


@derives(scipy.interpolate.interpn)
def interpn(
    points: Any,
    values: Any,
    xi: Any,
    method: Any = "linear",
    bounds_error: Any = True,
    fill_value: Any = np.nan,
) -> Any:
    if method in ("splinef2d", "pchip"):
        refuse("scipy.interpolate.interpn", f"method={method!r}", "use 'cubic' or 'linear'")
    return RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)
