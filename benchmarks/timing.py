"""Timing, in one place: how often to call, and how a call is timed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from benchmarks.problem import Run


def repetitions(call: Callable[[], Any], least: float) -> int:
    """How many calls take at least `least` seconds together. Calls at least twice: a warm-up."""
    call()
    count = 1
    while True:
        seconds = seconds_for(call, count)
        if seconds >= least or count >= 10**7:
            return count
        count = min(max(2 * count, int(1.2 * count * least / max(seconds, 1e-7))), 100 * count)


def seconds_for(call: Callable[[], Any], count: int) -> float:
    """The seconds that `count` calls take, without the garbage collector's pauses."""
    rounds = range(count)
    enabled = gc.isenabled()
    gc.disable()
    try:
        begin = time.perf_counter()
        for _ in rounds:
            call()
        return time.perf_counter() - begin
    finally:
        if enabled:
            gc.enable()


def sample(run: Run, count: int) -> float:
    """Seconds per call, or the figure itself where the run measures it."""
    if run.measures:
        return float(run.call()[0])
    return seconds_for(run.call, count) / count
