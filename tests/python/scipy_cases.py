"""Calls of SciPy that are refused: of each what its names stand for, computed from `x`."""

import numpy as np

GRID = np.arange(5.0)


def five(x):
    return np.concatenate([x, x[:2] * x[1:]])


def root_of_sum(t, x):
    return np.sqrt(x[0] * t + x[1])


# Function of SciPy: the call, the names of call and remedy, and where its derivative is, if it has
# one in tapegrad.scipy.
CALLS = {
    "scipy.integrate.simpson": (
        "(y, dx=h)",
        lambda x: {"y": five(x), "h": 0.5},
        "scipy.integrate.simpson",
    ),
    "scipy.integrate.quad": (
        "(f, a, b, (q,))[0]",
        lambda x: {"f": root_of_sum, "a": 0.0, "b": 1.5, "q": x},
        "scipy.integrate.quad",
    ),
    "scipy.special.logsumexp": ("(v)", lambda x: {"v": x}, ""),
    "scipy.special.softmax": ("(v)", lambda x: {"v": x}, ""),
    "scipy.special.log_softmax": ("(v)", lambda x: {"v": x}, ""),
    "scipy.spatial.cdist": (
        "(x, y)",
        lambda x: {"x": np.outer(x, x), "y": np.array([[0.1, 0.2, 0.3], [3.0, 1.0, 2.0]])},
        "scipy.spatial.distance.cdist",
    ),
    "scipy.linalg.expm": ("(a)", lambda x: {"a": np.outer(x, x) / 9}, "scipy.linalg.expm"),
    "scipy.linalg.solve": (
        "(a, x)",
        lambda x: {"a": np.outer(x, x) + np.eye(3), "x": x},
        "scipy.linalg.solve",
    ),
    "scipy.interpolate.CubicSpline": (
        "(g, y)(1.3)",
        lambda x: {"g": GRID, "y": five(x)},
        "scipy.interpolate.CubicSpline",
    ),
    "scipy.stats.pdf": ("(x, 2.5)", lambda x: {"x": x}, "scipy.stats.pareto.pdf"),
    "scipy.signal.convolve": (
        "(x, y)",
        lambda x: {"x": five(x), "y": np.array([1.0, -2.0, 0.5])},
        "scipy.signal.convolve",
    ),
    "scipy.fft.fft": ("(x)", lambda x: {"x": five(x)}, "scipy.fft.fft"),
    "scipy.fft.rfft": ("(x)", lambda x: {"x": five(x)}, "scipy.fft.rfft"),
    "scipy.fft.irfft": ("(x)", lambda x: {"x": five(x)}, "scipy.fft.irfft"),
    "scipy.fft.ifft": ("(x)", lambda x: {"x": five(x) * (1 + 0.5j)}, "scipy.fft.ifft"),
    "scipy.fft.fft2": ("(x)", lambda x: {"x": five(x) * np.ones((2, 1))}, "scipy.fft.fft2"),
    "scipy.fft.ihfft": ("(x)", lambda x: {"x": five(x)}, "scipy.fft.ihfft"),
}
# Modules in which the functions above are, where their name leaves one out.
MODULES = {
    "scipy.spatial.cdist": "scipy.spatial.distance.cdist",
    "scipy.stats.pdf": "scipy.stats.pareto.pdf",
}
