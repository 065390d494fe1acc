"""A determinant by expansion along the first row, and its gradient.

All minors of a size are expanded at once. A minor that the expansion meets several times, since the
same columns are struck out in several orders, is computed as often: there are as many products as
by recursion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


def columns_of_minors(size: int) -> list[Any]:
    """For k = 0, 1, ...: the columns that are left of each minor when k rows are used up."""
    levels = [np.arange(size)[None, :]]
    for k in range(size, 1, -1):
        others = np.array([[j for j in range(k) if j != struck] for struck in range(k)])
        levels.append(levels[-1][:, others].reshape(-1, k - 1))
    return levels


def determinant(flat: Any, size: int) -> Any:
    A = flat.reshape(size, size)
    levels = columns_of_minors(size)
    minors = A[size - 1][levels[-1][:, 0]]
    for row in range(size - 2, -1, -1):
        left = levels[row]
        signs = (-1.0) ** np.arange(left.shape[1])
        minors = np.sum(signs * A[row][left] * minors.reshape(left.shape), axis=1)
    return minors[0]


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return array(message_input["A"]), message_input["ell"]


FUNCTIONS = {
    "primal": Function(tg.compile(determinant), _arguments, float),
    "gradient": Function(tg.compile(tg.grad(determinant)), _arguments, nested_list),
}
