"""Distances between rows of coordinates, and the best fit of one set of points to another."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.spatial

from tapegrad.scipy.arrays import floats, ndim_of, shape_of
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.decompositions import orthogonal_procrustes


@derives(scipy.spatial.minkowski_distance)
def minkowski_distance(x: Any, y: Any, p: Any = 2.0) -> Any:
    x, y = floats(x).astype(np.float64), floats(y).astype(np.float64)
    return np.linalg.norm(y - x, p, axis=-1)


@derives(scipy.spatial.distance_matrix)
def distance_matrix(x: Any, y: Any, p: Any = 2.0, threshold: Any = 1000000) -> Any:
    x, y = floats(x), floats(y)
    if ndim_of(x) != 2 or ndim_of(y) != 2 or shape_of(x)[1] != shape_of(y)[1]:
        raise ValueError(
            f"x contains {shape_of(x)}-shaped vectors but y contains {shape_of(y)}-shaped ones; "
            "both need rows of the same length"
        )
    return minkowski_distance(x[:, None, :], y[None, :, :], p)


@derives(scipy.spatial.procrustes)
def procrustes(data1: Any, data2: Any) -> Any:
    first, second = (floats(x).astype(np.float64) for x in (data1, data2))
    if ndim_of(first) != 2 or ndim_of(second) != 2:
        raise ValueError("Input matrices must be two-dimensional")
    if shape_of(first) != shape_of(second):
        raise ValueError("Input matrices must be of same shape")
    first, second = first - np.mean(first, 0), second - np.mean(second, 0)
    sizes = np.linalg.norm(first), np.linalg.norm(second)
    if sizes[0] == 0 or sizes[1] == 0:
        raise ValueError("Input matrices must contain >1 unique points")
    first, second = first / sizes[0], second / sizes[1]
    rotation, scale = orthogonal_procrustes(first, second)
    second = second @ np.transpose(rotation) * scale
    return first, second, np.sum((first - second) ** 2)
