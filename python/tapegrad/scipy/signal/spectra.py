"""Responses of filters to frequencies, and power spectra of signals."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.signal

from tapegrad.scipy.arrays import array, floats, ndim_of, normal_axis, shape_of
from tapegrad.scipy.functions import derives, refuse, with_parameters_of
from tapegrad.scipy.signal.filters import detrend as without_trend
from tapegrad.transforms.trace import warn_user

_POINTS = "give the frequencies themselves, worN=np.logspace(-2, 2)"
_PLOT = {"plot": "plot what it returns, plt.plot(tg.value(w), np.abs(tg.value(h)))"}


@functools.cache
def _keeps_single() -> bool:
    """Whether SciPy's response of a filter in single precision is one: an older one is not."""
    one = np.ones(2, np.float32)
    return bool(scipy.signal.freqz(one, one, 2)[1].dtype == np.complex64)


def _at(powers: Any, coefficients: Any) -> Any:
    """The polynomial, lowest power first, at numbers whose logarithms are `powers`."""
    n = shape_of(coefficients)[-1]
    waves = np.exp(powers[..., None] * np.arange(n))
    dtype = np.result_type(coefficients.dtype, np.complex64 if _keeps_single() else powers.dtype)
    return np.sum(waves.astype(dtype) * coefficients, -1)


def _frequencies(worN: Any, whole: Any, fs: Any, include_nyquist: Any) -> Any:
    """In radians for each sample: so many from 0 on, or those that are given."""
    if worN is None:
        worN = 512
    if isinstance(worN, (int, np.integer)):
        if worN < 0:
            raise ValueError(f"worN must be nonnegative, got {worN}")
        last = 2.0 * np.pi if whole else np.pi
        return np.linspace(0.0, last, worN, endpoint=bool(include_nyquist) and not whole)
    return np.atleast_1d(floats(worN)) * (2.0 * np.pi / fs)


@derives(scipy.signal.freqz, refused=_PLOT, complex_too=True)
def freqz(
    b: Any,
    a: Any = 1,
    worN: Any = 512,
    whole: Any = False,
    plot: Any = None,
    fs: Any = 2.0 * np.pi,
    include_nyquist: Any = False,
) -> Any:
    b, a = np.atleast_1d(floats(b)), np.atleast_1d(floats(a))
    if ndim_of(b) != 1 or ndim_of(a) != 1:
        raise ValueError(
            f"scipy.signal.freqz: b and a need one axis each with Variables, got {shape_of(b)}, "
            f"{shape_of(a)}"
        )
    w = _frequencies(worN, whole, fs, include_nyquist)
    h = _at(-1j * w, b) / _at(-1j * w, a)
    if shape_of(a) == (1,) and (worN is None or np.ndim(worN) == 0):
        n = shape_of(w)[0]
        points = n if whole else 2 * (n - 1) if include_nyquist else 2 * n
        if points >= shape_of(b)[0]:  # by a transform, in the precision of b
            h = h.astype(np.result_type(b.dtype, np.complex64))
    kind = np.result_type(np.real(b).dtype, np.real(a).dtype) if _keeps_single() else w.dtype
    return (w * (fs / (2.0 * np.pi))).astype(kind), h


_OF_SECTIONS = getattr(scipy.signal, "freqz_sos", scipy.signal.sosfreqz)  # before SciPy 1.15


@derives(_OF_SECTIONS)
def freqz_sos(sos: Any, worN: Any = 512, whole: Any = False, fs: Any = 2.0 * np.pi) -> Any:
    sos = floats(sos)
    if ndim_of(sos) != 2 or shape_of(sos)[1] != 6:
        raise ValueError("sos array must be shape (n_sections, 6)")
    if not shape_of(sos)[0]:
        raise ValueError("Cannot compute frequencies with no sections")
    w, h = freqz(sos[0, :3], sos[0, 3:], worN, whole, fs=fs)
    for k in range(1, shape_of(sos)[0]):
        h = h * freqz(sos[k, :3], sos[k, 3:], worN, whole, fs=fs)[1]
    return w, h


@derives(
    scipy.signal.freqs,
    refused={**_PLOT, "worN=200": _POINTS},
    complex_too=True,
)
def freqs(b: Any, a: Any, worN: Any = 200, plot: Any = None) -> Any:
    if worN is None or isinstance(worN, (int, np.integer)):
        refuse("scipy.signal.freqs", f"worN={worN}", _POINTS)
    w, b, a = (np.atleast_1d(floats(x)) for x in (worN, b, a))

    def at(coefficients: Any) -> Any:
        found: Any = 0.0
        for c in coefficients:
            found = found * (1j * w) + c
        return found

    return w, at(b) / at(a)


def segments(x: Any, window: Any, step: int, detrend: Any, nfft: int, one_sided: bool) -> Any:
    """The spectra of windows along the last axis, one after the other along the one before."""
    n = len(window)
    count = (shape_of(x)[-1] - n) // step + 1
    parts = x[..., np.arange(count)[:, None] * step + np.arange(n)]
    if callable(detrend):
        parts = detrend(parts)
    elif detrend:
        parts = without_trend(parts, -1, detrend)
    parts = parts * window.astype(x.dtype)
    return np.fft.rfft(parts, nfft) if one_sided else np.fft.fft(parts, nfft)


def window_of(name: str, window: Any, nperseg: Any, n: int) -> Any:
    if not isinstance(window, (str, tuple)):
        window = np.asarray(window)
        if nperseg is not None and nperseg != len(window):
            raise ValueError(f"nperseg={nperseg} does not equal len(window)={len(window)}")
        return window
    nperseg = 256 if nperseg is None else int(nperseg)
    if nperseg < 1:
        raise ValueError(f"Parameter nperseg={nperseg} is not a positive integer!")
    if nperseg > n:
        warn_user(f"{name}: nperseg={nperseg} is greater than the signal's length {n}, using {n}")
        nperseg = n
    return scipy.signal.get_window(window, nperseg)


def cross_spectrum(
    name: str,
    x: Any,
    y: Any,
    fs: Any,
    window: Any,
    nperseg: Any,
    noverlap: Any,
    nfft: Any,
    detrend: Any,
    return_onesided: Any,
    scaling: Any,
    axis: Any,
    average: Any,
) -> Any:
    """Frequencies, and the spectrum in place of the axis; the windows stand last, or their mean."""
    if average not in ("mean", None):
        refuse(name, f"average={average!r}", "leave it out: the mean over the windows is taken")
    if scaling not in ("density", "spectrum"):
        raise ValueError(f"Parameter scaling={scaling!r} is neither 'density' nor 'spectrum'!")
    same = y is x
    x, y = floats(x), floats(y)
    axis = normal_axis(axis, ndim_of(x))
    x, y = (np.moveaxis(z, axis, -1) for z in (x, y))
    n = max(shape_of(x)[-1], shape_of(y)[-1])
    x, y = (_lengthened(z, n) for z in (x, y))
    window = window_of(name, window, nperseg, n)
    nperseg = len(window)
    nfft = nperseg if nfft is None else int(nfft)
    if nfft < nperseg:
        raise ValueError(f"nfft={nfft} must be greater than or equal to nperseg={nperseg}!")
    noverlap = nperseg // 2 if noverlap is None else int(noverlap)
    if noverlap >= nperseg:
        raise ValueError(f"noverlap={noverlap} must be less than nperseg={nperseg}!")
    options = window, nperseg - noverlap, detrend, nfft, bool(return_onesided)
    first = segments(x, *options)
    second = first if same else segments(y, *options)
    weight = fs * np.sum(window * window) if scaling == "density" else np.sum(window) ** 2
    if same:
        found = (np.real(first) ** 2 + np.imag(first) ** 2) / weight
    else:
        found = np.conj(first) * second / weight
    if return_onesided:
        twice = np.ones(nfft // 2 + 1)
        twice[1 : None if nfft % 2 else -1] = 2.0  # the last one of an even number has no partner
        found = found * twice.astype(x.dtype)
        points = np.fft.rfftfreq(nfft, 1.0 / fs)
    else:
        points = np.fft.fftfreq(nfft, 1.0 / fs)
    kind = x.dtype if same else np.result_type(x.dtype, y.dtype, np.complex64)
    found = np.moveaxis(np.mean(found, -2) if average else found, -1, axis)
    return points, found.astype(kind)


def _lengthened(x: Any, n: int) -> Any:
    missing = n - shape_of(x)[-1]
    if not missing:
        return x
    return np.concatenate([x, np.zeros((*shape_of(x)[:-1], missing), x.dtype)], -1)


def _welch(
    x: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, detrend: Any,
    return_onesided: Any, scaling: Any, axis: Any, average: Any,
) -> Any:  # fmt: skip
    return cross_spectrum(
        "scipy.signal.welch", x, x, fs, window, nperseg, noverlap, nfft, detrend, return_onesided,
        scaling, axis, average,
    )  # fmt: skip


def _csd(
    x: Any, y: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, detrend: Any,
    return_onesided: Any, scaling: Any, axis: Any, average: Any,
) -> Any:  # fmt: skip
    return cross_spectrum(
        "scipy.signal.csd", x, y, fs, window, nperseg, noverlap, nfft, detrend, return_onesided,
        scaling, axis, average,
    )  # fmt: skip


def _periodogram(
    x: Any, fs: Any, window: Any, nfft: Any, detrend: Any, return_onesided: Any, scaling: Any,
    axis: Any,
) -> Any:  # fmt: skip
    x = array(x)
    axis = normal_axis(axis, ndim_of(x))
    n = shape_of(x)[axis]
    if nfft is not None and nfft < n:
        x = np.moveaxis(np.moveaxis(x, axis, -1)[..., :nfft], -1, axis)
        n, nfft = nfft, None
    window = "boxcar" if window is None else window
    return cross_spectrum(
        "scipy.signal.periodogram", x, x, fs, window, n, 0, nfft, detrend, return_onesided, scaling,
        axis, "mean",
    )  # fmt: skip


welch = derives(scipy.signal.welch)(with_parameters_of(scipy.signal.welch, _welch))
csd = derives(scipy.signal.csd)(with_parameters_of(scipy.signal.csd, _csd))
periodogram = derives(scipy.signal.periodogram)(
    with_parameters_of(scipy.signal.periodogram, _periodogram)
)
