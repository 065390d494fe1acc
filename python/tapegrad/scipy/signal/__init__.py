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

__all__ = [
    "convolve", "convolve2d", "correlate", "correlate2d", "detrend", "fftconvolve", "filtfilt",
    "hilbert", "lfilter", "lfilter_zi", "oaconvolve", "savgol_filter", "sosfilt",
    "sosfilt_zi", "sosfiltfilt",
]  # fmt: skip

__getattr__ = others_of("scipy.signal")
