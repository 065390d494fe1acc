"""Where arrays lie in memory: which of many may share it, in time linear in their number."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

from tapegrad import _core


class Extents:
    """The stretches of memory between the first and the last byte of arrays.

    >>> import numpy as np
    >>> a = np.arange(6.0)
    >>> Extents([a[:3], np.ones(2)]).meeting(a[2:])
    1
    """

    def __init__(self, arrays: Iterable[Any]) -> None:
        lows, highs = _core.byte_bounds(list(arrays))
        self._lows = sorted(lows)
        self._highs = sorted(highs)

    def meeting(self, x: Any) -> int:
        """How many of the arrays may share memory with `x`, as `np.may_share_memory` says."""
        if not x.size:
            return 0
        (low,), (high,) = _core.byte_bounds([x])
        return bisect_left(self._lows, high) - bisect_right(self._highs, low)
