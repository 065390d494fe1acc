"""NumPy's functions, whose results are JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.compat.jax.arrays import Array, plain, wrap

# Settings of JAX's that say how a machine shall compute, and change no result here.
_IGNORED = ("precision", "preferred_element_type", "out_sharding", "device")
# What is told of arrays, in Python's own numbers.
_QUESTIONS = frozenset(
    {
        "shape", "ndim", "size", "result_type", "issubdtype", "can_cast", "promote_types",
        "finfo", "iinfo", "isscalar", "iscomplexobj", "isrealobj", "array_repr", "array_str",
        "array2string", "set_printoptions", "get_printoptions", "printoptions", "save", "savez",
        "einsum_path", "dtype", "isdtype",
    }
)  # fmt: skip


def results(found: Any) -> Any:
    """What a function of NumPy's returned, with JAX's arrays for its own and its numbers."""
    kind = type(found)
    if kind is Array or _tree.is_variable(found):
        return found
    if isinstance(found, (np.ndarray, np.generic, bool)):
        return wrap(found)
    if isinstance(found, (tuple, list)) and found:
        items = [results(item) for item in found]
        return kind(*items) if hasattr(kind, "_fields") else kind(items)
    return found


def forwarded(name: str, f: Callable[..., Any]) -> Any:
    """A function of NumPy's as JAX's; anything else as it is."""
    if name in _QUESTIONS or isinstance(f, (type, ModuleType)) or not callable(f):
        return f

    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for setting in _IGNORED:
                kwargs.pop(setting, None)
            if kwargs.get("out") is not None:
                raise NotImplementedError(
                    f"jnp.{name}: out= is not there, in JAX neither: arrays are never written to; "
                    f"take the result, y = jnp.{name}(...)"
                )
        return results(f(*map(_given, args), **kwargs))

    function.__name__ = function.__qualname__ = name  # ufuncs have the second from NumPy 2.2 on
    try:
        return wraps(f)(function)
    except (AttributeError, TypeError):
        return function


def _given(x: Any) -> Any:
    """An argument; lists and tuples with arrays inside as NumPy takes them."""
    if type(x) is Array and not x.ndim:
        return np.asarray(x)[()]
    return plain(x) if type(x) in (list, tuple) else x
