"""jax.nn: activations, and what losses are made of.

>>> import tapegrad.compat.jax.numpy as jnp
>>> from tapegrad.compat import jax
>>> jax.nn.softmax(jnp.array([0.0, 0.0]))
Array([0.5, 0.5], dtype=float64)
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.jax.arrays import plain, wrap
from tapegrad.compat.jax.nn import initializers

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "initializers",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "logmeanexp",
    "logsumexp",
    "mish",
    "one_hot",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softmax",
    "softplus",
    "sparse_plus",
    "squareplus",
    "standardize",
    "swish",
    "tanh",
]


def _floats(x: Any) -> Any:
    """An array of floats, of whatever is given."""
    if isinstance(x, Variable):
        return x
    x = np.asarray(plain(x))
    return x if x.dtype.kind in "fc" else x.astype(float)


def identity(x: Any) -> Any:
    """`x`."""
    return wrap(plain(x))


def relu(x: Any) -> Any:
    """The larger of x and 0, whose derivative at 0 is 0."""
    x = plain(x)
    return wrap(np.where(np.less_equal(x, 0), np.zeros((), np.result_type(x))[()], x))


def relu6(x: Any) -> Any:
    """The same, at most 6; the derivative at 6 is 0."""
    x = _floats(x)
    return wrap(np.where(x <= 0, 0.0, np.where(x >= 6, 6.0, x)))


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return wrap(np.logaddexp(_floats(x), 0.0))


def squareplus(x: Any, b: Any = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2."""
    x = _floats(x)
    return wrap((x + np.sqrt(np.square(x) + plain(b))) / 2)


def sparse_plus(x: Any) -> Any:
    """0 up to -1, x from 1 on, and (x + 1)**2 / 4 between."""
    x = _floats(x)
    return wrap(np.where(x <= -1, 0.0, np.where(x >= 1, x, (x + 1.0) ** 2 / 4)))


def soft_sign(x: Any) -> Any:
    """The quotient x / (1 + abs(x))."""
    x = _floats(x)
    return wrap(x / (np.abs(x) + 1))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return wrap(_core.apply("expit", (_floats(x),)))


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x))."""
    return wrap(-np.logaddexp(-_floats(x), 0.0))


def silu(x: Any) -> Any:
    """The product x sigmoid(x)."""
    x = _floats(x)
    return wrap(x * _core.apply("expit", (x,)))


swish = silu


def mish(x: Any) -> Any:
    """The product x tanh(softplus(x))."""
    x = _floats(x)
    return wrap(x * np.tanh(np.logaddexp(x, 0.0)))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return wrap(np.tanh(_floats(x)))


def _expm1_below(x: Any) -> Any:
    """expm1 of the negative ones, without overflow in what is not chosen."""
    return np.expm1(np.where(x > 0, 0.0, x))


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """Above 0 x, below alpha (exp(x) - 1)."""
    x = _floats(x)
    return wrap(np.where(x > 0, x, plain(alpha) * _expm1_below(x)))


def selu(x: Any) -> Any:
    """A scaled elu that keeps mean and variance (Klambauer et al. 2017)."""
    return wrap(1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717))


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """Above 0 x, below alpha (exp(x / alpha) - 1)."""
    x, alpha = _floats(x), plain(alpha)
    return wrap(np.where(x > 0, x, alpha * _expm1_below(x / alpha)))


def leaky_relu(x: Any, negative_slope: Any = 1e-2) -> Any:
    """From 0 on x, below a fraction of it."""
    x = _floats(x)
    return wrap(np.where(x >= 0, x, plain(negative_slope) * x))


def hard_tanh(x: Any) -> Any:
    """The value, cut off at -1 and 1."""
    x = _floats(x)
    return wrap(np.where(x > 1, 1.0, np.where(x < -1, -1.0, x)))


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return wrap(relu6(_floats(x) + 3.0) / 6.0)


def hard_silu(x: Any) -> Any:
    """The product x hard_sigmoid(x)."""
    return wrap(_floats(x) * hard_sigmoid(x))


hard_swish = hard_silu


def gelu(x: Any, approximate: bool = True) -> Any:
    """The product of x and its normal distribution function, by default approximated by tanh."""
    x = _floats(x)
    if not approximate:
        return wrap(x * _core.apply("ndtr", (x,)))
    inner = np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x**3)
    return wrap(x * (0.5 * (1.0 + np.tanh(inner))))


def glu(x: Any, axis: int = -1) -> Any:
    """One half of an axis times the sigmoid of the other."""
    a, b = np.split(_floats(x), 2, axis)
    return wrap(a * _core.apply("expit", (b,)))


def softmax(x: Any, axis: Any = -1, where: Any = None, initial: Any = None) -> Any:
    """Each exp(x), divided by its sum along an axis."""
    return wrap(np.exp(log_softmax(x, axis, where)))


def log_softmax(x: Any, axis: Any = -1, where: Any = None, initial: Any = None) -> Any:
    """The difference x - logsumexp(x)."""
    if where is not None:
        raise NotImplementedError(
            "jax.nn.softmax: where= is not there; write -jnp.inf into what shall not count: "
            "jnp.where(mask, x, -jnp.inf)"
        )
    x = _floats(x)
    return wrap(x - plain(logsumexp(x, axis, keepdims=True)))


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False,
    where: Any = None,
) -> Any:  # fmt: skip
    """log(sum(b exp(a))), without overflow."""
    if where is not None:
        raise NotImplementedError(
            "logsumexp: where= is not there; write -jnp.inf into what shall not count: "
            "jnp.where(mask, a, -jnp.inf)"
        )
    a = _floats(a)
    top = tg.stop_gradient(np.max(a, axis=axis, keepdims=True))
    top = np.where(np.isfinite(top), top, 0.0)
    terms = np.exp(a - top)
    total = np.sum(terms if b is None else plain(b) * terms, axis=axis, keepdims=True)
    sign = np.sign(total)
    with np.errstate(divide="ignore"):  # of no terms but zeros: -inf
        found = np.log(np.abs(total) if b is not None else total) + top
    if not keepdims:
        found, sign = (
            np.squeeze(y, tuple(range(a.ndim)) if axis is None else axis) for y in (found, sign)
        )
    return (wrap(found), wrap(sign)) if return_sign else wrap(found)


def logmeanexp(x: Any, axis: Any = None, where: Any = None, keepdims: bool = False) -> Any:
    """log(mean(exp(x))), without overflow."""
    total = logsumexp(x, axis, keepdims=keepdims, where=where)
    n = np.size(x) // max(np.size(total), 1)
    return wrap(total - float(np.log(n)))


def standardize(
    x: Any, axis: Any = -1, mean: Any = None, variance: Any = None, epsilon: Any = 1e-5,
    where: Any = None,
) -> Any:  # fmt: skip
    """Shifted and scaled to mean 0 and variance 1."""
    if where is not None:
        raise NotImplementedError("jax.nn.standardize: where= is not there; give mean and variance")
    x = _floats(x)
    mean = np.mean(x, axis=axis, keepdims=True) if mean is None else plain(mean)
    if variance is None:
        variance = np.mean(np.square(x), axis=axis, keepdims=True) - np.square(mean)
    return wrap((x - mean) / np.sqrt(plain(variance) + epsilon))


def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """For each class a flag whether it is that one.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.nn.one_hot(jnp.array([1, 0]), 2)
    Array([[0., 1.],
           [1., 0.]], dtype=float64)
    """
    x = plain(x)
    classes = np.arange(num_classes, dtype=np.result_type(x))
    flags = np.equal(np.expand_dims(x, -1), classes)
    found = np.where(flags, 1.0, 0.0) if dtype is None else flags.astype(dtype)
    return wrap(np.moveaxis(found, -1, axis))
