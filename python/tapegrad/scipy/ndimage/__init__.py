"""scipy.ndimage with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.ndimage.coordinates import map_coordinates
from tapegrad.scipy.ndimage.filters import (
    convolve1d,
    correlate1d,
    gaussian_filter,
    gaussian_filter1d,
    uniform_filter1d,
)

__all__ = [
    "convolve1d",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "map_coordinates",
    "uniform_filter1d",
]

__getattr__ = others_of("scipy.ndimage")
