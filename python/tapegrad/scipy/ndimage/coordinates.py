"""Interpolation of an array at coordinates, by B-splines on the integers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import scipy.ndimage

from tapegrad.scipy.arrays import array, floats, ndim_of, shape_of
from tapegrad.scipy.functions import derives, refuse
from tapegrad.scipy.ndimage.filters import OUTPUT

_MODES = ("constant", "mirror", "reflect", "grid-mirror", "grid-wrap", "nearest", "wrap")
_MORE = 12  # elements that SciPy repeats beyond each end, where splines reach the nearest one


def _inside(x: Any, n: int, mode: str) -> Any:
    """Coordinates beyond the ends, moved to where the values are."""
    if mode in ("constant", "nearest") or n == 1:
        return np.clip(x, 0.0, n - 1.0)
    if mode == "grid-wrap":
        return np.mod(x, n)
    if mode == "wrap":  # whose period is that from the first element to the last
        return np.where((x < 0) | (x > n - 1), np.mod(x, n - 1.0), x)
    if mode == "mirror":
        x = np.mod(x, 2.0 * (n - 1))
        return np.where(x > n - 1, 2.0 * (n - 1) - x, x)
    x = np.mod(x + 0.5, 2.0 * n)
    return np.where(x > n, 2.0 * n - x, x) - 0.5


def _places(n: int, mode: str, margin: int) -> Any:
    """The element that stands at each integer from -margin to n - 1 + margin."""
    pads = {"grid-wrap": "wrap", "reflect": "symmetric", "grid-mirror": "symmetric"}
    if mode == "nearest":
        return np.pad(np.arange(n), margin, "edge")
    way: Any = pads.get(mode, "reflect")
    return np.pad(np.arange(n), margin, way)


def _weights(t: Any, order: int) -> list[Any]:
    """The B-splines that are not zero, t beyond the begin of their common piece."""
    found: list[Any] = [1.0 + 0.0 * t]
    for j in range(1, order + 1):
        new: list[Any] = [0.0] * (j + 1)
        for r in range(j):
            new[r] = new[r] + (1.0 - t + r) * found[r] / j
            new[r + 1] = new[r + 1] + (t + (j - 1 - r)) * found[r] / j
        found = new
    return found


def _coefficients(x: Any, order: int, mode: str) -> Any:
    """Those of the spline through the values: a linear map along each axis."""
    for i, n in enumerate(shape_of(x)):
        if n > 1:
            way = "mirror" if mode == "constant" else mode
            solve = scipy.ndimage.spline_filter1d(np.eye(n), order, 0, mode=way)
            x = np.moveaxis(np.tensordot(solve, x, (1, i)), 0, i)
    return x


@derives(scipy.ndimage.map_coordinates, refused=OUTPUT)
def map_coordinates(
    input: Any,
    coordinates: Any,
    output: Any = None,
    order: Any = 3,
    mode: Any = "constant",
    cval: Any = 0.0,
    prefilter: Any = True,
) -> Any:
    name = "scipy.ndimage.map_coordinates"
    if order not in range(6):
        raise RuntimeError("spline order not supported")
    if mode not in _MODES:
        refuse(name, f"mode={mode!r}", f"use one of the modes {', '.join(_MODES)}")
    dtype = array(input).dtype
    x, at = floats(input).astype(np.float64), floats(coordinates).astype(np.float64)
    d = ndim_of(x)
    if not ndim_of(at) or shape_of(at)[0] != d:
        raise RuntimeError("invalid shape for coordinate array")
    if order > 1 and prefilter:
        if mode == "nearest":
            x, at = np.pad(x, _MORE, "edge"), at + _MORE
        x = _coefficients(x, order, mode)
    parts, outside = [], np.zeros(shape_of(at)[1:], bool)
    for i in range(d):
        n = shape_of(x)[i]
        outside = outside | (at[i] < 0) | (at[i] > n - 1)
        c = _inside(at[i], n, mode) + (0.0 if order % 2 else 0.5)
        margin = order + 2
        floor = np.searchsorted(np.arange(-1.0, n + 1), c, side="right") - 2
        weights = _weights(c - (floor + 0.0), order)
        table = _places(n, mode, margin)
        parts.append((floor + (margin - order // 2), table, weights))
    found: Any = 0.0
    for choice in product(range(order + 1), repeat=d):
        weight: Any = 1.0
        places = []
        for r, (first, table, weights) in zip(choice, parts, strict=True):
            weight = weight * weights[r]
            places.append(_read(table, first + r))
        found = found + weight * x[tuple(places)]
    if mode == "constant":
        found = np.where(outside, cval, found)
    return found.astype(dtype if dtype.kind == "f" else np.float64)


def _read(table: Any, places: Any) -> Any:
    flat = np.reshape(places, (-1,))
    return np.reshape(np.take_along_axis(table, flat, 0), shape_of(places))
