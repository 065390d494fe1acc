"""Fourier transforms, which take complex arrays as they take real ones."""

from __future__ import annotations

import numpy as np

from tapegrad.complex.functions import on_complex
from tapegrad.numpy import fourier

_TRANSFORMS = (
    "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn",
    "ifftn", "rfftn", "irfftn",
)  # fmt: skip
for _name in _TRANSFORMS:
    on_complex(getattr(np.fft, _name))(getattr(fourier, _name))
