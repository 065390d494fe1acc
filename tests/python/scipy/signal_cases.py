"""Calls of scipy.signal, by name: the function and its arguments."""

import numpy as np
import scipy.signal

from tapegrad.scipy import signal


def draw(*shape, seed=5):
    return np.random.default_rng(seed).standard_normal(shape)


X, Y, M, K = draw(7), draw(4, seed=6), draw(4, 5), draw(3, 2, seed=7)
B, A = np.array([0.4, -0.3, 0.2]), np.array([1.5, -0.5, 0.1])
SOS = scipy.signal.butter(4, 0.3, output="sos")
ZI = draw(2, seed=8)


def call(name, *rest):
    return lambda a, b: getattr(signal, name)(a, b, *rest)


MODES = ("full", "same", "valid")
IN_PLANES = ("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d")
OF_VECTORS = {
    f"{name} {mode} {method}": (call(name, mode, method), (X, Y))
    for name in ("convolve", "correlate")
    for mode in MODES
    for method in ("auto", "fft", "direct")
}
OF_MATRICES = {
    f"{name} {mode} {i}": (call(name, mode), args)
    for name in IN_PLANES
    for mode in MODES
    for i, args in enumerate([(M, K), (K, M)])
}
CONVOLUTIONS = {
    **OF_VECTORS,
    **OF_MATRICES,
    "convolve short": (lambda a, b: signal.convolve(a, b, "same"), (Y, X)),
    "correlate short": (lambda a, b: signal.correlate(a, b, "valid"), (Y, X)),
    "fftconvolve axes": (lambda a, b: signal.fftconvolve(a, b, axes=1), (M, draw(1, 3))),
    "convolve2d wrap": (lambda a, b: signal.convolve2d(a, b, boundary="wrap"), (M, K)),
    "convolve2d symm": (lambda a, b: signal.convolve2d(a, b, "same", "symm"), (M, K)),
    "correlate2d fill": (lambda a, b: signal.correlate2d(a, b, fillvalue=1.5), (M, K)),
}
FILTERS = {
    "lfilter": (signal.lfilter, (B, A, X)),
    "lfilter short": (signal.lfilter, (B, A[:1], X)),
    "lfilter long": (signal.lfilter, (B[:1], A, X)),
    "lfilter axis": (lambda b, a, x: signal.lfilter(b, a, x, 0), (B, A, M)),
    "lfilter zi": (lambda b, a, x, z: signal.lfilter(b, a, x, zi=z), (B, A, X, ZI)),
    "lfilter zi axis": (
        lambda b, a, x, z: signal.lfilter(b, a, x, 0, z),
        (B, A, M, draw(2, 5)),
    ),
    "sosfilt": (lambda x: signal.sosfilt(SOS, x), (X,)),
    "sosfilt axis": (lambda x: signal.sosfilt(SOS, x, axis=0), (M,)),
    "sosfilt zi": (lambda x, z: signal.sosfilt(SOS, x, zi=z), (X, draw(2, 2))),
    "sosfilt_zi": (lambda s: signal.sosfilt_zi(s), (SOS * np.array([1.0, 1.1, 1.2, 1, 1, 1]),)),
    "sosfiltfilt": (lambda x: signal.sosfiltfilt(SOS, x), (draw(20),)),
    "sosfiltfilt even": (lambda x: signal.sosfiltfilt(SOS, x, 0, "even", 2), (M,)),
    "sosfiltfilt none": (lambda x: signal.sosfiltfilt(SOS, x, padtype=None), (M,)),
    "sosfiltfilt constant": (
        lambda x: signal.sosfiltfilt(SOS, x, padtype="constant", padlen=3),
        (M,),
    ),
    "lfilter_zi": (signal.lfilter_zi, (B, A)),
    "filtfilt": (lambda b, a, x: signal.filtfilt(b, a, x), (B, A, draw(12))),
    "filtfilt even": (
        lambda b, a, x: signal.filtfilt(b, a, x, 0, "even", 2),
        (B, A, M),
    ),
    "filtfilt constant": (
        lambda b, a, x: signal.filtfilt(b, a, x, padtype="constant", padlen=3),
        (B, A, M),
    ),
    "filtfilt none": (lambda b, a, x: signal.filtfilt(b, a, x, padtype=None), (B, A, M)),
    "savgol_filter": (lambda x: signal.savgol_filter(x, 5, 2), (X,)),
    "savgol_filter slope": (lambda x: signal.savgol_filter(x, 3, 2, 1, 0.5, axis=0), (M,)),
    **{
        f"savgol_filter {mode}": (
            lambda x, mode=mode: signal.savgol_filter(x, 5, 2, mode=mode, cval=1.2),
            (X,),
        )
        for mode in ("mirror", "constant", "nearest", "wrap")
    },
    "detrend": (lambda x: signal.detrend(x), (X,)),
    "detrend constant": (lambda x: signal.detrend(x, 0, "constant"), (M,)),
    "detrend parts": (lambda x: signal.detrend(x, bp=[3]), (X,)),
    "hilbert": (lambda x: parts(signal.hilbert(x)), (X,)),
    "hilbert axis": (lambda x: parts(signal.hilbert(x, 6, 0)), (M,)),
}
SPECTRA = {
    "freqz": (lambda b, a: whole(signal.freqz(b, a, 8)), (B, A)),
    "freqz fir": (lambda b: whole(signal.freqz(b, worN=6, whole=True)), (X,)),
    "freqz points": (lambda b, a, w: whole(signal.freqz(b, a, w, fs=8.0)), (B, A, np.abs(Y))),
    "freqz nyquist": (lambda b: whole(signal.freqz(b, 2.0, 5, include_nyquist=True)), (B,)),
    "freqz_sos": (
        lambda s: whole(signal.freqz_sos(s / s[:, 3:4], 7)),
        (SOS * np.array([1.0, 1.1, 1.2, 1, 1, 1]),),
    ),
    "freqs": (lambda b, a, w: whole(signal.freqs(b, a, w)), (B, A, np.abs(Y))),
    "periodogram": (signal.periodogram, (X,)),
    "periodogram two sides": (
        lambda x: signal.periodogram(x, 4.0, "hann", 6, "linear", False, "spectrum", 0),
        (draw(8, 2),),
    ),
    "periodogram long": (lambda x: signal.periodogram(x, nfft=11, detrend=False), (X,)),
    "welch": (lambda x: signal.welch(x, nperseg=6), (draw(20),)),
    "welch axis": (
        lambda x: signal.welch(x, 2.0, ("kaiser", 3.0), 4, 3, 7, axis=0),
        (draw(9, 2),),
    ),
    "welch window": (lambda x: signal.welch(x, window=np.hamming(5), detrend="linear"), (X,)),
    "csd": (lambda x, y: whole(signal.csd(x, y, nperseg=4)), (X, Y)),
    "csd two sides": (
        lambda x, y: whole(signal.csd(x, y, nperseg=4, return_onesided=False)),
        (X, Y),
    ),
}
SHORT_TIME = {
    "spectrogram": (lambda x: signal.spectrogram(x, nperseg=6), (draw(20),)),
    "spectrogram axis": (
        lambda x: signal.spectrogram(x, 2.0, "hann", 4, 2, 5, "linear", False, "spectrum", 0),
        (draw(9, 2),),
    ),
    "stft": (lambda x: three(signal.stft(x, nperseg=6)), (draw(20),)),
    "stft axis": (
        lambda x: three(signal.stft(x, 2.0, "hamming", 4, 3, 7, "constant", axis=0)),
        (draw(9, 2),),
    ),
    "stft bare": (
        lambda x: three(
            signal.stft(x, nperseg=4, boundary=None, padded=False, return_onesided=False)
        ),
        (draw(11),),
    ),
    **{
        f"stft {kind}": (
            lambda x, kind=kind: three(
                signal.stft(x, nperseg=4, boundary=kind, scaling="psd", window="boxcar")
            ),
            (draw(11),),
        )
        for kind in ("even", "odd", "constant")
    },
    "coherence": (lambda x, y: signal.coherence(x, y, nperseg=4), (draw(14), draw(14, seed=2))),
}


def three(found):
    """Frequencies and times, and what belongs to them in real parts."""
    f, t, z = found
    return f, t, *parts(z)


RATES = {
    "resample": (lambda x: signal.resample(x, 11), (X,)),
    "resample even": (lambda x: signal.resample(x, 10, axis=1), (draw(2, 6),)),
    "resample fewer": (lambda x: signal.resample(x, 4), (draw(8),)),
    "resample window": (lambda x: signal.resample(x, 5, window="hamming"), (draw(8, 2),)),
    "resample weights": (lambda x: signal.resample(x, 9, window=np.arange(1.0, 9.0)), (draw(8),)),
    "resample times": (lambda x: signal.resample(x, 5, np.arange(7.0) * 0.5), (X,)),
    "resample_poly": (lambda x: signal.resample_poly(x, 3, 2), (X,)),
    "resample_poly down": (lambda x: signal.resample_poly(x, 2, 6, axis=1), (M,)),
    "resample_poly mean": (lambda x: signal.resample_poly(x, 2, 3, padtype="mean"), (M,)),
    "resample_poly weights": (
        lambda x, h: signal.resample_poly(x, 2, 3, window=h),
        (X, draw(5, seed=9)),
    ),
    "upfirdn": (lambda h, x: signal.upfirdn(h, x, 3, 2), (B, X)),
    "upfirdn axis": (lambda h, x: signal.upfirdn(h, x, 2, 3, axis=0), (B, M)),
    "decimate": (lambda x: signal.decimate(x, 3), (draw(40),)),
    "decimate forward": (lambda x: signal.decimate(x, 2, 4, zero_phase=False), (X,)),
    "decimate fir": (lambda x: signal.decimate(x, 2, ftype="fir"), (draw(9, 2).T.copy(),)),
    "decimate fir forward": (
        lambda x: signal.decimate(x, 2, 5, "fir", 0, zero_phase=False),
        (M,),
    ),
    "deconvolve": (signal.deconvolve, (X, A)),
    **{
        f"chirp {method}": (
            lambda t, f0, t1, f1, method=method: signal.chirp(t, f0, t1, f1, method, 30.0),
            (np.abs(Y), np.array(1.2), np.array(2.0), np.array(0.7)),
        )
        for method in ("linear", "quadratic", "logarithmic", "hyperbolic")
    },
    "chirp turned": (
        lambda t, f1: signal.chirp(t, 1.0, 2.0, f1, "quad", vertex_zero=False),
        (np.abs(Y), np.array(0.7)),
    ),
}


def whole(found):
    """The frequencies, and what belongs to them in real parts."""
    w, h = found
    return w, *parts(h)


def parts(z):
    return z.real, z.imag
