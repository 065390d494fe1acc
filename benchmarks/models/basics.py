"""Small things at any length: sums of elementwise terms, loops of numbers, chains of matrices."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling
from benchmarks.problems import arm, chain, rosenbrock, scalar, scan

# Rosenbrock's function.


def _valley_data(n: int) -> tuple[Any, ...]:
    return (np.random.default_rng(0).uniform(-2.0, 2.0, n),)


def _valley_loop(x: Any) -> Any:
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def _valley_pairs(x: Any) -> Any:
    """Pairs of neighbours, their terms in a list."""
    terms = [100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in itertools.pairwise(x)]
    return np.sum(np.array(terms))


def _valley_residuals(x: Any) -> Any:
    """As least squares: residuals side by side."""
    residuals = np.concatenate((10.0 * (x[1:] - x[:-1] ** 2), 1.0 - x[:-1]))
    return residuals @ residuals


# An elementwise expression, summed.


def _terms_data(n: int) -> tuple[Any, ...]:
    return (chain._data(n),)


def _terms_loop(x: Any) -> Any:
    total = 0.0
    for v in x:
        total += np.sin(v) * np.exp(-(v**2)) + np.log1p(v**2) * np.tanh(v)
    return total


def _terms_written(x: Any) -> Any:
    y = np.zeros_like(x)
    for i in range(len(x)):
        y[i] = np.sin(x[i]) * np.exp(-(x[i] ** 2)) + np.log1p(x[i] ** 2) * np.tanh(x[i])
    return np.sum(y)


def _terms_parts(x: Any) -> Any:
    """Steps with names and updates in place."""
    square = x * x
    bell = np.exp(-square)
    bell *= np.sin(x)
    tail = np.log1p(square)
    tail *= np.tanh(x)
    return bell.sum() + tail.sum()


# A loop of dependent numbers, of four operations a turn.


def _turns_data(n: int) -> tuple[Any, ...]:
    return np.array(scalar.POINT), np.zeros(n)


def _turns_numbers(p: Any, turns: Any) -> Any:
    return scalar._loop(np.sin, len(turns), p[0], p[1], p[2], p[3])


def _turns_elements(p: Any, turns: Any) -> Any:
    """Parameters read in the loop, all values kept in an array."""
    x = np.zeros(len(turns) + 1)
    x[0] = p[0]
    for i in range(len(turns)):
        x[i + 1] = np.sin(x[i] * p[1] + p[2]) / p[3]
    return x[-1]


def _turns_list(p: Any, turns: Any) -> Any:
    x, a, b, c = p
    values = [x]
    for _ in turns:
        values.append(np.sin(values[-1] * a + b) / c)
    return np.stack(values)[-1]


def _turns_scan(p: Any, turns: Any) -> Any:
    import tapegrad as tg

    def step(x: Any, _: Any) -> Any:
        return np.sin(x * p[1] + p[2]) / p[3], None

    return tg.scan(step, p[0], turns)[0]


def _turns_jax(jax: Any, p: Any, turns: Any) -> Any:
    def step(x: Any, _: Any) -> Any:
        return jax.numpy.sin(x * p[1] + p[2]) / p[3], None

    return jax.lax.scan(step, p[0], turns)[0]


# A chain of joints in the plane, reaching for a point.


def _joints_data(n: int) -> tuple[Any, ...]:
    return (arm._data(n),)


def _joints_array(angles: Any) -> Any:
    """Matrices as nested lists."""
    frame = np.eye(3)
    for angle in angles:
        c, s = np.cos(angle), np.sin(angle)
        frame = frame @ np.array([[c, -s, c], [s, c, s], [0.0, 0.0, 1.0]])
    return np.sum((frame[:2, 2] - arm.POINT) ** 2)


def _joints_written(angles: Any) -> Any:
    frame = np.eye(3)
    for k in range(len(angles)):
        turn = np.eye(3)
        turn[0, 0] = turn[1, 1] = turn[0, 2] = np.cos(angles[k])
        turn[1, 0] = turn[1, 2] = np.sin(angles[k])
        turn[0, 1] = -np.sin(angles[k])
        frame = frame @ turn
    return np.sum((frame[:2, 2] - arm.POINT) ** 2)


def _joints_sums(angles: Any) -> Any:
    """In closed form: running sums of the angles."""
    heading = np.cumsum(angles)
    hand = np.stack((np.sum(np.cos(heading)), np.sum(np.sin(heading))))
    return np.sum((hand - arm.POINT) ** 2)


# A recurrent network of eight cells, one number a step.


def _cells_data(n: int) -> tuple[Any, ...]:
    w, u, xs = scan._data(scan.Size(8))
    return w, u, np.resize(xs, n)


def _cells_total(w: Any, u: Any, xs: Any) -> Any:
    state, total = np.zeros(8), 0.0
    for x in xs:
        state, y = scan._cell(np, w, u, state, x)
        total = total + y * y
    return np.sum(state * state) + total / len(xs)


def _cells_table(w: Any, u: Any, xs: Any) -> Any:
    states = np.zeros((len(xs) + 1, 8))
    for t in range(len(xs)):
        states[t + 1] = np.tanh(w.dot(states[t]) + u * xs[t])
    return np.sum(states[-1] ** 2) + np.mean(states[1:, 0] ** 2)


def _cells_list(w: Any, u: Any, xs: Any) -> Any:
    driven = xs[:, None] * u
    states = [np.zeros(8)]
    for row in driven:
        states.append(np.tanh(states[-1] @ w.T + row))
    first = np.array(states)[1:, 0]
    return np.sum(states[-1] ** 2) + np.mean(first**2)


def _cells_scan(w: Any, u: Any, xs: Any) -> Any:
    import tapegrad as tg

    last, ys = tg.scan(lambda s, x: scan._cell(np, w, u, s, x), np.zeros(8), xs)
    return np.sum(last * last) + np.mean(ys * ys)


def _cells_jax(jax: Any, w: Any, u: Any, xs: Any) -> Any:
    jnp = jax.numpy
    last, ys = jax.lax.scan(lambda s, x: scan._cell(jnp, w, u, s, x), jnp.zeros(8), xs)
    return jnp.sum(last * last) + jnp.mean(ys * ys)


MODELS = [
    Model("rosenbrock", _valley_data, (
        Spelling("slices", functools.partial(rosenbrock._rosenbrock, np)),
        Spelling("loop", _valley_loop),
        Spelling("pairs and a list", _valley_pairs),
        Spelling("residuals", _valley_residuals),
    ), sizes=(3, 30_000), usual=1000,
        jax=lambda jax, x: rosenbrock._rosenbrock(jax.numpy, x)),
    Model("elementwise", _terms_data, (
        Spelling("one expression", functools.partial(chain._sum, np)),
        Spelling("loop of numbers", _terms_loop),
        Spelling("written element by element", _terms_written),
        Spelling("updates in place", _terms_parts),
    ), sizes=(3, 30_000), usual=1000, jax=lambda jax, x: chain._sum(jax.numpy, x)),
    Model("dependent", _turns_data, (
        Spelling("numbers", _turns_numbers),
        Spelling("written into an array", _turns_elements),
        Spelling("list", _turns_list),
        Spelling("tg.scan", _turns_scan),
    ), sizes=(10, 30_000), usual=1000, jax=_turns_jax),
    Model("joints", _joints_data, (
        Spelling("stacked", functools.partial(arm._distance, np)),
        Spelling("nested lists", _joints_array),
        Spelling("written matrices", _joints_written),
        Spelling("closed form", _joints_sums),
    ), sizes=(3, 300), usual=20, jax=lambda jax, a: arm._distance(jax.numpy, a)),
    Model("eight_cells", _cells_data, (
        Spelling("total", _cells_total),
        Spelling("states in a table", _cells_table),
        Spelling("list, inputs before the loop", _cells_list),
        Spelling("tg.scan", _cells_scan),
    ), sizes=(5, 4000), usual=500, wrt=(0, 1), jax=_cells_jax),
]  # fmt: skip
