"""What is measured of a gradient: its time, that of the first call, its cost over the value.

A peer builds `Functions` for a size; a case says by its `Task` which kind of figure to take.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import timing
from benchmarks.problem import Run

GRADIENT, VALUE_RATIO, FIRST_CALL = "gradient", "gradient over value", "first gradient"
VALUE = "value"


@dataclass(frozen=True)
class Task:
    """The data of a case: the kind of its figure, and the size that the problem's file knows."""

    size: Any
    kind: str = GRADIENT


@dataclass(frozen=True)
class Functions:
    """What a peer makes of a size: calls without arguments, which wait for their results."""

    gradient: Callable[[], Any]
    value: Callable[[], Any] | None = None


def run(
    task: Task,
    build: Callable[[], Functions],
    numbers: Callable[[Any], Any] = lambda result: result,
) -> Run | None:
    """The run of a task; `numbers` picks what is compared out of the gradient's result.

    `build` makes everything anew each time that it is called, so that the first gradient counts
    tracing and compiling; imports and data are not counted.
    """
    if task.kind == GRADIENT:
        return Run(build().gradient, value=numbers)
    if task.kind == VALUE:
        call = build().value
        return None if call is None else Run(call)
    if task.kind == FIRST_CALL:
        return Run(lambda: _first(build), value=numbers, measures=True)
    functions = build()
    if functions.value is None:
        return None
    over = _Ratio(functions.gradient, functions.value)
    return Run(over, value=numbers, measures=True)


def _first(build: Callable[[], Functions]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = build().gradient()
    return 1e3 * (time.perf_counter() - begin), result


class _Ratio:
    """The time of one call over that of another, taken next to each other."""

    LEAST = 0.01

    def __init__(self, above: Callable[[], Any], below: Callable[[], Any]) -> None:
        self.above, self.below = above, below
        self.counts: tuple[int, int] | None = None

    def __call__(self) -> tuple[float, Any]:
        if self.counts is None:
            for _ in range(3):  # until programs run
                self.above(), self.below()
            self.counts = (
                timing.repetitions(self.above, self.LEAST),
                timing.repetitions(self.below, self.LEAST),
            )
        above = timing.seconds_for(self.above, self.counts[0]) / self.counts[0]
        below = timing.seconds_for(self.below, self.counts[1]) / self.counts[1]
        return above / below, self.above()
