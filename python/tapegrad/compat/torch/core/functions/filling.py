"""Content for a tensor: methods that write, and have no form that gives a new tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import call, is_tensor, new
from tapegrad.compat.torch.core.functions.indexing import masked_fill
from tapegrad.compat.torch.core.graph import NOTHING
from tapegrad.compat.torch.core.operands import cast
from tapegrad.compat.torch.core.registry import register
from tapegrad.compat.torch.core.writes import in_place_of


def filled_in_place(name: str, f: Callable[..., Any]) -> None:
    """Makes the method `name` that writes what `f` gives."""
    register(name, in_place_of(name, f), function=False)


def copied(input: Any, src: Any, non_blocking: bool = False) -> Any:
    """The elements of another tensor, in the shape and dtype of this one."""
    kind, shape = input._v.dtype, tuple(input.shape)
    return call("Copy", lambda s: np.broadcast_to(cast(s, kind), shape), src, saves=NOTHING)


def filled(input: Any, value: Any) -> Any:
    """One value everywhere."""
    if is_tensor(value):
        return copied(input, value)
    return new(np.full(input.shape, value, input._v.dtype))


def zeroed(input: Any) -> Any:
    """Zeros."""
    return new(np.zeros(input.shape, input._v.dtype))


def diagonal_filled(input: Any, fill_value: Any, wrap: bool = False) -> Any:
    """With one value on the diagonal."""
    mask = np.zeros(input.shape, bool)
    np.fill_diagonal(mask, True, wrap)
    return masked_fill(input, new(mask), fill_value)


filled_in_place("copy_", copied)
filled_in_place("fill_", filled)
filled_in_place("zero_", zeroed)
filled_in_place("fill_diagonal_", diagonal_filled)
