"""Modules of SciPy, whose functions take Variables and give JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad.compat.autograd.scipy.forwarding import forwarding
from tapegrad.compat.jax.numpy.forwarding import forwarded

__all__ = ["module_of"]

# What JAX has under these names, and SciPy has in another way.
_OWN = frozenset({("special", name) for name in ("logsumexp", "log_softmax", "softmax")})


def module_of(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a module."""
    look_up, names = forwarding(module)
    found: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in found:
            found[name] = _own(name) if (module, name) in _OWN else _as_jax(name, look_up(name))
        return found[name]

    return get, names


def _own(name: str) -> Any:
    from tapegrad.compat.jax import nn

    return getattr(nn, name)


def _as_jax(name: str, found: Any) -> Any:
    is_distribution = any(hasattr(found, f) for f in ("cdf", "logpdf", "logpmf"))
    if is_distribution and not isinstance(found, type):
        return _Distribution(found)
    return forwarded(name, found)


class _Distribution:
    """A distribution of SciPy's as a module of functions."""

    def __init__(self, distribution: Any) -> None:
        self._distribution = distribution

    def __getattr__(self, name: str) -> Any:
        return forwarded(name, getattr(self._distribution, name))
