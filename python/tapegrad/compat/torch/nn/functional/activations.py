"""Activation functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.compat.torch.core.call import call, is_tensor
from tapegrad.compat.torch.core.functions.elementwise import applied
from tapegrad.compat.torch.core.functions.reductions import log_softmax as _log_softmax
from tapegrad.compat.torch.core.functions.reductions import softmax as _softmax
from tapegrad.compat.torch.core.graph import CHOICE, INPUTS, RESULT
from tapegrad.compat.torch.core.registry import FUNCTIONS
from tapegrad.compat.torch.core.writes import in_place
from tapegrad.compat.torch.random import numpy_generator

sigmoid, tanh = FUNCTIONS["sigmoid"], FUNCTIONS["tanh"]
_expit, _log_expit, _erf = applied("expit"), applied("log_expit"), applied("erf")


def _applied(name: str, f: Any, input: Any, inplace: bool, saves: int = INPUTS) -> Any:
    def function(x: Any) -> Any:
        return call(name, f, x, saves=saves)

    return in_place(name, function, input) if inplace else function(input)


def _zero(x: Any) -> Any:
    return np.zeros((), x.dtype)


def relu(input: Any, inplace: bool = False) -> Any:
    """`max(x, 0)`, with derivative 0 at 0."""
    return _applied("Relu", lambda x: np.where(x <= 0, _zero(x), x), input, inplace, RESULT)


def relu6(input: Any, inplace: bool = False) -> Any:
    """`relu`, and 6 at most."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """`x` between two bounds, at which the derivative is 0."""

    def f(x: Any) -> Any:
        low, high = x.dtype.type(min_val), x.dtype.type(max_val)
        return np.where(x <= low, low, np.where(x >= high, high, x))

    return _applied("Hardtanh", f, input, inplace)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """`x` above 0, else `negative_slope * x`."""
    return _applied("LeakyRelu", lambda x: np.where(x > 0, x, x * negative_slope), input, inplace)


def prelu(input: Any, weight: Any) -> Any:
    """`leaky_relu` with a slope, or one for each channel, that is learned."""

    def f(x: Any, w: Any) -> Any:
        w = np.reshape(w, (-1,) + (1,) * (x.ndim - 2) if w.size > 1 else ())
        return np.where(x > 0, x, x * w)

    return call("PreluKernel", f, input, weight)


def rrelu(
    input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
    inplace: bool = False,
) -> Any:  # fmt: skip
    """`leaky_relu` with a random slope in training."""
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slope = numpy_generator(None).uniform(lower, upper, tuple(input.shape)).astype(input._v.dtype)
    return _applied("Rrelu", lambda x: np.where(x > 0, x, x * slope), input, inplace)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`x` above 0, else `alpha * (exp(x) - 1)`."""

    def f(x: Any) -> Any:
        return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, _zero(x), x)))

    return _applied("Elu", f, input, inplace)


def selu(input: Any, inplace: bool = False) -> Any:
    """The self-normalising `elu` (Klambauer et al., 2017)."""
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

    def f(x: Any) -> Any:
        return scale * np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, _zero(x), x)))

    return _applied("Elu", f, input, inplace)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """`x` above 0, else `alpha * (exp(x / alpha) - 1)`."""

    def f(x: Any) -> Any:
        return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, _zero(x), x) / alpha))

    return _applied("Elu", f, input, inplace)


def gelu(input: Any, approximate: str = "none") -> Any:
    """`x` times the normal distribution function, or its approximation by tanh."""
    if approximate == "tanh":
        c = math.sqrt(2.0 / math.pi)
        return call(
            "Gelu", lambda x: 0.5 * x * (1.0 + np.tanh(c * (x + 0.044715 * x * x * x))), input
        )
    if approximate != "none":
        raise RuntimeError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    return call("Gelu", lambda x: x * 0.5 * (1.0 + _erf(x * math.sqrt(0.5))), input)


def silu(input: Any, inplace: bool = False) -> Any:
    """`x * sigmoid(x)`."""
    return _applied("Silu", lambda x: x * _expit(x), input, inplace)


def mish(input: Any, inplace: bool = False) -> Any:
    """`x * tanh(softplus(x))`."""
    return _applied("Mish", lambda x: x * np.tanh(np.logaddexp(x, _zero(x))), input, inplace)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """`log(1 + exp(beta x)) / beta`, and x itself where that is the same."""

    def f(x: Any) -> Any:
        far = x * beta > threshold
        return np.where(far, x, np.log1p(np.exp(np.where(far, _zero(x), x * beta))) / beta)

    return call("Softplus", f, input)


def logsigmoid(input: Any) -> Any:
    """The logarithm of the sigmoid."""
    return call("LogSigmoid", _log_expit, input)


def softsign(input: Any) -> Any:
    """`x / (1 + |x|)`."""
    return call("Softsign", lambda x: x / (1.0 + np.absolute(x)), input)


def tanhshrink(input: Any) -> Any:
    """`x - tanh(x)`."""
    return call("Tanhshrink", lambda x: x - np.tanh(x), input)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """`x`, nearer to 0 by `lambd`."""

    def f(x: Any) -> Any:
        return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, _zero(x)))

    return call("Softshrink", f, input)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """`x` where it is farther from 0 than `lambd`."""

    def f(x: Any) -> Any:
        return np.where((x > lambd) | (x < -lambd), x, _zero(x))

    return call("Hardshrink", f, input)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """`x / 6 + 1/2` between 0 and 1."""

    def f(x: Any) -> Any:
        one = x.dtype.type(1)
        return np.where(x <= -3, _zero(x), np.where(x >= 3, one, (x + 3.0) / 6.0))

    return _applied("Hardsigmoid", f, input, inplace)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """`x * hardsigmoid(x)`."""

    def f(x: Any) -> Any:
        return np.where(x <= -3, _zero(x), np.where(x >= 3, x, x * (x + 3.0) / 6.0))

    return _applied("Hardswish", f, input, inplace)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """`x` above the threshold, else a number."""

    def f(x: Any) -> Any:
        return np.where(x > threshold, x, x.dtype.type(value))

    return _applied("Threshold", f, input, inplace)


def glu(input: Any, dim: int = -1) -> Any:
    """One half times the sigmoid of the other."""
    a, b = input.chunk(2, dim)
    return a * b.sigmoid()


def softmax(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`exp(x)` divided by its sum along `dim`."""
    return _softmax(input, dim, dtype)


def softmin(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """`softmax` of -x."""
    return _softmax(-input, dim, dtype)


def log_softmax(input: Any, dim: Any = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return _log_softmax(input, dim, dtype)


def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """Samples of a relaxed categorical distribution (Jang et al., 2017)."""
    from tapegrad.compat.torch.core.call import new

    noise = -np.log(numpy_generator(None).exponential(1.0, tuple(logits.shape)))
    soft = _softmax((logits + new(noise.astype(logits._v.dtype))) / tau, dim)
    if not hard:
        return soft
    values = np.asarray(_core.value(soft._v))
    top = (values == values.max(axis=dim, keepdims=True)).astype(values.dtype)
    return new(top) - soft.detach() + soft


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, zeros with probability p, and the rest scaled up."""
    return _dropped(input, p, training, inplace, tuple(input.shape))


def _dropped(input: Any, p: float, training: bool, inplace: bool, shape: Any) -> Any:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: p is a probability, from 0 to 1, not {p}")
    if not training or p == 0.0:
        return input
    kept = numpy_generator(None).random(shape) >= p
    scale = (kept / (1.0 - p) if p < 1.0 else kept * 0.0).astype(input._v.dtype)
    return _applied("Mul", lambda x: x * scale, input, inplace, CHOICE)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, L)."""
    shape = tuple(input.shape)
    return _dropped(input, p, training, inplace, (*shape[:-1], 1))


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, H, W)."""
    shape = tuple(input.shape)
    return _dropped(input, p, training, inplace, (*shape[:-2], 1, 1))


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps the mean and variance behind `selu`."""
    if not training or p == 0.0:
        return input
    low = -1.7580993408473766
    a = 1.0 / math.sqrt((1.0 - p) * (1.0 + p * low * low))
    kept = numpy_generator(None).random(tuple(input.shape)) >= p

    def f(x: Any) -> Any:
        return np.where(kept, x, x.dtype.type(low)) * a - a * p * low

    return _applied("AlphaDropout", f, input, inplace)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """`x` divided by its norm along `dim`."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps)


def _in_place_of(f: Any) -> Any:
    return lambda input, *args: f(input, *args, inplace=True) if is_tensor(input) else None


relu_, elu_, leaky_relu_ = map(_in_place_of, (relu, elu, leaky_relu))
