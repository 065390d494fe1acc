"""Switching the record off."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar

from tapegrad import _core

F = TypeVar("F", bound=Callable[..., Any])

_SUSPENDABLE = 0x20 | 0x200  # generators, also asynchronous ones; a task has its own context


def owner_of(frame: FrameType) -> FrameType | None:
    """The frame, if it is one that others can run beside, and no context manager's."""
    if not frame.f_code.co_flags & _SUSPENDABLE:
        return None
    driver = frame.f_back
    drives = driver is not None and driver.f_globals.get("__name__") == "contextlib"
    return None if drives else frame


class no_grad:  # noqa: N801 - used like a function
    """While it is active, operations on Variables are not recorded.

    A context manager and a decorator. Results carry no derivative; values are the same. It belongs
    to the context (of `contextvars`) that entered it: another thread or asyncio task goes on
    recording, and so do those who run while a generator waits inside it. The generator of a
    `contextlib.contextmanager` is another matter: what it enters holds until it ends.

    >>> import tapegrad as tg
    >>> w = tg.Variable(2.0)
    >>> with tg.no_grad():
    ...     error = w * w
    >>> tg.value(error)
    4.0
    >>> @tg.no_grad()
    ... def evaluate():
    ...     return w * 3
    >>> tg.value(evaluate())
    6.0
    """

    __slots__ = ("_entered",)

    def __init__(self) -> None:
        self._entered: list[_core.EnteredBlock] = []

    def __enter__(self) -> None:
        self._entered.append(_core.enter_unrecorded(owner_of(sys._getframe(1))))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _core.leave_block(self._entered.pop())

    def __call__(self, f: F) -> F:
        """Decorates `f`, so that it records nothing."""

        @wraps(f)
        def unrecorded(*args: Any, **kwargs: Any) -> Any:
            with no_grad():
                return f(*args, **kwargs)

        return unrecorded  # type: ignore[return-value]  # wraps keeps the signature
