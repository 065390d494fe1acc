"""A function that an eval may ask for: from JSON to arguments, timed calls, and back to JSON."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Function:
    """`call(*prepare(input))` is timed; `report` makes JSON of the last result.

    With `repeats` the input says how often: at least `min_runs` times, and until `min_seconds`
    have been spent in calls. Reading and writing JSON is not timed.
    """

    call: Callable[..., Any]
    prepare: Callable[[Any], tuple[Any, ...]]
    report: Callable[[Any], Any]
    repeats: bool = True

    def evaluate(self, message_input: Any) -> tuple[Any, list[int]]:
        """The output, and the nanoseconds of each call."""
        runs, seconds = 1, 0.0
        if self.repeats:
            runs, seconds = _effort(message_input)
        arguments = self.prepare(message_input)
        times: list[int] = []
        result = None
        while len(times) < runs or sum(times) < seconds * 1e9:
            start = time.perf_counter_ns()
            result = self.call(*arguments)
            times.append(time.perf_counter_ns() - start)
        return self.report(result), times


def _effort(message_input: Any) -> tuple[int, float]:
    runs, seconds = message_input["min_runs"], message_input["min_seconds"]
    if not (isinstance(runs, int) and runs >= 1 and math.isfinite(seconds) and seconds >= 0):
        raise ValueError(
            f"min_runs is {runs!r} and min_seconds {seconds!r}: runs are a whole number from 1 on, "
            "seconds a finite number from 0 on"
        )
    return runs, seconds


def array(values: Any) -> Any:
    return np.array(values, dtype=np.float64)


def nested_list(values: Any) -> Any:
    return np.asarray(values).tolist()
