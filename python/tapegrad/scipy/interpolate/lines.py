"""scipy.interpolate.interp1d of Variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate

from tapegrad.scipy.arrays import array, floats, ndim_of, normal_axis, shape_of
from tapegrad.scipy.functions import holds_variable
from tapegrad.scipy.interpolate.bsplines import basis, coefficients, knots
from tapegrad.scipy.interpolate.interpolator import Interpolator, placed, raised

_DEGREES = {"zero": 0, "slinear": 1, "quadratic": 2, "cubic": 3}
_STEPS = ("nearest", "nearest-up", "previous", "next")


class interp1d(Interpolator):  # noqa: N801 - SciPy's name
    """scipy.interpolate.interp1d of Variables."""

    _scipys = scipy.interpolate.interp1d

    def __init__(
        self,
        x: Any,
        y: Any,
        kind: Any = "linear",
        axis: Any = -1,
        copy: Any = True,
        bounds_error: Any = None,
        fill_value: Any = np.nan,
        assume_sorted: Any = False,
    ) -> None:
        self._take((x, y, kind, axis, copy, bounds_error, fill_value, assume_sorted), {})
        self._degree = kind if isinstance(kind, int) else _DEGREES.get(kind)
        if self._degree is None and kind not in ("linear", *_STEPS):
            raise NotImplementedError(
                f"{kind} is unsupported: Use fitpack routines for other types."
            )
        x, y = array(x), floats(y)
        if ndim_of(x) != 1:
            raise ValueError("the x array must have exactly one dimension.")
        self._axis = normal_axis(axis, ndim_of(y))
        y = np.moveaxis(y, self._axis, 0)
        if shape_of(x)[0] != shape_of(y)[0]:
            raise ValueError("x and y arrays must be equal in length along interpolation axis.")
        if not assume_sorted:
            order = np.argsort(x, kind="stable")
            x, y = x[order], y[order]
        self._x, self._y, self._kind = floats(x), y, kind
        self._inside = isinstance(fill_value, str)
        if self._inside and fill_value != "extrapolate":
            raise ValueError(f"fill_value={fill_value!r}; the only text is 'extrapolate'")
        if self._inside and bounds_error:
            raise ValueError("Cannot extrapolate and raise at the same time.")
        self._raises = not self._inside if bounds_error is None else bool(bounds_error)
        if not self._inside and bounds_error is None and self._plain is None:
            self._raises = True
        self._fill = fill_value if isinstance(fill_value, tuple) else (fill_value, fill_value)
        if self._degree is not None:
            self._t = knots(self._x, self._degree)
            self._c = coefficients(self._x, y, self._t, self._degree)

    def __call__(self, x: Any) -> Any:
        if self._plain is not None and not holds_variable(x):
            return self._plain(x)
        x = floats(x)
        tail, n = ndim_of(self._y) - 1, shape_of(self._x)[0]
        found = self._spline(x, tail, n) if self._degree is not None else self._pieces(x, tail, n)
        below, above = x < self._x[0], x > self._x[-1]
        if self._raises:
            for outside, side in ((below, "below"), (above, "above")):
                if np.any(outside):
                    raise ValueError(f"A value in x_new is {side} the interpolation range.")
        if self._inside:
            if self._kind in ("previous", "next"):  # of which one side has nothing
                outside = below if self._kind == "previous" else above
                found = np.where(raised(outside, tail), np.nan, found)
        else:
            for outside, fill in zip((below, above), self._fill, strict=True):
                found = np.where(raised(outside, tail), fill, found)
        return placed(found, ndim_of(x), self._axis)

    def _spline(self, x: Any, tail: int, n: int) -> Any:
        first, values = basis(self._t, self._degree or 0, x, n)
        return sum(raised(v, tail) * self._c[first + r] for r, v in enumerate(values))

    def _pieces(self, x: Any, tail: int, n: int) -> Any:
        if self._kind == "linear":
            after = np.clip(np.searchsorted(self._x, x), 1, n - 1)
            before = after - 1
            x0, x1, y0, y1 = self._x[before], self._x[after], self._y[before], self._y[after]
            return (y1 - y0) / raised(x1 - x0, tail) * raised(x - x0, tail) + y0
        if self._kind == "previous":
            place = np.searchsorted(self._x, x, side="right") - 1
        elif self._kind == "next":
            place = np.searchsorted(self._x, x, side="left")
        else:
            half = self._x / 2.0
            side: Any = "left" if self._kind == "nearest" else "right"
            place = np.searchsorted(half[1:] + half[:-1], x, side=side)
        return self._y[np.clip(place, 0, n - 1)] + raised(0.0 * x, tail)
