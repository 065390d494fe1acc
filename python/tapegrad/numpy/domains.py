"""np.emath: functions that are complex outside their real domain, which Variables are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.numpy.operands import as_array, lift
from tapegrad.numpy.table import implements

REAL_PARTS: dict[str, str] = {}  # outside the domain, as code that a test runs


def _within(name: str, what: str, outside: Any) -> None:
    """Raises where an element lies outside the domain."""
    if np.any(outside):
        raise TypeError(
            f"np.emath.{name}: {what} it is complex, and Variables are real; write "
            f"{REAL_PARTS[name]} for the real part"
        )


def _register(name: str, what: str, is_outside: Callable[[Any], Any], real_part: str) -> None:
    REAL_PARTS[name] = real_part

    def function(x: Any) -> Any:
        x = lift(x)
        _within(name, what, is_outside(x))
        return getattr(np, name)(x)

    implements(getattr(np.emath, name), values=1)(function)


def _is_negative(x: Any) -> Any:
    return x < 0


def _is_beyond_one(x: Any) -> Any:
    return np.abs(x) > 1


_register(
    "sqrt", "below zero", _is_negative, "np.where(v > 0, np.sqrt(np.where(v > 0, v, 1.0)), 0.0)"
)
for _log in ("log", "log2", "log10"):
    _register(_log, "below zero", _is_negative, f"np.{_log}(np.abs(v))")
_inside = "np.where(np.abs(v) < 1, v, 0.0)"
_register(
    "arccos", "beyond -1 and 1", _is_beyond_one,
    f"np.where(np.abs(v) < 1, np.arccos({_inside}), np.pi * (v < 0))",
)  # fmt: skip
_register(
    "arcsin", "beyond -1 and 1", _is_beyond_one,
    f"np.where(np.abs(v) < 1, np.arcsin({_inside}), np.pi / 2 * np.sign(v))",
)  # fmt: skip
_register(
    "arctanh", "beyond -1 and 1", _is_beyond_one, "0.5 * np.log(np.abs((1.0 + v) / (1.0 - v)))"
)
REAL_PARTS["logn"] = "np.log(np.abs(v)) / np.log(n)"
REAL_PARTS["power"] = "np.abs(v) ** p * np.where(v < 0, np.cos(np.pi * p), 1.0)"


@implements(np.emath.logn, values=2)
def logn(n: Any, x: Any) -> Any:
    n, x = as_array(n), as_array(x)
    _within("logn", "below zero", np.logical_or(n < 0, x < 0))
    return np.log(x) / np.log(n)


@implements(np.emath.power, values=2)
def power(x: Any, p: Any) -> Any:
    x, p = as_array(x), as_array(p)
    _within("power", "below zero", x < 0)
    return np.power(x, p * 1.0 if np.any(p < 0) else p)
