"""scipy.spatial with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.spatial import distance
from tapegrad.scipy.spatial.points import distance_matrix, minkowski_distance, procrustes

__all__ = ["distance", "distance_matrix", "minkowski_distance", "procrustes"]

__getattr__ = others_of("scipy.spatial")
