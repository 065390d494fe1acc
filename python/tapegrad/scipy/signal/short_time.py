"""Spectra of one window after the other, and what two signals have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from tapegrad.scipy.arrays import floats, ndim_of, normal_axis, shape_of
from tapegrad.scipy.functions import derives, refuse, with_parameters_of
from tapegrad.scipy.signal.filters import extended
from tapegrad.scipy.signal.spectra import cross_spectrum, segments, window_of

_BOUNDARIES = ("even", "odd", "constant", "zeros", None)


def _times(n: int, window: int, step: int, fs: Any) -> Any:
    """The middles of windows."""
    return np.arange(window / 2, n - window / 2 + 1, step) / float(fs)


def _spectrogram(
    x: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, detrend: Any,
    return_onesided: Any, scaling: Any, axis: Any, mode: Any,
) -> Any:  # fmt: skip
    name = "scipy.signal.spectrogram"
    if mode != "psd":
        refuse(name, f"mode={mode!r}", "take np.abs or np.angle of what stft gives")
    x = floats(x)
    axis = normal_axis(axis, ndim_of(x))
    n = shape_of(x)[axis]
    window = window_of(name, window, nperseg, n)
    size = len(window)
    noverlap = size // 8 if noverlap is None else int(noverlap)
    points, found = cross_spectrum(
        name, x, x, fs, window, size, noverlap, nfft, detrend, return_onesided, scaling, axis, None
    )
    return points, _times(n, size, size - noverlap, fs), found


def _stft(
    x: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, detrend: Any,
    return_onesided: Any, boundary: Any, padded: Any, axis: Any, scaling: Any,
) -> Any:  # fmt: skip
    name = "scipy.signal.stft"
    if scaling not in ("psd", "spectrum"):
        raise ValueError(f"Parameter scaling={scaling!r} is neither 'psd' nor 'spectrum'!")
    if boundary not in _BOUNDARIES:
        raise ValueError(f"Unknown boundary option {boundary!r}, must be one of: {_BOUNDARIES}")
    x = floats(x)
    axis = normal_axis(axis, ndim_of(x))
    x = np.moveaxis(x, axis, -1)
    window = window_of(name, window, nperseg, shape_of(x)[-1])
    size = len(window)
    nfft = size if nfft is None else int(nfft)
    noverlap = size // 2 if noverlap is None else int(noverlap)
    if nfft < size or noverlap >= size:
        raise ValueError(f"{name}: nfft={nfft}, noverlap={noverlap} do not fit nperseg={size}")
    half, step = size // 2, size - noverlap
    if boundary == "zeros":
        none = np.zeros((*shape_of(x)[:-1], half), x.dtype)
        x = np.concatenate([none, x, none], -1)
    elif boundary is not None:
        x = extended(x, ndim_of(x) - 1, boundary, half)
    if padded:
        more = (-(shape_of(x)[-1] - size) % step) % size
        x = np.concatenate([x, np.zeros((*shape_of(x)[:-1], more), x.dtype)], -1)
    scale = np.sum(window) if scaling == "spectrum" else np.sqrt(fs * np.sum(window * window))
    found = segments(x, window, step, detrend, nfft, bool(return_onesided)) / scale
    found = found.astype(np.result_type(x.dtype, np.complex64))
    points = (np.fft.rfftfreq if return_onesided else np.fft.fftfreq)(nfft, 1.0 / fs)
    times = _times(shape_of(x)[-1], size, step, fs)
    times = times if boundary is None else times - size / 2 / fs
    return points, times, np.moveaxis(np.moveaxis(found, -2, -1), -2, axis)


def _coherence(
    x: Any, y: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, detrend: Any,
    axis: Any,
) -> Any:  # fmt: skip
    name, options = "scipy.signal.coherence", (fs, window, nperseg, noverlap, nfft, detrend)
    x, y = floats(x), floats(y)

    def power(a: Any, b: Any) -> Any:
        return cross_spectrum(name, a, b, *options, True, "density", axis, "mean")

    points, both = power(x, y)
    size = np.real(both) ** 2 + np.imag(both) ** 2
    return points, size / power(x, x)[1] / power(y, y)[1]


spectrogram = derives(scipy.signal.spectrogram)(
    with_parameters_of(scipy.signal.spectrogram, _spectrogram)
)
stft = derives(scipy.signal.stft)(with_parameters_of(scipy.signal.stft, _stft))
coherence = derives(scipy.signal.coherence)(with_parameters_of(scipy.signal.coherence, _coherence))
