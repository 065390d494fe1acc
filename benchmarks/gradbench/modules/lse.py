"""The logarithm of a sum of exponentials, by way of the largest, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


def logsumexp(x: Any) -> Any:
    largest = np.max(x)
    return largest + np.log(np.sum(np.exp(x - largest)))


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return (array(message_input["x"]),)


FUNCTIONS = {
    "primal": Function(tg.compile(logsumexp), _arguments, float),
    "gradient": Function(tg.compile(tg.grad(logsumexp)), _arguments, nested_list),
}
