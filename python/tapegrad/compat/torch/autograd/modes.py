"""Sweeps and modes under the names of `torch.autograd`."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from tapegrad.compat.torch.core.backward import backward as _backward
from tapegrad.compat.torch.core.backward import grad
from tapegrad.compat.torch.core.call import is_tensor
from tapegrad.compat.torch.core.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from tapegrad.transforms.anomaly import detect_anomaly as _detect

__all__ = [
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]


def _several(x: Any, n: int) -> Sequence[Any]:
    if x is None:
        return [None] * n
    return [x] if is_tensor(x) else list(x)


def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, inputs: Any = None,
) -> None:  # fmt: skip
    """Adds the derivatives of several tensors to the `.grad` of the leaves."""
    outputs = [tensors] if is_tensor(tensors) else list(tensors)
    gradients = _several(grad_tensors, len(outputs))
    _backward(outputs, gradients, retain_graph, create_graph, inputs)


class detect_anomaly:  # noqa: N801 - PyTorch's name
    """Raises at the operation that makes a NaN, as `tg.detect_anomaly` does."""

    def __init__(self, check_nan: bool = True) -> None:
        self._block: Any = _detect() if check_nan else None

    def __enter__(self) -> detect_anomaly:
        if self._block is not None:
            self._block.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._block is not None:
            self._block.__exit__(kind, error, traceback)


class set_detect_anomaly(detect_anomaly):  # noqa: N801 - PyTorch's name
    """As a block, `detect_anomaly`; a bare call with True is refused."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(mode and check_nan)


def Variable(data: Any, requires_grad: bool = False) -> Any:  # noqa: N802 - PyTorch's old name
    """A tensor of the same content, cut off from what it was computed from."""
    return data.detach().requires_grad_(requires_grad)
