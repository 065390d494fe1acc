"""Steps of partial differential equations, in rolls, slices and writes."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

STEPS = 100


def _line(n: int) -> tuple[Any, ...]:
    x = np.arange(n) / n
    return (1.0 + np.sin(2 * np.pi * x) + 0.3 * np.cos(6 * np.pi * x),)


# Heat on a circle.


def _heat_rolls(u: Any) -> Any:
    for _ in range(STEPS):
        u = u + 0.2 * (np.roll(u, 1) - 2 * u + np.roll(u, -1))
    return np.sum(u**4)


def _heat_joined(u: Any) -> Any:
    for _ in range(STEPS):
        left = np.concatenate((u[-1:], u[:-1]))
        right = np.concatenate((u[1:], u[:1]))
        u = u + 0.2 * (left - 2 * u + right)
    return np.sum(u**4)


def _heat_writes(u: Any) -> Any:
    """A new array each step: the inside by slices, the two ends by themselves."""
    for _ in range(STEPS):
        new = np.empty_like(u)
        new[1:-1] = u[1:-1] + 0.2 * (u[:-2] - 2 * u[1:-1] + u[2:])
        new[0] = u[0] + 0.2 * (u[-1] - 2 * u[0] + u[1])
        new[-1] = u[-1] + 0.2 * (u[-2] - 2 * u[-1] + u[0])
        u = new
    return np.sum(u**4)


def _heat_indices(u: Any) -> Any:
    n = len(u)
    left, right = (np.arange(n) - 1) % n, (np.arange(n) + 1) % n
    for _ in range(STEPS):
        u = u + 0.2 * (u[left] - 2 * u + u[right])
    return np.sum(u**4)


def _heat_jax(jax: Any, u: Any) -> Any:
    jnp = jax.numpy

    def step(u: Any, _: Any) -> Any:
        return u + 0.2 * (jnp.roll(u, 1) - 2 * u + jnp.roll(u, -1)), None

    return jnp.sum(jax.lax.scan(step, u, None, length=STEPS)[0] ** 4)


# Burgers' equation on a circle.


def _burgers_rolls(u: Any) -> Any:
    for _ in range(STEPS):
        right, left = np.roll(u, -1), np.roll(u, 1)
        u = u - 0.05 * u * (right - left) + 0.1 * (right - 2 * u + left)
    return np.sum(u**2)


def _burgers_padded(u: Any) -> Any:
    for _ in range(STEPS):
        padded = np.concatenate((u[-1:], u, u[:1]))
        slope = padded[2:] - padded[:-2]
        u = u - 0.05 * u * slope + 0.1 * (padded[2:] - 2 * u + padded[:-2])
    return np.sum(u**2)


def _burgers_updates(u: Any) -> Any:
    """Changed in place, the ends apart."""
    u = u.copy()
    for _ in range(STEPS):
        change = np.zeros_like(u)
        change[1:-1] = -0.05 * u[1:-1] * (u[2:] - u[:-2]) + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
        change[0] = -0.05 * u[0] * (u[1] - u[-1]) + 0.1 * (u[1] - 2 * u[0] + u[-1])
        change[-1] = -0.05 * u[-1] * (u[0] - u[-2]) + 0.1 * (u[0] - 2 * u[-1] + u[-2])
        u += change
    return np.sum(u**2)


def _burgers_jax(jax: Any, u: Any) -> Any:
    jnp = jax.numpy

    def step(u: Any, _: Any) -> Any:
        right, left = jnp.roll(u, -1), jnp.roll(u, 1)
        return u - 0.05 * u * (right - left) + 0.1 * (right - 2 * u + left), None

    return jnp.sum(jax.lax.scan(step, u, None, length=STEPS)[0] ** 2)


# Upwind advection with a speed that changes its sign.


def _advection_data(n: int) -> tuple[Any, ...]:
    x = np.arange(n) / n
    return np.exp(-40 * (x - 0.5) ** 2), 0.5 * np.cos(2 * np.pi * x)


def _advection_where(u: Any, speed: Any) -> Any:
    for _ in range(STEPS):
        upwind = np.where(speed > 0, u - np.roll(u, 1), np.roll(u, -1) - u)
        u = u - speed * upwind
    return np.sum(u**2)


def _advection_parts(u: Any, speed: Any) -> Any:
    forward, backward = np.maximum(speed, 0.0), np.minimum(speed, 0.0)
    for _ in range(STEPS):
        u = u - forward * (u - np.roll(u, 1)) - backward * (np.roll(u, -1) - u)
    return np.sum(u**2)


def _advection_flux(u: Any, speed: Any) -> Any:
    """Differences between neighbours once, for both sides."""
    for _ in range(STEPS):
        rise = np.diff(np.concatenate((u[-1:], u, u[:1])))
        u = u - np.where(speed > 0, speed * rise[:-1], speed * rise[1:])
    return np.sum(u**2)


def _advection_jax(jax: Any, u: Any, speed: Any) -> Any:
    jnp = jax.numpy

    def step(u: Any, _: Any) -> Any:
        upwind = jnp.where(speed > 0, u - jnp.roll(u, 1), jnp.roll(u, -1) - u)
        return u - speed * upwind, None

    return jnp.sum(jax.lax.scan(step, u, None, length=STEPS)[0] ** 2)


# The wave equation on a square with a fixed rim; the argument is what lies inside of it.

WAVES = 40


def _wave_data(n: int) -> tuple[Any, ...]:
    x = np.linspace(0.0, 1.0, n)
    return (np.exp(-30 * ((x[:, None] - 0.4) ** 2 + (x[None, :] - 0.6) ** 2)),)


def _wave_slices(inside: Any) -> Any:
    u = np.zeros((len(inside) + 2, len(inside) + 2))
    u[1:-1, 1:-1] = inside
    before = u
    for _ in range(WAVES):
        around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]
        new = np.zeros_like(u)
        new[1:-1, 1:-1] = 2 * u[1:-1, 1:-1] - before[1:-1, 1:-1] + 0.2 * around
        before, u = u, new
    return np.sum(u**2)


def _wave_rolls(u: Any) -> Any:
    before = u = np.pad(u, 1)
    inside = np.pad(np.ones((len(u) - 2, len(u) - 2)), 1)
    for _ in range(WAVES):
        around = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u
        before, u = u, inside * (2 * u - before + 0.2 * around)
    return np.sum(u**2)


def _wave_padded(u: Any) -> Any:
    """The inside alone is carried."""
    before = u
    for _ in range(WAVES):
        p = np.pad(u, 1)
        around = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * u
        before, u = u, 2 * u - before + 0.2 * around
    return np.sum(u**2)


def _wave_jax(jax: Any, u: Any) -> Any:
    jnp = jax.numpy

    def step(carry: Any, _: Any) -> Any:
        before, u = carry
        p = jnp.pad(u, 1)
        around = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * u
        return (u, 2 * u - before + 0.2 * around), None

    (_, last), _ = jax.lax.scan(step, (u, u), None, length=WAVES)
    return jnp.sum(last**2)


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


MODELS = [
    Model("heat", _line, (
        Spelling("rolls", _heat_rolls),
        Spelling("joined slices", _heat_joined),
        Spelling("written by slices", _heat_writes),
        Spelling("index arrays", _heat_indices),
    ), sizes=(5, 10_000), usual=500, jax=_heat_jax),
    Model("burgers", _line, (
        Spelling("rolls", _burgers_rolls),
        Spelling("padded", _burgers_padded),
        Spelling("updates in place", _burgers_updates),
    ), sizes=(5, 10_000), usual=500, jax=_burgers_jax),
    Model("advection", _advection_data, (
        Spelling("where", _advection_where),
        Spelling("parts of the speed", _advection_parts),
        Spelling("differences", _advection_flux),
    ), sizes=(5, 10_000), usual=500, wrt=(0, 1), jax=_advection_jax),
    Model("wave", _wave_data, (
        Spelling("slices", _wave_slices),
        Spelling("rolls and a mask", _wave_rolls),
        Spelling("padded inside", _wave_padded),
    ), sizes=(4, 200), usual=40, work=lambda n: n * n, jax=_wave_jax),
    Model("ring", _ring_data, (
        Spelling("rolled", _ring_rolled),
        Spelling("point by point", _ring_points),
        Spelling("padded", _ring_padded),
    ), sizes=(8, 300), usual=100, wrt=(0, 1)),
]  # fmt: skip
