"""Switching the record off."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

from tapegrad import _core

F = TypeVar("F", bound=Callable[..., Any])


class no_grad:  # noqa: N801 - used like a function
    """While it is active, operations on Variables are not recorded.

    A context manager and a decorator. Results carry no derivative; values are the same. It belongs
    to the context (of `contextvars`) that entered it: another thread or asyncio task goes on
    recording. A suspended generator is part of its caller's context, as it is for `np.errstate`.

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
        self._entered.append(_core.enter_unrecorded())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _core.leave_unrecorded(self._entered.pop())

    def __call__(self, f: F) -> F:
        """Decorates `f`, so that it records nothing."""

        @wraps(f)
        def unrecorded(*args: Any, **kwargs: Any) -> Any:
            with no_grad():
                return f(*args, **kwargs)

        return unrecorded  # type: ignore[return-value]  # wraps keeps the signature
