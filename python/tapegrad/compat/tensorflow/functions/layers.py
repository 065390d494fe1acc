"""`tf.layers`: layers that make their own variables."""

from __future__ import annotations

import math
from typing import Any

from tapegrad.compat.tensorflow.dispatch import apply
from tapegrad.compat.tensorflow.functions import arrays, nn
from tapegrad.compat.tensorflow.functions.control import cond
from tapegrad.compat.tensorflow.functions.initializers import ones_initializer, zeros_initializer
from tapegrad.compat.tensorflow.functions.math import reduce_mean, reduce_variance
from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.scopes import get_variable, variable_scope
from tapegrad.compat.tensorflow.variables import GraphKeys
from tapegrad.graph.nodes import Node


def _length(x: Any, axis: int, layer: str) -> int:
    lengths = x.shape.lengths
    if lengths is None or lengths[axis] is None:
        raise ValueError(
            f"{layer}: axis {axis} of the input must be known, and its shape is {x.shape}; give "
            "the placeholder a shape, as in tf.placeholder(tf.float64, [None, 4])"
        )
    return int(lengths[axis])


def _without_activity(layer: str, regularizer: Any) -> None:
    if regularizer is not None:
        raise NotImplementedError(
            f"tf.layers.{layer}: activity_regularizer= is not there; add regularizer(outputs) to "
            "the loss"
        )


def dense(
    inputs: Any,
    units: int,
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = None,
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
) -> Any:
    """activation(inputs @ kernel + bias)."""
    _without_activity("dense", activity_regularizer)
    with variable_scope(name, "dense", reuse=reuse):
        n = _length(inputs, -1, "dense")
        kernel = get_variable(
            "kernel", [n, units], _kind(inputs), kernel_initializer, kernel_regularizer, trainable
        )
        found = apply(_product, (inputs, kernel), label="MatMul")
        if use_bias:
            bias = get_variable(
                "bias",
                [units],
                _kind(inputs),
                bias_initializer or zeros_initializer(),
                bias_regularizer,
                trainable,
            )
            found = nn.bias_add(found, bias)
        return found if activation is None else activation(found)


def _product(x: Any, kernel: Any) -> Any:
    return x @ kernel


def _kind(x: Any) -> Any:
    kind = x.dtype
    return kind if kind.is_floating else None


def flatten(inputs: Any, name: str | None = None) -> Any:
    """All axes but the first in one."""
    lengths = inputs.shape.lengths
    if lengths is None or None in lengths[1:]:
        return apply(_flat, (inputs,), label="flatten", name=name)
    return arrays.reshape(inputs, [-1, math.prod(lengths[1:])], name=name)


def _flat(x: Any) -> Any:
    return x.reshape(x.shape[0], -1)


def dropout(
    inputs: Any,
    rate: Any = 0.5,
    noise_shape: Any = None,
    seed: Any = None,
    training: Any = False,
    name: str | None = None,
) -> Any:
    """Dropout where `training` is true, the input elsewhere."""
    if noise_shape is not None:
        raise NotImplementedError(
            "tf.layers.dropout: noise_shape= is not there; multiply by a mask of that shape"
        )
    if isinstance(training, Node):
        return cond(
            training,
            lambda: nn.dropout(inputs, rate=rate, seed=seed),
            lambda: arrays.identity(inputs),
        )
    return nn.dropout(inputs, rate=rate, seed=seed, name=name) if training else inputs


def conv2d(
    inputs: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation_rate: Any = (1, 1),
    activation: Any = None,
    use_bias: bool = True,
    kernel_initializer: Any = None,
    bias_initializer: Any = None,
    kernel_regularizer: Any = None,
    bias_regularizer: Any = None,
    activity_regularizer: Any = None,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
) -> Any:
    """Correlates images of (batch, height, width, channels) with filters."""
    if data_format != "channels_last" or _pair(dilation_rate) != (1, 1):
        raise NotImplementedError("conv2d: channels_last without dilation is what there is")
    _without_activity("conv2d", activity_regularizer)
    with variable_scope(name, "conv2d", reuse=reuse):
        shape = [*_pair(kernel_size), _length(inputs, -1, "conv2d"), filters]
        kernel = get_variable(
            "kernel", shape, _kind(inputs), kernel_initializer, kernel_regularizer, trainable
        )
        found = nn.conv2d(inputs, kernel, [1, *_pair(strides), 1], padding.upper())
        if use_bias:
            bias = get_variable(
                "bias",
                [filters],
                _kind(inputs),
                bias_initializer or zeros_initializer(),
                bias_regularizer,
                trainable,
            )
            found = nn.bias_add(found, bias)
        return found if activation is None else activation(found)


def _pair(x: Any) -> tuple[int, int]:
    return (x, x) if isinstance(x, int) else tuple(x)


def max_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", name: str | None = None
) -> Any:
    """The largest element of each window."""
    window, steps = [1, *_pair(pool_size), 1], [1, *_pair(strides), 1]
    return nn.max_pool(inputs, window, steps, padding.upper(), name=name)


def average_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", name: str | None = None
) -> Any:
    """The mean of each window."""
    window, steps = [1, *_pair(pool_size), 1], [1, *_pair(strides), 1]
    return nn.avg_pool(inputs, window, steps, padding.upper(), name=name)


def batch_normalization(
    inputs: Any,
    axis: int = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    training: Any = False,
    name: str | None = None,
    reuse: Any = None,
    trainable: bool = True,
) -> Any:
    """Normalised over all axes but the last; averages are updated by `UPDATE_OPS`."""
    last = len(inputs.shape) - 1
    if axis not in (-1, last, [-1], [last]):
        raise NotImplementedError(
            f"tf.layers.batch_normalization: axis={axis} is not there; transpose the input, so "
            "that the channels are the last axis"
        )
    with variable_scope(name, "batch_normalization", reuse=reuse):
        n, kind = _length(inputs, -1, "batch_normalization"), _kind(inputs)
        ones, zeros = ones_initializer(), zeros_initializer()
        gamma = get_variable("gamma", [n], kind, ones, None, trainable) if scale else None
        beta = get_variable("beta", [n], kind, zeros, None, trainable) if center else None
        mean = get_variable("moving_mean", [n], kind, zeros, None, False)
        variance = get_variable("moving_variance", [n], kind, ones, None, False)
        axes = list(range(len(inputs.shape) - 1))

        def of_batch() -> Any:
            return reduce_mean(inputs, axes), reduce_variance(inputs, axes)

        if isinstance(training, Node):
            now = cond(
                training, of_batch, lambda: (arrays.identity(mean), arrays.identity(variance))
            )
            keep = arrays.where(training, momentum, 1.0)
        else:
            now = of_batch() if training else (mean, variance)
            keep = momentum
        if training is not False:
            for average, value in zip((mean, variance), now, strict=True):
                update = average.assign(apply(_averaged, (average, value, keep)))
                inputs.graph.add_to_collection(GraphKeys.UPDATE_OPS, update)
        args = (inputs, *now, 0.0 if beta is None else beta, 1.0 if gamma is None else gamma)
        return nn.batch_normalization(*args, epsilon)


def _averaged(average: Any, value: Any, keep: Any) -> Any:
    return average * keep + value * (1.0 - keep)


__getattr__ = refusing("layers", globals())
