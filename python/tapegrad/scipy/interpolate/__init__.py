"""scipy.interpolate with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.interpolate.bsplines import BSpline, make_interp_spline
from tapegrad.scipy.interpolate.curves import (
    Akima1DInterpolator,
    CubicHermiteSpline,
    CubicSpline,
    PchipInterpolator,
)
from tapegrad.scipy.interpolate.grids import RegularGridInterpolator, interpn
from tapegrad.scipy.interpolate.lines import interp1d

__all__ = [
    "Akima1DInterpolator", "BSpline", "CubicHermiteSpline", "CubicSpline", "PchipInterpolator",
    "RegularGridInterpolator", "interp1d", "interpn", "make_interp_spline",
]  # fmt: skip

__getattr__ = others_of("scipy.interpolate")
