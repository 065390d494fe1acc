"""Sums, products, extremes and moments over axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply
from tapegrad.numpy.operands import (
    NO_VALUE,
    axis_of,
    cast,
    finish,
    flag,
    floating_dtype,
    free_shape,
    given,
    holds_for_these_lengths,
    lift,
    ndim_of,
    plain,
    shape_of,
    where_mask,
)
from tapegrad.numpy.table import implements, op

# Masks and integers are recorded where nothing but the axis is said.
_AXIS_ALONE = ("axis", "keepdims")
_REDUCTION = {"a": "operand", "axis": "axis", "keepdims": "flag"}
_SPREAD = {**_REDUCTION, "ddof": "integer"}
_ALONG = {"a": "operand", "axis": "axis"}


def _counted(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements a reduction over `axis` joins."""
    return int(np.prod([shape[i] for i in _axes(axis, len(shape))], dtype=np.int64))


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    axes = np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    return tuple(axes)


def _masked(a: Any, where: Any, neutral: Any) -> Any:
    """`a` with `neutral` in place of what a reduction leaves out."""
    if where is NO_VALUE or where is True:
        return a
    mask = where_mask(where)
    if ndim_of(mask):  # it says which elements count, and may not make more of them
        chosen, of = free_shape(mask), free_shape(a)
        if len(chosen) > len(of) or any(
            n not in (1, m) for n, m in zip(chosen[::-1], of[::-1], strict=False)
        ):
            raise ValueError(
                f"where= of shape {tuple(chosen)} doesn't broadcast to the array of shape "
                f"{tuple(of)} whose elements it chooses"
            )
        if not isinstance(mask, Variable):
            holds_for_these_lengths(a)
    return np.where(mask, a, neutral)


def _first(initial: Any, a: Any) -> Any:
    """The value that a reduction of `a` begins with: it has the dtype of `a`."""
    initial = lift(initial)
    if ndim_of(initial):
        raise ValueError(
            f"initial= of a reduction is one number, and has shape {shape_of(initial)}; add it to "
            "the result, or join it to the array"
        )
    return cast(initial, floating_dtype(a))


def _chosen(where: Any, a: Any, axis: Any, keepdims: Any) -> tuple[Any, Any]:
    """A mask of the shape of `a`, and how many elements each result of a reduction joins."""
    mask: Any = np.broadcast_to(where_mask(where), free_shape(a))
    dtype = floating_dtype(a)
    if isinstance(mask, Variable):
        ones = apply("where", (mask, dtype.type(1), dtype.type(0)))
        return mask, apply("sum", (ones,), (axis, flag(keepdims)))
    holds_for_these_lengths(a)
    return mask, np.sum(mask, axis=axis, keepdims=flag(keepdims), dtype=dtype)


@implements(np.sum, values=1, method="sum", on_data=_AXIS_ALONE, in_core=op("sum", **_REDUCTION))
def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    if type(a) is Variable and dtype is None and out is None and initial is where is NO_VALUE:
        return apply("sum", (a,), (axis, flag(keepdims)))
    a = _masked(cast(lift(a), dtype), where, 0.0)
    total = apply("sum", (a,), (axis, flag(keepdims)))
    return finish("np.sum", total + _first(initial, total) if given(initial) else total, out)


@implements(np.prod, values=1, method="prod", in_core=op("prod", **_REDUCTION))
def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    a = _masked(cast(lift(a), dtype), where, 1.0)
    product = apply("prod", (a,), (axis, flag(keepdims)))
    if given(initial):
        product = product * _first(initial, product)
    return finish("np.prod", product, out)


def _extreme(
    name: str, a: Any, axis: Any, out: Any, keepdims: Any, initial: Any, where: Any
) -> Any:
    a = lift(a)
    if given(initial):
        initial = _first(initial, a)
    if where is not NO_VALUE and where is not True:
        if not given(initial):
            raise ValueError(f"np.{name}: where= needs initial=, the value where nothing is chosen")
        a = _masked(a, where, initial)
    if given(initial) and _counted(shape_of(a), axis) == 0:
        shape = np.shape(np.sum(plain(a), axis=axis, keepdims=flag(keepdims)))
        found = np.copy(np.broadcast_to(initial, shape)) if shape else np.positive(initial)
        return finish(f"np.{name}", found, out)
    found = apply(name, (a,), (axis, flag(keepdims)))
    if given(initial):
        found = (np.maximum if name == "max" else np.minimum)(found, initial)
    return finish(f"np.{name}", found, out)


@implements(
    np.max, np.amax, values=1, method="max", on_data=_AXIS_ALONE, in_core=op("max", **_REDUCTION)
)
def max(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return _extreme("max", a, axis, out, keepdims, initial, where)


@implements(
    np.min, np.amin, values=1, method="min", on_data=_AXIS_ALONE, in_core=op("min", **_REDUCTION)
)
def min(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    initial: Any = NO_VALUE, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return _extreme("min", a, axis, out, keepdims, initial, where)


@implements(np.ptp, values=1)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE) -> Any:
    a, attrs = lift(a), (axis, flag(keepdims))
    return finish("np.ptp", apply("max", (a,), attrs) - apply("min", (a,), attrs), out)


@implements(np.mean, values=1, method="mean", on_data=_AXIS_ALONE, in_core=op("mean", **_REDUCTION))
def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = NO_VALUE,
    *, where: Any = NO_VALUE,
) -> Any:  # fmt: skip
    a = cast(lift(a), dtype)
    if where is NO_VALUE or where is True:
        return finish("np.mean", apply("mean", (a,), (axis, flag(keepdims))), out)
    mask, count = _chosen(where, a, axis, keepdims)
    return finish("np.mean", sum(a, axis, None, None, keepdims, where=mask) / count, out)


def variance(
    name: str, a: Any, axis: Any, dtype: Any, out: Any, ddof: Any, keepdims: Any,
    where: Any, mean_: Any, correction: Any,
) -> Any:  # fmt: skip
    a = cast(lift(a), dtype)
    if correction is not NO_VALUE:
        if ddof != 0:
            raise ValueError(f"np.{name}: ddof= and correction= mean the same; pass one of them")
        ddof = correction
    if mean_ is None:
        mean_ = NO_VALUE
    if mean_ is NO_VALUE and (where is NO_VALUE or where is True):
        found = apply(name, (a,), (axis, flag(keepdims), ddof))
        return finish(f"np.{name}", found, out)
    mask, count = _chosen(True if where is NO_VALUE else where, a, axis, keepdims)
    centre = mean(a, axis, keepdims=True, where=mask) if mean_ is NO_VALUE else mean_
    squares = sum(np.square(a - centre), axis, None, None, keepdims, where=mask)
    found = squares / np.maximum(count - ddof, 0)
    if name == "std":  # whose derivative is 0 where nothing differs
        same = found == 0
        found = np.where(same, 0.0, np.sqrt(np.where(same, 1.0, found)))
    return finish(f"np.{name}", found, out)


@implements(np.var, values=1, method="var", in_core=op("var", **_SPREAD))
def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE, mean: Any = NO_VALUE,
    correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return variance("var", a, axis, dtype, out, ddof, keepdims, where, mean, correction)


@implements(np.std, values=1, method="std", in_core=op("std", **_SPREAD))
def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
    keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE, mean: Any = NO_VALUE,
    correction: Any = NO_VALUE,
) -> Any:  # fmt: skip
    return variance("std", a, axis, dtype, out, ddof, keepdims, where, mean, correction)


@implements(np.cumsum, values=1, method="cumsum", in_core=op("cumsum", **_ALONG))
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return finish("np.cumsum", apply("cumsum", (cast(lift(a), dtype),), (axis,)), out)


@implements(np.cumprod, values=1, method="cumprod", in_core=op("cumprod", **_ALONG))
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return finish("np.cumprod", apply("cumprod", (cast(lift(a), dtype),), (axis,)), out)


def _cumulative(
    name: str, x: Any, axis: Any, dtype: Any, out: Any, include_initial: Any, initial: float
) -> Any:
    x = cast(lift(x), dtype)
    if axis is None:
        x = np.reshape(x, (-1,)) if not ndim_of(x) else x
        if ndim_of(x) != 1:
            raise ValueError(
                f"np.{name}: axis= must be given for an array of shape {shape_of(x)}, or write "
                f"np.{name}(v.ravel())"
            )
        axis = 0
    if isinstance(axis, tuple):
        if len(axis) != 1:
            raise ValueError(
                f"np.{name}: accumulate does not allow multiple axes, got axis={axis}; write one "
                f"after the other, np.{name}(np.{name}(v, axis=0), axis=1)"
            )
        (axis,) = axis
    found = apply("cumsum" if initial == 0 else "cumprod", (x,), (axis,))
    if include_initial:
        edge = list(shape_of(x))
        edge[axis] = 1
        found = np.concatenate([np.full(edge, initial, found.dtype), found], axis)
    return finish(f"np.{name}", found, out)


def cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: Any = False
) -> Any:
    return _cumulative("cumulative_sum", x, axis, dtype, out, include_initial, 0.0)


def cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: Any = False
) -> Any:
    return _cumulative("cumulative_prod", x, axis, dtype, out, include_initial, 1.0)


if hasattr(np, "cumulative_sum"):  # from NumPy 2.1 on
    implements(np.cumulative_sum, values=1)(cumulative_sum)
    implements(np.cumulative_prod, values=1)(cumulative_prod)


@implements(np.average, values=1)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: Any = False, *,
    keepdims: Any = NO_VALUE,
) -> Any:  # fmt: skip
    a = lift(a)
    if weights is None:
        found = apply("mean", (a,), (axis, flag(keepdims)))
        if 0 in free_shape(found):
            raise ZeroDivisionError(f"np.average: no numbers, in an array of shape {shape_of(a)}")
        scale: Any = _counted(shape_of(a), axis) * 1.0 if returned else None
    else:
        weights = lift(weights)
        if free_shape(weights) != free_shape(a):
            weights = weights_along("np.average", weights, shape_of(a), axis)
        scale = np.sum(weights, axis=axis, keepdims=flag(keepdims))
        if np.any(scale == 0):
            raise ZeroDivisionError("np.average: the weights sum to zero, so there is no average")
        found = np.sum(a * weights, axis=axis, keepdims=flag(keepdims)) / scale
    if returned:
        return found, np.copy(np.broadcast_to(cast(scale, found.dtype), shape_of(found)))
    return found


def weights_along(name: str, weights: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """Weights of the elements along `axis`, with axes of length 1 for the others."""
    own = shape_of(weights)
    if axis is None:
        raise TypeError(f"{name}: weights of shape {own} for an array of shape {shape} need axis=")
    axes = _axes(axis, len(shape))
    if own != tuple(shape[i] for i in axes):
        raise ValueError(f"{name}: weights of shape {own} do not fit shape {shape} on axis {axis}")
    order = np.argsort(axes)
    spread = [shape[i] if i in axes else 1 for i in range(len(shape))]
    return np.reshape(np.transpose(weights, tuple(int(i) for i in order)), tuple(spread))


@implements(np.trapezoid, values=2)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    y = lift(y)
    axis = axis_of("np.trapezoid", axis, ndim_of(y))
    if x is None and dx is None:
        raise TypeError("np.trapezoid: dx must be one number, not None")
    head: list[Any] = [slice(None)] * ndim_of(y)
    tail = list(head)
    head[axis], tail[axis] = slice(None, -1), slice(1, None)
    step = dx
    if x is not None:
        x = lift(x)
        step = np.diff(x, axis=axis if ndim_of(x) > 1 else -1)
        if ndim_of(x) == 1:
            spread = [1] * len(head)
            spread[axis] = free_shape(step)[0]
            step = np.reshape(step, tuple(spread))
    return np.sum(step * (y[tuple(head)] + y[tuple(tail)]) / 2.0, axis=axis)


# The folds of universal functions that are functions of their own, along axis 0 unless told.
REDUCTIONS: dict[str, Any] = {
    "add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min
}  # fmt: skip
ACCUMULATIONS: dict[str, Any] = {"add": np.cumsum, "multiply": np.cumprod}
for _method, _folds in (("reduce", REDUCTIONS), ("accumulate", ACCUMULATIONS)):
    for _name, _function in _folds.items():
        _core.set_fold(getattr(np, _name), _method, _function)
