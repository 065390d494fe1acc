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
from tapegrad.scipy.ndimage.kernels import (
    convolve,
    correlate,
    gaussian_gradient_magnitude,
    gaussian_laplace,
    laplace,
    prewitt,
    sobel,
    uniform_filter,
)
from tapegrad.scipy.ndimage.ranks import (
    maximum_filter,
    maximum_filter1d,
    median_filter,
    minimum_filter,
    minimum_filter1d,
    percentile_filter,
    rank_filter,
)

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "laplace",
    "map_coordinates",
    "maximum_filter",
    "maximum_filter1d",
    "median_filter",
    "minimum_filter",
    "minimum_filter1d",
    "percentile_filter",
    "prewitt",
    "rank_filter",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]

__getattr__ = others_of("scipy.ndimage")
