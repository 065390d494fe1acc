"""The memory that the library holds: a report, and what it keeps for later.

Arrays that were freed are kept for the next ones of their size, because memory from the system is
slow to come by. What nobody took for about two seconds goes back; `set_limit` says how much may be
kept at all, `trim` gives all of it back at once.

>>> import tapegrad as tg
>>> tg.memory.trim()
>>> tg.memory.report().kept < 64 << 20
True
"""

from __future__ import annotations

import operator
from typing import NamedTuple

from tapegrad import _core

__all__ = ["Report", "report", "set_limit", "trim"]


class Report(NamedTuple):
    """Bytes of the library's arrays, as `report` found them."""

    in_use: int
    """What Variables, recordings and running programs hold."""
    kept: int
    """What was freed and is kept for later."""
    limit: int
    """The most that may be kept."""


def report() -> Report:
    """How much memory the library's arrays take now, in bytes.

    >>> import tapegrad as tg
    >>> tg.memory.report().in_use >= 0
    True
    """
    in_use, kept = _core.pool_bytes()
    return Report(in_use, kept, _core.pool_capacity())


def trim() -> None:
    """Gives everything that is kept for later back to the system.

    Other threads' small blocks (below 128 KiB, a few MB at most) stay with them.

    >>> import tapegrad as tg
    >>> tg.memory.trim()
    """
    _core.trim_pool()


def set_limit(n_bytes: int) -> int:
    """Sets how many bytes may be kept for later; what is above goes back at once.

    At the start it is 4 GiB, or a quarter of the machine's memory if that is less. Returns the
    limit that held before. ValueError for negative numbers.

    >>> import tapegrad as tg
    >>> before = tg.memory.set_limit(256 << 20)
    >>> tg.memory.report().limit == 256 << 20
    True
    >>> _ = tg.memory.set_limit(before)
    """
    try:
        wanted = operator.index(n_bytes)
    except TypeError:
        raise TypeError(
            f"memory.set_limit: expects a number of bytes, an int; got {n_bytes!r}"
        ) from None
    if not 0 <= wanted < 1 << 63:
        raise ValueError(f"memory.set_limit: {wanted} is no number of bytes; 0 keeps nothing")
    before = _core.pool_capacity()
    _core.set_pool_capacity(wanted)
    return before
