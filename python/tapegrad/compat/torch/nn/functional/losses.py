"""Loss functions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call, is_tensor, raw
from tapegrad.compat.torch.core.functions.elementwise import applied
from tapegrad.compat.torch.core.functions.reductions import log_softmax_of
from tapegrad.compat.torch.core.operands import broadcast_complaint, function_name, meet, table
from tapegrad.transforms.trace import stop_gradient

_log_expit = applied("log_expit")


def reduced(values: Any, reduction: str) -> Any:
    """A loss of each element, put together."""
    if reduction == "mean":
        return np.mean(values)
    if reduction == "sum":
        return np.sum(values)
    if reduction == "none":
        return values
    raise ValueError(f"reduction is 'none', 'mean' or 'sum', not {reduction!r}")


def of_flags(size_average: Any, reduce: Any, reduction: str) -> str:
    """The reduction that PyTorch's older flags mean, where they are given."""
    if size_average is None and reduce is None:
        return reduction
    found = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average= and reduce= are old; write reduction={found!r}", UserWarning, stacklevel=3
    )
    return found


def _pointwise(
    name: str, f: Any, input: Any, target: Any, reduction: str, weight: Any = None
) -> Any:
    if tuple(input.shape) != tuple(target.shape):
        broadcast_complaint(name, input._v, target._v)
        warnings.warn(
            f"{function_name(name)}: the input has shape {list(input.shape)} and the target "
            f"{list(target.shape)}: they broadcast, and the loss compares more "
            "pairs than there are elements; target.view_as(input) has the input's shape",
            UserWarning,
            stacklevel=3,
        )

    def compute(x: Any, y: Any, *w: Any) -> Any:
        x, y = meet([x, y])
        values = f(x, y)
        return reduced(values * w[0] if w else values, reduction)

    return call(name, compute, input, target, *([] if weight is None else [weight]))


def mse_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", weight: Any = None,
) -> Any:  # fmt: skip
    """Squares of differences."""
    reduction = of_flags(size_average, reduce, reduction)

    def f(x: Any, y: Any) -> Any:
        d = x - y
        return d * d

    return _pointwise("MseLoss", f, input, target, reduction, weight)


def l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", weight: Any = None,
) -> Any:  # fmt: skip
    """Absolute differences."""
    reduction = of_flags(size_average, reduce, reduction)
    return _pointwise("L1Loss", lambda x, y: np.absolute(x - y), input, target, reduction, weight)


def smooth_l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Any:  # fmt: skip
    """Half squares of differences below `beta`, divided by it; absolute differences above."""
    reduction = of_flags(size_average, reduce, reduction)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)

    def f(x: Any, y: Any) -> Any:
        d = np.absolute(x - y)
        return np.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta)

    return _pointwise("SmoothL1Loss", f, input, target, reduction)


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    """Half squares of differences up to `delta`; `delta` times absolute differences above."""

    def f(x: Any, y: Any) -> Any:
        d = np.absolute(x - y)
        return np.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta))

    return _pointwise("HuberLoss", f, input, target, reduction, weight)


def soft_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """`log(1 + exp(-target * input))`."""
    reduction = of_flags(size_average, reduce, reduction)
    return _pointwise("SoftMarginLoss", lambda x, y: -_log_expit(y * x), input, target, reduction)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """Cross entropy of probabilities; logarithms are -100 at least."""
    reduction = of_flags(size_average, reduce, reduction)
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"binary_cross_entropy: the input has shape {list(input.shape)} and the target "
            f"{list(target.shape)}; they have one shape, "
            "as x and torch.ones_like(x)"
        )
    p = input.plain()
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise RuntimeError(
            f"binary_cross_entropy: probabilities go from 0 to 1, and the input from {p.min()} "
            f"to {p.max()}; binary_cross_entropy_with_logits takes any"
        )

    def logarithm(q: Any) -> Any:
        return np.maximum(np.log(np.maximum(q, np.finfo(q.dtype).tiny)), q.dtype.type(-100))

    def f(x: Any, y: Any) -> Any:
        return -(y * logarithm(x) + (1.0 - y) * logarithm(1.0 - x))

    return _pointwise("BinaryCrossEntropy", f, input, target, reduction, weight)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", pos_weight: Any = None,
) -> Any:  # fmt: skip
    """Cross entropy of the sigmoid of `input`, without overflow."""
    reduction = of_flags(size_average, reduce, reduction)
    if tuple(input.shape) != tuple(target.shape):
        raise ValueError(
            f"binary_cross_entropy_with_logits: the input has shape {list(input.shape)} and the "
            f"target {list(target.shape)}; they have one shape, "
            "as x and torch.ones_like(x)"
        )
    heavier = None if pos_weight is None else pos_weight.plain()

    def f(x: Any, y: Any) -> Any:
        if heavier is None:
            return (1.0 - y) * x - _log_expit(x)
        return (1.0 - y) * x - (1.0 + (heavier.astype(x.dtype) - 1.0) * y) * _log_expit(x)

    return _pointwise("BinaryCrossEntropyWithLogits", f, input, target, reduction, weight)


def kl_div(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean", log_target: bool = False,
) -> Any:  # fmt: skip
    """`target * (log(target) - input)`; 'batchmean' divides the sum by the length of the batch."""
    reduction = of_flags(size_average, reduce, reduction)

    def f(x: Any, y: Any) -> Any:
        if log_target:
            return np.exp(y) * (y - x)
        return _core.apply("xlogy", (y, y)) - y * x

    if reduction == "batchmean":
        return _pointwise("KlDiv", f, input, target, "sum") / (input.shape[0] if input.ndim else 1)
    return _pointwise("KlDiv", f, input, target, reduction)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, size_average: Any = None,
    eps: float = 1e-8, reduce: Any = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """The negative logarithm of a Poisson likelihood."""
    reduction = of_flags(size_average, reduce, reduction)

    def f(x: Any, y: Any) -> Any:
        loss = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
        if full:
            y = stop_gradient(y)
            safe = np.where(y > 1, y, 1)
            more = y * np.log(safe) - y + 0.5 * np.log(2 * np.pi * safe)
            loss = loss + np.where(y > 1, more, 0).astype(x.dtype)
        return loss

    return _pointwise("PoissonNllLoss", f, input, target, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The negative logarithm of a normal likelihood."""
    if not is_tensor(var):
        var = input.detach() * 0 + var
    bounded = var + (var.clamp(min=eps) - var).detach()
    loss = 0.5 * (bounded.log() + (input - target) ** 2 / bounded)
    if full:
        loss = loss + 0.5 * float(np.log(2 * np.pi))
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _classes(name: str, target: Any) -> Any:
    a = raw(target)
    if a.dtype.kind not in "iu":
        raise RuntimeError(
            f"{name}: classes are integers, and the target is {dtypes.title(target.dtype)}; "
            "write target.long()"
        )
    return a


def _picked(
    log_p: Any, classes: Any, weight: Any, ignore_index: int, smoothing: float, reduction: str
) -> Any:
    """The loss of logarithms of probabilities, the classes along axis 1 (0 without a batch)."""
    axis = 1 if log_p.ndim > 1 else 0
    n = log_p.shape[axis]
    ignored = classes == ignore_index
    safe: Any = np.where(ignored, 0, classes)
    if type(safe) is not Variable and safe.size and (safe.min() < 0 or safe.max() >= n):
        bad = safe.min() if safe.min() < 0 else safe.max()
        raise IndexError(f"target {bad} is none of the {n} classes, 0 to {n - 1}")
    shares = np.ones(n, log_p.dtype) if weight is None else weight
    used = np.where(ignored, log_p.dtype.type(0), np.take(table(shares, safe), safe))
    found = np.take_along_axis(table(log_p, safe), np.expand_dims(safe, axis), axis)
    values = -np.squeeze(found, axis) * used
    total = np.sum(used)
    if smoothing:
        shape = [1] * log_p.ndim
        shape[axis] = n
        spread = -np.sum(log_p * np.reshape(shares, shape), axis=axis)
        spread = np.where(ignored, log_p.dtype.type(0), spread)
        values = (1.0 - smoothing) * values + (smoothing / n) * spread
    if reduction == "mean":
        return np.sum(values) / total
    return reduced(values, reduction)


def _batch_sizes(name: str, input: Any, target: Any) -> None:
    expected = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if input.ndim > 1 and target.ndim and input.shape[0] != target.shape[0]:
        raise ValueError(
            f"{name}: the input, of shape {list(input.shape)}, is a batch of {input.shape[0]}, and "
            f"the target, of shape {list(target.shape)}, one of {target.shape[0]}"
        )
    if tuple(expected) != tuple(target.shape):
        raise RuntimeError(
            f"{name}: the target has shape {list(target.shape)}, and to the input's "
            f"{list(input.shape)}, with classes along dim 1, belongs {list(expected)}"
        )


def nll_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None,
    ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """Minus the logarithms of probabilities at the target classes."""
    reduction = of_flags(size_average, reduce, reduction)
    classes = _classes("nll_loss", target)
    _batch_sizes("nll_loss", input, target)

    def compute(x: Any, *w: Any) -> Any:
        return _picked(x, classes, w[0] if w else None, ignore_index, 0.0, reduction)

    return call("NllLoss", compute, input, *([] if weight is None else [weight]))


def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None,
    ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """Cross entropy of the softmax of `input` with classes, or with their probabilities."""
    reduction = of_flags(size_average, reduce, reduction)
    axis = 1 if input.ndim > 1 else 0
    weights = [] if weight is None else [weight]
    if target._v.dtype.kind == "f":
        if tuple(target.shape) != tuple(input.shape):
            _classes("cross_entropy", target)

        def soft(x: Any, y: Any, *w: Any) -> Any:
            x, y = meet([x, y])
            n = x.shape[axis]
            if label_smoothing:
                y = y * (1.0 - label_smoothing) + label_smoothing / n
            terms = log_softmax_of(x, axis) * y
            if w:
                shape = [1] * x.ndim
                shape[axis] = n
                terms = terms * np.reshape(w[0], shape)
            values = -np.sum(terms, axis=axis)
            if reduction == "mean":
                return np.sum(values) / (values.size if values.ndim else 1)
            return reduced(values, reduction)

        return call("CrossEntropy", soft, input, target, *weights)
    classes = _classes("cross_entropy", target)
    _batch_sizes("cross_entropy", input, target)

    def hard(x: Any, *w: Any) -> Any:
        log_p = log_softmax_of(x, axis)
        share = w[0] if w else None
        return _picked(log_p, classes, share, ignore_index, label_smoothing, reduction)

    return call("CrossEntropy", hard, input, *weights)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """`input` where the target is 1, else the part of it below the margin."""
    reduction = of_flags(size_average, reduce, reduction)
    zero = input.detach() * 0
    loss = (zero + input).masked_fill(target.ne(1), 0) + (margin - input).clamp(min=0).masked_fill(
        target.ne(-1), 0
    )
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`max(0, -target * (input1 - input2) + margin)`."""
    reduction = of_flags(size_average, reduce, reduction)
    loss = (-target * (input1 - input2) + margin).clamp(min=0)
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Any = None,
    reduce: Any = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """One minus the cosine where the target is 1, else the cosine above the margin."""
    reduction = of_flags(size_average, reduce, reduction)
    top = (input1 * input2).sum(-1)
    eps = 1e-12
    cos = top / (((input1 * input1).sum(-1) + eps) * ((input2 * input2).sum(-1) + eps)).sqrt()
    near = (1 - cos).masked_fill(target.ne(1), 0)
    far = (cos - margin).clamp(min=0).masked_fill(target.ne(-1), 0)
    loss = near + far
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """The p-norm of `x1 - x2 + eps` over the last axis."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """How much farther the negative should be from the anchor than the positive."""
    reduction = of_flags(size_average, reduce, reduction)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    loss = (margin + near - far).clamp(min=0)
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss
