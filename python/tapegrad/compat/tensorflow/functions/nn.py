"""`tf.nn`: activations, losses of logits, layers' arithmetic.

Formulas that TensorFlow documents are written as it documents them: they are the stable ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.tensorflow.dispatch import apply, op
from tapegrad.compat.tensorflow.functions.arrays import _top_k, gather
from tapegrad.compat.tensorflow.functions.math import _axis, sigmoid, tanh  # noqa: F401 - names of tf.nn
from tapegrad.compat.tensorflow.refusals import refusing


@op("Relu")
def relu(features: Any) -> Any:
    """max(x, 0), with derivative 0 at 0 as in TensorFlow."""
    return np.where(features > 0, features, 0.0)


@op("Relu6")
def relu6(features: Any) -> Any:
    """min(max(x, 0), 6), with derivative 0 at both ends."""
    return np.where(features <= 0, 0.0, np.where(features >= 6, 6.0, features))


@op("LeakyRelu")
def leaky_relu(features: Any, alpha: float = 0.2) -> Any:
    """X where it is positive, alpha * x elsewhere."""
    return np.where(features > 0, features, alpha * features)


@op("Elu")
def elu(features: Any) -> Any:
    """exp(x) - 1 below zero, x above."""
    return np.where(features > 0, features, np.expm1(np.minimum(features, 0.0)))


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al., 2017


@op("Selu")
def selu(features: Any) -> Any:
    """Elu, scaled so that activations keep mean 0 and variance 1."""
    below = _SELU_ALPHA * np.expm1(np.minimum(features, 0.0))
    return _SELU_SCALE * np.where(features > 0, features, below)


@op("Softplus")
def softplus(features: Any) -> Any:
    """log(1 + exp(x)), which does not overflow."""
    return np.logaddexp(features, 0.0)


@op("Softsign")
def softsign(features: Any) -> Any:
    """X / (1 + abs(x))."""
    return features / (1.0 + np.abs(features))


@op("LogSigmoid")
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)), which does not overflow."""
    return -np.logaddexp(-x, 0.0)


def _shifted(x: Any, axis: int) -> Any:
    return x - tg.stop_gradient(np.max(x, axis=axis, keepdims=True))


def _softmax(x: Any, axis: int) -> Any:
    e = np.exp(_shifted(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: int) -> Any:
    shifted = _shifted(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@op("Softmax")
def softmax(logits: Any, axis: Any = None, dim: Any = None) -> Any:
    """exp(x) over its sum along an axis, the last by default."""
    return _softmax(logits, _last(axis, dim))


@op("LogSoftmax")
def log_softmax(logits: Any, axis: Any = None, dim: Any = None) -> Any:
    """The logarithm of softmax, which does not overflow."""
    return _log_softmax(logits, _last(axis, dim))


def _last(axis: Any, dim: Any) -> int:
    found = dim if axis is None else axis
    return -1 if found is None else int(found)


def softmax_cross_entropy_with_logits_v2(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    axis: Any = None,
    dim: Any = None,
    name: str | None = None,
) -> Any:
    """-sum(labels * log_softmax(logits)) for each row; derivatives by the labels too."""
    _named("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    args = (labels, logits, _last(axis, dim), True)
    return apply(_cross_entropy, args, label="softmax_cross_entropy", name=name, tensors=2)


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    axis: Any = None,
    name: str | None = None,
) -> Any:
    """The same, in which labels are constants to derivatives."""
    _named("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    args = (labels, logits, dim if axis is None else axis, False)
    return apply(_cross_entropy, args, label="softmax_cross_entropy", name=name, tensors=2)


def _cross_entropy(labels: Any, logits: Any, axis: int, by_labels: bool) -> Any:
    targets = labels if by_labels else tg.stop_gradient(labels)
    return -np.sum(targets * _log_softmax(logits, axis), axis=axis)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """-log_softmax(logits) at the label of each row."""
    _named("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    return apply(
        _sparse_cross_entropy, (labels, logits), label="sparse_softmax_cross_entropy", name=name,
        tensors=2,
    )  # fmt: skip


def _sparse_cross_entropy(labels: Any, logits: Any) -> Any:
    if np.ndim(labels) != np.ndim(logits) - 1:
        raise ValueError(
            "sparse_softmax_cross_entropy_with_logits: labels have one axis less than logits, "
            f"and their shapes are {np.shape(labels)} and {np.shape(logits)}"
        )
    at = np.expand_dims(labels, -1)
    return -np.take_along_axis(_log_softmax(logits, -1), at, axis=-1)[..., 0]


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """max(x, 0) - x * z + log(1 + exp(-abs(x))), of logits x and labels z."""
    _named("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    return apply(
        _sigmoid_cross_entropy, (labels, logits, 1.0), label="logistic_loss", name=name, tensors=2
    )


def weighted_cross_entropy_with_logits(
    labels: Any = None,
    logits: Any = None,
    pos_weight: Any = None,
    name: str | None = None,
    targets: Any = None,
) -> Any:
    """The same, with positive labels counted `pos_weight` times."""
    found = targets if labels is None else labels
    args = (found, logits, pos_weight)
    return apply(_sigmoid_cross_entropy, args, label="logistic_loss", name=name, tensors=3)


def _sigmoid_cross_entropy(labels: Any, logits: Any, weight: Any) -> Any:
    # (1 - z) * x + (1 + (q - 1) * z) * log(1 + exp(-x))
    return (1.0 - labels) * logits + (1.0 + (weight - 1.0) * labels) * np.logaddexp(-logits, 0.0)


def _named(function: str, sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None or labels is None or logits is None:
        raise ValueError(
            f"{function}: labels and logits go by name, {function}(labels=y, logits=z)"
        )


@op("L2Loss")
def l2_loss(t: Any) -> Any:
    """sum(t**2) / 2."""
    return np.sum(np.square(t)) / 2


@op("BiasAdd", tensors=2)
def bias_add(value: Any, bias: Any, data_format: Any = None) -> Any:
    """Adds a vector along the last axis, or along axis 1 of "NCHW"."""
    if data_format in ("NCHW", "NCW", "NCDHW"):
        return value + np.reshape(bias, (-1, *[1] * (np.ndim(value) - 2)))
    return value + bias


@op("XwPlusB", tensors=3)
def xw_plus_b(x: Any, weights: Any, biases: Any) -> Any:
    """X @ weights + biases."""
    return x @ weights + biases


@op("L2Normalize")
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, dim: Any = None) -> Any:
    """X / sqrt(max(sum(x**2), epsilon)) along an axis."""
    over = _axis(dim if axis is None else axis)
    total = np.sum(np.square(x), axis=over, keepdims=True)
    return x / np.sqrt(np.maximum(total, epsilon))


def embedding_lookup(params: Any, ids: Any, *_: Any, name: str | None = None, **__: Any) -> Any:
    """The rows of a table at these positions."""
    return gather(params, ids, name=name)


@op("Moments")
def _moments(x: Any, axes: Any, keep_dims: bool) -> Any:
    over = _axis(axes)
    return np.mean(x, axis=over, keepdims=keep_dims), np.var(x, axis=over, keepdims=keep_dims)


def moments(
    x: Any, axes: Any, shift: Any = None, name: Any = None, keep_dims: bool = False, **_: Any
) -> Any:
    """Mean and variance over axes."""
    from tapegrad.compat.tensorflow.functions.control import parts

    return parts(_moments(x, axes, bool(keep_dims), name=name), 2)


def top_k(input: Any, k: int = 1, sorted: bool = True, name: str | None = None) -> Any:
    """The k largest elements of each row, and where they are."""
    from tapegrad.compat.tensorflow.functions.control import parts

    return parts(_top_k(input, k, name=name), 2)


@op("InTopK", tensors=2, cuts=True)
def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether the target of each row is among its k largest."""
    at = np.take_along_axis(predictions, np.expand_dims(targets, -1), axis=-1)
    return np.sum(predictions > at, axis=-1) < k


@op("BatchNorm", tensors=5)
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset."""
    found = (x - mean) / np.sqrt(variance + variance_epsilon)
    found = found if scale is None else found * scale
    return found if offset is None else found + offset


# Convolutions and pooling of images: arrays of (batch, height, width, channels).


def _padded(x: Any, window: Any, strides: Any, padding: str, fill: float) -> Any:
    if padding.upper() == "VALID":
        return x
    pairs = [(0, 0)]
    for n, k, s in zip(np.shape(x)[1:3], window, strides, strict=True):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pairs.append((total // 2, total - total // 2))
    return np.pad(x, [*pairs, (0, 0)], constant_values=fill)


def _windows(x: Any, window: Any, strides: Any) -> Any:
    """The windows, as an array of (batch, rows, columns, height * width, channels)."""
    (h, w), (sh, sw) = window, strides
    n, m = (np.shape(x)[1] - h) // sh + 1, (np.shape(x)[2] - w) // sw + 1
    return np.stack(
        [
            x[:, i : i + sh * (n - 1) + 1 : sh, j : j + sw * (m - 1) + 1 : sw, :]
            for i in range(h)
            for j in range(w)
        ],
        axis=3,
    )


@op("Conv2D", tensors=2)
def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = (1, 1, 1, 1),
    padding: str = "SAME",
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    filters: Any = None,
) -> Any:
    """Correlates images with filters of (height, width, channels in, channels out)."""
    kernel = filters if filter is None else filter
    _channels_last("conv2d", data_format)
    h, w, c, out = np.shape(kernel)
    steps = tuple(strides)[1:3]
    found = _windows(_padded(input, (h, w), steps, padding, 0.0), (h, w), steps)
    flat = np.reshape(found, (*np.shape(found)[:3], h * w * c))
    return flat @ np.reshape(kernel, (h * w * c, out))


def _channels_last(name: str, data_format: str) -> None:
    if data_format != "NHWC":
        raise NotImplementedError(
            f"{name}: data_format={data_format!r} is not there; transpose to NHWC"
        )


@op("MaxPool")
def max_pool(value: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC") -> Any:
    """The largest element of each window."""
    _channels_last("max_pool", data_format)
    window, steps = tuple(ksize)[1:3], tuple(strides)[1:3]
    padded = _padded(value, window, steps, padding, -np.inf)
    return np.max(_windows(padded, window, steps), axis=3)


@op("AvgPool")
def avg_pool(value: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC") -> Any:
    """The mean of each window, over the elements that are in the image."""
    _channels_last("avg_pool", data_format)
    window, steps = tuple(ksize)[1:3], tuple(strides)[1:3]
    padded = _padded(value, window, steps, padding, 0.0)
    inside = _padded(np.ones((1, *np.shape(value)[1:3], 1)), window, steps, padding, 0.0)
    counts = np.sum(_windows(inside, window, steps), axis=3)
    return np.sum(_windows(padded, window, steps), axis=3) / counts


def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: Any = None,
    name: str | None = None,
    rate: Any = None,
) -> Any:
    """Each element with probability `rate` is zero, the others are scaled up by 1 / (1 - rate)."""
    from tapegrad.compat.tensorflow.functions.arrays import shape
    from tapegrad.compat.tensorflow.functions.random import random_uniform

    if keep_prob is None and rate is None:
        raise ValueError("dropout: say rate= (or keep_prob=)")
    keep = 1.0 - rate if keep_prob is None else keep_prob
    noise = random_uniform(shape(x) if noise_shape is None else noise_shape, seed=seed)
    return apply(_dropped, (x, keep, noise), label="dropout", name=name, tensors=3)


def _dropped(x: Any, keep: Any, noise: Any) -> Any:
    return np.where(noise < keep, x / keep, 0.0)


def __getattr__(name: str) -> Any:
    if name in ("rnn_cell", "static_rnn", "dynamic_rnn"):
        from tapegrad.compat.tensorflow.functions import cells

        return cells if name == "rnn_cell" else getattr(cells, name)
    return _missing(name)


_missing = refusing("nn", globals())
