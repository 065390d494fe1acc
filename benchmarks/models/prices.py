"""Prices of options: a binomial tree, paths of a stochastic volatility."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

# An American put on a tree (Cox, Ross, Rubinstein): by price, volatility and rate.


def _tree_data(n: int) -> tuple[Any, ...]:
    return np.array([1.0, 0.3, 0.05]), np.zeros(n)


def _tree_constants(exp: Any, sqrt: Any, p: Any, n: int) -> Any:
    step = 1.0 / n
    up = exp(p[1] * sqrt(step))
    chance = (exp(p[2] * step) - 1 / up) / (up - 1 / up)
    return up, chance, exp(-p[2] * step)


def _tree_slices(p: Any, steps: Any) -> Any:
    n = len(steps)
    up, chance, discount = _tree_constants(np.exp, np.sqrt, p, n)
    prices = p[0] * up ** np.arange(-n, n + 1, 2)
    values = np.maximum(1.1 - prices, 0.0)
    for _ in range(n):
        prices = prices[1:] / up
        values = discount * (chance * values[1:] + (1 - chance) * values[:-1])
        values = np.maximum(values, 1.1 - prices)
    return values[0]


def _tree_writes(p: Any, steps: Any) -> Any:
    """One array, overwritten from its start."""
    n = len(steps)
    up, chance, discount = _tree_constants(np.exp, np.sqrt, p, n)
    powers = np.arange(-n, n + 1)
    prices = p[0] * up**powers
    values = np.maximum(1.1 - prices[::2], 0.0)
    for i in range(n - 1, -1, -1):
        hold = discount * (chance * values[1 : i + 2] + (1 - chance) * values[: i + 1])
        values[: i + 1] = np.maximum(hold, 1.1 - prices[n - i : n + i + 1 : 2])
    return values[0]


def _tree_numbers(p: Any, steps: Any) -> Any:
    n = len(steps)
    up, chance, discount = _tree_constants(np.exp, np.sqrt, p, n)
    values = [np.maximum(1.1 - p[0] * up ** (2 * j - n), 0.0) for j in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1):
            hold = discount * (chance * values[j + 1] + (1 - chance) * values[j])
            values[j] = np.maximum(hold, 1.1 - p[0] * up ** (2 * j - i))
    return values[0]


def _tree_jax(jax: Any, p: Any, steps: Any) -> Any:
    """Shapes stay fixed in a scan: what lies beyond the tree is computed and never read."""
    jnp, n = jax.numpy, len(steps)
    up, chance, discount = _tree_constants(jnp.exp, jnp.sqrt, p, n)
    prices = p[0] * up ** jnp.arange(-n, n + 1, 2)

    def step(carry: Any, _: Any) -> Any:
        prices, values = carry
        prices = jnp.roll(prices, -1) / up
        values = discount * (chance * jnp.roll(values, -1) + (1 - chance) * values)
        return (prices, jnp.maximum(values, 1.1 - prices)), None

    start = prices, jnp.maximum(1.1 - prices, 0.0)
    return jax.lax.scan(step, start, None, length=n)[0][1][0]


# A call under Heston's volatility, Euler's steps, 100 paths.

PATHS = 100


def _paths_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return np.array([0.04, 1.5, 0.05, 0.3, -0.6]), rng.normal(size=(2, n, PATHS))


def _paths_loop(p: Any, z: Any) -> Any:
    start, speed, mean, spread, together = p
    h = 1.0 / z.shape[1]
    log_price, v = np.zeros(PATHS), start * np.ones(PATHS)
    for t in range(z.shape[1]):
        root = np.sqrt(np.maximum(v, 1e-8) * h)
        other = together * z[0, t] + np.sqrt(1 - together**2) * z[1, t]
        log_price = log_price - 0.5 * np.maximum(v, 1e-8) * h + root * z[0, t]
        v = v + speed * (mean - v) * h + spread * root * other
    return np.mean(np.maximum(np.exp(log_price) - 1.0, 0.0))


def _paths_writes(p: Any, z: Any) -> Any:
    """Variances in a table, noise and returns for all steps at once."""
    n = z.shape[1]
    h = 1.0 / n
    other = p[4] * z[0] + np.sqrt(1 - p[4] ** 2) * z[1]
    v = np.empty((n + 1, PATHS))
    v[0] = p[0]
    for t in range(n):
        root = np.sqrt(np.maximum(v[t], 1e-8) * h)
        v[t + 1] = v[t] + p[1] * (p[2] - v[t]) * h + p[3] * root * other[t]
    positive = np.maximum(v[:-1], 1e-8)
    returns = -0.5 * positive * h + np.sqrt(positive * h) * z[0]
    return np.mean(np.maximum(np.exp(np.sum(returns, axis=0)) - 1.0, 0.0))


def _paths_lists(p: Any, z: Any) -> Any:
    h = 1.0 / z.shape[1]
    other = p[4] * z[0] + np.sqrt(1 - p[4] ** 2) * z[1]
    v, returns = np.full(PATHS, p[0]), []
    for first, second in zip(z[0], other, strict=True):
        positive = np.maximum(v, 1e-8)
        root = np.sqrt(positive * h)
        returns.append(root * first - 0.5 * positive * h)
        v = v + p[1] * (p[2] - v) * h + p[3] * root * second
    return np.mean(np.maximum(np.exp(np.cumsum(returns, axis=0)[-1]) - 1.0, 0.0))


def _paths_jax(jax: Any, p: Any, z: Any) -> Any:
    jnp = jax.numpy
    h = 1.0 / z.shape[1]

    def step(carry: Any, noise: Any) -> Any:
        log_price, v = carry
        root = jnp.sqrt(jnp.maximum(v, 1e-8) * h)
        other = p[4] * noise[0] + jnp.sqrt(1 - p[4] ** 2) * noise[1]
        log_price = log_price - 0.5 * jnp.maximum(v, 1e-8) * h + root * noise[0]
        return (log_price, v + p[1] * (p[2] - v) * h + p[3] * root * other), None

    start = jnp.zeros(PATHS), jnp.full(PATHS, p[0])
    (log_price, _), _ = jax.lax.scan(step, start, (z[0], z[1]))
    return jnp.mean(jnp.maximum(jnp.exp(log_price) - 1.0, 0.0))


# Mortality and cash: present values from the last year to the first.


def _annuity_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(5)
    return np.array([0.03, -6.0, 0.08]), rng.uniform(0.5, 1.5, n)


def _annuity_backwards(p: Any, cash: Any) -> Any:
    value = 0.0
    for t in range(len(cash) - 1, -1, -1):
        stays = np.exp(-np.exp(p[1] + p[2] * t / len(cash)))
        value = cash[t] + stays * value / (1 + p[0])
    return value


def _annuity_reversed(p: Any, cash: Any) -> Any:
    """Shares that stay in a list, then back over both."""
    years = np.arange(len(cash)) / len(cash)
    stays = [np.exp(-np.exp(p[1] + p[2] * year)) for year in years]
    value = 0.0
    for payment, share in reversed(list(zip(cash, stays, strict=True))):
        value = payment + share / (1 + p[0]) * value
    return value


def _annuity_products(p: Any, cash: Any) -> Any:
    years = np.arange(len(cash)) / len(cash)
    shares = np.exp(-np.exp(p[1] + p[2] * years)) / (1 + p[0])
    return np.sum(cash * np.concatenate((np.ones(1), np.cumprod(shares[:-1]))))


MODELS = [
    Model("binomial_tree", _tree_data, (
        Spelling("slices", _tree_slices),
        Spelling("written in place", _tree_writes),
        Spelling("numbers in a list", _tree_numbers),
    ), sizes=(4, 200), usual=50, work=lambda n: n * n, jax=_tree_jax),
    Model("heston", _paths_data, (
        Spelling("loop", _paths_loop),
        Spelling("written into a table", _paths_writes),
        Spelling("lists", _paths_lists),
    ), sizes=(5, 1000), usual=100, jax=_paths_jax),
    Model("annuity", _annuity_data, (
        Spelling("backwards", _annuity_backwards),
        Spelling("reversed lists", _annuity_reversed),
        Spelling("products", _annuity_products),
    ), sizes=(10, 10_000), usual=1000),
]  # fmt: skip
