"""Discrete Fourier transforms: np.fft, of real and complex Variables.

Inside, a complex array is a pair of real ones; a real array has None in place of its imaginary
part, which spares half the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad._core import Variable, apply, to_array
from tapegrad.numpy.operands import (
    axis_of,
    integer,
    integers,
    ndim_of,
    shape_of,
)
from tapegrad.numpy.table import RECORD, implements
from tapegrad.transforms import trace

Pair = tuple[Any, Any]

_HALF, _DOUBLED, _WHOLE = range(3)  # of the ops real_fourier and real_fourier_back


def _pair(a: Any) -> Pair:
    if type(a) is Variable:
        return a, None
    from tapegrad.complex.parts import is_complex, split

    if is_complex(a):
        return split(a)
    return (a if isinstance(a, Variable) else np.asarray(a)), None


def _joined(name: str, pair: Pair, out: Any) -> Any:
    from tapegrad.complex.parts import join_any

    re, im = pair
    return _given_out(name, re if im is None else join_any(re, im), out)


def _given_out(name: str, found: Any, out: Any) -> Any:
    if out is None:
        return found
    from tapegrad.complex.ufuncs import finish

    single = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if np.shape(single) != np.shape(found):
        raise ValueError(
            f"np.fft.{name}: output array has wrong shape: out= has {np.shape(single)}, the result "
            f"{np.shape(found)}"
        )
    return finish(f"fft.{name}", found, out)


def _points(pair: Pair, n: Any, axis: Any, of_half: bool = False) -> int:
    if n is None:
        n = shape_of(pair[0])[axis_of("np.fft", axis, ndim_of(pair[0]))]
        n = (n - 1) * 2 if of_half else n
    points = integer("np.fft: the number of points", n)
    if points < 1:
        raise ValueError(f"Invalid number of FFT data points ({points}) specified.")
    return points


def _scale(norm: Any, n: int, is_inverse: bool) -> float:
    if norm is None or norm == "backward":
        return 1.0 / n if is_inverse else 1.0
    if norm == "ortho":
        return 1.0 / math.sqrt(n)
    if norm == "forward":
        return 1.0 if is_inverse else 1.0 / n
    raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')


def _whole(pair: Pair, n: Any, axis: Any, norm: Any, is_inverse: bool) -> Pair:
    """Fft and ifft."""
    n = _points(pair, n, axis)
    attributes = (axis, n, is_inverse, _scale(norm, n, is_inverse))
    re, im = pair
    if im is None:
        re, im = apply("real_fourier", (re,), (*attributes, _WHOLE))
    else:
        re, im = apply("fourier", (re, im), attributes)
    return re, im


def _half(name: str, pair: Pair, n: Any, axis: Any, norm: Any, is_inverse: bool) -> Pair:
    """rfft, and ihfft with the signs of an inverse."""
    re, im = pair
    if im is not None:
        raise TypeError(
            f"np.fft.{name}: takes real arrays, and this one is complex; call np.fft.fft, or give "
            "its real part, z.real"
        )
    n = _points(pair, n, axis)
    re, im = apply("real_fourier", (re,), (axis, n, is_inverse, _scale(norm, n, is_inverse), _HALF))
    return re, im


def _back(pair: Pair, n: Any, axis: Any, norm: Any, is_inverse: bool) -> Any:
    """irfft, and hfft with the signs that are not those of an inverse."""
    re, im = pair
    n = _points(pair, n, axis, of_half=True)
    if im is None:
        im = np.zeros_like(re)
    attributes = (axis, n, not is_inverse, _scale(norm, n, is_inverse), _DOUBLED)
    return apply("real_fourier_back", (re, im), attributes)


@implements(np.fft.fft, values=1)
def fft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    return _joined("fft", _whole(_pair(a), n, axis, norm, False), out)


@implements(np.fft.ifft, values=1)
def ifft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    return _joined("ifft", _whole(_pair(a), n, axis, norm, True), out)


@implements(np.fft.rfft, values=1)
def rfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    return _joined("rfft", _half("rfft", _pair(a), n, axis, norm, False), out)


@implements(np.fft.ihfft, values=1)
def ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    return _joined("ihfft", _half("ihfft", _pair(a), n, axis, norm, True), out)


@implements(np.fft.irfft, values=1)
def irfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    return _given_out("irfft", _back(_pair(a), n, axis, norm, True), out)


@implements(np.fft.hfft, values=1)
def hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    return _given_out("hfft", _back(_pair(a), n, axis, norm, False), out)


def _lengths(
    pair: Pair, s: Any, axes: Any, of_half: bool = False
) -> tuple[list[Any], Sequence[Any]]:
    """The points of each of the axes, and those, as NumPy understands them."""
    shape = shape_of(pair[0])
    lengths = (
        list(s)
        if s is not None
        else [shape[axis_of("np.fft", i, len(shape))] for i in axes]
        if axes is not None
        else [*shape]
    )
    if axes is None:
        if s is not None:
            trace.warn_user(
                "`axes` should not be `None` if `s` is not `None` (Deprecated in NumPy 2.0)",
                DeprecationWarning,
            )
        axes = list(range(-len(lengths), 0))
    if len(lengths) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    if of_half and not axes:
        raise IndexError("np.fft: axes=() is empty, and at least 1 axis must be transformed")
    axes = list(axes)
    if of_half and s is None:
        lengths[-1] = (shape[axes[-1]] - 1) * 2
    if None in lengths:
        trace.warn_user(
            "Passing an array containing `None` values to `s` is deprecated in NumPy 2.0",
            DeprecationWarning,
        )
    return [shape[i] if n == -1 else n for n, i in zip(lengths, axes, strict=True)], axes


def _whole_axes(
    pair: Pair, lengths: Sequence[Any], axes: Sequence[Any], norm: Any, is_inverse: bool
) -> Pair:
    for n, axis in zip(lengths, axes, strict=True):
        pair = _whole(pair, n, axis, norm, is_inverse)
    return pair


def _whole_nd(name: str, a: Any, s: Any, axes: Any, norm: Any, out: Any) -> Any:
    pair = _pair(a)
    lengths, axes = _lengths(pair, s, axes)
    found = _whole_axes(pair, lengths[::-1], axes[::-1], norm, name.startswith("i"))
    return to_array(_joined(name, found, out))


def _half_nd(name: str, a: Any, s: Any, axes: Any, norm: Any, out: Any) -> Any:
    pair = _pair(a)
    lengths, axes = _lengths(pair, s, axes)
    pair = _half(name, pair, lengths[-1], axes[-1], norm, False)
    return _joined(name, _whole_axes(pair, lengths[-2::-1], axes[-2::-1], norm, False), out)


def _back_nd(name: str, a: Any, s: Any, axes: Any, norm: Any, out: Any) -> Any:
    pair = _pair(a)
    lengths, axes = _lengths(pair, s, axes, of_half=True)
    pair = _whole_axes(pair, lengths[:-1], axes[:-1], norm, True)
    return _given_out(name, _back(pair, lengths[-1], axes[-1], norm, True), out)


@implements(np.fft.fftn, values=1)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    return _whole_nd("fftn", a, s, axes, norm, out)


@implements(np.fft.ifftn, values=1)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    return _whole_nd("ifftn", a, s, axes, norm, out)


@implements(np.fft.rfftn, values=1)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    return _half_nd("rfftn", a, s, axes, norm, out)


@implements(np.fft.irfftn, values=1)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    return _back_nd("irfftn", a, s, axes, norm, out)


@implements(np.fft.fft2, values=1)
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _whole_nd("fft2", a, s, axes, norm, out)


@implements(np.fft.ifft2, values=1)
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _whole_nd("ifft2", a, s, axes, norm, out)


@implements(np.fft.rfft2, values=1)
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _half_nd("rfft2", a, s, axes, norm, out)


@implements(np.fft.irfft2, values=1)
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    return _back_nd("irfft2", a, s, axes, norm, out)


def _shifted(x: Any, axes: Any, sign: int) -> Any:
    shape = shape_of(x)
    if axes is None:
        axes = tuple(range(ndim_of(x)))
    axes = integers("np.fft.fftshift: axes", axes)
    if not axes:
        return x[...]
    return np.roll(x, [sign * (shape[axis] // 2) for axis in axes], tuple(axes))


@implements(np.fft.fftshift, values=1, on_data=RECORD)
def fftshift(x: Any, axes: Any = None) -> Any:
    return _shifted(x, axes, 1)


@implements(np.fft.ifftshift, values=1, on_data=RECORD)
def ifftshift(x: Any, axes: Any = None) -> Any:
    return _shifted(x, axes, -1)
