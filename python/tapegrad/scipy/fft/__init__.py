"""scipy.fft with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.fft.real_transforms import dct, dctn, dst, dstn, idct, idctn, idst, idstn
from tapegrad.scipy.fft.transforms import (
    fft,
    fft2,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifft2,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftn,
)
from tapegrad.scipy.functions import others_of

__all__ = [
    "dct", "dctn", "dst", "dstn", "fft", "fft2", "fftn", "fftshift", "hfft", "idct", "idctn",
    "idst", "idstn", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "irfft", "irfft2", "irfftn",
    "rfft", "rfft2", "rfftn",
]  # fmt: skip

__getattr__ = others_of("scipy.fft")
