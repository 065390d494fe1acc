"""The cost of k-means clustering, and the direction of a step of Newton's method.

A centroid's share of the cost does not depend on the others, nor one coordinate's on the rest, so
the Hessian is diagonal: its product with ones is that diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


def cost(points: Any, centroids: Any) -> Any:
    squares = np.sum(points**2, axis=1)[:, None] + np.sum(centroids**2, axis=1)
    return np.sum(np.min(squares - 2.0 * points @ centroids.T, axis=1))


def direction(points: Any, centroids: Any) -> Any:
    gradient, diagonal = tg.jvp(
        tg.grad(lambda centroids: cost(points, centroids)), (centroids,), (np.ones_like(centroids),)
    )
    return gradient / diagonal


def _arguments(message_input: Any) -> tuple[Any, ...]:
    return array(message_input["points"]), array(message_input["centroids"])


FUNCTIONS = {
    "cost": Function(tg.compile(cost), _arguments, float),
    "dir": Function(tg.compile(direction), _arguments, nested_list),
}
