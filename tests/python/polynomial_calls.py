"""What the functions of np.polynomial are called on, for surface_cases.py."""

import numpy as np
from numpy.polynomial import polynomial

X = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]])
Y = np.array([[0.5, 0.25, -1.5], [0.75, 2.5, 1.25]])
V = np.array([0.5, -1.5, 2.5, 1.0])
S = np.array([[2.0, 0.5, 0.1], [0.3, 1.5, 0.2], [0.1, 0.4, 1.0]])

POLYNOMIAL_CALLS = {
    polynomial.polyval2d: [
        (lambda x: polynomial.polyval2d(x, x * x, S), V),
        (lambda c: polynomial.polyval2d(0.5, 2.0, c), X),
        (lambda c: polynomial.polyval2d(Y, -Y, c), X),
    ],
    polynomial.polygrid2d: [
        (lambda x: polynomial.polygrid2d(x, x[:2], S), V),
        (lambda c: polynomial.polygrid2d([0.5, 2.0], [1.0, 3.0, -1.0], c), X),
    ],
}
