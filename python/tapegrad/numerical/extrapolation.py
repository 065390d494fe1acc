"""Richardson's table: differences of shrinking steps, extrapolated to the step 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Vector = np.ndarray[Any, np.dtype[Any]]
RATIO = 1.8  # from one step to the next: no simple one, with which periods could agree
_MOST_STEPS = 24
_MOST_OUTSIDE = 60  # steps at which the function is not defined: down to 1e-16 of the first
_PATIENCE = 3  # so many steps without a better result end the search


def extrapolated(
    difference: Callable[[float], Vector | None],
    rounding: Callable[[float, Vector], Vector],
) -> tuple[Vector, Vector]:
    """The limit of `difference(scale)` for small scales, and how far off it may be.

    `difference` gives the differences whose steps are `scale` times the largest ones, with errors
    of even powers of the step, or None where the function is not defined; `rounding(scale, found)`
    is what rounding may add to them. Entry j of a row takes the first j powers away (Neville's
    scheme); for each number that entry counts which differs least from its neighbours (Ridders
    1982), rounding included.

    Raises:
        ArithmeticError: The function is defined at none of the steps.
    """
    best: Vector | None = None
    error = np.zeros(0)
    above: list[Vector] = []
    scale, quiet, inside = 1.0, 0, 0
    for _ in range(_MOST_OUTSIDE):
        found = difference(scale)
        if found is None or not np.all(np.isfinite(found)):
            above = []
        else:
            inside += 1
            row = [found]
            for j, former in enumerate(above, start=1):
                weight = RATIO ** (2 * j)
                row.append((weight * row[-1] - former) / (weight - 1))
            floor = rounding(scale, found)
            if best is None:
                best, error = found, np.full(found.shape, np.inf)
            improved = False
            for j in range(1, len(row)):
                step = np.maximum(np.abs(row[j] - row[j - 1]), np.abs(row[j] - above[j - 1]))
                # A single agreement may be chance: two rows tell nothing of the third.
                guess = step + floor if len(row) > 2 else np.maximum(step, np.abs(row[j])) + floor
                better = guess < error
                improved = improved or bool(np.any(guess < 0.5 * error))
                best, error = np.where(better, row[j], best), np.where(better, guess, error)
            quiet = 0 if improved or len(row) < 4 else quiet + 1
            above = row
            if quiet >= _PATIENCE or inside >= _MOST_STEPS:
                break
        scale /= RATIO
    if best is None:
        raise ArithmeticError("the function is not finite at any step")
    return best, error
