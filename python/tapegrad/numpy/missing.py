"""Reductions that leave NaN out."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.numpy.operands import (
    NO_VALUE,
    cast,
    finish,
    flag,
    given,
    lift,
    number,
    where_mask,
)
from tapegrad.numpy.reductions import cumprod, cumsum, prod, sum, variance
from tapegrad.numpy.reductions import max as largest
from tapegrad.numpy.reductions import mean as mean_of
from tapegrad.numpy.reductions import min as smallest
from tapegrad.numpy.table import implements


def _filled(a: Any, fill: float) -> Any:
    a = lift(a)
    return np.where(np.isnan(a), fill, a)


@implements(np.nansum, values=1)
def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return sum(_filled(a, 0.0), axis, dtype, out, keepdims, initial, where)


@implements(np.nanprod, values=1)
def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return prod(_filled(a, 1.0), axis, dtype, out, keepdims, initial, where)


@implements(np.nancumsum, values=1)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return cumsum(_filled(a, 0.0), axis, dtype, out)


@implements(np.nancumprod, values=1)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return cumprod(_filled(a, 1.0), axis, dtype, out)


def _numbers(a: Any, where: Any) -> Any:
    """A mask of what takes part."""
    mask = np.logical_not(np.isnan(a))
    return mask if where is NO_VALUE else mask & where_mask(where)


def _extreme(
    name: str, a: Any, axis: Any, out: Any, keepdims: Any, initial: Any, where: Any
) -> Any:
    a = lift(a)
    if where is not NO_VALUE and where is not True and not given(initial):
        raise ValueError(f"np.{name}: where= needs initial=, the value where nothing is chosen")
    reduce, least = (largest, -np.inf) if name == "nanmax" else (smallest, np.inf)
    found = reduce(_filled(a, least), axis, None, keepdims, initial, where)
    if not given(initial):
        some = np.any(_numbers(a, where), axis=axis, keepdims=flag(keepdims))
        found = np.where(some, found, np.nan)
    return finish(f"np.{name}", found, out)


@implements(np.nanmax, values=1)
def nanmax(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return _extreme("nanmax", a, axis, out, keepdims, initial, where)


@implements(np.nanmin, values=1)
def nanmin(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return _extreme("nanmin", a, axis, out, keepdims, initial, where)


@implements(np.nanmean, values=1)
def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    *, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    a = lift(a)
    return mean_of(a, axis, dtype, out, keepdims, where=_numbers(a, where))


def _spread(
    name: str, a: Any, axis: Any, dtype: Any, out: Any, ddof: Any, keepdims: Any, where: Any,
    mean: Any, correction: Any,
) -> Any:  # fmt: skip
    a = cast(lift(a), dtype)
    ddof = number(f"np.nan{name}: ddof", ddof)
    if correction is not NO_VALUE:
        correction = number(f"np.nan{name}: correction", correction)
    mask = _numbers(a, where)
    found = variance(
        name, _filled(a, 0.0), axis, None, None, ddof, keepdims, mask, mean, correction
    )
    count = np.sum(mask, axis=axis, keepdims=flag(keepdims))
    too_few = count - (ddof if correction is NO_VALUE else correction) <= 0
    if isinstance(too_few, Variable) or np.any(too_few):
        found = np.where(too_few, np.nan, found)
    return finish(f"np.nan{name}", found, out)


@implements(np.nanvar, values=1)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE, mean: Any = NO_VALUE,
    correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return _spread("var", a, axis, dtype, out, ddof, keepdims, where, mean, correction)


@implements(np.nanstd, values=1)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE, mean: Any = NO_VALUE,
    correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return _spread("std", a, axis, dtype, out, ddof, keepdims, where, mean, correction)
