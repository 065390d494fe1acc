"""`import tapegrad.compat.jax.numpy as jnp`: NumPy, with arrays that are not written to.

>>> import tapegrad.compat.jax.numpy as jnp
>>> jnp.linspace(0.0, 1.0, 3).at[0].add(5.0)
Array([5. , 0.5, 1. ], dtype=float64)
"""

from __future__ import annotations

from typing import Any

import numpy as _np

from tapegrad.compat.jax.arrays import Array
from tapegrad.compat.jax.numpy import functions as _functions
from tapegrad.compat.jax.numpy.forwarding import forwarded as _forwarded
from tapegrad.compat.jax.refusals import refusing as _refusing

ndarray = Array
_ABSENT = frozenset({"put", "copyto", "place", "putmask", "random", "test", "ctypeslib", "matrix"})
_missing = _refusing(__name__, "numpy.")


def __getattr__(name: str) -> Any:
    if name.startswith("__") or name in _ABSENT or not _is_there(name):
        return _missing(name)
    if name in ("linalg", "fft"):
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    own = name in _functions.__all__
    made = getattr(_functions, name) if own else _forwarded(name, getattr(_np, name))
    globals()[name] = made
    return made


def _is_there(name: str) -> bool:
    return name in _functions.__all__ or hasattr(_np, name)


def __dir__() -> list[str]:
    return sorted({*dir(_np), *_functions.__all__} - _ABSENT)
