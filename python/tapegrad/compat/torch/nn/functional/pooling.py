"""Pooling: the largest or the mean element of windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import call, new
from tapegrad.compat.torch.core.graph import NOTHING
from tapegrad.compat.torch.nn.functional.convolution import _slices, several
from tapegrad.compat.torch.nn.functional.padding import zeros_around


def _lengths(
    input: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, n: int
) -> tuple[int, ...]:
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(
            f"pool: the input has {n + 1} axes, or {n + 2} with the batch, and this one's shape is "
            f"{list(input.shape)}"
        )
    out = []
    for m, k, s, p, d in zip(input.shape[-n:], kernel, stride, padding, dilation, strict=True):
        if p > k // 2:
            raise RuntimeError(
                f"pool: padding={p} is more than half of kernel_size={k} (dilation={d}), so that "
                "windows of padding alone would appear"
            )
        room = m + 2 * p - d * (k - 1) - 1
        length = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (length - 1) * s >= m + p:
            length -= 1  # the last window would begin in the border
        out.append(length)
    if min(out) < 1:
        raise RuntimeError(
            f"pool: an input of shape {list(input.shape)} is smaller than the kernel "
            f"{tuple(kernel)}: the output would have lengths {out}"
        )
    return tuple(out)


def _room(m: int, n_out: int, k: int, s: int, p: int, d: int) -> tuple[int, int]:
    """Borders before and after, so that every window lies inside."""
    return p, max((n_out - 1) * s + d * (k - 1) + 1 - m - p, 0)


def _max_pool(
    n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool, return_indices: bool,
) -> Any:  # fmt: skip
    kernel = several(kernel_size, n)
    stride = kernel if stride is None or stride == () else several(stride, n)
    padding, dilation = several(padding, n), several(dilation, n)
    out = _lengths(input, kernel, stride, padding, dilation, ceil_mode, n)
    lengths = tuple(input.shape[-n:])
    a = input.plain()
    lead = a.shape[:-n]
    sides = [
        _room(*args) for args in zip(lengths, out, kernel, stride, padding, dilation, strict=True)
    ]
    low = -np.inf if a.dtype.kind == "f" else np.iinfo(a.dtype).min
    wide = np.pad(a, [(0, 0)] * len(lead) + sides, constant_values=low)
    places = np.arange(int(np.prod(lengths))).reshape(lengths)
    wide_places = np.pad(places, sides)
    best: Any = None
    at: Any = None
    for _, part in _slices(kernel, out, stride, dilation):
        key: Any = (..., *part)
        piece, where = wide[key], wide_places[part]
        if best is None:
            best, at = piece.copy(), np.broadcast_to(where, piece.shape).copy()
        else:
            more = (piece > best) | np.isnan(piece)
            np.copyto(best, piece, where=more)
            np.copyto(at, np.broadcast_to(where, piece.shape), where=more)
    flat = np.reshape(at, (*lead, -1))

    def compute(x: Any) -> Any:
        found = np.take_along_axis(np.reshape(x, (*lead, -1)), flat, -1)
        return np.reshape(found, (*lead, *out))

    values = call("MaxPool", compute, input)
    return (values, new(at)) if return_indices else values


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window; the first of several gets the gradient."""
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window; the first of several gets the gradient."""
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _avg_pool(
    n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor: Any,
) -> Any:  # fmt: skip
    kernel = several(kernel_size, n)
    stride = kernel if stride is None or stride == () else several(stride, n)
    padding, ones = several(padding, n), (1,) * n
    out = _lengths(input, kernel, stride, padding, ones, ceil_mode, n)
    lengths = tuple(input.shape[-n:])
    sides = [_room(*args) for args in zip(lengths, out, kernel, stride, padding, ones, strict=True)]
    if divisor is not None:
        counts: Any = divisor
    else:
        border = padding if count_include_pad else (0,) * n
        counts = np.ones((1,) * n)
        for axis, (m, p, s, k, b) in enumerate(
            zip(lengths, padding, stride, kernel, border, strict=True)
        ):
            first = np.arange(out[axis]) * s - p
            inside = np.minimum(first + k, m + b) - np.maximum(first, -b)
            counts = counts * inside.reshape([-1 if j == axis else 1 for j in range(n)])

    def compute(x: Any) -> Any:
        wide = zeros_around(x, sides)
        total = sum(wide[(..., *part)] for _, part in _slices(kernel, out, stride, ones))
        return total / np.asarray(counts, x.dtype)

    return call("AvgPool", compute, input, saves=NOTHING)


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of each window."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None,
) -> Any:  # fmt: skip
    """The mean of each window."""
    return _avg_pool(
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _windows(m: int, k: int) -> list[tuple[int, int]]:
    return [(j * m // k, -(-((j + 1) * m) // k)) for j in range(k)]


def adaptive_avg_pool(input: Any, sizes: Any) -> Any:
    """Means of windows, as many as `sizes` says along the last axes."""
    n = len(sizes)
    wanted = [m if s is None else int(s) for s, m in zip(sizes, input.shape[-n:], strict=True)]

    def compute(x: Any) -> Any:
        for axis, k in zip(range(-n, 0), wanted, strict=True):
            m = x.shape[axis]
            tail = (slice(None),) * (-axis - 1)
            parts = [np.mean(x[(..., slice(a, b), *tail)], axis=axis) for a, b in _windows(m, k)]
            x = np.stack(parts, axis=axis)
        return x

    return call("AdaptiveAvgPool", compute, input, saves=NOTHING)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Means of as many windows as wanted."""
    return adaptive_avg_pool(input, several(output_size, 1))


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Means of as many windows as wanted along two axes."""
    sizes = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    return adaptive_avg_pool(input, sizes)


def _adaptive_max(n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * n
    lengths = tuple(input.shape[-n:])
    sizes = [m if s is None else int(s) for s, m in zip(given, lengths, strict=True)]
    a = input.plain()
    lead = a.shape[:-n]
    at = np.empty((*lead, *sizes), np.int64)
    places = np.arange(int(np.prod(lengths))).reshape(lengths)
    for index in np.ndindex(*sizes):
        part = tuple(
            slice(*_windows(m, k)[j]) for m, k, j in zip(lengths, sizes, index, strict=True)
        )
        piece = a[(..., *part)].reshape(*lead, -1)
        at[(..., *index)] = places[part].ravel()[np.argmax(piece, axis=-1)]
    flat = at.reshape(*lead, -1)

    def compute(x: Any) -> Any:
        found = np.take_along_axis(np.reshape(x, (*lead, -1)), flat, -1)
        return np.reshape(found, (*lead, *sizes))

    values = call("AdaptiveMaxPool", compute, input)
    return (values, new(at)) if return_indices else values


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of as many windows as wanted."""
    return _adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of as many windows as wanted along two axes."""
    return _adaptive_max(2, input, output_size, return_indices)


def _norm_pool(n: int, input: Any, p: float, kernel: Any, stride: Any, ceil_mode: bool) -> Any:
    powers = input.pow(p)
    size = int(np.prod(several(kernel, n)))
    total = _avg_pool(n, powers, kernel, stride, 0, ceil_mode, True, None) * size
    return (total.sign() * total.abs().relu()).pow(1.0 / p)


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The p-norm of each window."""
    return _norm_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The p-norm of each window."""
    return _norm_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """The windows of (N, C, H, W) as columns: (N, C kh kw, places)."""
    kernel, stride = several(kernel_size, 2), several(stride, 2)
    padding, dilation = several(padding, 2), several(dilation, 2)
    lengths = tuple(input.shape[-2:])
    out = tuple(
        (m + 2 * p - d * (k - 1) - 1) // s + 1
        for m, p, d, k, s in zip(lengths, padding, dilation, kernel, stride, strict=True)
    )

    def compute(x: Any) -> Any:
        wide = zeros_around(x, [(p, p) for p in padding])
        parts = [wide[(..., *part)] for _, part in _slices(kernel, out, stride, dilation)]
        stacked = np.stack(parts, axis=2)
        return np.reshape(stacked, (x.shape[0], -1, out[0] * out[1]))

    return call("Im2Col", compute, input, saves=NOTHING)
