"""Dtypes of values of any kind, and casts between them, as functions of NumPy's level."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.operations.primitive import notrace_primitive


def dtype_of(x: Any) -> np.dtype[Any]:
    """The dtype of an array, a Variable or a number."""
    found: np.dtype[Any] = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    return found


@notrace_primitive
def whole(x: Any, dtype: str) -> Any:
    """Floats as integers or flags: a step of a program, because that is no operation."""
    return np.asarray(x).astype(dtype)


def cast(x: Any, dtype: str) -> Any:
    """The value with another dtype; towards integers it is cut off."""
    kind = np.dtype(dtype)
    if kind.kind in "iub" and dtype_of(x).kind == "f":
        return whole(x, dtype)
    return x.astype(kind) if hasattr(x, "astype") else np.asarray(x, kind)[()]
