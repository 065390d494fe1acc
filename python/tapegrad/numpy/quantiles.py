"""Quantiles and percentiles, and the median of what is not NaN.

A quantile lies at a place q among the n sorted numbers, as 2.25: between the third and the fourth
of them. How n and q give the place is all in which the methods differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._core import to_array
from tapegrad.numpy.families import table
from tapegrad.numpy.operands import (
    NO_VALUE,
    cast,
    finish,
    flag,
    floating_dtype,
    free_shape,
    lift,
    ndim_of,
    shape_of,
)
from tapegrad.numpy.order import merged, nan_where_any, sort
from tapegrad.numpy.reductions import weights_along
from tapegrad.numpy.selection import take_along_axis
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.table import implements
from tapegrad.transforms.trace import stop_gradient

Place = Callable[[Any, Any], Any]


def _plotting(alpha: float, beta: float) -> Place:
    """The family of Hyndman and Fan (Sample quantiles in statistical packages, 1996)."""
    return lambda n, q: n * q + (alpha + q * (1 - alpha - beta)) - 1


# Which of two that are equally close NumPy takes: before 2.1 the other one.
_PARITY = int(tuple(map(int, np.__version__.split(".")[:2])) >= (2, 1))


def _closest(n: Any, q: Any) -> Any:
    place = n * q - 1 - 0.5
    low = np.floor(place)
    return np.where((place == low) & (low % 2 == _PARITY), low, low + 1)


# Methods that take one of the numbers: the places are whole.
_WHOLE: dict[str, Place] = {
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "nearest": lambda n, q: np.rint((n - 1) * q),
    "inverted_cdf": lambda n, q: np.ceil(n * q - 1),
    "closest_observation": _closest,
}
# Methods that go along the line between two neighbours.
_BETWEEN: dict[str, Place] = {
    "linear": lambda n, q: (n - 1) * q,
    "midpoint": lambda n, q: 0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q)),
    "averaged_inverted_cdf": lambda n, q: n * q - 1,
    "interpolated_inverted_cdf": _plotting(0, 1),
    "hazen": _plotting(0.5, 0.5),
    "weibull": _plotting(0, 0),
    "median_unbiased": _plotting(1 / 3.0, 1 / 3.0),
    "normal_unbiased": _plotting(3 / 8.0, 3 / 8.0),
}


def _below(n: int, place: Any) -> Any:
    """The greatest position among `n` that is not above a place; recorded where that is."""
    return np.searchsorted(np.arange(1.0, n), place, side="right")


def _quantile(
    name: str, a: Any, q: Any, axis: Any, out: Any, method: Any, keepdims: Any, weights: Any
) -> Any:
    skips = name.startswith("np.nan")
    weak = type(q) in (int, float)  # the result has the dtype of the array then
    q = lift(q)
    if name.endswith("percentile"):
        q = q / 100
    if not (0 <= q <= 1 if type(q) is float else np.all((q >= 0) & (q <= 1))):
        high = 100 if name.endswith("percentile") else 1
        raise ValueError(f"{name}: q must be in the range [0, {high}]")
    if method not in _WHOLE and method not in _BETWEEN:
        raise ValueError(f"{name}: method= is one of {', '.join([*_WHOLE, *_BETWEEN])}")
    if weights is not None and method != "inverted_cdf":
        raise ValueError(f"{name}: with weights= give method='inverted_cdf' too")
    flat, rest, kept = merged(a, axis)
    n = shape_of(flat)[-1]
    if 0 in shape_of(flat) and skips:
        return np.nanmean(a, axis, out=out, keepdims=keepdims)
    if not n:
        raise IndexError(
            f"{name}: an array of shape {shape_of(a)} has no quantile along axis {axis}"
        )
    form = free_shape(q)
    q = reshape(q, (-1,))
    if weights is not None:
        weights = merged(_spread_weights(name, weights, a, axis), axis)[0]
        found = _weighted(name, flat, q, weights, skips)
    else:
        found = _at_places(flat, q, method, skips, weak)
    found = reshape(np.moveaxis(found, -1, 0).copy(), (*form, *(kept if flag(keepdims) else rest)))
    found = finish(name, found, out, spreads=True)
    return found if weights is None else to_array(found)  # of which NumPy makes no number


def _at_places(flat: Any, q: Any, method: str, skips: bool, weak: bool) -> Any:
    """For each vector of `flat` its quantiles, along a last axis."""
    ordered = sort(flat)
    size = shape_of(flat)[-1]
    n: Any = size
    if floating_dtype(q).kind in "iu":
        method = "lower" if method == "linear" else method
        q = q * 1.0
    if skips:
        n = _count(flat, floating_dtype(q))
    if method in _WHOLE:
        found = _take(ordered, _below(size, np.minimum(_WHOLE[method](n, q), n - 1)))
        return found if skips else nan_where_any(ordered, found)
    place = _BETWEEN[method](n, q)
    low = _below(size, np.minimum(place, n - 1))
    high = _below(size, np.minimum(place, n - 2) + 1)
    part = place - low
    if method == "averaged_inverted_cdf":
        part = np.where(part == 0, 0.5, 1.0)
    # From the nearer of the two, as NumPy does.
    far = part >= 0.5
    by_array = weak and floating_dtype(flat).kind == "f"
    share = cast(np.where(far, part - 1, part), floating_dtype(flat if by_array else q))
    step = _take(ordered, high) - _take(ordered, low)
    found = _take(ordered, np.where(far, high, low)) + step * share
    return found if skips else nan_where_any(ordered, found)


def _count(flat: Any, dtype: Any) -> Any:
    """How many numbers are in each vector, as floats of a dtype, along a last axis."""
    one = dtype.type(1)
    return np.sum(np.where(np.isnan(flat), 0 * one, one), axis=-1, keepdims=True)


def _take(ordered: Any, places: Any) -> Any:
    """Of each vector the elements at places, which are its own or those of all vectors."""
    if ndim_of(places) != ndim_of(ordered):
        places = np.broadcast_to(places, (*free_shape(ordered)[:-1], *free_shape(places)))
    return take_along_axis(ordered, places, -1)


def _spread_weights(name: str, weights: Any, a: Any, axis: Any) -> Any:
    # What is taken does not change with them.
    weights, a = stop_gradient(cast(lift(weights), float)), lift(a)
    if np.any(weights < 0):
        raise ValueError(f"{name}: weights= must not be negative")
    if free_shape(weights) != free_shape(a):
        weights = np.broadcast_to(weights_along(name, weights, shape_of(a), axis), shape_of(a))
    return weights


def _weighted(name: str, flat: Any, q: Any, weights: Any, skips: bool) -> Any:
    """The first number up to which the weights, of 1 in total, come to q."""
    order = table[np.argsort](flat, -1, "stable")
    ordered = take_along_axis(flat, order, -1)
    if skips:
        weights = np.where(np.isnan(flat), 0.0, weights)
    sums = np.cumsum(take_along_axis(weights, order, -1), axis=-1, dtype=float)
    total = sums[..., -1:]
    if not np.all(np.isfinite(total) & (total > 0) | (np.isnan(ordered[..., :1]) & skips)):
        raise ValueError(f"{name}: weights= hold NaN or infinity, or are all zero")
    sums = sums / total
    if floating_dtype(q).kind == "f":
        sums = cast(sums, floating_dtype(q))
    sums = np.where(sums == 0, -1.0, sums)
    before = np.sum(np.where(sums[..., None, :] < q[:, None], 1.0, 0.0), axis=-1)
    last = _count(flat, np.dtype(float)) - 1 if skips else shape_of(flat)[-1] - 1
    found = _take(ordered, _below(shape_of(flat)[-1], np.minimum(before, last)))
    return found if skips else nan_where_any(ordered, found)


@implements(np.quantile, values=2)
def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    method: Any = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    return _quantile("np.quantile", a, q, axis, out, method, keepdims, weights)


@implements(np.percentile, values=2)
def percentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    method: Any = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    return _quantile("np.percentile", a, q, axis, out, method, keepdims, weights)


@implements(np.nanquantile, values=2)
def nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    method: Any = "linear", keepdims: Any = NO_VALUE, *, weights: Any = None,
) -> Any:  # fmt: skip
    return _quantile("np.nanquantile", a, q, axis, out, method, keepdims, weights)


@implements(np.nanpercentile, values=2)
def nanpercentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    method: Any = "linear", keepdims: Any = NO_VALUE, *, weights: Any = None,
) -> Any:  # fmt: skip
    return _quantile("np.nanpercentile", a, q, axis, out, method, keepdims, weights)


@implements(np.nanmedian, values=1)
def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False,
    keepdims: Any = NO_VALUE,
) -> Any:  # fmt: skip
    flat, rest, kept = merged(a, axis)
    if 0 in shape_of(flat):
        return np.nanmean(a, axis, out=out, keepdims=keepdims)
    ordered = sort(flat)
    n, size = _count(flat, np.dtype(float)), shape_of(flat)[-1]
    low, high = _below(size, (n - 1) / 2), _below(size, n / 2)
    found = 0.5 * (_take(ordered, low) + _take(ordered, high))
    return finish("np.nanmedian", reshape(found, kept if flag(keepdims) else rest), out)
