"""A saddle point by descent on a maximum, which is found by ascent.

The descent differentiates through the ascent: one derivative inside another, each by forward (f)
or reverse (r) mode. The first letter is the descent's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.descent import argmax, argmin
from benchmarks.gradbench.function import Function, array, nested_list
from benchmarks.gradbench.modes import GRADIENTS


def objective(x: Any, y: Any) -> Any:
    return np.sum(x**2) - np.sum(y**2)


def solver(outer: str, inner: str) -> Callable[[Any], Any]:
    def best_answer(x: Any, start: Any) -> Any:
        def f(y: Any) -> Any:
            return objective(x, y)

        return argmax(f, GRADIENTS[inner](f), start)

    def worst(x: Any, start: Any) -> Any:
        return objective(x, best_answer(x, start))

    def slope_of_worst(x: Any, start: Any) -> Any:
        return GRADIENTS[outer](lambda x: worst(x, start))(x)

    value, slope, answer = (tg.compile(f) for f in (worst, slope_of_worst, best_answer))

    def saddle_point(start: Any) -> Any:
        x = argmin(lambda x: value(x, start), lambda x: slope(x, start), start)
        return np.concatenate([x, answer(x, start)])

    return saddle_point


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return (array(message_input["start"]),)


FUNCTIONS = {
    outer + inner: Function(solver(outer, inner), _arguments, nested_list)
    for outer in GRADIENTS
    for inner in GRADIENTS
}
