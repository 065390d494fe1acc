"""scipy.optimize with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.optimize.equations import fixed_point, fsolve, newton, root
from tapegrad.scipy.optimize.fits import curve_fit
from tapegrad.scipy.optimize.minima import least_squares, minimize, minimize_scalar
from tapegrad.scipy.optimize.scalar_roots import (
    bisect,
    brenth,
    brentq,
    ridder,
    root_scalar,
    toms748,
)

__all__ = [
    "bisect",
    "brenth",
    "brentq",
    "curve_fit",
    "fixed_point",
    "fsolve",
    "least_squares",
    "minimize",
    "minimize_scalar",
    "newton",
    "ridder",
    "root",
    "root_scalar",
    "toms748",
]

__getattr__ = others_of("scipy.optimize")
