"""Convolutions and correlations of arrays with any number of axes, by the Fourier transform.

Those of two vectors are summed term by term where `method` does not ask for the transform.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal
from scipy.fft import next_fast_len

from tapegrad.scipy.arrays import array, ndim_of, padded, same_dtype, shape_of
from tapegrad.scipy.functions import derives

_MODES = ("full", "valid", "same")


def _operands(name: str, a: Any, b: Any) -> tuple[Any, Any]:
    a, b = same_dtype(array(a), array(b))
    if ndim_of(a) != ndim_of(b):
        raise ValueError(
            f"{name}: in1 and in2 should have the same dimensionality, got shapes {shape_of(a)} "
            f"and {shape_of(b)}"
        )
    return a, b


def _cut(name: str, full: Any, first: Any, second: Any, mode: str, axes: Any, late: int = 0) -> Any:
    """The part of a full convolution that a mode asks for, along some axes.

    Where the middle lies between two elements it begins at the first one, or at the `late` one.
    """
    if mode == "full":
        return full
    if mode not in _MODES:
        raise ValueError(f"{name}: acceptable mode flags are 'valid', 'same', or 'full'")
    limits = [slice(None)] * len(first)
    for i in axes:
        n = first[i] if mode == "same" else abs(first[i] - second[i]) + 1
        begin = (shape_of(full)[i] - n + late) // 2
        limits[i] = slice(begin, begin + n)
    return full[tuple(limits)]


def _check_valid(name: str, first: Any, second: Any, axes: Any) -> None:
    larger = all(first[i] >= second[i] for i in axes)
    if not larger and not all(second[i] >= first[i] for i in axes):
        raise ValueError(
            f"{name}: for 'valid' mode, one must be at least as large as the other in every "
            f"dimension; the shapes are {first} and {second}"
        )


def _transformed(name: str, a: Any, b: Any, mode: Any, axes: Any = None) -> Any:
    """The convolution along some axes; the others broadcast."""
    first, second = shape_of(a), shape_of(b)
    n = len(first)
    if axes is None:
        axes = [i for i in range(n) if first[i] != 1 and second[i] != 1]
        short = [i for i in range(n) if i not in axes]
    else:
        axes = list(np.lib.array_utils.normalize_axis_tuple(axes, n))
        if not axes:
            raise ValueError(f"{name}: axes=() is empty; leave it out for all axes")
        short = []
        for i in range(n):
            if i not in axes and first[i] != second[i] and 1 not in (first[i], second[i]):
                raise ValueError(
                    f"{name}: incompatible shapes for in1 and in2: {first} and {second}"
                )
    if mode == "valid":
        _check_valid(name, first, second, [*axes, *short])
    if not axes:
        return _cut(name, a * b, first, second, mode, short)
    lengths = [first[i] + second[i] - 1 for i in axes]
    fast = [next_fast_len(m, True) for m in lengths]
    product = np.fft.rfftn(a, fast, axes) * np.fft.rfftn(b, fast, axes)
    full = np.fft.irfftn(product, fast, axes)
    limits = [slice(None)] * n
    for i, m in zip(axes, lengths, strict=True):
        limits[i] = slice(m)
    return _cut(name, full[tuple(limits)].astype(a.dtype), first, second, mode, [*axes, *short])


@derives(scipy.signal.fftconvolve)
def fftconvolve(in1: Any, in2: Any, mode: Any = "full", axes: Any = None) -> Any:
    a, b = _operands("scipy.signal.fftconvolve", in1, in2)
    if ndim_of(a) == 0:
        return a * b
    return _transformed("scipy.signal.fftconvolve", a, b, mode, axes)


@derives(scipy.signal.oaconvolve)
def oaconvolve(in1: Any, in2: Any, mode: Any = "full", axes: Any = None) -> Any:
    a, b = _operands("scipy.signal.oaconvolve", in1, in2)
    if ndim_of(a) == 0:
        return a * b
    return _transformed("scipy.signal.oaconvolve", a, b, mode, axes)


@derives(scipy.signal.convolve)
def convolve(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> Any:
    name = "scipy.signal.convolve"
    a, b = _operands(name, in1, in2)
    if method not in ("auto", "direct", "fft"):
        raise ValueError("Acceptable method flags are 'auto', 'direct', or 'fft'.")
    if mode not in _MODES:
        raise ValueError(f"{name}: acceptable mode flags are 'valid', 'same', or 'full'")
    if ndim_of(a) == 0:
        return a * b
    first, second = shape_of(a), shape_of(b)
    if ndim_of(a) == 1 and method != "fft" and first[0] and second[0]:
        if mode == "same":
            return _cut(name, np.convolve(a, b), first, second, mode, [0])
        return np.convolve(a, b, mode)
    return _transformed(name, a, b, mode)


@derives(scipy.signal.correlate)
def correlate(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> Any:
    b = array(in2)
    return convolve(in1, b[(slice(None, None, -1),) * ndim_of(b)], mode, method)


_PADDING = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def _in_plane(name: str, a: Any, b: Any, mode: Any, boundary: Any, fill: Any, late: int = 0) -> Any:
    a, b = _operands(name, a, b)
    if ndim_of(a) != 2:
        raise ValueError(f"{name}: inputs must both be 2-D arrays, got {ndim_of(a)} axes")
    if mode == "valid":
        _check_valid(name, shape_of(a), shape_of(b), (0, 1))
    if boundary not in _PADDING:
        raise ValueError(
            f"{name}: acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and "
            "'symmetric' (or 'symm')."
        )
    if np.ndim(fill):
        raise ValueError(f"{name}: fillvalue= is one number, and has shape {np.shape(fill)}")
    m, n = shape_of(b)
    if mode == "valid" or (boundary == "fill" and not np.any(fill)):
        full = _transformed(name, a, b, "valid" if mode == "valid" else "full")
        return (
            full if mode == "valid" else _cut(name, full, shape_of(a), (m, n), mode, (0, 1), late)
        )
    widths = ((m - 1, m - 1), (n - 1, n - 1))
    wide = padded(a, widths, _PADDING[boundary], fill)
    full = _transformed(name, wide, b, "valid")
    return _cut(name, full, shape_of(a), (m, n), mode, (0, 1), late)


@derives(scipy.signal.convolve2d)
def convolve2d(
    in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0
) -> Any:
    return _in_plane("scipy.signal.convolve2d", in1, in2, mode, boundary, fillvalue)


@derives(scipy.signal.correlate2d)
def correlate2d(
    in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0
) -> Any:
    b = array(in2)
    return _in_plane("scipy.signal.correlate2d", in1, b[::-1, ::-1], mode, boundary, fillvalue, 1)
