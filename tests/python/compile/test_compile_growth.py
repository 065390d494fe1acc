"""What first calls of long loops cost: time that grows with the length, and no faster."""

import time

import numpy as np
from compile_checks import replays

import tapegrad as tg


def volatility(returns):
    def likelihood(p):
        w, a, b = p[0], p[1], p[2]
        h, total = w / (1 - a - b), 0.0
        for r in returns:
            total = total + np.log(h) + r * r / h
            h = w + a * (r * r) + b * h
        return 0.5 * total

    return likelihood


def cheapest_way(rows):
    def cost(costs):
        best = np.zeros((rows, 10))
        best[0, 0] = costs[0, 0]
        for i in range(1, rows):
            best[i, 0] = best[i - 1, 0] + costs[i, 0]
            for j in range(1, 10):
                best[i, j] = costs[i, j] + np.minimum(best[i - 1, j], best[i, j - 1])
        return best[rows - 1, 9]

    return cost


def shortest_way(costs):
    """The rows of the table repeat, but its border and what lies a row behind break them."""
    n = len(costs)
    best = np.zeros((n, n))
    best[0], best[:, 0] = np.cumsum(costs[0]), np.cumsum(costs[:, 0])
    for i in range(1, n):
        for j in range(1, n):
            nearest = np.minimum(np.minimum(best[i - 1, j], best[i, j - 1]), best[i - 1, j - 1])
            best[i, j] = costs[i, j] + nearest
    return best[-1, -1]


def products(x):
    """Each row is a loop of its own, and all of them read the whole of x."""
    n = len(x)
    table = np.zeros((n + 1, n + 1))
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            behind = np.logaddexp(table[i - 1, j], table[i, j - 1])
            table[i, j] = x[i - 1] * x[j - 1] + 0.5 * behind
    return table[n, n]


def grouped(groups):
    """Each group is a captured array of its own."""
    ys = [np.arange(3.0) + k for k in range(groups)]

    def likelihood(p):
        total = 0.0
        for y in ys:
            total = total + np.sum((y - p[0]) ** 2) * np.exp(-p[1])
        return total

    return likelihood


def test_first_calls_of_loops_take_time_that_grows_with_their_length():
    """Four times the turns: a search that went with the square would take sixteen times as long."""
    rng = np.random.default_rng(5)
    returns, costs = rng.normal(size=8000) * 0.1, rng.uniform(size=(600, 10))
    shorter_and_longer = [
        [(volatility(returns[:n]), np.array([0.001, 0.1, 0.8])) for n in (2000, 8000)],
        [(cheapest_way(rows), costs[:rows]) for rows in (150, 600)],
        [(shortest_way, rng.uniform(size=(n, n))) for n in (50, 100)],
        [(products, rng.normal(size=n)) for n in (60, 120)],
        [(grouped(n), np.array([0.1, 0.2])) for n in (400, 1600)],
    ]
    for pair in shorter_and_longer:
        took = []
        for f, x in pair:
            begun = time.process_time()
            compiled = tg.compile(tg.grad(f))
            found = [compiled(x) for _ in range(3)][-1]
            took.append(time.process_time() - begun)
            assert replays(compiled) == 1
            np.testing.assert_allclose(found, tg.grad(f)(x), rtol=1e-12)
        assert took[1] < 9 * took[0]
