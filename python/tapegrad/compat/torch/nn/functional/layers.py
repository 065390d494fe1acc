"""Linear maps, embeddings, normalisation, attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call, cell, new, raw
from tapegrad.compat.torch.core.functions.indexing import one_hot
from tapegrad.compat.torch.core.functions.linear import cosine_similarity
from tapegrad.compat.torch.core.graph import CHOICE, OTHERS
from tapegrad.compat.torch.core.operands import table
from tapegrad.compat.torch.core.writes import put
from tapegrad.compat.torch.nn.functional.activations import dropout
from tapegrad.transforms.trace import stop_gradient

__all__ = [
    "batch_norm",
    "bilinear",
    "cosine_similarity",
    "embedding",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "linear",
    "local_response_norm",
    "one_hot",
    "rms_norm",
    "scaled_dot_product_attention",
]


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """`input @ weight.T + bias`."""
    if input._v.dtype != weight._v.dtype:
        raise RuntimeError(
            f"linear: the input is {dtypes.title(input.dtype)} and the weight "
            f"{dtypes.title(weight.dtype)}; write x.to(weight.dtype), or layer.double()"
        )
    if not input.ndim or input.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            f"linear: the weight, of shape {list(weight.shape)}, takes a last axis of "
            f"{weight.shape[-1]}, and the input has shape {list(input.shape)}"
        )
    if bias is None:
        return call("Mm", lambda x, w: x @ np.transpose(w), input, weight, saves=OTHERS)
    return call("Addmm", lambda x, w, b: x @ np.transpose(w) + b, input, weight, bias, saves=OTHERS)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """`input1 @ weight[k] @ input2` for each k."""
    made = call(
        "Einsum", lambda a, w, b: np.einsum("...i,kij,...j->...k", a, w, b), input1, weight, input2
    )
    return made if bias is None else made + bias


def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    """The rows of `weight` at the given indices; that of `padding_idx` gets no gradient."""
    index = raw(input)
    if index.dtype.kind not in "iu":
        raise RuntimeError(
            "embedding: rows are chosen by integers, and the input is "
            f"{dtypes.title(input.dtype)}; write x.long()"
        )
    if max_norm is not None or scale_grad_by_freq:
        raise NotImplementedError(
            "embedding(max_norm=, scale_grad_by_freq=): scale the rows before, with "
            "torch.nn.functional.normalize, or the gradient in a hook of the weight"
        )
    if sparse:
        raise NotImplementedError("embedding: sparse=True is not there; gradients are dense here")
    n = weight.shape[0]
    if type(index) is not Variable and index.size and (index.min() < 0 or index.max() >= n):
        raise IndexError(
            f"embedding: an index outside the {n} rows, {index.min()} to {index.max()}: 0 to "
            f"{n - 1} are inside"
        )
    if padding_idx is None:
        return call(
            "Embedding", lambda w: np.take(table(w, index), index, axis=0), weight, saves=CHOICE
        )
    padded = (index == padding_idx % n)[..., None]

    def compute(w: Any) -> Any:
        rows = np.take(table(w, index), index, axis=0)
        return np.where(padded, stop_gradient(rows), rows)

    return call("Embedding", compute, weight, saves=CHOICE)


def _scaled(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _centred(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    d = x - np.mean(x, axis=axes, keepdims=True)
    return d / np.sqrt(np.mean(d * d, axis=axes, keepdims=True) + eps)


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Mean 0 and variance 1 over the last axes, then scaled and shifted."""
    given = tuple(normalized_shape)
    if tuple(input.shape[-len(given) :]) != given:
        raise RuntimeError(
            f"layer_norm: normalized_shape={list(given)} is not how the shape of the input ends, "
            f"{list(input.shape)}"
        )
    axes = tuple(range(-len(given), 0))
    more = [p for p in (weight, bias) if p is not None]

    def compute(x: Any, *p: Any) -> Any:
        w = p[0] if weight is not None else None
        return _scaled(_centred(x, axes, eps), w, p[-1] if bias is not None else None)

    return call("NativeLayerNorm", compute, input, *more)


def rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Any:
    """Divided by the root of the mean square over the last axes."""
    axes = tuple(range(-len(tuple(normalized_shape)), 0))
    least = float(np.finfo(input._v.dtype).eps) if eps is None else eps

    def compute(x: Any, *w: Any) -> Any:
        y = x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + least)
        return y * w[0] if w else y

    return call("RmsNorm", compute, input, *([] if weight is None else [weight]))


def _by_channel(p: Any, ndim: int) -> Any:
    return np.reshape(p, (1, -1) + (1,) * (ndim - 2))


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel with mean 0 and variance 1, of the batch in training, else of the past."""
    n = input.ndim
    axes = (0, *range(2, n))
    more = [p for p in (weight, bias) if p is not None]
    use_batch = training or running_mean is None
    if use_batch:
        count = input.numel() // input.shape[1]
        if training and count == 1:
            raise ValueError(
                f"batch_norm: one value per channel, in shape {list(input.shape)}, has variance "
                "0 in training; model.eval() takes the running statistics"
            )
        if training and running_mean is not None:
            a = input.plain()
            for kept, new_one in (
                (running_mean, a.mean(axis=axes)),
                (running_var, a.var(axis=axes, ddof=1)),
            ):
                old = cell(kept)
                put(
                    kept, ..., (1 - momentum) * old + momentum * new_one.astype(old.dtype), "", None
                )
    else:
        mean, var = running_mean.plain(), running_var.plain()

    def compute(x: Any, *p: Any) -> Any:
        if use_batch:
            y = _centred(x, axes, eps)
        else:
            scale = 1.0 / np.sqrt(var + eps)
            y = (x - _by_channel(mean, n)) * _by_channel(scale, n)
        w = _by_channel(p[0], n) if weight is not None else None
        return _scaled(y, w, _by_channel(p[-1], n) if bias is not None else None)

    return call("NativeBatchNorm", compute, input, *more)


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Mean 0 and variance 1 over groups of channels."""
    shape, n = tuple(input.shape), input.ndim
    if shape[1] % num_groups:
        raise RuntimeError(
            f"group_norm: {shape[1]} channels, in shape {list(shape)}, are no "
            f"multiple of num_groups={num_groups}"
        )
    more = [p for p in (weight, bias) if p is not None]

    def compute(x: Any, *p: Any) -> Any:
        grouped = np.reshape(x, (shape[0], num_groups, -1))
        y = np.reshape(_centred(grouped, (2,), eps), shape)
        w = _by_channel(p[0], n) if weight is not None else None
        return _scaled(y, w, _by_channel(p[-1], n) if bias is not None else None)

    return call("NativeGroupNorm", compute, input, *more)


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None,
    bias: Any = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Mean 0 and variance 1 of each channel of each sample."""
    if running_mean is not None or not use_input_stats:
        raise NotImplementedError(
            "instance_norm with running statistics: write track_running_stats=False, or batch_norm"
        )
    if int(np.prod(input.shape[2:])) == 1:
        raise ValueError(
            f"instance_norm: one element per channel, in shape {list(input.shape)}, has variance "
            "0; track its statistics over batches with batch_norm"
        )
    return group_norm(input, input.shape[1], weight, bias, eps)


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Divided by a power of the mean square of neighbouring channels."""

    def compute(x: Any) -> Any:
        pads = [(0, 0), (size // 2, (size - 1) // 2)] + [(0, 0)] * (x.ndim - 2)
        squares = np.pad(x * x, pads)
        c = x.shape[1]
        total = sum(squares[:, j : j + c] for j in range(size))
        return x / (k + alpha * (total / size)) ** beta

    return call("LocalResponseNorm", compute, input)


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """`softmax(query @ key.T * scale + mask) @ value`."""
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.transpose(-2, -1) * factor
    if is_causal:
        rows, columns = query.shape[-2], key.shape[-2]
        scores = scores.masked_fill(new(~np.tril(np.ones((rows, columns), bool))), -math.inf)
    if attn_mask is not None:
        if attn_mask._v.dtype.kind == "b":
            scores = scores.masked_fill(attn_mask.logical_not(), -math.inf)
        else:
            scores = scores + attn_mask
    return dropout(scores.softmax(-1), dropout_p, dropout_p > 0) @ value
