"""jax.lax: loops and choices, slices, and names of NumPy's functions.

>>> from tapegrad.compat.jax import lax
>>> lax.fori_loop(0, 4, lambda i, total: total + i, 0)
Array(6, dtype=int64)
"""

from __future__ import annotations

from typing import Any

from tapegrad.compat.jax.lax import elementwise as _elementwise
from tapegrad.compat.jax.lax import slicing as _slicing
from tapegrad.compat.jax.lax.control_flow import (
    associative_scan,
    cond,
    fori_loop,
    map,
    scan,
    switch,
    while_loop,
)

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "while_loop",
]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    for module in (_slicing, _elementwise):
        if name in module.__all__:
            return vars(module)[name]
    return _elementwise.look_up(name)


def __dir__() -> list[str]:
    named = {*_slicing.__all__, *_elementwise.__all__, *_elementwise.names()}
    return sorted({*__all__, *named})
