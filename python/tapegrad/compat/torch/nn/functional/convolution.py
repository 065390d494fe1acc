"""Convolutions: a product of matrices for each offset of the kernel, added up.

For each offset the input is a strided slice, and its channels meet those of the kernel in one stack
of matrix products: nothing is copied but the slice. That measured faster here than windows with
einsum (2 times forward, 3.5 times backward; 8 channels, kernel 3 x 3), or than joining the slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call
from tapegrad.compat.torch.core.graph import OTHERS
from tapegrad.compat.torch.nn.functional.padding import zeros_around


def several(x: Any, n: int) -> tuple[int, ...]:
    """A number for each of n axes."""
    if isinstance(x, (tuple, list)):
        return tuple(int(k) for k in x) * (n if len(x) == 1 else 1)
    return (int(x),) * n


def _slices(
    kernel: tuple[int, ...], out: tuple[int, ...], stride: Any, dilation: Any
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """The offsets of a kernel, and the slice of the input that each one meets."""
    for offset in product(*map(range, kernel)):
        starts = [o * d for o, d in zip(offset, dilation, strict=True)]
        yield (
            offset,
            tuple(
                slice(a, a + s * (n - 1) + 1, s)
                for a, s, n in zip(starts, stride, out, strict=True)
            ),
        )


def _product(w: Any, x: Any, groups: int) -> Any:
    """(out, in / groups) by (N, in, places) to (N, out, places)."""
    if groups == 1:
        return w @ x
    n, c, m = x.shape
    per = w.shape[0] // groups
    x = np.reshape(x, (n, groups, c // groups, m))
    w = np.reshape(w, (groups, per, w.shape[1]))
    return np.reshape(w @ x, (n, groups * per, m))


def _check(name: str, input: Any, weight: Any, n: int, channels: int) -> None:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: the input has {n + 1} axes, or {n + 2} with the batch, and this one's "
            f"shape is {list(input.shape)}"
        )
    if input._v.dtype != weight._v.dtype:
        raise RuntimeError(
            f"{name}: the input is {dtypes.title(input.dtype)} and the weight "
            f"{dtypes.title(weight.dtype)}; write x.to(weight.dtype)"
        )
    if input.shape[-n - 1] != channels:
        raise RuntimeError(
            f"{name}: the weight, of shape {list(weight.shape)}, is for {channels} channels, and "
            f"the input, of shape {list(input.shape)}, has {input.shape[-n - 1]}"
        )


def _conv(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> Any:  # fmt: skip
    _check(name, input, weight, n, weight.shape[1] * groups)
    stride, dilation = several(stride, n), several(dilation, n)
    kernel = tuple(weight.shape[2:])
    if padding == "valid":
        sides = [(0, 0)] * n
    elif padding == "same":
        if any(s != 1 for s in stride):
            raise RuntimeError(
                f"convolution: padding='same' keeps lengths, which stride={stride} does not; "
                f"padding={tuple(k // 2 for k in kernel)} is near it"
            )
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in several(padding, n)]
    batched = input.ndim == n + 2
    lengths = input.shape[-n:]
    out = tuple(
        (m + a + b - d * (k - 1) - 1) // s + 1
        for m, (a, b), d, k, s in zip(lengths, sides, dilation, kernel, stride, strict=True)
    )
    if any(m < 1 for m in out):
        raise RuntimeError(
            f"{name}: with its padding the input has lengths "
            f"{[m + a + b for m, (a, b) in zip(lengths, sides, strict=True)]}, into which a "
            f"kernel of {list(kernel)} with dilation {list(dilation)} does not fit"
        )
    places = int(np.prod(out))

    def compute(x: Any, w: Any, *b: Any) -> Any:
        if not batched:
            x = np.expand_dims(x, 0)
        x = zeros_around(x, sides)
        total: Any = None
        for offset, part in _slices(kernel, out, stride, dilation):
            piece = np.reshape(x[(slice(None), slice(None), *part)], (*x.shape[:2], places))
            term = _product(w[(slice(None), slice(None), *offset)], piece, groups)
            total = term if total is None else total + term
        if b:
            total = total + np.reshape(b[0], (-1, 1))
        total = np.reshape(total, (x.shape[0], w.shape[0], *out))
        return total if batched else np.squeeze(total, 0)

    return call(
        "Convolution", compute, input, weight, *([] if bias is None else [bias]), saves=OTHERS
    )


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Correlations along one axis: (N, C, L) with (out, C / groups, k)."""
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Correlations along two axes: (N, C, H, W) with (out, C / groups, kh, kw)."""
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Correlations along three axes."""
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _conv_transpose(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any,
    output_padding: Any, groups: int, dilation: Any,
) -> Any:  # fmt: skip
    _check(name, input, weight, n, weight.shape[0])
    stride, dilation = several(stride, n), several(dilation, n)
    padding, more = several(padding, n), several(output_padding, n)
    kernel, lengths = tuple(weight.shape[2:]), tuple(input.shape[-n:])
    batched = input.ndim == n + 2
    channels = weight.shape[1] * groups
    whole = tuple(
        (m - 1) * s + d * (k - 1) + 1
        for m, s, d, k in zip(lengths, stride, dilation, kernel, strict=True)
    )
    out = tuple(m - 2 * p + o for m, p, o in zip(whole, padding, more, strict=True))
    places = int(np.prod(lengths))

    def compute(x: Any, w: Any, *b: Any) -> Any:
        if not batched:
            x = np.expand_dims(x, 0)
        batch = x.shape[0]
        flat = np.reshape(x, (batch, x.shape[1], places))
        room = tuple(max(w, m + p) for w, m, p in zip(whole, out, padding, strict=True))
        total: Any = None
        for offset, part in _slices(kernel, lengths, stride, dilation):
            taps = w[(slice(None), slice(None), *offset)]
            if groups > 1:
                taps = np.reshape(taps, (groups, -1, taps.shape[1]))
            turned = np.swapaxes(taps, -1, -2)
            if groups > 1:
                turned = np.reshape(turned, (channels, -1))
            term = _product(turned, flat, groups)
            if total is None:
                total = np.zeros_like(term, shape=(batch, channels, *room))
            total[(slice(None), slice(None), *part)] += np.reshape(
                term, (batch, channels, *lengths)
            )
        cut = tuple(slice(p, p + m) for p, m in zip(padding, out, strict=True))
        total = total[(slice(None), slice(None), *cut)]
        if b:
            total = total + np.reshape(b[0], (-1,) + (1,) * n)
        return total if batched else np.squeeze(total, 0)

    return call(
        "ConvolutionTranspose",
        compute,
        input,
        weight,
        *([] if bias is None else [bias]),
        saves=OTHERS,
    )


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv1d`."""
    return _conv_transpose(
        "conv_transpose1d",
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv2d`."""
    return _conv_transpose(
        "conv_transpose2d",
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )
