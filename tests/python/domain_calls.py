"""What each function of np.emath is called on, for surface_cases.py."""

import numpy as np

X = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]])

DOMAIN_CALLS = {
    np.emath.sqrt: [(lambda x: np.emath.sqrt(x * x), X)],
    np.emath.log: [(lambda x: np.emath.log(x * x), X)],
    np.emath.log2: [(lambda x: np.emath.log2(x * x), X)],
    np.emath.log10: [(lambda x: np.emath.log10(x * x), X)],
    np.emath.arccos: [(lambda x: np.emath.arccos(x / 4), X)],
    np.emath.arcsin: [(lambda x: np.emath.arcsin(x / 4), X)],
    np.emath.arctanh: [(lambda x: np.emath.arctanh(x / 4), X)],
    np.emath.logn: [(lambda x: np.emath.logn(x * x + 2, x * x), X)],
    np.emath.power: [
        (lambda x: np.emath.power(x * x, [1, 2, -2]), X), (lambda x: np.emath.power(2, x), X)
    ],
}  # fmt: skip
