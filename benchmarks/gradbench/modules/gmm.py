"""The log posterior of a mixture of Gaussians with a Wishart prior, and its gradient.

Each component's precision matrix is Q^T Q, where the lower triangular Q has exp(q) on its diagonal
and `l`, column by column, below it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


def logsumexp(values: Any, axis: int) -> Any:
    largest = np.max(values, axis=axis, keepdims=True)
    sums = np.sum(np.exp(values - largest), axis=axis)
    return np.log(sums) + np.squeeze(largest, axis)


def factors(q: Any, below: Any) -> Any:
    K, D = q.shape
    diagonal = np.arange(D)
    columns, rows = np.triu_indices(D, 1)
    Q = np.zeros_like(q, shape=(K, D, D))
    Q[:, diagonal, diagonal] = np.exp(q)
    Q[:, rows, columns] = below
    return Q


def log_gamma(dimension: int, x: float) -> float:
    """The logarithm of the multivariate gamma function."""
    single = sum(math.lgamma(x - 0.5 * j) for j in range(dimension))
    return 0.25 * dimension * (dimension - 1) * math.log(math.pi) + single


def log_posterior(alpha: Any, mu: Any, q: Any, below: Any, x: Any, m: int, gamma: float) -> Any:
    (N, D), K = x.shape, alpha.size
    Q = factors(q, below)
    sums = np.sum(q, axis=1)
    whitened = (x - mu[:, None, :]) @ np.swapaxes(Q, 1, 2)
    terms = (alpha + sums)[:, None] - 0.5 * np.sum(whitened**2, axis=2)
    likelihood = np.sum(logsumexp(terms, 0)) - N * (
        0.5 * D * math.log(2.0 * math.pi) + logsumexp(alpha, 0)
    )
    freedom = D + m + 1
    constant = freedom * D * np.log(gamma / math.sqrt(2.0)) - log_gamma(D, 0.5 * freedom)
    prior = K * constant - 0.5 * gamma**2 * np.sum(Q**2) + m * np.sum(sums)
    return likelihood + prior


def _arguments(message_input: Any) -> tuple[Any, ...]:
    arrays = (array(message_input[name]) for name in ("alpha", "mu", "q", "l", "x"))
    return *arrays, message_input["m"], message_input["gamma"]


def _gradients(result: Any) -> Any:
    return dict(zip(("alpha", "mu", "q", "l"), map(nested_list, result), strict=True))


FUNCTIONS = {
    "objective": Function(tg.compile(log_posterior), _arguments, float),
    "jacobian": Function(tg.compile(tg.grad(log_posterior, (0, 1, 2, 3))), _arguments, _gradients),
}
