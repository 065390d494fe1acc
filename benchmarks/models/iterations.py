"""Iterations: ranks of pages, rays among spheres, descent over points."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling
from benchmarks.problems import regression

# Ranks of pages by the power method: by the weights of their links.

TURNS = 30


def _ranks_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    sources = np.concatenate((np.arange(n), rng.integers(0, n, 3 * n)))
    targets = np.concatenate(((np.arange(n) + 1) % n, rng.integers(0, n, 3 * n)))
    return rng.normal(size=4 * n), sources, targets, rng.normal(size=n)


def _ranks_shares(weights: Any, sources: Any, targets: Any, goal: Any) -> Any:
    n = len(goal)
    leaving = np.zeros(n)
    np.add.at(leaving, sources, np.exp(weights))
    share = np.exp(weights) / leaving[sources]
    rank = np.ones(n) / n
    for _ in range(TURNS):
        arriving = np.zeros(n)
        np.add.at(arriving, targets, share * rank[sources])
        rank = 0.85 * arriving + 0.15 / n
    return np.sum(rank * goal)


def _ranks_edges(weights: Any, sources: Any, targets: Any, goal: Any) -> Any:
    n = len(goal)
    strength = np.exp(weights)
    leaving = np.bincount(sources, weights=strength, minlength=n)
    share = strength / leaving[sources]
    rank = np.full(n, 1.0 / n)
    for _ in range(TURNS):
        arriving = np.bincount(targets, weights=share * rank[sources], minlength=n)
        rank = 0.85 * arriving + 0.15 / n
    return goal @ rank


def _ranks_added(weights: Any, sources: Any, targets: Any, goal: Any) -> Any:
    n = len(goal)
    leaving = np.zeros(n)
    np.add.at(leaving, sources, np.exp(weights))
    rank = np.ones(n) / n
    for _ in range(TURNS):
        new = np.full(n, 0.15 / n)
        np.add.at(new, targets, 0.85 * np.exp(weights) * (rank / leaving)[sources])
        rank = new
    return np.sum(goal * rank)


def _ranks_jax(jax: Any, weights: Any, sources: Any, targets: Any, goal: Any) -> Any:
    jnp, n = jax.numpy, len(goal)
    strength = jnp.exp(weights)
    leaving = jnp.zeros(n).at[sources].add(strength)
    share = strength / leaving[sources]

    def step(rank: Any, _: Any) -> Any:
        return 0.85 * jnp.zeros(n).at[targets].add(share * rank[sources]) + 0.15 / n, None

    return goal @ jax.lax.scan(step, jnp.full(n, 1.0 / n), None, length=TURNS)[0]


# Rays among six spheres: the nearest hit's shade, by centres and radii. Choices by np.where.

SPHERES = 6


def _rays_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    centres = rng.uniform(-1.0, 1.0, (SPHERES, 3)) + np.array([0.0, 0.0, 5.0])
    directions = np.column_stack((rng.uniform(-0.3, 0.3, (n, 2)), np.ones(n)))
    return centres, rng.uniform(0.4, 0.9, SPHERES), directions


def _rays_loop(centres: Any, radii: Any, d: Any) -> Any:
    """A sphere at a time, the nearest so far kept by where."""
    d = d / np.sqrt(np.sum(d**2, axis=1, keepdims=True))
    nearest, shade = np.full(len(d), 1e9), np.zeros(len(d))
    for k in range(SPHERES):
        b = d @ centres[k]
        inside = b**2 - np.sum(centres[k] ** 2) + radii[k] ** 2
        t = b - np.sqrt(np.where(inside > 0, inside, 1.0))
        hit = (inside > 0) & (t < nearest)
        normal_z = (t * d[:, 2] - centres[k, 2]) / radii[k]
        nearest, shade = np.where(hit, t, nearest), np.where(hit, -normal_z, shade)
    return np.mean(shade**2) + 1e-3 * np.mean(np.where(nearest < 1e9, nearest, 0.0))


def _rays_broadcast(centres: Any, radii: Any, d: Any) -> Any:
    """All spheres at once, the nearest by argmin."""
    d = d / np.linalg.norm(d, axis=1)[:, None]
    b = d @ centres.T
    inside = b**2 - np.sum(centres**2, axis=1) + radii**2
    hit = inside > 0
    t = np.where(hit, b - np.sqrt(np.where(hit, inside, 1.0)), 1e9)
    rows, first = np.arange(len(d)), np.argmin(t, axis=1)
    nearest = t[rows, first]
    found = nearest < 1e9
    normal_z = (nearest * d[:, 2] - centres[first, 2]) / radii[first]
    shade = np.where(found, -normal_z, 0.0)
    return np.mean(shade**2) + 1e-3 * np.mean(np.where(found, nearest, 0.0))


def _rays_coordinates(centres: Any, radii: Any, d: Any) -> Any:
    """Coordinates as arrays of their own."""
    x, y, z = d.T / np.sqrt(d[:, 0] ** 2 + d[:, 1] ** 2 + d[:, 2] ** 2)
    nearest, shade = 1e9 * np.ones(len(d)), 0.0
    for (cx, cy, cz), r in zip(centres, radii, strict=True):
        b = x * cx + y * cy + z * cz
        inside = b * b - (cx * cx + cy * cy + cz * cz) + r * r
        t = np.where(inside > 0, b - np.sqrt(np.maximum(inside, 1e-12)), 1e9)
        shade = np.where(t < nearest, (cz - t * z) / r, shade)
        nearest = np.minimum(t, nearest)
    return np.mean(shade**2) + 1e-3 * np.mean(np.where(nearest < 1e9, nearest, 0.0))


def _rays_jax(jax: Any, centres: Any, radii: Any, d: Any) -> Any:
    jnp = jax.numpy
    d = d / jnp.linalg.norm(d, axis=1)[:, None]
    b = d @ centres.T
    inside = b**2 - jnp.sum(centres**2, axis=1) + radii**2
    hit = inside > 0
    t = jnp.where(hit, b - jnp.sqrt(jnp.where(hit, inside, 1.0)), 1e9)
    first = jnp.argmin(t, axis=1)
    nearest = t[jnp.arange(len(d)), first]
    found = nearest < 1e9
    shade = jnp.where(found, (centres[first, 2] - nearest * d[:, 2]) / radii[first], 0.0)
    return jnp.mean(shade**2) + 1e-3 * jnp.mean(jnp.where(found, nearest, 0.0))


# Descent over the article's points, a point a step, differentiated by where it starts and its rate.


def _descent_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    x = rng.uniform(2.0, 10.0, n)
    return np.array([regression.W, regression.B]), 0.01, x, 0.25 * x + rng.normal(size=n)


def _descent_numbers(start: Any, rate: Any, xs: Any, ys: Any) -> Any:
    w, b = start
    for x, y in zip(xs, ys, strict=True):
        error = w * x + b - y
        w, b = w - rate * 2 * error * x, b - rate * 2 * error
    return w**2 + b**2


def _descent_array(start: Any, rate: Any, xs: Any, ys: Any) -> Any:
    p = start
    for i in range(len(xs)):
        row = np.array([xs[i], 1.0])
        p = p - rate * 2 * (row @ p - ys[i]) * row
    return np.sum(p**2)


def _descent_in_place(start: Any, rate: Any, xs: Any, ys: Any) -> Any:
    p = np.zeros(2)
    p[:] = start
    rows = np.stack((xs, np.ones(len(xs))), axis=1)
    for i in range(len(xs)):
        p -= 2 * rate * (rows[i] @ p - ys[i]) * rows[i]
    return p @ p


def _descent_jax(jax: Any, start: Any, rate: Any, xs: Any, ys: Any) -> Any:
    def step(p: Any, point: Any) -> Any:
        x, y = point
        error = p[0] * x + p[1] - y
        return p - rate * 2 * error * jax.numpy.stack((x, jax.numpy.ones_like(x))), None

    return jax.numpy.sum(jax.lax.scan(step, start, (xs, ys))[0] ** 2)


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


MODELS = [
    Model("page_ranks", _ranks_data, (
        Spelling("add.at, shares before the loop", _ranks_shares),
        Spelling("bincount of edges", _ranks_edges),
        Spelling("add.at, all in the loop", _ranks_added),
    ), sizes=(5, 1000), usual=50, jax=_ranks_jax),
    Model("rays", _rays_data, (
        Spelling("a sphere at a time", _rays_loop),
        Spelling("all spheres, argmin", _rays_broadcast),
        Spelling("coordinates", _rays_coordinates),
    ), sizes=(10, 10_000), usual=500, wrt=(0, 1), jax=_rays_jax),
    Model("descent", _descent_data, (
        Spelling("numbers", _descent_numbers),
        Spelling("array of two", _descent_array),
        Spelling("in place", _descent_in_place),
    ), sizes=(10, 10_000), usual=1000, wrt=(0, 1), jax=_descent_jax),
    Model("moves", _moves_data, (
        Spelling("a product a turn", _moves_products),
        Spelling("matrices before", _moves_before),
        Spelling("numbers", _moves_numbers),
    ), sizes=(10, 1000), usual=200),
]  # fmt: skip
