"""SciPy's functions under their own names, with derivatives.

Every module is loaded at its first use: what `tapegrad.scipy.special` has is called as the function
of `scipy.special` is, and takes Variables too.
"""

from importlib import import_module
from typing import Any

_MODULES = ("special",)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'tapegrad.scipy' has no attribute {name!r}")
    return import_module(f"tapegrad.scipy.{name}")


def __dir__() -> list[str]:
    return [*_MODULES]
