"""Calls of SciPy that are refused: of each what its names stand for, computed from `x`."""

import numpy as np

GRID = np.arange(5.0)


def five(x):
    return np.concatenate([x, x[:2] * x[1:]])


def root_of_sum(t, x):
    return np.sqrt(x[0] * t + x[1])


# Function of SciPy: the call, and the names of call and remedy.
CALLS = {
    "scipy.integrate.simpson": ("(y, dx=h)", lambda x: {"y": five(x), "h": 0.5}),
    "scipy.integrate.quad": (
        "(f, a, b)[0]",
        lambda x: {"f": lambda t: root_of_sum(t, x), "a": 0.0, "b": 1.5},
    ),
    "scipy.special.logsumexp": ("(v)", lambda x: {"v": x}),
    "scipy.special.softmax": ("(v)", lambda x: {"v": x}),
    "scipy.special.log_softmax": ("(v)", lambda x: {"v": x}),
    "scipy.spatial.cdist": (
        "(x, y)",
        lambda x: {"x": np.outer(x, x), "y": np.array([[0.1, 0.2, 0.3], [3.0, 1.0, 2.0]])},
    ),
    "scipy.signal.convolve": ("(x, y)", lambda x: {"x": five(x), "y": np.array([1.0, -2.0, 0.5])}),
    "scipy.fft.fft": ("(x)", lambda x: {"x": five(x)}),
    "scipy.fft.rfft": ("(x)", lambda x: {"x": five(x)}),
    "scipy.fft.irfft": ("(x)", lambda x: {"x": five(x)}),
}
# Modules in which the functions above are, where their name leaves one out.
MODULES = {"scipy.spatial.cdist": "scipy.spatial.distance.cdist"}
