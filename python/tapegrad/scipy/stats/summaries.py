"""Means, moments and other numbers that sum up a sample, written with NumPy functions."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import scipy.special
import scipy.stats

from tapegrad.scipy.arrays import floats, normal_axis, shape_of
from tapegrad.scipy.functions import derives, with_parameters_of

_NO_NAN = {"nan_policy": "leave out what is NaN before, a[~np.isnan(a)]"}
_NO_DTYPE = {**_NO_NAN, "dtype": "write a.astype(dtype)"}
# Whether this SciPy gives several moments in double precision always: from 1.18 on.
_DOUBLE = scipy.stats.moment(np.arange(3, dtype=np.float32), [2, 3]).dtype == np.float64
# By which quartiles and deviations of a normal distribution are divided for its scale.
_NORMAL = {"iqr": 1.3489795003921634, "deviation": 0.6744897501960817}


def _register(
    name: str, refused: dict[str, str] = _NO_NAN
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    function = getattr(scipy.stats, name)

    def decorate(implementation: Callable[..., Any]) -> Callable[..., Any]:
        adapted = with_parameters_of(function, implementation)
        there = signature(function).parameters  # which differ by version
        remedies = {key: remedy for key, remedy in refused.items() if key in there}
        return derives(function, name=f"scipy.stats.{name}", refused=remedies)(adapted)

    return decorate


def _count(a: Any, axis: Any) -> int:
    shape = shape_of(a)
    if axis is None:
        return int(np.prod(shape))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([shape[normal_axis(k, len(shape))] for k in axes]))


def _mean(a: Any, axis: Any, weights: Any, keepdims: Any) -> Any:
    if weights is None:
        return np.mean(a, axis, keepdims=keepdims)
    weights = np.broadcast_to(floats(weights), shape_of(a))
    total = np.sum(weights, axis, keepdims=keepdims)
    return np.sum(a * weights, axis, keepdims=keepdims) / total


@_register("gmean", _NO_DTYPE)
def gmean(a: Any, axis: Any, weights: Any, keepdims: Any) -> Any:
    return np.exp(_mean(np.log(floats(a)), axis, weights, keepdims))


@_register("hmean", _NO_DTYPE)
def hmean(a: Any, axis: Any, weights: Any, keepdims: Any) -> Any:
    return _power_mean(floats(a), -1.0, axis, weights, keepdims)


@_register("pmean", _NO_DTYPE)
def pmean(a: Any, p: Any, axis: Any, weights: Any, keepdims: Any) -> Any:
    if not isinstance(p, (int, float)):
        raise ValueError("Power mean only implemented for finite `p`")
    if p == 0:
        return np.exp(_mean(np.log(floats(a)), axis, weights, keepdims))
    return _power_mean(floats(a), float(p), axis, weights, keepdims)


def _power_mean(a: Any, p: float, axis: Any, weights: Any, keepdims: Any) -> Any:
    found = _mean(a**p, axis, weights, keepdims) ** (1.0 / p)
    negative = np.any(a < 0, axis=axis, keepdims=bool(keepdims))
    return np.where(negative, np.nan, found).astype(a.dtype)


@_register("zmap")
def zmap(scores: Any, compare: Any, axis: Any, ddof: Any) -> Any:
    scores, compare = floats(scores), floats(compare)
    middle = np.mean(compare, axis, keepdims=True)
    return (scores - middle) / np.std(compare, axis, ddof=ddof, keepdims=True)


@_register("zscore")
def zscore(a: Any, axis: Any, ddof: Any) -> Any:
    a = floats(a)
    return (a - np.mean(a, axis, keepdims=True)) / np.std(a, axis, ddof=ddof, keepdims=True)


@_register("gzscore")
def gzscore(a: Any, axis: Any, ddof: Any) -> Any:
    logs = np.log(floats(a))
    middle = np.mean(logs, axis, keepdims=True)
    return (logs - middle) / np.std(logs, axis, ddof=ddof, keepdims=True)


@_register("gstd")
def gstd(a: Any, axis: Any, ddof: Any, keepdims: Any = False) -> Any:
    return np.exp(np.std(np.log(floats(a)), axis, ddof=ddof, keepdims=keepdims))


def _moment(a: Any, order: int, axis: Any, keepdims: Any, center: Any = None) -> Any:
    if order == 1 and center is None:
        return np.mean(a, axis, keepdims=keepdims) * 0.0
    middle = np.mean(a, axis, keepdims=True) if center is None else center
    return np.mean((a - middle) ** order, axis, keepdims=keepdims)


@_register("moment")
def moment(a: Any, order: Any, axis: Any, center: Any, keepdims: Any) -> Any:
    a, center = floats(a), None if center is None else floats(center)
    if np.ndim(order):
        found = np.stack([_moment(a, int(k), axis, keepdims, center) for k in order])
        return found.astype(np.float64) if _DOUBLE else found
    if order != int(order):
        raise ValueError("All elements of `order` must be integral.")
    return _moment(a, int(order), axis, keepdims, center)


@_register("skew")
def skew(a: Any, axis: Any, bias: Any, keepdims: Any) -> Any:
    a = floats(a)
    n = _count(a, axis)
    found = _moment(a, 3, axis, keepdims) / _moment(a, 2, axis, keepdims) ** 1.5
    return found if bias or n < 3 else found * (((n - 1.0) * n) ** 0.5 / (n - 2.0))


@_register("kurtosis")
def kurtosis(a: Any, axis: Any, fisher: Any, bias: Any, keepdims: Any) -> Any:
    a = floats(a)
    n = _count(a, axis)
    found = _moment(a, 4, axis, keepdims) / _moment(a, 2, axis, keepdims) ** 2
    if not bias and n > 3:
        rest = ((n * n - 1.0) * found - 3.0 * (n - 1.0) ** 2) / ((n - 2.0) * (n - 3.0))
        found = rest + 3.0
    return found - 3.0 if fisher else found


@_register("entropy")
def entropy(pk: Any, qk: Any, base: Any, axis: Any, keepdims: Any) -> Any:
    if base is not None and base <= 0:
        raise ValueError("`base` must be a positive number or `None`.")
    pk = floats(pk)
    if qk is not None:  # SciPy makes their shapes equal before they are made to add up to one
        pk, qk = np.broadcast_arrays(pk, floats(qk))
    pk = pk / np.sum(pk, axis, keepdims=True)
    if qk is None:
        parts = scipy.special.entr(pk)
    else:
        parts = scipy.special.rel_entr(pk, qk / np.sum(qk, axis, keepdims=True))
    found = np.sum(parts, axis, keepdims=keepdims)
    return found if base is None else found / float(np.log(base))


@_register("variation")
def variation(a: Any, axis: Any, ddof: Any, keepdims: Any) -> Any:
    a = floats(a)
    return np.std(a, axis, ddof=ddof, keepdims=keepdims) / np.mean(a, axis, keepdims=keepdims)


@_register("sem")
def sem(a: Any, axis: Any, ddof: Any, keepdims: Any) -> Any:
    a = floats(a)
    return np.std(a, axis, ddof=ddof, keepdims=keepdims) / float(np.sqrt(_count(a, axis)))


def _scale(scale: Any, of: str) -> Any:
    if isinstance(scale, str):
        if scale.lower() != "normal":
            raise ValueError(f"{scale} is not a valid scale value.")
        return _NORMAL[of]
    return scale


@_register("iqr")
def iqr(x: Any, axis: Any, rng: Any, scale: Any, interpolation: Any, keepdims: Any) -> Any:
    x = floats(x)
    low, high = np.percentile(
        x, sorted(rng), axis=axis, method=interpolation, keepdims=bool(keepdims)
    )
    return ((high - low) / _scale(scale, "iqr")).astype(x.dtype)


@_register("median_abs_deviation")
def median_abs_deviation(x: Any, axis: Any, center: Any, scale: Any, keepdims: Any = False) -> Any:
    x = floats(x)
    if axis is None:
        middle = np.median(x) if center is None else center(x, axis=None)
    else:
        middle = np.median(x, axis=axis) if center is None else center(x, axis=axis)
        middle = np.expand_dims(middle, axis)
    found = np.median(np.abs(x - middle), axis=axis, keepdims=bool(keepdims))
    return found / _scale(scale, "deviation")
