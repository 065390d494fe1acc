"""Integrators of motion: predators and prey, a chain of springs, bodies that attract each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

# Lotka and Volterra's equations, the classical Runge-Kutta method.

H = 0.02


def _prey_data(n: int) -> tuple[Any, ...]:
    return np.array([1.1, 0.4, 0.4, 0.1]), np.array([10.0, 5.0]), np.zeros(n)


def _runge_kutta(f: Any, y: Any) -> Any:
    k1 = f(y)
    k2 = f(y + 0.5 * H * k1)
    k3 = f(y + 0.5 * H * k2)
    k4 = f(y + H * k3)
    return y + H / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _prey_arrays(p: Any, y: Any, times: Any) -> Any:
    def slope(y: Any) -> Any:
        return np.array([p[0] * y[0] - p[1] * y[0] * y[1], p[3] * y[0] * y[1] - p[2] * y[1]])

    for _ in range(len(times)):
        y = _runge_kutta(slope, y)
    return np.sum(y**2)


def _prey_numbers(p: Any, y: Any, times: Any) -> Any:
    a, b, c, d = p

    def slope(u: Any, v: Any) -> Any:
        return a * u - b * u * v, d * u * v - c * v

    u, v = y
    for _ in range(len(times)):
        u1, v1 = slope(u, v)
        u2, v2 = slope(u + 0.5 * H * u1, v + 0.5 * H * v1)
        u3, v3 = slope(u + 0.5 * H * u2, v + 0.5 * H * v2)
        u4, v4 = slope(u + H * u3, v + H * v3)
        u = u + H / 6 * (u1 + 2 * u2 + 2 * u3 + u4)
        v = v + H / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
    return u**2 + v**2


def _prey_path(p: Any, y: Any, times: Any) -> Any:
    """The path in an array; rates and interaction as a vector and a matrix."""
    rates = np.stack((p[0], -p[2]))
    meet = np.array([[0.0, -1.0], [1.0, 0.0]]) * np.stack((p[1], p[3]))[:, None]
    path = np.zeros((len(times) + 1, 2))
    path[0] = y
    for t in range(len(times)):
        path[t + 1] = _runge_kutta(lambda y: y * (rates + meet @ y), path[t])
    return np.sum(path[-1] ** 2)


def _prey_jax(jax: Any, p: Any, y: Any, times: Any) -> Any:
    jnp = jax.numpy

    def slope(y: Any) -> Any:
        return jnp.array([p[0] * y[0] - p[1] * y[0] * y[1], p[3] * y[0] * y[1] - p[2] * y[1]])

    last, _ = jax.lax.scan(lambda y, _: (_runge_kutta(slope, y), None), y, times)
    return jnp.sum(last**2)


# A chain of masses on springs with a quartic term (Fermi, Pasta, Ulam), leapfrog.

LEAPS = 100


def _chain_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return rng.normal(size=n) * 0.3, rng.normal(size=n) * 0.3


def _force(q: Any) -> Any:
    stretch = np.diff(np.concatenate((np.zeros(1), q, np.zeros(1))))
    pull = stretch + 0.5 * stretch**3
    return pull[1:] - pull[:-1]


def _chain_joined(q: Any, p: Any) -> Any:
    for _ in range(LEAPS):
        p = p + 0.05 * _force(q)
        q = q + 0.1 * p
        p = p + 0.05 * _force(q)
    return np.sum(q**2) + np.sum(p**2)


def _chain_packed(state: Any) -> Any:
    """Positions and momenta in one array; forces written by slices."""
    n = len(state) // 2
    for _ in range(LEAPS):
        q, p = state[:n], state[n:]
        force = _force_written(q)
        p = p + 0.05 * force
        q = q + 0.1 * p
        state = np.concatenate((q, p + 0.05 * _force_written(q)))
    return np.sum(state**2)


def _force_written(q: Any) -> Any:
    stretch = np.empty(len(q) + 1)
    stretch[0] = q[0]
    stretch[1:-1] = q[1:] - q[:-1]
    stretch[-1] = -q[-1]
    pull = stretch * (1 + 0.5 * stretch**2)
    return pull[1:] - pull[:-1]


def _chain_updates(q: Any, p: Any) -> Any:
    """In place, a force per spring added to both its ends."""
    q, p = q.copy(), p.copy()

    def kick(h: float) -> None:
        stretch = q[1:] - q[:-1]
        pull = h * (stretch + 0.5 * stretch**3)
        p[:-1] += pull
        p[1:] -= pull
        p[0] -= h * (q[0] + 0.5 * q[0] ** 3)
        p[-1] -= h * (q[-1] + 0.5 * q[-1] ** 3)

    for _ in range(LEAPS):
        kick(0.05)
        q += 0.1 * p
        kick(0.05)
    return np.sum(q**2) + np.sum(p**2)


def _chain_jax(jax: Any, q: Any, p: Any) -> Any:
    jnp = jax.numpy

    def force(q: Any) -> Any:
        stretch = jnp.diff(jnp.concatenate((jnp.zeros(1), q, jnp.zeros(1))))
        pull = stretch + 0.5 * stretch**3
        return pull[1:] - pull[:-1]

    def step(state: Any, _: Any) -> Any:
        q, p = state
        p = p + 0.05 * force(q)
        q = q + 0.1 * p
        return (q, p + 0.05 * force(q)), None

    (q, p), _ = jax.lax.scan(step, (q, p), None, length=LEAPS)
    return jnp.sum(q**2) + jnp.sum(p**2)


# Bodies in space, softened gravity, a few steps of leapfrog.

MOVES = 20


def _bodies_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, 3)), rng.normal(size=(n, 3)) * 0.1, rng.uniform(0.5, 1.5, n)


def _move(pull: Any, x: Any, v: Any) -> Any:
    for _ in range(MOVES):
        v = v + 0.01 * pull(x)
        x = x + 0.01 * v
    return (x**2).sum() + (v**2).sum()


def _bodies_broadcast(x: Any, v: Any, mass: Any) -> Any:
    def pull(x: Any) -> Any:
        apart = x[None, :, :] - x[:, None, :]
        cubed = (np.sum(apart**2, axis=-1) + 0.1) ** -1.5
        return np.sum(mass[None, :, None] * apart * cubed[:, :, None], axis=1)

    return _move(pull, x, v)


def _bodies_coordinates(x: Any, v: Any, mass: Any) -> Any:
    """A matrix of differences for each coordinate."""

    def pull(x: Any) -> Any:
        a, b, c = (x[:, k][None, :] - x[:, k][:, None] for k in range(3))
        weight = mass * (a * a + b * b + c * c + 0.1) ** -1.5
        return np.stack([np.sum(weight * d, axis=1) for d in (a, b, c)], axis=1)

    return _move(pull, x, v)


def _bodies_pairs(x: Any, v: Any, mass: Any) -> Any:
    """Each pair once, by index arrays."""
    one, other = np.triu_indices(len(mass), 1)

    def pull(x: Any) -> Any:
        apart = x[other] - x[one]
        along = apart * ((np.sum(apart**2, axis=1) + 0.1) ** -1.5)[:, None]
        found = np.zeros_like(x)
        np.add.at(found, one, along * mass[other][:, None])
        np.subtract.at(found, other, along * mass[one][:, None])
        return found

    return _move(pull, x, v)


def _bodies_loops(x: Any, v: Any, mass: Any) -> Any:
    def pull(x: Any) -> Any:
        rows = []
        for i in range(len(mass)):
            apart = x - x[i]
            rows.append((mass * (np.sum(apart**2, axis=1) + 0.1) ** -1.5) @ apart)
        return np.stack(rows)

    return _move(pull, x, v)


def _bodies_jax(jax: Any, x: Any, v: Any, mass: Any) -> Any:
    jnp = jax.numpy

    def step(state: Any, _: Any) -> Any:
        x, v = state
        apart = x[None, :, :] - x[:, None, :]
        cubed = (jnp.sum(apart**2, axis=-1) + 0.1) ** -1.5
        v = v + 0.01 * jnp.sum(mass[None, :, None] * apart * cubed[:, :, None], axis=1)
        return (x + 0.01 * v, v), None

    (x, v), _ = jax.lax.scan(step, (x, v), None, length=MOVES)
    return jnp.sum(x**2) + jnp.sum(v**2)


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


MODELS = [
    Model("lotka_volterra", _prey_data, (
        Spelling("arrays of two", _prey_arrays),
        Spelling("numbers", _prey_numbers),
        Spelling("path and a matrix", _prey_path),
    ), sizes=(10, 3000), usual=300, wrt=(0, 1), jax=_prey_jax),
    Model("springs", _chain_data, (
        Spelling("differences of joined", _chain_joined),
        Spelling("packed, written", _chain_packed, lambda q, p: (np.concatenate((q, p)),), (0,)),
        Spelling("updates in place", _chain_updates),
    ), sizes=(4, 3000), usual=100, wrt=(0, 1), jax=_chain_jax),
    Model("bodies", _bodies_data, (
        Spelling("broadcast", _bodies_broadcast),
        Spelling("coordinates", _bodies_coordinates),
        Spelling("pairs", _bodies_pairs),
        Spelling("a body at a time", _bodies_loops),
    ), sizes=(3, 100), usual=20, wrt=(0, 1), work=lambda n: n * n, jax=_bodies_jax),
    Model("pendulum", _pendulum_data, (
        Spelling("arrays of two, while", _pendulum_arrays),
        Spelling("numbers", _pendulum_numbers),
        Spelling("tables", _pendulum_table),
    ), sizes=(10, 3000), usual=300, wrt=(0, 1)),
    Model("pairs", _pairs_data, (
        Spelling("two loops", _pairs_loops),
        Spelling("a row at a time", _pairs_rows),
        Spelling("triangular indices", _pairs_indices),
    ), sizes=(5, 100), usual=40, work=lambda n: n * n),
]  # fmt: skip
