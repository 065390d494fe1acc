"""jax.scipy: its modules are imported when they are asked for, and SciPy with them.

>>> from tapegrad.compat import jax
>>> jax.scipy.special.expit(0.0)
Array(0.5, dtype=float64)
"""

from __future__ import annotations

from typing import Any

from tapegrad.compat.jax.refusals import refusing

_MODULES = (
    "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "spatial", "special",
    "stats",
)  # fmt: skip
_missing = refusing(__name__, "scipy.")

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    return _missing(name)


def __dir__() -> list[str]:
    return sorted(__all__)
