"""Captured data: whether values, arrays and generators are still what they were."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import Enum
from types import CellType
from typing import Any

import numpy as np

from tapegrad import _core, _tree

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "nothing"})()


class PlainReads(Enum):
    """What plain code may take from the contents of captured arrays."""

    NOTHING = "nothing: recorded operations alone read them"
    NUMBERS = "numbers, which recorded operations take"
    ANYTHING = "anything: branches, positions, lengths"


def same_value(a: Any, b: Any) -> bool:
    """Whether two plain values are of one type and equal (NaN equals itself, 0.0 is not -0.0)."""
    if type(a) is not type(b):
        return False
    if issubclass(type(a), (float, np.floating)):
        return bool(a == b and np.signbit(a) == np.signbit(b)) if a == a else bool(b != b)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same_value, a, b))
    try:
        return bool(a == b)
    except Exception:
        return False


def _generator_types() -> tuple[type, ...]:
    """The types of random generators, of those modules that are in use."""
    found: list[type] = []
    if "random" in sys.modules:
        found.append(sys.modules["random"].Random)
    if "numpy.random" in sys.modules:
        own = sys.modules["numpy.random"]
        found += [own.Generator, own.RandomState, own.BitGenerator]
    return tuple(found)


def is_generator(x: Any) -> bool:
    """Whether `x` gives random numbers, and has a state that moves when it does."""
    return isinstance(x, _generator_types())


def generator_states(generators: Sequence[Any]) -> dict[Any, Any]:
    """The states of the given generators and of the global ones, by who has them."""
    states: dict[Any, Any] = {}
    if "random" in sys.modules:
        states["random"] = sys.modules["random"].getstate()
    if "numpy.random" in sys.modules:
        states["numpy"] = _frozen(np.random.get_state())
    for x in generators:
        if hasattr(x, "getstate"):
            states[id(x)] = x.getstate()
        elif hasattr(x, "get_state"):
            states[id(x)] = _frozen(x.get_state())
        else:
            states[id(x)] = _frozen(getattr(x, "bit_generator", x).state)
    return states


def have_moved(before: dict[Any, Any], now: dict[Any, Any]) -> bool:
    """Whether a generator that had a state before has another one now."""
    return any(now[key] != state for key, state in before.items())


def _frozen(x: Any) -> Any:
    if isinstance(x, dict):
        return tuple((key, _frozen(item)) for key, item in x.items())
    if isinstance(x, np.ndarray):
        return x.tobytes()
    return tuple(map(_frozen, x)) if isinstance(x, tuple) else x


def stamps(arrays: Sequence[tuple[str, np.ndarray[Any, Any]]]) -> list[Any]:
    """What tells whether the contents of these arrays, each with its name, are what they were."""
    return [stamp(x) for _, x in arrays]


def stamp(x: np.ndarray[Any, Any]) -> Any:
    """The content of an array: itself if it is short, else a fingerprint of all its bytes."""
    if x.nbytes <= 1024:
        return x.tobytes()
    return _fingerprint(x)


def same_array(x: Any, y: Any) -> bool:
    """Whether two arrays are one, or have one shape, dtype and content."""
    return bool(
        x is y
        or (
            _tree.is_array(y)
            and (
                _core.is_same_view(x, y)
                or (x.shape == y.shape and x.dtype == y.dtype and stamp(x) == stamp(y))
            )
        )
    )


def _fingerprint(x: np.ndarray[Any, Any]) -> Any:
    if x.dtype.char in "?bBhHiIlLqQfd" and x.dtype.isnative:
        return _core.fingerprint(x)
    import hashlib

    return hashlib.blake2b(x.tobytes(), digest_size=16).digest()


def item_of(array: np.ndarray[Any, Any], i: int, default: Any) -> Any:
    """An item of an array of objects."""
    return array.flat[i] if i < array.size else default


class Gradient:
    """The bytes of a Variable's .grad, whatever object holds them."""

    __slots__ = ("_variable",)

    def __init__(self, variable: Any) -> None:
        self._variable = variable

    def tobytes(self) -> bytes:
        """The content, as an array gives it."""
        return bytes_of(self._variable.grad)


def bytes_of(x: Any) -> bytes:
    """The content of a small buffer."""
    if hasattr(x, "tobytes"):
        found: bytes = x.tobytes()
        return found
    return bytes(x) if isinstance(x, bytearray) else repr(x).encode()


def content_of(cell: CellType) -> Any:
    """What a closure's cell holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
