"""Gradient descent with a step that doubles after ten successes and halves at a failure.

As GradBench specifies it for `particle` and `saddle`, whose results depend on where it stops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

TOLERANCE = 1e-5


def argmin(f: Callable[[Any], Any], gradient: Callable[[Any], Any], start: Any) -> Any:
    x, value, slope = start, f(start), gradient(start)
    step, successes = 1e-5, 0
    while np.linalg.norm(slope) > TOLERANCE:
        if successes == 10:
            step, successes = 2.0 * step, 0
            continue
        following = x - step * slope
        if np.linalg.norm(following - x) <= TOLERANCE:
            return x
        value_there = f(following)
        if value_there < value:
            x, value, slope = following, value_there, gradient(following)
            successes += 1
        else:
            step, successes = step / 2.0, 0
    return x


def argmax(f: Callable[[Any], Any], gradient: Callable[[Any], Any], start: Any) -> Any:
    return argmin(lambda x: -f(x), lambda x: -gradient(x), start)
