"""A step that meets the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5, 3.6)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def _cubic(a: Any, b: Any, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points (place, value, slope) is least, within bounds."""
    (x1, f1, g1), (x2, f2, g2) = map(float, a), map(float, b)
    low, high = bounds if bounds is not None else (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if square < 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    if x1 <= x2:
        least = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        least = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(least, low), high)


def strong_wolfe(
    f: Callable[[float], tuple[float, Any]], t: float, d: Any, f0: float, g0: Any, slope0: float,
    c1: float = 1e-4, c2: float = 0.9, change: float = 1e-9, most: int = 25,
) -> tuple[float, Any, float, int]:  # fmt: skip
    """(value, gradient, step, calls), for `f(step)` along the direction d."""
    reach = float(np.max(np.abs(d)))
    value, g = f(t)
    calls, slope = 1, float(g @ d)
    before = (0.0, f0, slope0, g0)
    bracket: list[Any] = []
    done = False
    for k in range(most):
        here = (t, value, slope, g)
        if value > f0 + c1 * t * slope0 or (k > 0 and value >= before[1]):
            bracket = [before, here]
            break
        if abs(slope) <= -c2 * slope0:
            bracket, done = [here], True
            break
        if slope >= 0:
            bracket = [before, here]
            break
        least, largest = t + 0.01 * (t - before[0]), t * 10
        t = _cubic(before[:3], here[:3], (least, largest))
        before = here
        value, g = f(t)
        calls += 1
        slope = float(g @ d)
    else:
        bracket = [(0.0, f0, slope0, g0), (t, value, slope, g)]
    return _zoomed(f, bracket, done, calls, d, reach, f0, slope0, c1, c2, change, most)


def _zoomed(
    f: Any, bracket: list[Any], done: bool, calls: int, d: Any, reach: float, f0: float,
    slope0: float, c1: float, c2: float, change: float, most: int,
) -> tuple[float, Any, float, int]:  # fmt: skip
    slow = False
    low, high = (0, 1) if len(bracket) == 1 or bracket[0][1] <= bracket[-1][1] else (1, 0)
    tries = calls - 1
    while not done and tries < most:
        a, b = bracket
        if abs(b[0] - a[0]) * reach < change:
            break
        t = _cubic(a[:3], b[:3])
        left, right = min(a[0], b[0]), max(a[0], b[0])
        edge = 0.1 * (right - left)
        if min(right - t, t - left) < edge:
            if slow or t >= right or t <= left:
                t = right - edge if abs(t - right) < abs(t - left) else left + edge
                slow = False
            else:
                slow = True
        else:
            slow = False
        value, g = f(t)
        calls, tries = calls + 1, tries + 1
        here = (t, value, float(g @ d), g)
        if value > f0 + c1 * t * slope0 or value >= bracket[low][1]:
            bracket[high] = here
            low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
        else:
            if abs(here[2]) <= -c2 * slope0:
                done = True
            elif here[2] * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = here
    best = bracket[low if len(bracket) > 1 else 0]
    return best[1], best[3], best[0], calls
