"""scipy.signal with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.signal.convolutions import (
    convolve,
    convolve2d,
    correlate,
    correlate2d,
    fftconvolve,
    oaconvolve,
)
from tapegrad.scipy.signal.filters import (
    detrend,
    filtfilt,
    hilbert,
    lfilter,
    lfilter_zi,
    savgol_filter,
    sosfilt,
    sosfilt_zi,
    sosfiltfilt,
)
from tapegrad.scipy.signal.resampling import (
    chirp,
    decimate,
    deconvolve,
    resample,
    resample_poly,
    upfirdn,
)
from tapegrad.scipy.signal.short_time import coherence, spectrogram, stft
from tapegrad.scipy.signal.spectra import csd, freqs, freqz, freqz_sos, periodogram, welch

__all__ = [
    "chirp", "coherence", "convolve", "convolve2d", "correlate", "correlate2d", "csd", "decimate",
    "deconvolve", "detrend", "fftconvolve", "filtfilt", "freqs", "freqz", "freqz_sos", "hilbert",
    "lfilter", "lfilter_zi", "oaconvolve", "periodogram", "resample", "resample_poly",
    "savgol_filter", "sosfilt", "sosfilt_zi", "sosfiltfilt", "spectrogram", "stft", "upfirdn",
    "welch",
]  # fmt: skip

__getattr__ = others_of("scipy.signal")
