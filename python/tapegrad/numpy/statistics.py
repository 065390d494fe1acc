"""Covariances, and sums and counts by bins."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.numpy.accumulation import add_at
from tapegrad.numpy.operands import (
    cast,
    free_shape,
    lift,
    ndim_of,
    plain,
    shape_of,
    stand_in,
)
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import stop_gradient


def _observations(name: str, x: Any, dtype: Any, rowvar: bool, is_vector_kept: bool) -> Any:
    """Two axes: the variables, and what was observed of them."""
    if ndim_of(x) > 2:
        raise ValueError(f"{name}: an array of shape {shape_of(x)} has more than two axes")
    if not isinstance(x, Variable) and np.iscomplexobj(x):
        raise TypeError(
            f"{name}: complex numbers beside Variables, which are real, are not supported; call it "
            "on the real and the imaginary parts"
        )
    found = np.atleast_2d(cast(x, dtype))
    keep = rowvar or (ndim_of(x) == 1 if is_vector_kept else free_shape(found)[0] == 1)
    return found if keep else found.T


@implements(np.cov, values=2)
def cov(
    m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    if ddof is not None and ddof != int(ddof):
        raise ValueError(f"np.cov: ddof= must be an integer, not {ddof}")
    dtype = np.dtype(np.float64) if dtype is None else np.dtype(dtype)
    x = _observations("np.cov", lift(m), dtype, bool(rowvar), True)
    if not shape_of(x)[0]:
        return np.zeros((0, 0))
    if y is not None:
        y = _observations("np.cov", lift(y), dtype, bool(rowvar), False)
        x = np.concatenate([x, y], axis=0)
    n = shape_of(x)[1]
    if ddof is None:
        ddof = 0 if bias else 1
    frequencies = _weights("fweights", fweights, n)
    if frequencies is not None and not np.all(frequencies == np.around(frequencies)):
        raise TypeError("np.cov: fweights= must be whole numbers")
    importance = _weights("aweights", aweights, n)
    w = importance if frequencies is None else frequencies
    if frequencies is not None and importance is not None:
        w = frequencies * importance
    if w is None:
        count: Any = n - ddof
        x = x - np.mean(x, axis=1, keepdims=True)
    else:
        total = np.sum(w)
        x = x - np.average(x, axis=1, weights=w, keepdims=True)
        count = total - ddof * (1 if importance is None else np.sum(w * importance) / total)
    if count <= 0:
        count = 0.0
    with np.errstate(divide="ignore"):
        scale = np.true_divide(1.0, count)
    scale = scale if isinstance(scale, Variable) else float(scale)
    found = np.dot(x, (x if w is None else x * w).T) * scale
    return np.squeeze(found)


def _weights(name: str, weights: Any, n: int) -> Any:
    if weights is None:
        return None
    weights = cast(lift(weights), float)
    if shape_of(weights) != (n,):
        raise RuntimeError(
            f"np.cov: {name}= of shape {shape_of(weights)} for {n} observations; give one number "
            "for each"
        )
    if np.any(weights < 0):
        raise ValueError(f"np.cov: {name}= must not be negative")
    return weights


@implements(np.corrcoef, values=2)
def corrcoef(
    x: Any, y: Any = None, rowvar: Any = True, *, dtype: Any = None
) -> Any:  # fmt: skip
    c = cov(x, y, rowvar, dtype=dtype)
    if not ndim_of(c):
        return c / c
    spread = np.sqrt(np.diag(c))
    found = c / spread[:, None] / spread
    # Rounding leads out of the range. Without a derivative of its own: that of what is clipped is
    # right, and not zero at the second order.
    return found + stop_gradient(np.clip(found, -1, 1) - found)


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    if isinstance(x, Variable) and x.dtype.kind == "f":
        raise TypeError(
            "np.bincount: the bins are floats; pass whole numbers, tg.value(x).astype(int)"
        )
    x, weights = np.asarray(plain(x)), lift(weights)
    counts = np.bincount(x, minlength=minlength)  # NumPy says here what is wrong with them
    if shape_of(weights) != x.shape:
        raise ValueError(
            f"np.bincount: weights= of shape {shape_of(weights)} for {len(x)} elements; give one "
            "for each"
        )
    if not len(x):
        return counts
    sums = Variable(np.zeros(len(counts)))
    add_at("add", sums, x, cast(weights, float))
    return sums


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    a, bins = reshape(lift(a), (-1,)), bins if isinstance(bins, str) else lift(bins)
    if isinstance(bins, str):
        raise TypeError(
            f"np.histogram: bins={bins!r} counts bins by the values of Variables; pass what it "
            f"gives of the plain ones, bins=np.histogram_bin_edges(tg.value(v), {bins!r})"
        )
    if ndim_of(bins):
        if ndim_of(bins) != 1 or np.any(bins[1:] < bins[:-1]):
            raise ValueError("np.histogram: bins= must be a number, or edges that increase")
        return bins
    n = operator.index(plain(bins))
    if n < 1:
        raise ValueError(f"np.histogram: bins={n} must be positive")
    if range is not None:
        low, high = (lift(x) for x in range)
    elif not shape_of(a)[0]:
        low, high = 0.0, 1.0
    else:
        low, high = np.min(a), np.max(a)
    if not (np.isfinite(low) and np.isfinite(high)) or low > high:
        raise ValueError(
            f"np.histogram: the range from {plain(low)} to {plain(high)} is not finite, or falls"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    if not isinstance(low, Variable) and not isinstance(high, Variable):
        return np.linspace(low, high, n + 1, dtype=_edge_dtype(a, low, high))
    steps = np.arange(n, dtype=_edge_dtype(a, low, high)) * ((high - low) / n)
    return np.append(steps + low, high)


def _edge_dtype(*arrays: Any) -> Any:
    dtype = np.result_type(*map(stand_in, arrays))
    return dtype if dtype.kind == "f" else np.dtype(float)


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    edges = histogram_bin_edges(a, bins, range)
    a, weights = lift(a), None if weights is None else lift(weights)
    if weights is not None and free_shape(weights) != free_shape(a):
        raise ValueError(
            f"np.histogram: weights= of shape {shape_of(weights)} for an array of shape "
            f"{shape_of(a)}; give one for each element"
        )
    a = reshape(a, (-1,))
    if isinstance(weights, Variable):
        weights = reshape(weights, (-1,))
        last = shape_of(edges)[0] - 1
        x, e = plain(a), plain(edges)
        places = np.where(x == e[-1], last - 1, np.searchsorted(e, x, side="right") - 1)
        inside = np.flatnonzero((x >= e[0]) & (x <= e[-1]))
        n: Any = cast(bincount(places[inside], weights[inside], last), weights.dtype)
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
