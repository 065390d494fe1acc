"""Covariances, and sums by bins."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.numpy.operands import (
    cast,
    free_shape,
    lift,
    ndim_of,
    plain,
    shape_of,
)
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import stop_gradient


def _observations(name: str, x: Any, dtype: Any, rowvar: bool, is_vector_kept: bool) -> Any:
    """Two axes: the variables, and what was observed of them."""
    if ndim_of(x) > 2:
        raise ValueError(f"{name}: an array of shape {shape_of(x)} has more than two axes")
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
        ddof = 1 if bias == 0 else 0
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
    if isinstance(x, Variable) and x.ndim == 1 and x.dtype.kind == "i" and shape_of(x)[0]:
        found = _sums_of_recorded_bins(x, lift(weights), operator.index(minlength))
        if found is not None:
            return found
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
    np.add.at(sums, x, cast(weights, float))
    return sums


def _sums_of_recorded_bins(bins: Variable, weights: Any, minlength: int) -> Any:
    """How many bins there are is learned, not which; None where NumPy has to complain."""
    if shape_of(weights) != shape_of(bins) or int(np.minimum(np.min(bins), 0)) < 0:
        return None
    sums = Variable(np.zeros(int(np.maximum(np.max(bins) + 1, minlength))))
    np.add.at(sums, bins, cast(weights, float))
    return sums
