"""The gradient of a mixture of Gaussians: the log posterior of the ADBench suite.

Components have full covariances, given by the inverse's factor: `icf` holds in each row the
logarithms of its diagonal and then, column by column, what lies below. A Wishart prior is on the
inverse covariances. (microsoft/ADBench; signs, transposes and prior as gradbench/gradbench
corrects them.) Points and parameters are drawn as GradBench draws them.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import handwritten, kinds, peers
from benchmarks.problem import Case, Run, Target

GAMMA, M = 1.0, 0


@dataclass(frozen=True)
class Size:
    n: int
    d: int
    K: int


SIZES = {
    "N 100, d 2, K 3": Size(100, 2, 3),
    "N 1000, d 2, K 5": Size(1000, 2, 5),
    "N 1000, d 10, K 25": Size(1000, 10, 25),
    "N 1000, d 64, K 25": Size(1000, 64, 25),
    "N 10000, d 10, K 200": Size(10_000, 10, 200),
}
LIMITS = [None, Target(0.04), Target(0.33), Target(8), Target(40, speedup=1.8)]
MIDDLE = "N 1000, d 10, K 25"

CASES = [
    Case(name, unit="ms", same_bits=True, target=target, big=size.n > 1000,
         rounds=3 if size.n > 1000 else None, data=kinds.Task(size))
    for (name, size), target in zip(SIZES.items(), LIMITS, strict=True)
] + [
    Case(f"gradient over value, {name}", unit="x", threads=False,
         target=Target(4.0) if name == MIDDLE else None,
         data=kinds.Task(SIZES[name], kinds.VALUE_RATIO))
    for name in list(SIZES)[1:4]
] + [
    Case(f"first gradient, {MIDDLE}", unit="ms", threads=False, rounds=3, target=Target(30),
         data=kinds.Task(SIZES[MIDDLE], kinds.FIRST_CALL)),
]  # fmt: skip


@functools.cache
def _data(size: Size) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(31337)
    x = rng.normal(size=(size.n, size.d))
    alphas = rng.normal(size=size.K)
    means = rng.uniform(size=(size.K, size.d))
    icf = rng.normal(size=(size.K, size.d * (size.d + 1) // 2))
    return alphas, means, icf, x


@functools.cache
def _places(d: int) -> Any:
    """Where each element of a factor stands in a row of (diagonal, below, 0)."""
    places = np.full((d, d), d * (d + 1) // 2)
    places[np.arange(d), np.arange(d)] = np.arange(d)
    columns, rows = np.triu_indices(d, 1)
    places[rows, columns] = d + np.arange(rows.size)
    return places


def _constant(size: Size) -> float:
    n, d = _freedom(size.d), size.d
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi)
    log_gamma += sum(math.lgamma(0.5 * (n - j)) for j in range(d))
    prior = size.K * (n * d * math.log(GAMMA / math.sqrt(2)) - log_gamma)
    return prior - 0.5 * size.n * d * math.log(2 * math.pi)


def _freedom(d: int) -> int:
    return d + M + 1


def _log_posterior(np: Any, logsumexp: Any, alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    (n, d), K = x.shape, alphas.shape[0]
    log_diagonals, below = icf[:, :d], icf[:, d:]
    parts = np.concatenate([np.exp(log_diagonals), below, np.zeros((K, 1))], axis=1)
    factors = parts[:, _places(d)]
    log_determinants = np.sum(log_diagonals, axis=1)
    whitened = (x - means[:, None, :]) @ np.swapaxes(factors, 1, 2)
    terms = (alphas + log_determinants)[:, None] - 0.5 * np.sum(whitened**2, axis=2)
    likelihood = np.sum(logsumexp(terms)) - n * logsumexp(alphas)
    prior = M * np.sum(log_determinants) - 0.5 * GAMMA**2 * np.sum(parts**2)
    return likelihood + prior + _constant(Size(n, d, K))


def _logsumexp(np: Any, values: Any) -> Any:
    """Over the first axis."""
    greatest = np.max(values, axis=0)
    return greatest + np.log(np.sum(np.exp(values - greatest), axis=0))


def _gradients(result: Any) -> Any:
    return result[1]


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    data = _data(case.data.size)

    def build() -> kinds.Functions:
        def log_posterior(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
            logsumexp = functools.partial(_logsumexp, np)
            return _log_posterior(np, logsumexp, alphas, means, icf, x)

        value = compiled(log_posterior)
        gradient = compiled(tg.value_and_grad(log_posterior, (0, 1, 2)))
        return kinds.Functions(lambda: gradient(*data), lambda: value(*data))

    return kinds.run(case.data, build, _gradients)


def autograd(case: Case) -> Run | None:
    from autograd import numpy as anp
    from autograd import value_and_grad

    alphas, means, icf, x = _data(case.data.size)

    def log_posterior(parameters: Any) -> Any:
        alphas, means, icf = parameters
        return _log_posterior(anp, functools.partial(_logsumexp, anp), alphas, means, icf, x)

    def build() -> kinds.Functions:
        gradient = value_and_grad(log_posterior)
        point = (alphas, means, icf)
        return kinds.Functions(lambda: gradient(point), lambda: log_posterior(point))

    return kinds.run(case.data, build, _gradients)


def torch(case: Case) -> Run | None:
    import torch

    data = _torch_data(case.data.size)

    def build() -> kinds.Functions:
        def gradient() -> Any:
            point = [array.detach().requires_grad_() for array in data[:3]]
            value = _torch_posterior(*point, *data[3:])
            return value, torch.autograd.grad(value, point)

        return kinds.Functions(gradient, lambda: _torch_posterior(*data))

    return kinds.run(case.data, build, _gradients)


def torch_compile(case: Case) -> Run | None:
    import torch

    data = _torch_data(case.data.size)
    fresh = case.data.kind == kinds.FIRST_CALL

    def build() -> kinds.Functions:
        both = torch.func.grad_and_value(_torch_posterior, (0, 1, 2))
        gradient = peers.torch_compile(both, fresh)
        value = peers.torch_compile(_torch_posterior, fresh)
        return kinds.Functions(lambda: gradient(*data), lambda: value(*data))

    return kinds.run(case.data, build, lambda result: result[0])


def _torch_data(size: Size) -> list[Any]:
    import torch

    return [torch.from_numpy(array) for array in (*_data(size), _places(size.d))]


def _torch_posterior(alphas: Any, means: Any, icf: Any, x: Any, places: Any) -> Any:
    import torch

    (n, d), K = x.shape, alphas.shape[0]
    log_diagonals, below = icf[:, :d], icf[:, d:]
    parts = torch.cat([torch.exp(log_diagonals), below, below.new_zeros((K, 1))], dim=1)
    factors = parts[:, places]
    log_determinants = log_diagonals.sum(dim=1)
    whitened = (x - means[:, None, :]) @ factors.transpose(1, 2)
    terms = (alphas + log_determinants)[:, None] - 0.5 * (whitened**2).sum(dim=2)
    likelihood = torch.logsumexp(terms, 0).sum() - n * torch.logsumexp(alphas, 0)
    prior = M * log_determinants.sum() - 0.5 * GAMMA**2 * (parts**2).sum()
    return likelihood + prior + _constant(Size(n, d, K))


def jax_jit(case: Case) -> Run | None:
    import jax
    from jax.scipy.special import logsumexp

    data = [jax.numpy.asarray(array) for array in _data(case.data.size)]

    def build() -> kinds.Functions:
        def log_posterior(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
            over_first = functools.partial(logsumexp, axis=0)
            return _log_posterior(jax.numpy, over_first, alphas, means, icf, x)

        jax.clear_caches()
        value = jax.jit(log_posterior)
        gradient = jax.jit(jax.value_and_grad(log_posterior, (0, 1, 2)))
        return kinds.Functions(
            lambda: jax.block_until_ready(gradient(*data)),
            lambda: jax.block_until_ready(value(*data)),
        )

    return kinds.run(case.data, build, _gradients)


def casadi(case: Case) -> Run | None:
    import casadi

    size = case.data.size
    if size.d > 10 or size.n > 1000:
        return None  # a graph of 25 · 64 · 64 nodes a point
    d, K = size.d, size.K
    alphas, means, icf, x = _data(size)

    def build() -> kinds.Functions:
        graph = _casadi_posterior(size)
        arguments = [
            casadi.MX.sym("a", K),
            casadi.MX.sym("m", d, K),
            casadi.MX.sym("i", *icf.T.shape),
        ]
        points = casadi.DM(x.T)
        total = graph(*arguments, points)
        slopes = [casadi.gradient(total, argument) for argument in arguments]
        value = casadi.Function("value", arguments, [total])
        gradient = casadi.Function("gradient", arguments, [total, *slopes])
        point = [casadi.DM(alphas), casadi.DM(means.T), casadi.DM(icf.T)]
        return kinds.Functions(lambda: gradient(*point), lambda: value(*point))

    def numbers(result: Any) -> Any:
        return [np.asarray(slope).T for slope in result[1:]]

    return kinds.run(case.data, build, numbers)


def _casadi_posterior(size: Size) -> Any:
    """The log posterior, as a function of parameters and all points as columns."""
    import casadi

    d, K = size.d, size.K
    alphas, x = casadi.SX.sym("a", K), casadi.SX.sym("x", d)
    means, icf = casadi.SX.sym("m", d, K), casadi.SX.sym("i", d * (d + 1) // 2, K)
    terms, squares, places = [], 0.0, _places(d)
    for k in range(K):
        parts = casadi.vertcat(casadi.exp(icf[:d, k]), icf[d:, k])
        factor = casadi.SX(d, d)
        for i in range(d):
            for j in range(i + 1):
                factor[i, j] = parts[int(places[i, j])]
        whitened = factor @ (x - means[:, k])
        terms.append(alphas[k] + casadi.sum1(icf[:d, k]) - 0.5 * casadi.sumsqr(whitened))
        squares += casadi.sumsqr(parts)
    point = casadi.Function("point", [alphas, means, icf, x], [_casadi_logsumexp(terms)])
    shared = casadi.Function(
        "shared", [alphas, means, icf],
        [M * casadi.sum1(casadi.sum2(icf[:d, :])) - 0.5 * GAMMA**2 * squares
         - size.n * _casadi_logsumexp(casadi.vertsplit(alphas)) + _constant(size)],
    )  # fmt: skip
    every = point.map("every", "serial", size.n, [0, 1, 2], [])

    def posterior(alphas: Any, means: Any, icf: Any, points: Any) -> Any:
        return casadi.sum2(every(alphas, means, icf, points)) + shared(alphas, means, icf)

    return posterior


def _casadi_logsumexp(values: Any) -> Any:
    import casadi

    greatest = functools.reduce(casadi.fmax, values)
    return greatest + casadi.log(sum(casadi.exp(value - greatest) for value in values))


def numpy(case: Case) -> Run | None:
    """The gradient derived by hand."""
    if case.data.kind == kinds.FIRST_CALL:
        return None
    alphas, means, icf, x = _data(case.data.size)
    value = functools.partial(_log_posterior, np, functools.partial(_logsumexp, np))
    return kinds.run(
        case.data,
        lambda: kinds.Functions(
            lambda: _by_hand(alphas, means, icf, x), lambda: value(alphas, means, icf, x)
        ),
        _gradients,
    )


def _by_hand(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    (n, d), K = x.shape, alphas.size
    places = _places(d)
    parts = np.concatenate([np.exp(icf[:, :d]), icf[:, d:], np.zeros((K, 1))], axis=1)
    factors = parts[:, places]
    log_determinants = np.sum(icf[:, :d], axis=1)
    centered = x - means[:, None, :]
    whitened = centered @ factors.swapaxes(1, 2)
    terms = (alphas + log_determinants)[:, None] - 0.5 * np.einsum(
        "knd,knd->kn", whitened, whitened
    )
    greatest = terms.max(axis=0)
    weights = np.exp(terms - greatest)
    sums = weights.sum(axis=0)
    weights /= sums
    shares = np.exp(alphas - alphas.max())
    value = np.sum(greatest + np.log(sums)) - n * (alphas.max() + np.log(shares.sum()))
    value += M * log_determinants.sum() - 0.5 * GAMMA**2 * np.sum(parts**2)
    value += _constant(Size(n, d, K))

    totals = weights.sum(axis=1)
    whitened *= weights[:, :, None]
    by_factors = -(whitened.swapaxes(1, 2) @ centered)
    by_means = (whitened.sum(axis=1)[:, None, :] @ factors)[:, 0, :]
    by_parts = np.empty((K, d * (d + 1) // 2))
    rows, columns = np.tril_indices(d)
    by_parts[:, places[rows, columns]] = by_factors[:, rows, columns]
    by_parts -= GAMMA**2 * parts[:, :-1]
    by_parts[:, :d] = by_parts[:, :d] * parts[:, :d] + (totals + M)[:, None]
    return value, (totals - n * shares / shares.sum(), by_means, by_parts)


def cpp(case: Case) -> Run | None:
    if case.data.kind == kinds.FIRST_CALL:
        return None
    size, point = case.data.size, _data(case.data.size)
    inputs = (size.n, size.d, size.K, GAMMA, float(M), _constant(size), *point)
    results = [np.empty(()), *(np.empty_like(array) for array in point[:3])]
    gradient = handwritten.bind("gmm", "gradient", inputs, results)
    value = handwritten.bind("gmm", "value", inputs, results[:1])
    return kinds.run(case.data, lambda: kinds.Functions(gradient, value), lambda found: found[1:])
