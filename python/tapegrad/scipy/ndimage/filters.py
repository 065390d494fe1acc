"""Correlations with short weights along the axes of an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.ndimage

from tapegrad.scipy.arrays import (
    array,
    floats,
    ndim_of,
    normal_axis,
    padded,
    part,
    shape_of,
)
from tapegrad.scipy.functions import derives
from tapegrad.transforms.trace import value

OUTPUT = {"output": "take the result, y = f(x), and convert it with y.astype(dtype)"}
# What NumPy calls the ways to go on beyond the ends.
MODES = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge",
    "wrap": "wrap", "grid-wrap": "wrap", "constant": "constant", "grid-constant": "constant",
}  # fmt: skip


@derives(scipy.ndimage.correlate1d, refused=OUTPUT)
def correlate1d(
    input: Any,
    weights: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    input, weights = floats(input), floats(weights)
    axis = normal_axis(axis, ndim_of(input))
    n = shape_of(weights)[0] if ndim_of(weights) == 1 else 0
    if not n:
        raise RuntimeError("no filter weights given")
    if mode not in MODES:
        raise RuntimeError("boundary mode not supported")
    before = n // 2 + origin
    if not 0 <= before < n:
        raise ValueError(
            f"Invalid origin {origin}; origin must satisfy -(len(weights) // 2) <= origin <= "
            "(len(weights)-1) // 2"
        )
    widths = [(before, n - 1 - before) if i == axis else (0, 0) for i in range(ndim_of(input))]
    wide = padded(input, widths, MODES[mode], cval)
    length = shape_of(input)[axis]
    found = sum(weights[k] * part(wide, axis, k, k + length) for k in range(n))
    return found.astype(input.dtype)


@derives(scipy.ndimage.convolve1d, refused=OUTPUT)
def convolve1d(
    input: Any,
    weights: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    weights = floats(weights)
    origin = -origin - (1 if shape_of(weights)[0] % 2 == 0 else 0)
    return correlate1d(input, weights[::-1], axis, None, mode, cval, origin)


@derives(scipy.ndimage.uniform_filter1d, refused=OUTPUT)
def uniform_filter1d(
    input: Any,
    size: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    if size < 1:
        raise RuntimeError("incorrect filter size")
    return correlate1d(input, np.full(size, 1.0 / size), axis, None, mode, cval, origin)


def _gaussian(sigma: Any, order: int, radius: int) -> Any:
    """A Gaussian that adds up to one, or a derivative of it, at the integers up to a radius."""
    if order < 0:
        raise ValueError("order must be non-negative")
    x = np.arange(-radius, radius + 1.0)
    bell = np.exp(-0.5 * (x / sigma) ** 2)
    bell = bell / np.sum(bell)
    # The derivatives are q(x) times the bell, with q' - x q / sigma^2 after q.
    q: list[Any] = [1.0]
    for _ in range(order):
        slope = [k * q[k] for k in range(1, len(q))] + [0.0, 0.0]
        lower = [0.0] + [c / sigma**2 for c in q]
        q = [a - b for a, b in zip(slope, lower, strict=False)]
    return sum(c * x**k for k, c in enumerate(q)) * bell


@derives(scipy.ndimage.gaussian_filter1d, refused=OUTPUT)
def gaussian_filter1d(
    input: Any,
    sigma: Any,
    axis: Any = -1,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
    *,
    radius: Any = None,
) -> Any:
    if radius is None:
        radius = int(truncate * float(value(sigma)) + 0.5)
    if not isinstance(radius, (int, np.integer)) or radius < 0:
        raise ValueError(
            f"scipy.ndimage.gaussian_filter1d: radius={radius!r} is no nonnegative integer"
        )
    weights = _gaussian(sigma, order, int(radius))[::-1]
    return correlate1d(input, weights, axis, None, mode, cval, 0)


def for_each(x: Any, n: int) -> list[Any]:
    """An option that is given once, or for each of n axes."""
    found = list(x) if isinstance(x, (list, tuple)) or np.ndim(x) else [x] * n
    if len(found) != n:
        raise RuntimeError("sequence argument must have length equal to input rank")
    return found


@derives(scipy.ndimage.gaussian_filter, refused=OUTPUT)
def gaussian_filter(
    input: Any,
    sigma: Any,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
    *,
    radius: Any = None,
    axes: Any = None,
) -> Any:
    found = array(input)
    n = ndim_of(found)
    axes = range(n) if axes is None else np.lib.array_utils.normalize_axis_tuple(axes, n)
    axes = list(axes)
    given = [for_each(x, len(axes)) for x in (sigma, order, mode, radius)]
    for axis, s, k, m, r in zip(axes, *given, strict=True):
        if s > 1e-15:
            found = gaussian_filter1d(found, s, axis, k, None, m, cval, truncate, radius=r)
    return found
