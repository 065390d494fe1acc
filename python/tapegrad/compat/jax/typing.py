"""jax.typing: names for annotations."""

from __future__ import annotations

from typing import Any, TypeAlias

ArrayLike: TypeAlias = Any
DTypeLike: TypeAlias = Any

__all__ = ["ArrayLike", "DTypeLike"]
