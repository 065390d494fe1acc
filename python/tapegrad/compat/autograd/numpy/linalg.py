"""numpy.linalg, whose functions take Variables as they are, and two helpers of Autograd."""

from __future__ import annotations

from typing import Any

import numpy as _np


def T(x: Any) -> Any:  # noqa: N802 - Autograd's name
    """The last two axes swapped."""
    return _np.swapaxes(x, -1, -2)


def _dot(a: Any, b: Any) -> Any:
    return _np.matmul(a, b)


def __getattr__(name: str) -> Any:
    return getattr(_np.linalg, name)


def __dir__() -> list[str]:
    return dir(_np.linalg)
