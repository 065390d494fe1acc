"""`theano.tensor.nnet`: activations and cross entropies."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.theano.refusals import refusing
from tapegrad.compat.theano.variables import apply
from tapegrad.graph import rewrites


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return apply(rewrites.sigmoid, x)


ultra_fast_sigmoid = sigmoid


def hard_sigmoid(x: Any) -> Any:
    """0.2 * x + 0.5 between 0 and 1."""
    return apply(_hard_sigmoid, x)


def _hard_sigmoid(x: Any) -> Any:
    return np.clip(0.2 * x + 0.5, 0.0, 1.0)


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return apply(rewrites.softplus, x)


def softsign(x: Any) -> Any:
    """X / (1 + abs(x))."""
    return apply(_softsign, x)


def _softsign(x: Any) -> Any:
    return x / (1.0 + np.abs(x))


def softmax(c: Any) -> Any:
    """exp(x) over its sum, for each row."""
    return apply(rewrites.softmax, c)


def logsoftmax(c: Any) -> Any:
    """log(softmax(x))."""
    return apply(rewrites.log_softmax, c)


def relu(x: Any, alpha: Any = 0) -> Any:
    """X where it is positive, alpha * x elsewhere; at 0 the derivative is the mean of both."""
    return apply(_relu, x, alpha)


def _relu(x: Any, alpha: Any) -> Any:
    return 0.5 * (1 + alpha) * x + 0.5 * (1 - alpha) * np.abs(x)


def elu(x: Any, alpha: Any = 1) -> Any:
    """Alpha * (exp(x) - 1) below zero, x above."""
    return apply(_elu, x, alpha)


def _elu(x: Any, alpha: Any) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def binary_crossentropy(output: Any, target: Any) -> Any:
    """-(t * log(o) + (1 - t) * log(1 - o)), of each element."""
    from tapegrad.compat.theano.tensor.elementwise import log

    return -(target * log(output) + (1.0 - target) * log(1.0 - output))


def sigmoid_binary_crossentropy(output: Any, target: Any) -> Any:
    """The same of sigmoid(output), which does not overflow."""
    return apply(_sigmoid_crossentropy, output, target)


def _sigmoid_crossentropy(x: Any, t: Any) -> Any:
    return np.logaddexp(x, 0.0) - t * x


def categorical_crossentropy(coding_dist: Any, true_dist: Any) -> Any:
    """-log(p) of the true class of each row: classes as numbers, or as rows of probabilities."""
    from tapegrad.compat.theano.tensor.elementwise import log

    return apply(_picked, log(coding_dist), true_dist, label="crossentropy")


def _picked(logs: Any, target: Any) -> Any:
    if np.ndim(target) == np.ndim(logs):
        return -np.sum(target * logs, axis=-1)
    return -logs[np.arange(np.shape(logs)[0]), target]


def crossentropy_softmax_1hot(x: Any, y_idx: Any) -> Any:
    """The cross entropy of softmax(x), and softmax(x)."""
    probabilities = softmax(x)
    return categorical_crossentropy(probabilities, y_idx), probabilities


__getattr__ = refusing("tensor.nnet", globals())
