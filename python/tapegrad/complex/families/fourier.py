"""Fourier transforms, which take complex arrays as they take real ones."""

from __future__ import annotations

import numpy as np

from tapegrad.complex.functions import on_complex
from tapegrad.numpy.families import registration_of

_TRANSFORMS = (
    "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn",
    "ifftn", "rfftn", "irfftn",
)  # fmt: skip
for _name in _TRANSFORMS:
    _function = getattr(np.fft, _name)
    _registration = registration_of(_function)
    assert _registration is not None
    on_complex(_function)(_registration.implementation)
