"""What a transform returns: a callable that pickles, copies and binds as its function does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial, update_wrapper
from types import MethodType
from typing import Any

from tapegrad import _core
from tapegrad.transforms.trace import name_of


class Transformed(_core.Forwarding):
    """`transform(f, **settings)`, whose calls go to `target`."""

    # Apart from `__dict__`, which holds what it has in common with `f`.
    __slots__ = ("__dict__", "__weakref__", "_function", "_transform")

    def __init__(
        self,
        transform: Callable[..., Any],
        f: Callable[..., Any],
        settings: dict[str, Any],
        target: Callable[..., Any],
    ) -> None:
        self.target = target
        self._function = f
        self._transform = partial(transform, **settings) if settings else transform
        update_wrapper(self, f)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        transform = getattr(self._transform, "func", self._transform)
        return f"<{name_of(transform)} of {name_of(self._function)}>"

    def __reduce__(self) -> Any:
        return name_in_module(self) or (self._transform, (self._function,))

    @staticmethod
    def _compiles(x: Transformed) -> Callable[..., Any]:
        return x.target


def name_in_module(x: object) -> str:
    """The name by which a decorated function is found in its module; '' where there is none."""
    found: Any = sys.modules.get(getattr(x, "__module__", None) or "")
    qualified: str = getattr(x, "__qualname__", "")
    for part in qualified.split("."):
        found = getattr(found, part, None)
    return qualified if found is x else ""
