"""Signals at other rates, divided by filters, and with frequencies that run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.signal
import scipy.special

from tapegrad.scipy.arrays import array, floats, ndim_of, normal_axis, same_dtype, shape_of
from tapegrad.scipy.functions import derives, refuse
from tapegrad.scipy.signal.convolutions import convolve, fftconvolve
from tapegrad.scipy.signal.filters import lfilter, sosfilt, sosfiltfilt

_PAD_FIRST = "pad the signal before, np.pad(x, n, mode)"


def _window_over(window: Any, n: int) -> Any:
    """What resample multiplies the spectrum of n points by."""
    if callable(window):
        return window(np.fft.fftfreq(n))
    if not hasattr(window, "shape"):
        return np.fft.fftshift(scipy.signal.get_window(window, n))
    if shape_of(window) != (n,):
        raise ValueError(
            f"scipy.signal.resample: the window has shape {shape_of(window)} and should have "
            f"{(n,)}, one weight for each frequency"
        )
    return window


@derives(
    scipy.signal.resample,
    refused={"domain='freq'": "give the signal itself, np.fft.ifft(x, axis=axis)"},
)
def resample(
    x: Any, num: Any, t: Any = None, axis: Any = 0, window: Any = None, domain: Any = "time"
) -> Any:
    if domain not in ("time", "freq"):
        raise ValueError(f"Parameter domain={domain!r} not in ('time', 'freq')!")
    x = floats(x)
    axis = normal_axis(axis, ndim_of(x))
    x = np.moveaxis(x, axis, -1)
    n = shape_of(x)[-1]
    m = min(num, n)
    spectrum = np.fft.rfft(x)
    if window is not None:
        both = _window_over(window, n)
        mirrored = np.concatenate([both[:1], both[1:][::-1]])
        weights = ((both + mirrored) * 0.5)[: n // 2 + 1]
        spectrum = spectrum * weights
    spectrum = spectrum[..., : m // 2 + 1]
    if m % 2 == 0 and num != n:  # the last frequency stands for a pair on one side alone
        ends = np.ones(m // 2 + 1)
        ends[-1] = 2.0 if num < n else 0.5
        spectrum = spectrum * ends
    found = np.fft.irfft(spectrum * (num / n), num).astype(x.dtype)
    found = np.moveaxis(found, -1, axis)
    if t is None:
        return found
    return found, t[0] + (t[1] - t[0]) * (n / num) * np.arange(num)


def _raised(x: Any, up: int) -> Any:
    """`x` with up - 1 zeros between its elements along the last axis."""
    if up == 1:
        return x
    n = shape_of(x)[-1]
    none = np.zeros((*shape_of(x), up - 1), x.dtype)
    wide = np.concatenate([x[..., None], none], -1)
    return np.reshape(wide, (*shape_of(x)[:-1], n * up))[..., : (n - 1) * up + 1]


def _filtered(h: Any, x: Any, up: int) -> Any:
    """The raised signal convolved with h along the last axis."""
    wide = _raised(x, up)
    return fftconvolve(wide, np.reshape(h, (1,) * (ndim_of(x) - 1) + (-1,)), axes=-1)


@derives(scipy.signal.upfirdn, refused={"mode": _PAD_FIRST, "cval": _PAD_FIRST})
def upfirdn(
    h: Any, x: Any, up: Any = 1, down: Any = 1, axis: Any = -1, mode: Any = "constant",
    cval: Any = 0,
) -> Any:  # fmt: skip
    if up < 1 or down < 1:
        raise ValueError("Both up and down must be >= 1")
    h, x = same_dtype(h, x)
    if ndim_of(h) != 1 or not shape_of(h)[0]:
        raise ValueError("h must be 1-D with non-zero length")
    axis = normal_axis(axis, ndim_of(x))
    found = _filtered(h, np.moveaxis(x, axis, -1), int(up))
    return np.moveaxis(found[..., ::down], -1, axis)


_BACKGROUND: dict[str, Any] = {
    "mean": np.mean,
    "median": np.median,
    "minimum": np.min,
    "maximum": np.max,
}


@derives(scipy.signal.resample_poly)
def resample_poly(
    x: Any, up: Any, down: Any, axis: Any = 0, window: Any = ("kaiser", 5.0),
    padtype: Any = "constant", cval: Any = None,
) -> Any:  # fmt: skip
    name = "scipy.signal.resample_poly"
    if up != int(up) or down != int(down) or up < 1 or down < 1:
        raise ValueError(f"{name}: up and down must be integers >= 1, got {up}, {down}")
    if padtype not in ("constant", *_BACKGROUND):
        refuse(name, f"padtype={padtype!r}", _PAD_FIRST)
    if cval:
        refuse(name, f"cval={cval}", "take it off the signal, and add it to the result")
    common = math.gcd(int(up), int(down))
    up, down = int(up) // common, int(down) // common
    x = floats(x)
    axis = normal_axis(axis, ndim_of(x))
    x = np.moveaxis(x, axis, -1)
    if up == down == 1:
        return np.moveaxis(x, -1, axis) * 1.0
    if isinstance(window, (list, np.ndarray)) or hasattr(window, "shape"):
        h = array(window)
        half = (shape_of(h)[0] - 1) // 2
    else:
        half = 10 * max(up, down)
        h = scipy.signal.firwin(2 * half + 1, 1.0 / max(up, down), window=window)
    level = _BACKGROUND[padtype](x, axis=-1, keepdims=True) if padtype in _BACKGROUND else None
    count = -(-shape_of(x)[-1] * up // down)
    whole = _filtered((h * up).astype(x.dtype), x if level is None else x - level, up)
    missing = half + (count - 1) * down + 1 - shape_of(whole)[-1]
    if missing > 0:
        none = np.zeros((*shape_of(whole)[:-1], missing), x.dtype)
        whole = np.concatenate([whole, none], -1)
    found = whole[..., half : half + count * down : down]
    return np.moveaxis(found if level is None else found + level, -1, axis)


@derives(scipy.signal.decimate)
def decimate(
    x: Any, q: Any, n: Any = None, ftype: Any = "iir", axis: Any = -1, zero_phase: Any = True
) -> Any:
    x = floats(x)
    axis = normal_axis(axis, ndim_of(x))
    if ftype not in ("iir", "fir"):
        refuse("scipy.signal.decimate", f"ftype={ftype!r}", "call filtfilt, and take y[::q]")
    if ftype == "fir":
        b = scipy.signal.firwin((20 * q if n is None else n) + 1, 1.0 / q, window="hamming")
        b = b.astype(x.dtype)
        if zero_phase:
            return resample_poly(x, 1, q, axis, b)
        count = -(-shape_of(x)[axis] // q)
        found = np.moveaxis(upfirdn(b, x, 1, q, axis), axis, -1)[..., :count]
        return np.moveaxis(found, -1, axis)
    sos = scipy.signal.cheby1(8 if n is None else n, 0.05, 0.8 / q, output="sos").astype(x.dtype)
    smooth = sosfiltfilt(sos, x, axis) if zero_phase else sosfilt(sos, x, axis)
    return np.moveaxis(np.moveaxis(smooth, axis, -1)[..., ::q], -1, axis)


@derives(scipy.signal.deconvolve)
def deconvolve(signal: Any, divisor: Any) -> Any:
    signal, divisor = (np.atleast_1d(floats(x)).astype(np.float64) for x in (signal, divisor))
    if ndim_of(signal) != 1 or ndim_of(divisor) != 1:
        raise ValueError("signal and divisor must be 1-D.")
    n = shape_of(signal)[0] - shape_of(divisor)[0] + 1
    if n < 1:
        return np.zeros(0), signal * 1.0
    impulse = np.zeros(n)
    impulse[0] = 1.0
    quotient = lfilter(signal, divisor, impulse)
    return quotient, signal - convolve(divisor, quotient, mode="full")


@derives(scipy.signal.chirp)
def chirp(
    t: Any, f0: Any, t1: Any, f1: Any, method: Any = "linear", phi: Any = 0,
    vertex_zero: Any = True, *, complex: Any = False,
) -> Any:  # fmt: skip
    t = floats(t)
    phase = 2.0 * np.pi * _turns(t, f0, t1, f1, method, vertex_zero) + np.deg2rad(phi)
    return np.exp(1j * phase) if complex else np.cos(phase)


def _turns(t: Any, f0: Any, t1: Any, f1: Any, method: Any, vertex_zero: Any) -> Any:
    """The integral of the frequency from 0 to t."""
    if method in ("linear", "lin", "li"):
        return f0 * t + 0.5 * (f1 - f0) / t1 * t * t
    if method in ("quadratic", "quad", "q"):
        bend = (f1 - f0) / t1**2
        if vertex_zero:
            return f0 * t + bend * t**3 / 3
        return f1 * t + bend * ((t1 - t) ** 3 - t1**3) / 3
    if method in ("logarithmic", "log", "lo"):
        if f0 * f1 <= 0.0:
            raise ValueError(
                "For a logarithmic chirp, f0 and f1 must be nonzero and have the same sign."
            )
        return f0 * t * scipy.special.exprel(np.log(f1 / f0) * (t / t1))
    if method in ("hyperbolic", "hyp"):
        if f0 == 0 or f1 == 0:
            raise ValueError("For a hyperbolic chirp, f0 and f1 must be nonzero.")
        bend = (f1 - f0) / (f1 * t1)
        if bend == 0.0:  # the series of the logarithm, as far as derivatives may be asked for
            return f0 * t * sum((bend * t) ** k / (k + 1) for k in range(9))
        return -f0 / bend * np.log(np.abs(1 - bend * t))
    raise ValueError(
        "method must be 'linear', 'quadratic', 'logarithmic', or 'hyperbolic', but a value of "
        f"{method!r} was given."
    )
