"""`torch.utils.checkpoint`: results that are computed again in the sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """`function` of the arguments: the same numbers; the record is kept, since it is small here."""
    kwargs.pop("preserve_rng_state", None)
    kwargs.pop("determinism_check", None)
    return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None
) -> Any:
    """The functions one after the other."""
    for f in functions:
        input = f(input)
    return input
