"""Functions of elements, comparisons, sums and products of `theano.tensor`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.theano.variables import TensorVariable, apply
from tapegrad.graph import casts
from tapegrad.graph.rewrites import logsumexp as _logsumexp


def _unary(function: Callable[..., Any], cuts: bool = False) -> Any:
    def of(x: Any) -> Any:
        return apply(function, _listed(x), cuts=cuts)

    return of


def _binary(function: Callable[..., Any], cuts: bool = False) -> Any:
    def of(x: Any, y: Any) -> Any:
        return apply(function, _listed(x), _listed(y), cuts=cuts)

    return of


def _listed(x: Any) -> Any:
    from tapegrad.compat.theano.variables import as_tensor_variable

    return as_tensor_variable(x) if isinstance(x, list | tuple) else x


exp, exp2, expm1 = _unary(np.exp), _unary(np.exp2), _unary(np.expm1)
log, log2, log10, log1p = _unary(np.log), _unary(np.log2), _unary(np.log10), _unary(np.log1p)
sqrt, sqr, inv, neg = (_unary(f) for f in (np.sqrt, np.square, np.reciprocal, operator.neg))
sin, cos, tan = (_unary(f) for f in (np.sin, np.cos, np.tan))
arcsin, arccos, arctan = (_unary(f) for f in (np.arcsin, np.arccos, np.arctan))
sinh, cosh, tanh = (_unary(f) for f in (np.sinh, np.cosh, np.tanh))
arcsinh, arccosh, arctanh = (_unary(f) for f in (np.arcsinh, np.arccosh, np.arctanh))
abs_, sgn = _unary(np.abs), _unary(np.sign)
floor, ceil, round = (_unary(f) for f in (np.floor, np.ceil, np.rint))
iround, trunc = _unary(np.rint), _unary(np.trunc)
deg2rad, rad2deg = _unary(np.deg2rad), _unary(np.rad2deg)
isnan, isinf = _unary(np.isnan, True), _unary(np.isinf, True)
invert = _unary(np.invert, True)
add_, sub, mul_ = _binary(operator.add), _binary(operator.sub), _binary(operator.mul)
true_div, int_div = _binary(operator.truediv), _binary(operator.floordiv)
mod, pow = _binary(operator.mod), _binary(operator.pow)
maximum, minimum, arctan2 = _binary(np.maximum), _binary(np.minimum), _binary(np.arctan2)
lt, le = _binary(operator.lt, True), _binary(operator.le, True)
gt, ge = _binary(operator.gt, True), _binary(operator.ge, True)
eq, neq = _binary(np.equal, True), _binary(np.not_equal, True)
and_, or_ = _binary(operator.and_, True), _binary(operator.or_, True)
xor = _binary(operator.xor, True)
dot, outer = _binary(np.dot), _binary(np.outer)


def add(*terms: Any) -> Any:
    """The sum of all terms."""
    total = terms[0]
    for term in terms[1:]:
        total = add_(total, term)
    return total


def mul(*factors: Any) -> Any:
    """The product of all factors."""
    total = factors[0]
    for factor in factors[1:]:
        total = mul_(total, factor)
    return total


def switch(cond: Any, ift: Any, iff: Any) -> Any:
    """Elements of `ift` where the condition is true, of `iff` elsewhere."""
    return apply(np.where, cond, _listed(ift), _listed(iff), label="Switch")


where = switch


def clip(x: Any, min: Any, max: Any) -> Any:
    """What is beyond a bound becomes the bound."""
    return apply(np.clip, x, min, max)


def cast(x: Any, dtype: Any) -> Any:
    """The expression with another dtype; towards integers it is cut off."""
    from tapegrad.compat.theano.variables import config

    kind = np.dtype(config.floatX if dtype == "floatX" else dtype)
    return apply(casts.cast, x, kind.name, cuts=kind.kind != "f", label="Cast")


# Reductions.


def _axis(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list | tuple) else axis


def _sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


_FOLDS: dict[str, Callable[..., Any]] = {
    "Prod": lambda x, a, k: np.prod(x, axis=a, keepdims=k),
    "Mean": lambda x, a, k: np.mean(x, axis=a, keepdims=k),
    "Max": lambda x, a, k: np.max(x, axis=a, keepdims=k),
    "Min": lambda x, a, k: np.min(x, axis=a, keepdims=k),
    "Var": lambda x, a, k: np.var(x, axis=a, keepdims=k),
    "Std": lambda x, a, k: np.std(x, axis=a, keepdims=k),
    "All": lambda x, a, k: np.all(x, axis=a, keepdims=k),
    "Any": lambda x, a, k: np.any(x, axis=a, keepdims=k),
    "LogSumExp": _logsumexp,
}


def _fold(x: Any, kind: str, axis: Any, keepdims: bool) -> Any:
    return _FOLDS[kind](x, axis, keepdims)


def sum(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, **_: Any) -> Any:
    """The sum over axes, all of them by default."""
    return apply(_sum, _listed(x), _axis(axis), keepdims, label="Sum")


def _reduction(kind: str, cuts: bool = False) -> Any:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        return apply(_fold, _listed(x), kind, _axis(axis), keepdims, label=kind, cuts=cuts)

    reduce.__doc__ = f"{kind} over axes, all of them by default."
    return reduce


prod, mean, max, min = map(_reduction, ("Prod", "Mean", "Max", "Min"))
var, std, logsumexp = map(_reduction, ("Var", "Std", "LogSumExp"))
all, any = _reduction("All", True), _reduction("Any", True)


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The position of the largest element."""
    return apply(np.argmax, x, axis, keepdims=keepdims, cuts=True)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The position of the smallest element."""
    return apply(np.argmin, x, axis, keepdims=keepdims, cuts=True)


def max_and_argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element, and where it is."""
    return max(x, axis, keepdims), argmax(x, axis, keepdims)


def cumsum(x: Any, axis: Any = None) -> Any:
    """Sums of all elements up to each."""
    return apply(np.cumsum, x, axis)


def cumprod(x: Any, axis: Any = None) -> Any:
    """Products of all elements up to each."""
    return apply(np.cumprod, x, axis)


def norm(x: Any, ord: Any, axis: Any = None) -> Any:
    """The norm."""
    return apply(np.linalg.norm, x, ord, axis)


def _methods() -> None:
    names = {
        "sum": sum, "prod": prod, "mean": mean, "max": max, "min": min, "var": var, "std": std,
        "argmax": argmax, "argmin": argmin, "all": all, "any": any, "clip": clip, "dot": dot,
        "cumsum": cumsum, "cumprod": cumprod, "norm": norm, "astype": cast, "round": round,
    }  # fmt: skip
    for name, function in names.items():
        setattr(TensorVariable, name, function)


_methods()
