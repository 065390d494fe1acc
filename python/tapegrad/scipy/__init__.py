"""SciPy's functions under their own names, with derivatives.

Every module is loaded at its first use: `tapegrad.scipy.linalg` is what `scipy.linalg` is, and its
functions take Variables too. What has no derivative here, and every other module, is SciPy's own.

>>> import numpy as np
>>> import tapegrad as tg
>>> from tapegrad.scipy import linalg
>>> tg.grad(lambda a: np.sum(linalg.expm(a)))(np.zeros((2, 2)))
array([[1., 1.],
       [1., 1.]])
"""

from importlib import import_module
from typing import Any

_MODULES = (
    "fft",
    "integrate",
    "interpolate",
    "linalg",
    "ndimage",
    "optimize",
    "signal",
    "sparse",
    "spatial",
    "special",
    "stats",
)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"tapegrad.scipy.{name}")
    if name.startswith("_"):
        raise AttributeError(f"module 'tapegrad.scipy' has no attribute {name!r}")
    return getattr(import_module("scipy"), name)


def __dir__() -> list[str]:
    return [*_MODULES]
