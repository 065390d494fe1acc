"""Names of jax.lax that are functions of NumPy under other names, or nearly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad._core import Variable, apply
from tapegrad.compat.jax.arrays import plain, wrap, wrap_tree
from tapegrad.compat.jax.refusals import refusing
from tapegrad.compat.jax.variables import size

__all__ = [
    "abs",
    "argmax",
    "argmin",
    "batch_matmul",
    "broadcast",
    "broadcast_in_dim",
    "broadcasted_iota",
    "clamp",
    "concatenate",
    "convert_element_type",
    "cumlogsumexp",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "div",
    "dot_general",
    "full",
    "full_like",
    "integer_pow",
    "iota",
    "reciprocal",
    "rem",
    "reshape",
    "rev",
    "round",
    "rsqrt",
    "select",
    "select_n",
    "sort",
    "squeeze",
    "stop_gradient",
    "transpose",
]

_NUMPY = {
    "acos": "arccos", "acosh": "arccosh", "add": "add", "asin": "arcsin",
    "asinh": "arcsinh", "atan": "arctan", "atan2": "arctan2", "atanh": "arctanh",
    "bitwise_and": "bitwise_and", "bitwise_not": "invert", "bitwise_or": "bitwise_or",
    "bitwise_xor": "bitwise_xor", "cbrt": "cbrt", "ceil": "ceil", "conj": "conjugate",
    "cos": "cos", "cosh": "cosh", "dot": "dot", "eq": "equal", "exp": "exp", "exp2": "exp2",
    "expand_dims": "expand_dims", "expm1": "expm1", "floor": "floor", "ge": "greater_equal",
    "gt": "greater", "imag": "imag", "is_finite": "isfinite", "le": "less_equal", "log": "log",
    "log1p": "log1p", "lt": "less", "max": "maximum", "min": "minimum", "mul": "multiply",
    "ne": "not_equal", "neg": "negative", "nextafter": "nextafter", "pow": "power",
    "real": "real", "sign": "sign", "sin": "sin", "sinh": "sinh", "sqrt": "sqrt",
    "square": "square", "sub": "subtract", "tan": "tan", "tanh": "tanh",
    "zeros_like_array": "zeros_like",
}  # fmt: skip
_OPS = {"erf": "erf", "erfc": "erfc", "lgamma": "gammaln", "digamma": "psi", "logistic": "expit"}
_missing = refusing("tapegrad.compat.jax.lax", "lax.")


def look_up(name: str) -> Any:
    """The function of a name."""
    if name in _NUMPY:
        return _wrapped(name, getattr(np, _NUMPY[name]))
    if name in _OPS:
        return _wrapped(name, lambda x: apply(_OPS[name], (_floats(x),)))
    return _missing(name)


def names() -> list[str]:
    """The names that `look_up` finds."""
    return [*_NUMPY, *_OPS]


def _floats(x: Any) -> Any:
    return x if isinstance(x, Variable) else np.asarray(plain(x), np.result_type(x, np.float32))


def _wrapped(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return wrap(f(*args, **kwargs))

    function.__name__ = function.__qualname__ = name
    return function


def abs(x: Any) -> Any:
    """The size of a number, whose derivative at 0 is 1."""
    return wrap(size(x) if isinstance(x, Variable) else np.absolute(plain(x)))


def _is_integer(x: Any) -> bool:
    return bool(np.issubdtype(np.result_type(x), np.integer))


def div(x: Any, y: Any) -> Any:
    """The quotient; of integers, rounded towards zero."""
    if _is_integer(x) and _is_integer(y):
        return wrap(np.trunc(np.true_divide(x, y)).astype(np.result_type(x, y)))
    return wrap(np.true_divide(x, y))


def rem(x: Any, y: Any) -> Any:
    """The remainder, with the sign of x."""
    return wrap(np.fmod(x, y))


def integer_pow(x: Any, y: int) -> Any:
    """The power x**y of a whole number y."""
    return wrap(x**y)


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return wrap(1.0 / np.sqrt(x))


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return wrap(1.0 / plain(x))


def round(x: Any, rounding_method: Any = None) -> Any:
    """The nearest whole number, halves away from zero, or to even ones with RoundingMethod 1."""
    if getattr(rounding_method, "value", rounding_method) == 1:
        return wrap(np.round(x))
    x = plain(x)
    whole = np.trunc(x)
    return wrap(np.where(np.abs(x - whole) >= 0.5, whole + np.sign(x), whole))


def clamp(min: Any, x: Any, max: Any) -> Any:
    """`x` between two bounds."""
    return wrap(np.minimum(np.maximum(plain(x), plain(min)), plain(max)))


def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    """Element by element, or all by one flag."""
    return wrap(np.where(pred, on_true, on_false))


def select_n(which: Any, *cases: Any) -> Any:
    """Of several arrays, element by element the one that `which` counts."""
    chosen = cases[-1]
    for k in range(len(cases) - 2, -1, -1):
        chosen = np.where(np.less_equal(which, k), cases[k], chosen)
    return wrap(chosen)


def stop_gradient(x: Any) -> Any:
    """The same value, held constant."""
    return wrap_tree(tg.stop_gradient(plain(x)))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of one number."""
    if isinstance(fill_value, Variable):
        return wrap(np.broadcast_to(fill_value, shape))
    return wrap(np.full(shape, plain(fill_value), dtype))


def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """The same of the shape and dtype of `x`."""
    return full(np.shape(x) if shape is None else shape, fill_value, dtype or np.result_type(x))


def iota(dtype: Any, size: int) -> Any:
    """0, 1, ... size - 1."""
    return wrap(np.arange(size, dtype=dtype))


def broadcast(operand: Any, sizes: Sequence[int]) -> Any:
    """With new axes in front, along which it repeats."""
    return wrap(np.broadcast_to(operand, (*sizes, *np.shape(operand))))


def broadcasted_iota(dtype: Any, shape: Sequence[int], dimension: int) -> Any:
    """Counts along one axis of a shape."""
    return wrap(np.indices(shape, dtype=dtype)[dimension])


def broadcast_in_dim(operand: Any, shape: Sequence[int], broadcast_dimensions: Any) -> Any:
    """As `shape`, of which the axes of the operand are those named."""
    wide = [1] * len(shape)
    for axis, n in zip(broadcast_dimensions, np.shape(operand), strict=True):
        wide[axis] = n
    return wrap(np.broadcast_to(np.reshape(operand, wide), shape))


def reshape(operand: Any, new_sizes: Sequence[int], dimensions: Any = None) -> Any:
    """In another shape, its axes in the order of `dimensions`."""
    ordered = operand if dimensions is None else np.transpose(operand, dimensions)
    return wrap(np.reshape(ordered, tuple(new_sizes)))


def transpose(operand: Any, permutation: Sequence[int]) -> Any:
    """With its axes in another order."""
    return wrap(np.transpose(operand, tuple(permutation)))


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """Turned round along axes."""
    return wrap(np.flip(operand, tuple(dimensions)))


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """Without these axes of length 1."""
    return wrap(np.squeeze(array, tuple(dimensions)))


def concatenate(operands: Sequence[Any], dimension: int) -> Any:
    """Joined along an axis."""
    return wrap(np.concatenate([plain(x) for x in operands], dimension))


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """Sorted along an axis."""
    if isinstance(operand, (tuple, list)):
        raise NotImplementedError(
            "lax.sort of several arrays is not there; i = jnp.argsort(keys), then x[i] of each"
        )
    return wrap(np.sort(plain(operand), dimension, kind="stable"))


def convert_element_type(operand: Any, new_dtype: Any) -> Any:
    """In another dtype."""
    if isinstance(operand, Variable):
        return operand.astype(new_dtype)
    return wrap(np.asarray(operand).astype(new_dtype))


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Any:
    """Stacks of matrix products."""
    return wrap(np.matmul(lhs, rhs))


def dot_general(lhs: Any, rhs: Any, dimension_numbers: Any, **settings: Any) -> Any:
    """Products summed over pairs of axes, with pairs that count stacks in front."""
    (left, right), (left_stack, right_stack) = dimension_numbers
    names = iter(range(np.ndim(lhs) + np.ndim(rhs)))
    a = [next(names) for _ in range(np.ndim(lhs))]
    b = [next(names) for _ in range(np.ndim(rhs))]
    for i, j in [*zip(left, right, strict=True), *zip(left_stack, right_stack, strict=True)]:
        b[j] = a[i]
    stack = [a[i] for i in left_stack]
    rest = [n for k, n in enumerate(a) if k not in (*left, *left_stack)]
    rest += [n for k, n in enumerate(b) if k not in (*right, *right_stack)]
    return wrap(np.einsum(plain(lhs), a, plain(rhs), b, stack + rest))


def _along(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    def accumulate(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
        x = plain(operand)
        return wrap(np.flip(f(np.flip(x, axis), axis), axis) if reverse else f(x, axis))

    accumulate.__name__ = accumulate.__qualname__ = name
    accumulate.__doc__ = "Accumulated along an axis, from its end with `reverse`."
    return accumulate


cumsum = _along("cumsum", np.cumsum)
cumprod = _along("cumprod", np.cumprod)
cummax = _along("cummax", np.maximum.accumulate)
cummin = _along("cummin", np.minimum.accumulate)
cumlogsumexp = _along("cumlogsumexp", np.logaddexp.accumulate)


def argmax(operand: Any, axis: int, index_dtype: Any = np.int32) -> Any:
    """Where the largest is along an axis."""
    return wrap(np.argmax(plain(operand), axis).astype(index_dtype))


def argmin(operand: Any, axis: int, index_dtype: Any = np.int32) -> Any:
    """Where the smallest is along an axis."""
    return wrap(np.argmin(plain(operand), axis).astype(index_dtype))
