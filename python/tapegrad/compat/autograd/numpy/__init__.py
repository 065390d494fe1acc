"""`import tapegrad.compat.autograd.numpy as np`: NumPy, with the few functions that differ.

>>> import tapegrad.compat.autograd.numpy as np
>>> from tapegrad.compat.autograd import grad
>>> grad(lambda x: np.sum(np.array([x, x**2])))(1.0)
np.float64(3.0)
"""

from __future__ import annotations

from typing import Any

import numpy as _np

from tapegrad.compat.autograd.numpy import fft, linalg, numpy_wrapper, random

_MODULES = ("numpy_boxes", "numpy_vjps", "numpy_vspaces")

__version__ = _np.__version__
__all__ = [
    *sorted({name for name in dir(_np) if not name.startswith("_")} - {"test"}),
    *_MODULES,
    "numpy_wrapper",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    return getattr(numpy_wrapper, name)


def __dir__() -> list[str]:
    return sorted({*__all__, *globals()})


__all__ += ["fft", "linalg", "random"]
