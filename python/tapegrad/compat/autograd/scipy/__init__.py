"""autograd.scipy: its modules are imported when they are asked for, and SciPy with them."""

from __future__ import annotations

from typing import Any

_MODULES = ("integrate", "linalg", "signal", "special", "stats")

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
