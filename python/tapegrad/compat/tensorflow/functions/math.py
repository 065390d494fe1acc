"""Arithmetic, elementary functions, comparisons, reductions and matrices."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.tensorflow.dispatch import apply, op
from tapegrad.compat.tensorflow.refusals import refusing


def _unary(function: Any, label: str, cuts: bool = False) -> Any:
    return op(label, cuts=cuts)(function)


def _binary(function: Any, label: str, cuts: bool = False) -> Any:
    return op(label, tensors=2, cuts=cuts)(function)


add = _binary(operator.add, "Add")
subtract = sub = _binary(operator.sub, "Sub")
multiply = mul = _binary(operator.mul, "Mul")
divide = truediv = realdiv = _binary(operator.truediv, "RealDiv")
floordiv = floor_div = _binary(operator.floordiv, "FloorDiv")
mod = floormod = _binary(np.mod, "FloorMod")
pow = _binary(np.power, "Pow")
maximum = _binary(np.maximum, "Maximum")
minimum = _binary(np.minimum, "Minimum")
atan2 = _binary(np.arctan2, "Atan2")
negative = neg = _unary(operator.neg, "Neg")
abs = _unary(np.abs, "Abs")
sign = _unary(np.sign, "Sign")
exp = _unary(np.exp, "Exp")
expm1 = _unary(np.expm1, "Expm1")
log = _unary(np.log, "Log")
log1p = _unary(np.log1p, "Log1p")
sqrt = _unary(np.sqrt, "Sqrt")
square = _unary(np.square, "Square")
sin, cos, tan = (_unary(f, n) for f, n in ((np.sin, "Sin"), (np.cos, "Cos"), (np.tan, "Tan")))
asin, acos, atan = (
    _unary(f, n) for f, n in ((np.arcsin, "Asin"), (np.arccos, "Acos"), (np.arctan, "Atan"))
)
sinh, cosh, tanh = (
    _unary(f, n) for f, n in ((np.sinh, "Sinh"), (np.cosh, "Cosh"), (np.tanh, "Tanh"))
)
asinh, acosh, atanh = (
    _unary(f, n) for f, n in ((np.arcsinh, "Asinh"), (np.arccosh, "Acosh"), (np.arctanh, "Atanh"))
)
floor = _unary(np.floor, "Floor", cuts=True)
ceil = _unary(np.ceil, "Ceil", cuts=True)
rint = round = _unary(np.rint, "Rint", cuts=True)
is_nan = _unary(np.isnan, "IsNan", cuts=True)
is_inf = _unary(np.isinf, "IsInf", cuts=True)
is_finite = _unary(np.isfinite, "IsFinite", cuts=True)

equal = _binary(np.equal, "Equal", cuts=True)
not_equal = _binary(np.not_equal, "NotEqual", cuts=True)
less = _binary(operator.lt, "Less", cuts=True)
less_equal = _binary(operator.le, "LessEqual", cuts=True)
greater = _binary(operator.gt, "Greater", cuts=True)
greater_equal = _binary(operator.ge, "GreaterEqual", cuts=True)
logical_and = _binary(np.logical_and, "LogicalAnd", cuts=True)
logical_or = _binary(np.logical_or, "LogicalOr", cuts=True)
logical_xor = _binary(np.logical_xor, "LogicalXor", cuts=True)
logical_not = _unary(np.logical_not, "LogicalNot", cuts=True)


@op("Div", tensors=2)
def div(x: Any, y: Any) -> Any:
    """Division as in Python 2: of integers it rounds down."""
    return x // y if _is_integer(x) and _is_integer(y) else x / y


@op("Reciprocal")
def reciprocal(x: Any) -> Any:
    """1 / x."""
    return 1.0 / x


@op("Rsqrt")
def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return 1.0 / np.sqrt(x)


@op("SquaredDifference", tensors=2)
def squared_difference(x: Any, y: Any) -> Any:
    """(x - y)**2."""
    return np.square(x - y)


@op("Sigmoid")
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), which does not overflow."""
    return 0.5 * (np.tanh(0.5 * x) + 1.0)


@op("AddN")
def add_n(inputs: Any) -> Any:
    """The sum of a list of tensors."""
    return np.sum(inputs, axis=0)


@op("ClipByValue", tensors=3)
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    """What is beyond a bound becomes the bound."""
    return np.clip(t, clip_value_min, clip_value_max)


@op("ClipByNorm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Any:
    """t, shortened to the norm `clip_norm` where it is longer."""
    norm = np.sqrt(np.sum(np.square(t), axis=_axis(axes), keepdims=True))
    return t * clip_norm / np.maximum(norm, clip_norm)


def global_norm(t_list: Any, name: str | None = None) -> Any:
    """The norm of all tensors of a list together."""
    return _global_norm([t for t in t_list if t is not None], name=name)


@op("GlobalNorm", tensors=0)
def _global_norm(tensors: Any) -> Any:
    total = 0.0
    for t in tensors:
        total = total + np.sum(np.square(t))
    return np.sqrt(total)


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """A list of tensors, all shortened by the same factor where their norm is too large."""
    norm = global_norm(t_list) if use_norm is None else use_norm
    return [None if t is None else _shortened(t, clip_norm, norm) for t in t_list], norm


@op("ClipByGlobalNorm")
def _shortened(t: Any, clip_norm: Any, norm: Any) -> Any:
    return t * (clip_norm / np.maximum(norm, clip_norm))


# Reductions.


def _is_integer(x: Any) -> bool:
    return np.dtype(getattr(x, "dtype", type(x))).kind in "iu"


def _axis(axis: Any) -> Any:
    if axis is None:
        return None
    if isinstance(axis, list | tuple | np.ndarray):
        return tuple([int(a) for a in axis])
    return int(axis)


def _of_its_dtype(function: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    found = function(x, axis=axis, keepdims=keepdims)
    return found.astype(x.dtype) if _is_integer(x) and _is_integer(found) else found


def _sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return _of_its_dtype(np.sum, x, axis, keepdims)


def _prod(x: Any, axis: Any, keepdims: bool) -> Any:
    return _of_its_dtype(np.prod, x, axis, keepdims)


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    found = np.mean(x, axis=axis, keepdims=keepdims)
    return np.trunc(found).astype(x.dtype) if _is_integer(x) else found


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    top = tg.stop_gradient(np.max(x, axis=axis, keepdims=True))
    found = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return found if keepdims else np.squeeze(found, axis=axis)


_FOLDS: dict[str, Any] = {
    "Sum": _sum,
    "Prod": _prod,
    "Mean": _mean,
    "LogSumExp": _logsumexp,
    "Max": lambda x, a, k: np.max(x, axis=a, keepdims=k),
    "Min": lambda x, a, k: np.min(x, axis=a, keepdims=k),
    "All": lambda x, a, k: np.all(x, axis=a, keepdims=k),
    "Any": lambda x, a, k: np.any(x, axis=a, keepdims=k),
    "Std": lambda x, a, k: np.std(x, axis=a, keepdims=k),
    "Variance": lambda x, a, k: np.var(x, axis=a, keepdims=k),
}


def _reduce(x: Any, kind: str, axis: Any, keepdims: bool) -> Any:
    return _FOLDS[kind](x, _axis(axis), keepdims)


def _reduction(kind: str, cuts: bool = False) -> Any:
    def reduce(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool | None = None,
    ) -> Any:
        over = reduction_indices if axis is None else axis
        args = (input_tensor, kind, over, bool(keep_dims if keepdims is None else keepdims))
        return apply(_reduce, args, label=kind, name=name, cuts=cuts)

    reduce.__doc__ = f"{kind} over axes, all of them by default."
    return reduce


reduce_sum, reduce_prod, reduce_mean = map(_reduction, ("Sum", "Prod", "Mean"))
reduce_max, reduce_min, reduce_logsumexp = map(_reduction, ("Max", "Min", "LogSumExp"))
reduce_std, reduce_variance = map(_reduction, ("Std", "Variance"))
reduce_all, reduce_any = _reduction("All", cuts=True), _reduction("Any", cuts=True)


@op("Cumsum")
def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    """Sums of all elements up to each; `exclusive` leaves the element itself out."""
    turned = np.flip(x, axis) if reverse else x
    found = np.cumsum(turned, axis=axis)
    found = found - turned if exclusive else found
    return np.flip(found, axis) if reverse else found


@op("Cumprod")
def cumprod(x: Any, axis: int = 0) -> Any:
    """Products of all elements up to each."""
    return np.cumprod(x, axis=axis)


@op("ArgMax", cuts=True)
def argmax(input: Any, axis: Any = None, dimension: Any = None, output_type: Any = None) -> Any:
    """The position of the largest element along an axis, the first by default."""
    return np.argmax(input, axis=_one_axis(axis, dimension)).astype(_positions(output_type))


@op("ArgMin", cuts=True)
def argmin(input: Any, axis: Any = None, dimension: Any = None, output_type: Any = None) -> Any:
    """The position of the smallest element along an axis, the first by default."""
    return np.argmin(input, axis=_one_axis(axis, dimension)).astype(_positions(output_type))


def _positions(output_type: Any) -> Any:
    return np.dtype(np.int64 if output_type is None else output_type)


def _one_axis(axis: Any, dimension: Any) -> int:
    found = dimension if axis is None else axis
    return 0 if found is None else int(found)


# Matrices.


def _adjoint(x: Any, transpose: bool) -> Any:
    return np.swapaxes(x, -1, -2) if transpose else x


@op("MatMul", tensors=2)
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
) -> Any:
    """The product of matrices, or of stacks of them."""
    if np.ndim(a) < 2 or np.ndim(b) < 2:
        raise ValueError(
            f"matmul: shapes {np.shape(a)} and {np.shape(b)}; both must be of rank 2 or more: "
            "tf.expand_dims(v, 1) makes a column of a vector"
        )
    return _adjoint(a, transpose_a or adjoint_a) @ _adjoint(b, transpose_b or adjoint_b)


batch_matmul = matmul


@op("Tensordot", tensors=2)
def tensordot(a: Any, b: Any, axes: Any) -> Any:
    """Sums of products over axes of both."""
    return np.tensordot(a, b, axes=axes)


def einsum(equation: str, *inputs: Any, name: str | None = None) -> Any:
    """Sums of products by Einstein's convention."""
    return _einsum(*inputs, equation=equation, name=name)


@op("Einsum", tensors=9)
def _einsum(*inputs: Any, equation: str) -> Any:
    return np.einsum(equation, *inputs)


__getattr__ = refusing("math", globals())
