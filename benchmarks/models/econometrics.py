"""Recursions of econometrics: conditional variances, moving averages, volatilities."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling
from benchmarks.problems import recursions


def _returns(n: int) -> Any:
    return np.random.default_rng(0).normal(size=n)


# GARCH(1, 1).


def _garch_data(n: int) -> tuple[Any, ...]:
    return np.array([0.1, 0.1, 0.5]), _returns(n)


def _garch_numbers(p: Any, r: Any) -> Any:
    h = p[0] / (1.0 - p[1] - p[2])
    total = np.log(h) + r[0] ** 2 / h
    for t in range(1, len(r)):
        h = p[0] + p[1] * r[t - 1] ** 2 + p[2] * h
        total += np.log(h) + r[t] ** 2 / h
    return total


def _garch_list(omega: Any, alpha: Any, beta: Any, r: Any) -> Any:
    squares = r**2
    h = [omega / (1.0 - alpha - beta)]
    for square in squares[:-1]:
        h.append(omega + alpha * square + beta * h[-1])
    h = np.stack(h)
    return np.sum(np.log(h) + squares / h)


def _garch_gathered(p: Any, r: Any) -> Any:
    """What doesn't depend on the variance is computed for all days at once."""
    news = p[0] + p[1] * r**2
    h = np.zeros(len(r))
    h[0] = p[0] / (1.0 - p[1] - p[2])
    for t in range(1, len(r)):
        h[t] = news[t - 1] + p[2] * h[t - 1]
    return np.sum(np.log(h)) + np.sum(r**2 / h)


def _garch_jax(jax: Any, p: Any, r: Any) -> Any:
    jnp = jax.numpy

    def step(h: Any, before: Any) -> Any:
        found = p[0] + p[1] * before**2 + p[2] * h
        return found, found

    first = p[0] / (1.0 - p[1] - p[2])
    _, rest = jax.lax.scan(step, first, r[:-1])
    h = jnp.concatenate([first[None], rest])
    return jnp.sum(jnp.log(h) + r**2 / h)


# ARMA(2, 1): the conditional sum of squares.


def _arma_data(n: int) -> tuple[Any, ...]:
    return np.array([0.1, 0.5, -0.2, 0.3]), _returns(n)


def _arma_writes(p: Any, y: Any) -> Any:
    errors = np.zeros_like(y)
    for t in range(2, len(y)):
        errors[t] = y[t] - p[0] - p[1] * y[t - 1] - p[2] * y[t - 2] - p[3] * errors[t - 1]
    return np.sum(errors**2)


def _arma_numbers(p: Any, y: Any) -> Any:
    error = total = 0.0
    for t in range(2, len(y)):
        error = y[t] - (p[0] + p[1:3] @ y[t - 2 : t][::-1] + p[3] * error)
        total = total + error**2
    return total


def _arma_vectors(p: Any, y: Any) -> Any:
    """The autoregression for all times at once, then the moving average in a loop."""
    mean, first, second, average = p
    residuals = y[2:] - mean - first * y[1:-1] - second * y[:-2]
    errors = [residuals[0]]
    for residual in residuals[1:]:
        errors.append(residual - average * errors[-1])
    return np.sum(np.array(errors) ** 2)


def _arma_jax(jax: Any, p: Any, y: Any) -> Any:
    residuals = y[2:] - p[0] - p[1] * y[1:-1] - p[2] * y[:-2]

    def step(error: Any, residual: Any) -> Any:
        found = residual - p[3] * error
        return found, found

    _, errors = jax.lax.scan(step, jax.numpy.zeros(()), residuals)
    return jax.numpy.sum(errors**2)


# Stochastic volatility: the joint density of returns and the noise that drives the volatility.


def _volatility_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    return np.array([-0.5, 2.0, -1.0]), rng.normal(size=n), _returns(n)


def _volatility_numbers(p: Any, z: Any, r: Any) -> Any:
    mean, persistence, spread = p[0], np.tanh(p[1]), np.exp(p[2])
    h, total = mean, 0.0
    for t in range(len(r)):
        h = mean + persistence * (h - mean) + spread * z[t]
        total += 0.5 * (h + r[t] ** 2 * np.exp(-h) + z[t] ** 2)
    return total


def _volatility_writes(p: Any, z: Any, r: Any) -> Any:
    h = np.empty_like(z)
    h[0] = p[0] + np.exp(p[2]) * z[0]
    for t in range(1, len(z)):
        h[t] = p[0] + np.tanh(p[1]) * (h[t - 1] - p[0]) + np.exp(p[2]) * z[t]
    return 0.5 * np.sum(h + r**2 * np.exp(-h)) + 0.5 * np.sum(z**2)


def _volatility_list(p: Any, z: Any, r: Any) -> Any:
    mean, persistence, spread = p[0], np.tanh(p[1]), np.exp(p[2])
    deviations, states = spread * z, []
    state = 0.0
    for deviation in deviations:
        state = persistence * state + deviation
        states.append(state)
    h = mean + np.stack(states)
    return 0.5 * np.sum(h + r**2 * np.exp(-h) + z**2)


def _volatility_jax(jax: Any, p: Any, z: Any, r: Any) -> Any:
    jnp = jax.numpy
    persistence = jnp.tanh(p[1])

    def step(state: Any, deviation: Any) -> Any:
        state = persistence * state + deviation
        return state, state

    _, states = jax.lax.scan(step, jnp.zeros(()), jnp.exp(p[2]) * z)
    h = p[0] + states
    return 0.5 * jnp.sum(h + r**2 * jnp.exp(-h) + z**2)


# Exponential averages at two speeds, and their crossings softened.


def _averages_data(n: int) -> tuple[Any, ...]:
    return np.array([-1.0, -3.0]), np.cumsum(np.random.default_rng(8).normal(size=n))


def _averages_numbers(p: Any, prices: Any) -> Any:
    fast_share, slow_share = 1 / (1 + np.exp(-p[0])), 1 / (1 + np.exp(-p[1]))
    fast = slow = prices[0]
    gain = 0.0
    for before, now in itertools.pairwise(prices):
        gain += np.tanh(fast - slow) * (now - before)
        fast += fast_share * (now - fast)
        slow += slow_share * (now - slow)
    return gain


def _averages_pairs(p: Any, prices: Any) -> Any:
    share = 1 / (1 + np.exp(-p))
    averages = np.stack([prices[0], prices[0]])
    gain = 0.0
    for t in range(1, len(prices)):
        gain = gain + np.tanh(averages[0] - averages[1]) * (prices[t] - prices[t - 1])
        averages = averages + share * (prices[t] - averages)
    return gain


def _averages_listed(p: Any, prices: Any) -> Any:
    """The averages in lists; positions and gains for all days at once."""

    def average(share: Any) -> Any:
        found = [prices[0]]
        for price in prices[1:-1]:
            found.append((1 - share) * found[-1] + share * price)
        return np.array(found)

    shares = 1 / (1 + np.exp(-p))
    return np.sum(np.tanh(average(shares[0]) - average(shares[1])) * np.diff(prices))


MODELS = [
    Model("garch", _garch_data, (
        Spelling("written into an array", recursions.PROGRAMS["garch"]),
        Spelling("numbers", _garch_numbers),
        Spelling("list and stack, separate parameters", _garch_list,
                 lambda p, r: (*map(float, p), r), (0, 1, 2)),
        Spelling("news before the loop", _garch_gathered),
    ), sizes=(10, 30_000), usual=2000, jax=_garch_jax),
    Model("arma", _arma_data, (
        Spelling("written into an array", _arma_writes),
        Spelling("numbers and a product", _arma_numbers),
        Spelling("residuals before the loop", _arma_vectors),
    ), sizes=(10, 10_000), usual=1000, jax=_arma_jax),
    Model("volatility", _volatility_data, (
        Spelling("numbers", _volatility_numbers),
        Spelling("written into an array", _volatility_writes),
        Spelling("list and stack", _volatility_list),
    ), sizes=(10, 10_000), usual=1000, wrt=(0, 1), jax=_volatility_jax),
    Model("averages", _averages_data, (
        Spelling("numbers", _averages_numbers),
        Spelling("pairs", _averages_pairs),
        Spelling("lists", _averages_listed),
    ), sizes=(10, 10_000), usual=1000),
]  # fmt: skip
