"""Whether operations are recorded, in this thread: no_grad, enable_grad, inference_mode."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _Modes(threading.local):
    recording = True


MODES = _Modes()


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require a gradient are recorded."""
    return MODES.recording


class _Mode:
    """A context manager and decorator that sets the mode and puts the former one back."""

    mode = False

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(MODES.recording)
        MODES.recording = self.mode

    def __exit__(self, *args: object) -> None:
        MODES.recording = self._before.pop()

    def __call__(self, f: F) -> F:
        @wraps(f)
        def inside(*args: Any, **kwargs: Any) -> Any:
            before, MODES.recording = MODES.recording, self.mode
            try:
                return f(*args, **kwargs)
            finally:
                MODES.recording = before

        return inside  # type: ignore[return-value]  # called as f is


class no_grad(_Mode):  # noqa: N801 - PyTorch's name
    """While it is active, nothing is recorded; `@no_grad()` and `@no_grad` decorate.

    >>> import tapegrad.compat.torch as torch
    >>> w = torch.tensor(2.0, requires_grad=True)
    >>> with torch.no_grad():
    ...     print((w * w).requires_grad)
    False
    """

    def __new__(cls, f: Callable[..., Any] | None = None) -> Any:
        """A mode, or `f` under it."""
        made = super().__new__(cls)
        if f is None:
            return made
        made.__init__()  # type: ignore[misc]  # the decorator without brackets
        return made(f)


class inference_mode(no_grad):  # noqa: N801 - PyTorch's name
    """The same as `no_grad`; `inference_mode(False)` changes nothing."""

    def __new__(cls, mode: Any = True) -> Any:
        """A mode, or a decorated function."""
        if callable(mode):
            return super().__new__(cls, mode)
        made = super().__new__(cls)
        made.mode = MODES.recording if not mode else False
        return made

    def __init__(self, mode: Any = True) -> None:
        super().__init__()


class enable_grad(no_grad):  # noqa: N801 - PyTorch's name
    """Records inside a `no_grad` block."""

    mode = True


class set_grad_enabled(_Mode):  # noqa: N801 - PyTorch's name
    """Sets the mode at once; as a context manager it puts the former one back at its end."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = bool(mode)
        self._before.append(MODES.recording)
        MODES.recording = self.mode

    def __enter__(self) -> None:
        MODES.recording = self.mode
