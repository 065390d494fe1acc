"""A charged particle's way past two charges, one of which is moved until it meets the origin.

The force is a gradient of the potential, and the charge is moved by descent on a gradient of where
the particle arrives: one derivative inside another, each by forward (f) or reverse (r) mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.descent import argmin
from benchmarks.gradbench.function import Function
from benchmarks.gradbench.modes import GRADIENTS

STEP = 0.1


def potential(x: Any, w: Any) -> Any:
    return 1.0 / np.hypot(x[0] - 10.0, x[1] - (10.0 - w)) + 1.0 / np.hypot(x[0] - 10.0, x[1])


def squared_miss(w: Any, gradient: Callable[..., Any]) -> Any:
    """The square of where Euler's method crosses the axis."""
    slope = gradient(lambda x: potential(x, w[0]))
    x, velocity = np.array([0.0, 8.0]), np.array([0.75, 0.0])
    while True:
        force = -slope(x)
        x = x + STEP * velocity
        if x[1] <= 0.0:
            crossing = x[0] - x[1] / velocity[1] * velocity[0]
            return crossing**2
        velocity = velocity + STEP * force


def solver(outer: str, inner: str) -> Callable[[float], Any]:
    def f(w: Any) -> Any:
        return squared_miss(w, GRADIENTS[inner])

    value, gradient = tg.compile(f), tg.compile(GRADIENTS[outer](f))
    return lambda w: argmin(value, gradient, np.array([w]))[0]


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return (message_input["w"],)


FUNCTIONS = {
    outer + inner: Function(solver(outer, inner), _arguments, float)
    for outer in GRADIENTS
    for inner in GRADIENTS
}
