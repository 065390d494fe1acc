"""Helpers that programs use in rules of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.autograd.numpy.numpy_wrapper import metadata

__all__ = ["match_complex", "replace_zero", "unbroadcast", "unbroadcast_f"]


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """`x` summed to the shape of what was broadcast; `target_meta` is `metadata(target)`.

    >>> import numpy as np
    >>> from tapegrad.compat.autograd.numpy.numpy_vjps import unbroadcast
    >>> from tapegrad.compat.autograd.numpy.numpy_wrapper import metadata
    >>> unbroadcast(np.ones((3, 2)), metadata(np.ones((1, 2))))
    array([[3., 3.]])
    """
    shape, ndim, _, is_complex = target_meta
    while np.ndim(x) > ndim:
        x = np.sum(x, axis=broadcast_idx)
    for axis, n in enumerate(shape):
        if n == 1:
            x = np.sum(x, axis=axis, keepdims=True)
    return np.real(x) if np.iscomplexobj(x) and not is_complex else x


def unbroadcast_f(target: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The rule `f`, its result summed to the shape of `target`."""
    target_meta = metadata(target)
    return lambda g: unbroadcast(f(g), target_meta)


def replace_zero(x: Any, val: Any) -> Any:
    """`x` with `val` in the place of zeros."""
    return np.where(x, x, val)


def match_complex(target: Any, x: Any) -> Any:
    """`x`, complex or real as `target` is."""
    if np.iscomplexobj(target) == np.iscomplexobj(x):
        return x
    return np.real(x) if np.iscomplexobj(x) else x + 0j
