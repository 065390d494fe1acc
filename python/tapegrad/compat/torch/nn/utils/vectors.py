"""Parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tapegrad.compat.torch.core.registry import FUNCTIONS


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All elements in one vector."""
    return FUNCTIONS["cat"]([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Puts the elements of a vector into the parameters."""
    start = 0
    for p in parameters:
        end = start + p.numel()
        p.data = vec[start:end].reshape(*p.shape).detach().clone()
        start = end
