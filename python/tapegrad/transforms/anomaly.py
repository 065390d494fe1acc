"""Finding out where a number went bad."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

from tapegrad import _core
from tapegrad.transforms.recording import owner_of

F = TypeVar("F", bound=Callable[..., Any])


class AnomalyError(FloatingPointError):
    """A number went bad under `tg.detect_anomaly`; the message says where.

    >>> import tapegrad as tg
    >>> issubclass(tg.AnomalyError, FloatingPointError)
    True
    """


class detect_anomaly:  # noqa: N801 - used like a function
    """While it is active, the first NaN raises, and the error says which operation made it.

    Looks through what is recorded and through what derivatives give, in reverse and in tangent
    sweeps, and names the operation, the user's line that recorded it, the index of the first bad
    element and what the operands hold there. With `inf=True` infinities count too; with
    `values=False` only derivatives are looked at, for programs in which a NaN is meant (as in the
    branch that a `np.where` does not take). Compiled functions and scans run as plain Python
    meanwhile. A context manager and a decorator, for finding errors: everything is slower. It
    belongs to the context (of `contextvars`) that entered it, as `tg.no_grad` does.

    Raises:
        AnomalyError: A FloatingPointError.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> def f(x):
    ...     return np.sum(np.sqrt(x - 1.0))
    >>> with np.errstate(all="ignore"), tg.detect_anomaly():
    ...     tg.grad(f)(np.array([2.0, 0.5]))
    Traceback (most recent call last):
    tapegrad.transforms.anomaly.AnomalyError: sqrt at ... gave nan at index (1,) of shape (2,); ...
    """

    __slots__ = ("_entered", "_inf", "_values")

    def __init__(self, *, inf: bool = False, values: bool = True) -> None:
        self._inf = bool(inf)
        self._values = bool(values)
        self._entered: list[_core.EnteredBlock] = []

    def __enter__(self) -> None:
        owner = owner_of(sys._getframe(1))
        self._entered.append(_core.enter_watched(owner, self._inf, self._values))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _core.leave_block(self._entered.pop())

    def __call__(self, f: F) -> F:
        """Decorates `f`, so that bad numbers in it raise."""

        @wraps(f)
        def watched(*args: Any, **kwargs: Any) -> Any:
            with detect_anomaly(inf=self._inf, values=self._values):
                return f(*args, **kwargs)

        return watched  # type: ignore[return-value]  # wraps keeps the signature
