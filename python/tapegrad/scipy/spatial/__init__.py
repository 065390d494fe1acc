"""scipy.spatial with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.spatial import distance

__all__ = ["distance"]

__getattr__ = others_of("scipy.spatial")
