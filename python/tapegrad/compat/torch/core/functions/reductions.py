"""Functions that take axes away: sums, means, extremes with their indices, norms, running sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call, is_tensor, new, raw
from tapegrad.compat.torch.core.graph import INPUTS, NOTHING, RESULT
from tapegrad.compat.torch.core.operands import cast, function_name
from tapegrad.compat.torch.core.registry import named, public, register
from tapegrad.transforms.trace import stop_gradient


def axes_of(dim: Any) -> Any:
    """NumPy's `axis` of PyTorch's `dim`: an int, several, or None for all."""
    if dim is None:
        return None
    if isinstance(dim, (list, tuple)):
        return tuple(int(d) for d in dim) or None
    return int(dim)


def _dim(dim: Any, axis: Any) -> Any:
    return axis if dim is None else dim


def check_dim(name: str, dim: Any, ndim: int) -> None:
    """Raises where an axis is not there."""
    for d in dim if isinstance(dim, (list, tuple)) else (dim,):
        most = max(ndim, 1)
        if d is not None and not -most <= d < most:
            raise IndexError(
                f"{function_name(name)}: dim={d} is outside a tensor of {ndim} axes, for "
                f"which {-most} to {most - 1} are inside"
            )


def _reduced(name: str, f: Any, input: Any, dim: Any, keepdim: bool, saves: int) -> Any:
    check_dim(name, dim, input.ndim)
    axis = axes_of(dim) if input.ndim else None
    return call(name, lambda x: f(x, axis=axis, keepdims=keepdim), input, saves=saves)


def _typed(input: Any, dtype: Any) -> Any:
    return input if dtype is None else input.to(dtypes.as_dtype(dtype))


def _long(x: Any) -> Any:
    """Integers as int64, in which they are added and multiplied."""
    return x.astype(np.int64) if x.dtype.kind in "biu" else x


def _total(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(_long(x), axis=axis, keepdims=keepdims)


def _product(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.prod(_long(x), axis=axis, keepdims=keepdims)


@public("sum")
def sum_of(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None
) -> Any:
    """The sum of all elements, or along `dim`."""
    return _reduced("Sum", _total, _typed(input, dtype), _dim(dim, axis), keepdim, NOTHING)


def _needs_floats(name: str, input: Any) -> None:
    if input._v.dtype.kind != "f":
        raise RuntimeError(
            f"{name}(): of integers it is not an integer, and the tensor is "
            f"{dtypes.title(input.dtype)}; write x.float().{name}()"
        )


@public()
def mean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None
) -> Any:
    """The mean of all elements, or along `dim`."""
    input = _typed(input, dtype)
    _needs_floats("mean", input)
    return _reduced("Mean", np.mean, input, _dim(dim, axis), keepdim, NOTHING)


@public()
def nansum(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The sum of what is not NaN."""
    return _reduced("Nansum", np.nansum, input, dim, keepdim, INPUTS)


@public()
def nanmean(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The mean of what is not NaN."""
    return _reduced("Nanmean", np.nanmean, input, dim, keepdim, INPUTS)


@public()
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product of all elements, or along `dim`."""
    return _reduced("Prod", _product, _typed(input, dtype), dim, keepdim, INPUTS)


def _correction(unbiased: Any, correction: Any) -> Any:
    return int(unbiased) if correction is None else correction


def _spread(name: str, f: Any) -> Any:
    def function(
        input: Any,
        dim: Any = None,
        unbiased: Any = True,
        keepdim: bool = False,
        *,
        correction: Any = None,
        axis: Any = None,
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        _needs_floats(name, input)
        ddof = _correction(unbiased, correction)
        return _reduced(
            name.title(),
            lambda x, axis, keepdims: f(x, axis=axis, keepdims=keepdims, ddof=ddof),
            input, _dim(dim, axis), keepdim, INPUTS,
        )  # fmt: skip

    function.__name__ = name
    function.__doc__ = f"The {name} of all elements or along `dim`, divided by n - 1 by default."
    register(name, function)
    return function


std = _spread("std", np.std)
var = _spread("var", np.var)


@public()
def var_mean(input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False) -> Any:
    """Variance and mean."""
    return var(input, dim, unbiased, keepdim), mean(input, dim, keepdim)


@public()
def std_mean(input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False) -> Any:
    """Standard deviation and mean."""
    return std(input, dim, unbiased, keepdim), mean(input, dim, keepdim)


@public()
def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element along `dim`; ties share the gradient."""
    return _reduced("Amax", np.max, input, dim, keepdim, INPUTS)


@public()
def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element along `dim`; ties share the gradient."""
    return _reduced("Amin", np.min, input, dim, keepdim, INPUTS)


@public()
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """Smallest and largest element."""
    return named("aminmax", "min", "max")(amin(input, dim, keepdim), amax(input, dim, keepdim))


def _index(name: str, f: Any) -> None:
    def function(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        a = raw(input)
        if dim is None:
            return new(f(np.reshape(a, (-1,))))
        check_dim(name, dim, input.ndim)
        found = f(a, axis=dim)
        return new(np.expand_dims(found, dim) if keepdim else found)

    function.__name__ = name
    function.__doc__ = f"NumPy's {name}, along `dim`."
    register(name, function)


_index("argmax", np.argmax)
_index("argmin", np.argmin)


@public("all")
def all_of(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements are true."""
    return new(np.all(raw(input), axis=axes_of(dim), keepdims=keepdim))


@public("any")
def any_of(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether an element is true."""
    return new(np.any(raw(input), axis=axes_of(dim), keepdims=keepdim))


@public()
def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements are not zero."""
    return new(np.asarray(np.count_nonzero(input.plain(), axis=axes_of(dim)), np.int64))


@public()
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """`log(sum(exp(input)))` along `dim`, without overflow."""

    def compute(x: Any, axis: Any, keepdims: bool) -> Any:
        top = _top(x, axis)
        top = np.where(np.isfinite(top), top, np.zeros((), top.dtype))
        total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
        return total if keepdims else np.squeeze(total, axis)

    return _reduced("Logsumexp", compute, input, dim, keepdim, RESULT)


@public()
def norm(
    input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    """The p-norm of all elements, or along `dim`."""
    input = _typed(input, dtype)
    _needs_floats("norm", input)
    if p in ("fro", None):
        p = 2
    if p == "nuc":
        raise NotImplementedError("norm(p='nuc'): write torch.linalg.svdvals(x).sum()")
    p = float(p)

    def compute(x: Any, axis: Any, keepdims: bool) -> Any:
        if axis is None:
            flat = np.linalg.norm(np.reshape(x, (-1,)), p)
            return np.reshape(flat, (1,) * np.ndim(x)) if keepdims else flat
        if isinstance(axis, tuple) and p == 2:
            return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))
        if isinstance(axis, tuple) and len(axis) > 1:
            return np.sum(np.absolute(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p)
        axis = axis[0] if isinstance(axis, tuple) else axis
        return np.linalg.norm(x, p, axis=axis, keepdims=keepdims)

    return _reduced("LinalgVectorNorm", compute, input, dim, keepdim, INPUTS)


@public(in_place=True)
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Running sums along `dim`."""
    return call(
        "Cumsum",
        lambda x: np.reshape(np.cumsum(_long(x), dim), x.shape),
        _typed(input, dtype),
        saves=NOTHING,
    )


@public(in_place=True)
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Running products along `dim`."""
    return call(
        "Cumprod", lambda x: np.reshape(np.cumprod(_long(x), dim), x.shape), _typed(input, dtype)
    )


@public()
def logcumsumexp(input: Any, dim: int) -> Any:
    """`log` of running sums of `exp`."""

    def compute(x: Any) -> Any:
        top = _top(x, dim)
        return np.log(np.cumsum(np.exp(x - top), axis=dim)) + top

    return call("Logcumsumexp", compute, input)


@public()
def quantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Quantiles, by linear interpolation."""
    at = q.plain() if is_tensor(q) else q
    return _reduced(
        "Quantile",
        lambda x, axis, keepdims: np.quantile(
            x, cast(np.asarray(at), x.dtype), axis=axis, keepdims=keepdims
        ),
        input,
        dim,
        keepdim,
        INPUTS,
    )


@public()
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The p-norm of the difference."""
    return norm(input - other, p)


@public()
def softmax(input: Any, dim: Any = None, dtype: Any = None, **given: Any) -> Any:
    """`exp(input)`, divided by its sum along `dim`."""
    return _softmax("Softmax", softmax_of, _typed(input, dtype), dim)


@public()
def log_softmax(input: Any, dim: Any = None, dtype: Any = None, **given: Any) -> Any:
    """The logarithm of `softmax`."""
    return _softmax("LogSoftmax", log_softmax_of, _typed(input, dtype), dim)


def _softmax(name: str, f: Any, input: Any, dim: Any) -> Any:
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
    check_dim(name, dim, input.ndim)
    if not input.ndim:

        def alone(x: Any) -> Any:
            return np.reshape(f(np.reshape(x, (1,)), 0), ())

        return call(name, alone, input, saves=RESULT)
    return call(name, lambda x: f(x, dim), input, saves=RESULT)


def _top(x: Any, axis: Any) -> Any:
    """The largest element of each line, as a constant."""
    return stop_gradient(np.max(x, axis=axis, keepdims=True))


def softmax_of(x: Any, axis: int) -> Any:
    """Softmax of an array or a Variable."""
    if not x.size:
        return +x
    e = np.exp(x - _top(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax_of(x: Any, axis: int) -> Any:
    """Its logarithm."""
    if not x.size:
        return +x
    shifted = x - _top(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
