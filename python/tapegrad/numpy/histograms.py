"""Histograms: counts are plain; sums of weights, and edges that the data give, are not."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.numpy.operands import cast, free_shape, lift, ndim_of, plain, shape_of, stand_in
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.statistics import bincount
from tapegrad.numpy.table import implements


def _edges(name: str, a: Any, bins: Any, range: Any, weights: Any) -> Any:
    """The edges of the bins of a vector; how many a name such as "auto" gives is plain."""
    if isinstance(bins, str):
        n = len(np.histogram_bin_edges(plain(a), bins, plain(range), plain(weights))) - 1
    else:
        bins = lift(bins)
        if ndim_of(bins):
            if ndim_of(bins) != 1 or np.any(bins[1:] < bins[:-1]):
                raise ValueError(f"{name}: bins= must be a number, or edges that increase")
            return bins
        n = operator.index(plain(bins))
    if n < 1:
        raise ValueError(f"{name}: bins={n} must be positive")
    if range is not None:
        if isinstance(range, str) or np.size(plain(range)) != 2:
            raise ValueError(f"{name}: range={range!r} is no pair (low, high)")
        low, high = (lift(x) for x in range)
    elif not shape_of(a)[0]:
        low, high = 0.0, 1.0
    else:
        low, high = np.min(a), np.max(a)
    if not (np.isfinite(low) and np.isfinite(high)) or low > high:
        raise ValueError(
            f"{name}: the range from {plain(low)} to {plain(high)} is not finite, or falls"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    dtype = np.result_type(*map(stand_in, (a, low, high)))
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    if isinstance(low, Variable) or isinstance(high, Variable):
        steps = np.arange(n, dtype=dtype) * ((high - low) / n)
        found = np.append(steps + low, high)
    else:
        found = np.linspace(low, high, n + 1, dtype=dtype)
    if np.any(found[1:] <= found[:-1]):
        raise ValueError(
            f"{name}: {n} bins are too many between {plain(low)} and {plain(high)}, which are near "
            "each other"
        )
    return found


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    if weights is not None and np.shape(weights) != shape_of(lift(a)):
        raise ValueError(
            f"np.histogram_bin_edges: weights= of shape {np.shape(weights)} for an array of shape "
            f"{shape_of(lift(a))}; give one for each element"
        )
    return _edges("np.histogram_bin_edges", reshape(lift(a), (-1,)), bins, range, weights)


def _places(a: Any, edges: Any) -> tuple[Any, Any]:
    """In which bin each element of a vector lies, and a mask of those that lie in one."""
    a, edges = plain(a), plain(edges)
    last = edges[-1]  # belongs to the last bin
    places = np.where(a == last, len(edges) - 2, np.searchsorted(edges, a, side="right") - 1)
    return places, (a >= edges[0]) & (a <= last)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    a, weights = lift(a), None if weights is None else lift(weights)
    if weights is not None and free_shape(weights) != free_shape(a):
        raise ValueError(
            f"np.histogram: weights= of shape {shape_of(weights)} for an array of shape "
            f"{shape_of(a)}; give one for each element"
        )
    a = reshape(a, (-1,))
    edges = _edges("np.histogram", a, bins, range, weights)
    if isinstance(weights, Variable):
        places, inside = _places(a, edges)
        chosen = reshape(weights, (-1,))[np.flatnonzero(inside)]
        n: Any = cast(bincount(places[inside], chosen, shape_of(edges)[0] - 1), weights.dtype)
    elif weights is not None:
        n = np.histogram(plain(a), plain(edges), weights=np.ravel(weights))[0]
    else:
        n = _counts(a, edges)
    if density:
        n = n / cast(np.diff(edges), float) / np.sum(n)
    return n, edges


def _counts(a: Any, edges: Any) -> Any:
    """How many elements are in each bin, recorded while a whole function is; the last is closed."""
    if not isinstance(a[:1] >= edges[:1], Variable):
        return np.histogram(plain(a), plain(edges))[0]
    ordered = np.sort(a)
    below = np.searchsorted(ordered, edges[:-1], side="left")
    return np.diff(np.append(below, np.searchsorted(ordered, edges[-1:], side="right")))


def _is_sequence(x: Any) -> bool:
    return isinstance(x, (list, tuple)) or ndim_of(x) > 0


@implements(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    return _of_axes("np.histogramdd", sample, bins, range, density, weights)


def _of_axes(
    name: str, sample: Any, bins: Any, range: Any, density: Any, weights: Any
) -> tuple[Any, list[Any]]:
    whole = hasattr(sample, "shape") and len(sample.shape) == 2
    sample = lift(sample) if whole else np.atleast_2d(lift(sample)).T
    axes = shape_of(sample)[1]
    bins = bins if _is_sequence(bins) else [bins] * axes
    ranges = [None] * axes if range is None else range
    if len(bins) != axes or len(ranges) != axes:
        raise ValueError(
            f"{name}: bins= of {len(bins)} and range= of {len(ranges)} for {axes} columns; give "
            "one for each column"
        )
    columns = [sample[:, i] for i in np.arange(axes).tolist()]
    edges = [_edges(name, x, b, r, None) for x, b, r in zip(columns, bins, ranges, strict=True)]
    weights = None if weights is None else lift(weights)
    if weights is not None and free_shape(weights) != free_shape(columns[0]):
        raise ValueError(
            f"{name}: weights= of shape {shape_of(weights)} for {shape_of(columns[0])[0]} points; "
            "give one for each point"
        )
    if isinstance(weights, Variable):
        shape = tuple(shape_of(e)[0] - 1 for e in edges)
        found = [_places(x, e) for x, e in zip(columns, edges, strict=True)]
        inside = np.flatnonzero(np.logical_and.reduce([mask for _, mask in found]))
        flat = np.ravel_multi_index([places[inside] for places, _ in found], shape)
        count: Any = reshape(bincount(flat, weights[inside], math.prod(shape)), shape)
    else:
        count, _ = np.histogramdd(plain(sample), [plain(e) for e in edges], weights=weights)
    if density:
        total = np.sum(count)
        for i, e in enumerate(edges):
            count = count / reshape(np.diff(e), (-1, *(1,) * (axes - i - 1)))
        count = count / total
    return count, edges


@implements(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    if len(x) != len(y):
        raise ValueError(f"np.histogram2d: x has {len(x)} elements, and y has {len(y)}")
    if _is_sequence(bins) and len(bins) > 2:
        bins = [bins, bins]
    count, edges = _of_axes("np.histogram2d", [x, y], bins, range, density, weights)
    return count, *edges
