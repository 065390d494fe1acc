"""jax.scipy: its modules are imported when they are asked for, and SciPy with them.

>>> from tapegrad.compat import jax
>>> jax.scipy.special.expit(0.0)
Array(0.5, dtype=float64)
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tapegrad.compat.autograd.scipy.forwarding import forwarding
from tapegrad.compat.jax.numpy.forwarding import forwarded
from tapegrad.compat.jax.refusals import refusing

_FORWARDED = (
    "integrate", "interpolate", "linalg", "ndimage", "signal", "spatial", "special", "stats",
)  # fmt: skip
_missing = refusing(__name__, "scipy.")
_found: dict[str, Any] = {}

__all__ = [*_FORWARDED, "optimize"]


class _Forwarding(ModuleType):
    """A module of SciPy's, whose functions take Variables and give JAX's arrays."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{__name__}.{name}", f"jax.scipy.{name}.")
        self._look_up, self._names = forwarding(name)
        self._prefix = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if (self._prefix, name) in _OWN:
            made = _own(self._prefix, name)
        else:
            made = _as_jax(f"{self._prefix}.{name}", self._look_up(name))
        setattr(self, name, made)
        return made

    def __dir__(self) -> list[str]:
        return self._names()


# What JAX has under these names, and SciPy has not or in another way.
_OWN = {("special", "logsumexp"), ("special", "log_softmax"), ("special", "softmax")}


def _own(module: str, name: str) -> Any:
    from tapegrad.compat.jax import nn

    return getattr(nn, name)


def _as_jax(path: str, found: Any) -> Any:
    distribution = hasattr(found, "cdf") or hasattr(found, "logpmf") or hasattr(found, "logpdf")
    if distribution and not isinstance(found, type):
        return _Distribution(found)
    return forwarded(path.rpartition(".")[2], found)


class _Distribution:
    """A distribution of SciPy's as a module of functions."""

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        return forwarded(name, getattr(self._distribution, name))


def __getattr__(name: str) -> Any:
    if name == "optimize":
        from importlib import import_module

        return import_module(f"{__name__}.optimize")
    if name not in _FORWARDED:
        return _missing(name)
    if name not in _found:
        import sys

        _found[name] = sys.modules[f"{__name__}.{name}"] = _Forwarding(name)
    return _found[name]


def __dir__() -> list[str]:
    return sorted(__all__)
