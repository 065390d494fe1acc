"""Half the sum of squares of what a polynomial misses of the sign function, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


def half_sum_of_squares(x: Any, n: int) -> Any:
    t = np.linspace(-1.0, 1.0, n)
    missed = np.sign(t) - np.vander(t, len(x), increasing=True) @ x
    return np.sum(missed**2) / 2.0


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return array(message_input["x"]), message_input["n"]


FUNCTIONS = {
    "primal": Function(tg.compile(half_sum_of_squares), _arguments, float),
    "gradient": Function(tg.compile(tg.grad(half_sum_of_squares)), _arguments, nested_list),
}
