"""A chain of linear equations, integrated to t = 2 by s steps of Runge and Kutta's method.

y_0' = x_0 and y_i' = x_i y_(i-1), from zero. The gradient is that of the last element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list

END = 2.0


def slope(x: Any, y: Any) -> Any:
    return x * np.concatenate([np.ones(1), y[:-1]])


def final_state(x: Any, s: int) -> Any:
    h = END / s
    y = np.zeros(len(x))
    for _ in range(s):
        k1 = slope(x, y)
        k2 = slope(x, y + h / 2 * k1)
        k3 = slope(x, y + h / 2 * k2)
        k4 = slope(x, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def last_element(x: Any, s: int) -> Any:
    return final_state(x, s)[-1]


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return array(message_input["x"]), message_input["s"]


FUNCTIONS = {
    "primal": Function(tg.compile(final_state), _arguments, nested_list),
    "gradient": Function(tg.compile(tg.grad(last_element)), _arguments, nested_list),
}
