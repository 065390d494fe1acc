"""Tensors that a module owns."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.torch.core.call import is_tensor, new, raw
from tapegrad.compat.torch.core.tensor import Tensor


class Parameter(Tensor):
    """A leaf that `module.parameters()` gives.

    >>> import tapegrad.compat.torch as torch
    >>> torch.nn.Parameter(torch.zeros(2)).requires_grad
    True
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        """A parameter with the content of a tensor."""
        made = new(raw(data.detach()).copy() if is_tensor(data) else _empty(), cls)
        return made.requires_grad_() if requires_grad else made

    def __repr__(self, **options: Any) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def _empty() -> Any:
    from tapegrad.compat.torch.creation import empty

    return empty(0)._v


class Buffer(Tensor):
    """A tensor of a module that is saved with it, and not optimised."""

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        """A buffer that shares the content of a tensor."""
        made = new(data._v, cls)
        made.persistent = persistent
        return made
