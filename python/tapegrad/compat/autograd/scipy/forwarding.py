"""Names of a SciPy module, looked up when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["forwarding"]


def forwarding(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a module: tapegrad's own function of a name, else SciPy's."""

    def look_up(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        own = _own(module)
        found = getattr(own, name, None)
        return getattr(_scipys(module), name) if found is None else found

    def names() -> list[str]:
        return sorted({*dir(_scipys(module)), *dir(_own(module))})

    return look_up, names


def _own(module: str) -> Any:
    """The module of tapegrad.scipy, None where there is none."""
    path = "tapegrad.scipy"
    for part in module.split("."):
        if find_spec(path) is None:
            return None
        found = getattr(import_module(path), part, None)
        if found is not None and not hasattr(found, "__path__") and part == module.split(".")[-1]:
            return found
        path += f".{part}"
    return import_module(path) if find_spec(path) else None


def _scipys(module: str) -> Any:
    outer, _, inner = module.rpartition(".")
    if outer:  # a distribution, which is an object
        return getattr(import_module(f"scipy.{outer}"), inner)
    return import_module(f"scipy.{module}")
