"""Loops as people write them: classes with state, dictionaries, lists that grow, odd ranges."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

# A running cost of a filter that is a class with state.


def _pole_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return np.array([0.2, -0.4, 0.3, 0.1, 0.2]), rng.normal(size=n), rng.normal(size=n)


class _Biquad:
    """A filter of second order, in the transposed direct form."""

    def __init__(self, coefficients: Any) -> None:
        self.b0, self.b1, self.b2, self.a1, self.a2 = coefficients
        self.s1 = self.s2 = 0.0

    def __call__(self, x: Any) -> Any:
        y = self.b0 * x + self.s1
        self.s1 = self.b1 * x - self.a1 * y + self.s2
        self.s2 = self.b2 * x - self.a2 * y
        return y


def _biquad_class(p: Any, x: Any, goal: Any) -> Any:
    step = _Biquad(p)
    total = 0.0
    for value, wanted in zip(x, goal, strict=True):
        total += np.abs(step(value) - wanted)
    return total / len(x)


def _biquad_states(p: Any, x: Any, goal: Any) -> Any:
    """Both states in one array, outputs in a list."""
    s, ys = np.zeros(2), []
    for value in x:
        y = p[0] * value + s[0]
        s = np.stack([p[1] * value - p[3] * y + s[1], p[2] * value - p[4] * y])
        ys.append(y)
    return np.mean(np.abs(np.array(ys) - goal))


def _biquad_written(p: Any, x: Any, goal: Any) -> Any:
    """The difference equation, written into an array."""
    y = np.zeros(len(x))
    for t in range(len(x)):
        y[t] = p[0] * x[t]
        if t > 0:
            y[t] += p[1] * x[t - 1] - p[3] * y[t - 1]
        if t > 1:
            y[t] += p[2] * x[t - 2] - p[4] * y[t - 2]
    return np.mean(np.abs(y - goal))


# A Poisson regression, point by point.


def _counts_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    return np.array([0.3, -0.2, 0.1]), rng.normal(size=(n, 2)), rng.poisson(2.0, n).astype(float)


def _counts_points(w: Any, X: Any, y: Any) -> Any:
    total = 0.0
    for i in range(len(y)):
        rate = w[0] + w[1] * X[i, 0] + w[2] * X[i, 1]
        total += np.exp(rate) - y[i] * rate
    return total


def _counts_zip(w: Any, X: Any, y: Any) -> Any:
    terms = []
    for (first, second), count in zip(X, y, strict=True):
        rate = w[0] + w[1] * first + w[2] * second
        terms.append(np.exp(rate) - count * rate)
    return np.sum(np.array(terms))


def _counts_vectors(w: Any, X: Any, y: Any) -> Any:
    rate = w[0] + X @ w[1:]
    return np.sum(np.exp(rate) - y * rate)


# Sums by the kind of a thing, in a dictionary.

KINDS = 6


def _kinds_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    return rng.normal(size=KINDS), rng.normal(size=n), np.arange(n) % KINDS


def _kinds_dictionary(w: Any, x: Any, kinds: Any) -> Any:
    sums: dict[int, Any] = {}
    for k, value in enumerate(x):
        kind = k % KINDS
        sums[kind] = sums.get(kind, 0.0) + np.tanh(w[kind] * value)
    return sum(total**2 for total in sums.values())


def _kinds_table(w: Any, x: Any, kinds: Any) -> Any:
    sums = np.zeros(KINDS)
    for k in range(len(x)):
        sums[k % KINDS] += np.tanh(w[k % KINDS] * x[k])
    return np.sum(sums**2)


def _kinds_counted(w: Any, x: Any, kinds: Any) -> Any:
    return np.sum(np.bincount(kinds, weights=np.tanh(w[kinds] * x), minlength=KINDS) ** 2)


# Runge and Kutta's method of fourth order for a pendulum with friction.


def _pendulum_data(n: int) -> tuple[Any, ...]:
    return np.array([0.8, 0.1]), np.array([0.15, 9.8]), np.full(n, 10.0 / n)


def _pendulum_slope(state: Any, p: Any) -> Any:
    return np.array([state[1], -p[0] * state[1] - p[1] * np.sin(state[0])])


def _pendulum_arrays(start: Any, p: Any, steps: Any) -> Any:
    state, k = start, 0
    while k < len(steps):
        h = steps[k]
        k1 = _pendulum_slope(state, p)
        k2 = _pendulum_slope(state + 0.5 * h * k1, p)
        k3 = _pendulum_slope(state + 0.5 * h * k2, p)
        k4 = _pendulum_slope(state + h * k3, p)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        k += 1
    return np.sum(state**2)


def _pendulum_numbers(start: Any, p: Any, steps: Any) -> Any:
    angle, speed = start

    def slope(angle: Any, speed: Any) -> tuple[Any, Any]:
        return speed, -p[0] * speed - p[1] * np.sin(angle)

    for h in steps:
        a1, b1 = slope(angle, speed)
        a2, b2 = slope(angle + 0.5 * h * a1, speed + 0.5 * h * b1)
        a3, b3 = slope(angle + 0.5 * h * a2, speed + 0.5 * h * b2)
        a4, b4 = slope(angle + h * a3, speed + h * b3)
        angle = angle + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        speed = speed + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
    return angle**2 + speed**2


def _pendulum_table(start: Any, p: Any, steps: Any) -> Any:
    """All states in a table, the stages in a small one."""
    states = np.zeros((len(steps) + 1, 2))
    states[0] = start
    for t, h in enumerate(steps):
        slopes = np.zeros((4, 2))
        for stage, share in enumerate((0.0, 0.5, 0.5, 1.0)):
            at = states[t] + share * h * slopes[stage - 1]
            slopes[stage] = _pendulum_slope(at, p)
        states[t + 1] = states[t] + h * np.array([1, 2, 2, 1]) / 6 @ slopes
    return np.sum(states[-1] ** 2)


# A diffusion with a reaction on a ring, by explicit steps.

RING_STEPS = 40


def _ring_data(n: int) -> tuple[Any, ...]:
    return np.random.default_rng(3).uniform(0.1, 0.9, n), np.array([0.2, 0.05])


def _ring_rolled(u: Any, p: Any) -> Any:
    for _ in range(RING_STEPS):
        u = u + p[0] * (np.roll(u, 1) - 2 * u + np.roll(u, -1)) + p[1] * u * (1 - u)
    return np.sum(u**2)


def _ring_points(u: Any, p: Any) -> Any:
    """Point by point, the neighbours by negative and wrapped positions."""
    n = len(u)
    for _ in range(RING_STEPS):
        new = np.zeros(n)
        for i in range(n):
            around = u[i - 1] - 2 * u[i] + u[(i + 1) % n]
            new[i] = u[i] + p[0] * around + p[1] * u[i] * (1 - u[i])
        u = new
    return np.sum(u**2)


def _ring_padded(u: Any, p: Any) -> Any:
    for _ in range(RING_STEPS):
        wide = np.concatenate((u[-1:], u, u[:1]))
        u = u + p[0] * (wide[:-2] - 2 * u + wide[2:]) + p[1] * u * (1 - u)
    return np.sum(u**2)


# Attraction between all pairs, i before j.


def _pairs_data(n: int) -> tuple[Any, ...]:
    return (np.random.default_rng(4).normal(size=(n, 2)),)


def _pairs_loops(x: Any) -> Any:
    total = 0.0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            total += 1.0 / np.sqrt(np.sum((x[i] - x[j]) ** 2) + 0.1)
    return total


def _pairs_rows(x: Any) -> Any:
    total = 0.0
    for i in range(len(x) - 1):
        apart = x[i + 1 :] - x[i]
        total += np.sum(1.0 / np.sqrt(np.sum(apart**2, axis=1) + 0.1))
    return total


def _pairs_indices(x: Any) -> Any:
    i, j = np.triu_indices(len(x), 1)
    apart = x[i] - x[j]
    return np.sum(1.0 / np.sqrt(np.sum(apart**2, axis=1) + 0.1))


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


# A Markov chain that moves through matrices of rates.

PLACES = 4


def _moves_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(6)
    return rng.normal(size=(PLACES, PLACES)), rng.normal(size=n), rng.normal(size=PLACES)


def _moves_products(rates: Any, weather: Any, goal: Any) -> Any:
    share, total = np.ones(PLACES) / PLACES, 0.0
    for w in weather:
        e = np.exp(rates * w)
        share = share @ (e / e.sum(axis=1, keepdims=True))
        total += share @ goal
    return total


def _moves_before(rates: Any, weather: Any, goal: Any) -> Any:
    """All matrices before the loop."""
    e = np.exp(weather[:, None, None] * rates)
    matrices = e / e.sum(axis=2, keepdims=True)
    share, shares = np.ones(PLACES) / PLACES, []
    for matrix in matrices:
        share = share @ matrix
        shares.append(share)
    return np.sum(np.stack(shares) @ goal)


def _moves_numbers(rates: Any, weather: Any, goal: Any) -> Any:
    share, total = [1.0 / PLACES] * PLACES, 0.0
    for w in weather:
        arriving = [0.0] * PLACES
        for i in range(PLACES):
            row = [np.exp(rates[i, j] * w) for j in range(PLACES)]
            leaving = sum(row)
            for j in range(PLACES):
                arriving[j] = arriving[j] + share[i] * row[j] / leaving
        share = arriving
        for j in range(PLACES):
            total += share[j] * goal[j]
    return total


# A polynomial at many points, by Horner's rule and by powers.


def _horner_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(7)
    return rng.normal(size=8), rng.uniform(-1.0, 1.0, n)


def _horner_vectors(c: Any, x: Any) -> Any:
    y = np.zeros(len(x))
    for coefficient in c[::-1]:
        y = y * x + coefficient
    return np.sum(np.sqrt(1 + y**2))


def _horner_points(c: Any, x: Any) -> Any:
    values = []
    for point in x:
        y = 0.0
        for k in range(len(c) - 1, -1, -1):
            y = y * point + c[k]
        values.append(np.sqrt(1 + y**2))
    return np.sum(np.array(values))


def _horner_powers(c: Any, x: Any) -> Any:
    total, power = 0.0, np.ones(len(x))
    for k in range(len(c)):
        total = total + c[k] * power
        power = power * x
    return np.sum(np.sqrt(1 + total**2))


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
    Model("biquad", _pole_data, (
        Spelling("class with state", _biquad_class),
        Spelling("states in an array", _biquad_states),
        Spelling("difference equation", _biquad_written),
    ), sizes=(10, 10_000), usual=1000),
    Model("counts", _counts_data, (
        Spelling("point by point", _counts_points),
        Spelling("zip and a list", _counts_zip),
        Spelling("vectors", _counts_vectors),
    ), sizes=(10, 10_000), usual=1000),
    Model("sums_by_kind", _kinds_data, (
        Spelling("dictionary", _kinds_dictionary),
        Spelling("table", _kinds_table),
        Spelling("bincount", _kinds_counted),
    ), sizes=(12, 10_000), usual=1000),
    Model("pendulum", _pendulum_data, (
        Spelling("arrays of two, while", _pendulum_arrays),
        Spelling("numbers", _pendulum_numbers),
        Spelling("tables", _pendulum_table),
    ), sizes=(10, 3000), usual=300, wrt=(0, 1)),
    Model("ring", _ring_data, (
        Spelling("rolled", _ring_rolled),
        Spelling("point by point", _ring_points),
        Spelling("padded", _ring_padded),
    ), sizes=(8, 300), usual=100, wrt=(0, 1)),
    Model("pairs", _pairs_data, (
        Spelling("two loops", _pairs_loops),
        Spelling("a row at a time", _pairs_rows),
        Spelling("triangular indices", _pairs_indices),
    ), sizes=(5, 100), usual=40, work=lambda n: n * n),
    Model("annuity", _annuity_data, (
        Spelling("backwards", _annuity_backwards),
        Spelling("reversed lists", _annuity_reversed),
        Spelling("products", _annuity_products),
    ), sizes=(10, 10_000), usual=1000),
    Model("moves", _moves_data, (
        Spelling("a product a turn", _moves_products),
        Spelling("matrices before", _moves_before),
        Spelling("numbers", _moves_numbers),
    ), sizes=(10, 1000), usual=200),
    Model("horner", _horner_data, (
        Spelling("vectors", _horner_vectors),
        Spelling("point by point", _horner_points),
        Spelling("powers", _horner_powers),
    ), sizes=(10, 3000), usual=500),
    Model("averages", _averages_data, (
        Spelling("numbers", _averages_numbers),
        Spelling("pairs", _averages_pairs),
        Spelling("lists", _averages_listed),
    ), sizes=(10, 10_000), usual=1000),
]  # fmt: skip
