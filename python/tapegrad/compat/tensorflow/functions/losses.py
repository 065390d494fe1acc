"""`tf.losses`: weighted means of losses, each put into the collection of losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.dispatch import apply, op
from tapegrad.compat.tensorflow.functions import nn
from tapegrad.compat.tensorflow.functions.arrays import cast
from tapegrad.compat.tensorflow.functions.math import add_n
from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.tensors import convert_to_tensor, get_default_graph
from tapegrad.compat.tensorflow.variables import GraphKeys
from tapegrad.graph import casts
from tapegrad.graph.nodes import Node


class Reduction:
    """How the losses of elements become one."""

    NONE = "none"
    SUM = "weighted_sum"
    MEAN = "weighted_mean"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"


def _reduced(losses: Any, weights: Any, reduction: str) -> Any:
    weighted = losses * weights
    if reduction == Reduction.NONE:
        return weighted
    total = np.sum(weighted)
    if reduction == Reduction.SUM:
        return total
    everywhere = np.broadcast_to(weights, np.shape(losses))
    if reduction == Reduction.MEAN:
        count = np.sum(everywhere)
    elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
        count = np.size(losses)
    else:
        count = np.sum(everywhere != 0)
    if count == 0:
        return total * 0.0
    return total / casts.cast(count, casts.dtype_of(total).name)


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """One loss of many; by default the sum over the number of weights that are not zero."""
    found = apply(_reduced, (losses, weights, reduction), label=scope or "value", tensors=2)
    if loss_collection and isinstance(found, Node):
        get_default_graph().add_to_collection(loss_collection, found)
    return found


@op("SquaredDifference", tensors=2)
def _squares(predictions: Any, labels: Any) -> Any:
    _same_shape(predictions, labels)
    return np.square(predictions - labels)


@op("AbsoluteDifference", tensors=2)
def _distances(predictions: Any, labels: Any) -> Any:
    _same_shape(predictions, labels)
    return np.abs(predictions - labels)


def _same_shape(predictions: Any, labels: Any) -> None:
    if np.shape(predictions) != np.shape(labels):
        raise ValueError(
            f"the predictions have shape {np.shape(predictions)} and the labels "
            f"{np.shape(labels)}; tf.reshape(labels, tf.shape(predictions)) has that of the "
            "predictions"
        )


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The mean of (predictions - labels)**2."""
    each = _squares(predictions, labels)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The mean of abs(predictions - labels)."""
    each = _distances(predictions, labels)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@op("Huber", tensors=2)
def _huber(predictions: Any, labels: Any, delta: float) -> Any:
    _same_shape(predictions, labels)
    error = np.abs(predictions - labels)
    near = np.minimum(error, delta)
    return 0.5 * np.square(near) + delta * (error - near)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """Squares near zero, distances beyond `delta`."""
    each = _huber(predictions, labels, delta)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@op("Log", tensors=2)
def _log_loss(predictions: Any, labels: Any, epsilon: float) -> Any:
    _same_shape(predictions, labels)
    return -labels * np.log(predictions + epsilon) - (1 - labels) * np.log(
        1 - predictions + epsilon
    )


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The cross entropy of probabilities and labels of 0 and 1."""
    each = _log_loss(predictions, labels, epsilon)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


@op("Hinge", tensors=2)
def _hinge(labels: Any, logits: Any) -> Any:
    margin = 1.0 - (2.0 * labels - 1.0) * logits
    return np.where(margin > 0, margin, 0.0)


def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The hinge loss of labels of 0 and 1."""
    each = _hinge(labels, logits)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The mean cross entropy of rows of logits and of labels."""
    labels = onehot_labels
    if label_smoothing:
        labels = apply(_smoothed, (onehot_labels, label_smoothing))
    each = nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


def _smoothed(labels: Any, amount: float) -> Any:
    return labels * (1 - amount) + amount / np.shape(labels)[-1]


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The mean cross entropy of rows of logits and of the numbers of classes."""
    each = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: Any = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The mean cross entropy of logits and labels of 0 and 1, each class by itself."""
    labels = multi_class_labels
    if label_smoothing:
        labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
    each = nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    return compute_weighted_loss(each, weights, scope, loss_collection, reduction)


def get_losses(scope: str | None = None, loss_collection: str = GraphKeys.LOSSES) -> list[Any]:
    """The losses of the graph."""
    return get_default_graph().get_collection(loss_collection, scope)


def add_loss(loss: Any, loss_collection: str = GraphKeys.LOSSES) -> None:
    """Puts a loss into the collection of losses."""
    get_default_graph().add_to_collection(loss_collection, loss)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The losses of regularisers."""
    return get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Any:
    """The sum of all losses of the graph."""
    found = get_losses()
    if add_regularization_losses:
        found = [*found, *get_regularization_losses()]
    return add_n(found, name=name) if found else cast(convert_to_tensor(0.0), "float64")


__getattr__ = refusing("losses", globals())
