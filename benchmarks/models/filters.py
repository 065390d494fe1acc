"""Filters of a series: exponential smoothing, a second-order section, Kalman, particles."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling


def _series(n: int) -> Any:
    rng = np.random.default_rng(0)
    return np.cumsum(rng.normal(size=n)) * 0.1 + rng.normal(size=n)


# Holt's double exponential smoothing: the squared errors of one step ahead.


def _holt_data(n: int) -> tuple[Any, ...]:
    return np.array([0.3, 0.1]), _series(n)


def _holt_numbers(p: Any, y: Any) -> Any:
    level, trend, total = y[0], y[1] - y[0], 0.0
    for t in range(1, len(y)):
        ahead = level + trend
        total += (y[t] - ahead) ** 2
        new = p[0] * y[t] + (1 - p[0]) * ahead
        trend = p[1] * (new - level) + (1 - p[1]) * trend
        level = new
    return total


def _holt_arrays(p: Any, y: Any) -> Any:
    alpha, beta = p
    level, trend = np.zeros_like(y), np.zeros_like(y)
    level[0], trend[0] = y[0], y[1] - y[0]
    for t in range(1, len(y)):
        level[t] = alpha * y[t] + (1 - alpha) * (level[t - 1] + trend[t - 1])
        trend[t] = beta * (level[t] - level[t - 1]) + (1 - beta) * trend[t - 1]
    return np.sum((y[1:] - level[:-1] - trend[:-1]) ** 2)


def _holt_list(p: Any, y: Any) -> Any:
    level, trend = y[0], y[1] - y[0]
    forecasts = []
    for now in y[1:]:
        forecasts.append(level + trend)
        before, level = level, p[0] * now + (1 - p[0]) * (level + trend)
        trend = p[1] * (level - before) + (1 - p[1]) * trend
    return np.sum((y[1:] - np.stack(forecasts)) ** 2)


def _holt_jax(jax: Any, p: Any, y: Any) -> Any:
    def step(carry: Any, now: Any) -> Any:
        level, trend = carry
        ahead = level + trend
        new = p[0] * now + (1 - p[0]) * ahead
        return (new, p[1] * (new - level) + (1 - p[1]) * trend), ahead

    _, ahead = jax.lax.scan(step, (y[0], y[1] - y[0]), y[1:])
    return jax.numpy.sum((y[1:] - ahead) ** 2)


# A second-order section (biquad), direct form.


def _section_data(n: int) -> tuple[Any, ...]:
    return np.array([0.2, 0.3, 0.2, -0.5, 0.2]), _series(n)


def _section_writes(c: Any, x: Any) -> Any:
    y = np.zeros(len(x))
    y[0] = c[0] * x[0]
    y[1] = c[0] * x[1] + c[1] * x[0] - c[3] * y[0]
    for i in range(2, len(x)):
        y[i] = c[0] * x[i] + c[1] * x[i - 1] + c[2] * x[i - 2] - c[3] * y[i - 1] - c[4] * y[i - 2]
    return np.sum(y**2)


def _section_states(c: Any, x: Any) -> Any:
    """Transposed direct form: two numbers carried, outputs in a list."""
    b0, b1, b2, a1, a2 = c
    first = second = 0.0
    out = []
    for value in x:
        y = b0 * value + first
        first = b1 * value - a1 * y + second
        second = b2 * value - a2 * y
        out.append(y)
    return np.sum(np.array(out) ** 2)


def _section_feedback(c: Any, x: Any) -> Any:
    """The part without feedback for all samples at once, then the recursion."""
    forward = c[0] * x
    forward[1:] += c[1] * x[:-1]
    forward[2:] += c[2] * x[:-2]
    last = before = 0.0
    total = 0.0
    for i in range(len(x)):
        last, before = forward[i] - c[3] * last - c[4] * before, last
        total += last * last
    return total


def _section_jax(jax: Any, c: Any, x: Any) -> Any:
    def step(carry: Any, value: Any) -> Any:
        first, second = carry
        y = c[0] * value + first
        return (c[1] * value - c[3] * y + second, c[2] * value - c[4] * y), y

    zero = jax.numpy.zeros(())
    _, y = jax.lax.scan(step, (zero, zero), x)
    return jax.numpy.sum(y**2)


# Kalman's filter of a position and a speed, of which the position is observed: the likelihood.


def _kalman_data(n: int) -> tuple[Any, ...]:
    return np.array([-1.0, -0.5]), _series(n)


def _kalman_matrices(p: Any, y: Any) -> Any:
    noise, seen = np.exp(p[0]), np.exp(p[1])
    F, H = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    Q, R = noise * np.eye(2), seen * np.eye(1)
    m, P = np.zeros(2), np.eye(2)
    total = 0.0
    for t in range(len(y)):
        m, P = F @ m, F @ P @ F.T + Q
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        error = y[t] - H @ m
        m, P = m + K @ error, P - K @ H @ P
        total = total + 0.5 * (np.log(S[0, 0]) + error[0] ** 2 / S[0, 0])
    return total


def _kalman_numbers(p: Any, y: Any) -> Any:
    """Multiplied out by hand."""
    noise, seen = np.exp(p[0]), np.exp(p[1])
    m0, m1, p00, p01, p11 = 0.0, 0.0, 1.0, 0.0, 1.0
    total = 0.0
    for value in y:
        m0 = m0 + 0.1 * m1
        p00, p01, p11 = p00 + 0.2 * p01 + 0.01 * p11 + noise, p01 + 0.1 * p11, p11 + noise
        s, error = p00 + seen, value - m0
        k0, k1 = p00 / s, p01 / s
        m0, m1 = m0 + k0 * error, m1 + k1 * error
        p00, p01, p11 = p00 - k0 * p00, p01 - k0 * p01, p11 - k1 * p01
        total += 0.5 * (np.log(s) + error**2 / s)
    return total


def _kalman_vectors(p: Any, y: Any) -> Any:
    """The observation as a vector: outer products and no inverse; terms in lists."""
    noise, seen = np.exp(p)
    F, h = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([1.0, 0.0])
    m, P = np.zeros(2), np.eye(2)
    variances, errors = [], []
    for t in range(len(y)):
        m, P = F @ m, F @ P @ F.T + noise * np.eye(2)
        Ph = P @ h
        s, error = h @ Ph + seen, y[t] - h @ m
        m, P = m + Ph * (error / s), P - np.outer(Ph, Ph) / s
        variances.append(s)
        errors.append(error)
    variances, errors = np.stack(variances), np.stack(errors)
    return 0.5 * np.sum(np.log(variances) + errors**2 / variances)


def _kalman_jax(jax: Any, p: Any, y: Any) -> Any:
    jnp = jax.numpy
    noise, seen = jnp.exp(p[0]), jnp.exp(p[1])
    F, h = jnp.array([[1.0, 0.1], [0.0, 1.0]]), jnp.array([1.0, 0.0])

    def step(carry: Any, value: Any) -> Any:
        m, P = carry
        m, P = F @ m, F @ P @ F.T + noise * jnp.eye(2)
        Ph = P @ h
        s, error = h @ Ph + seen, value - h @ m
        return (m + Ph * (error / s), P - jnp.outer(Ph, Ph) / s), jnp.log(s) + error**2 / s

    _, terms = jax.lax.scan(step, (jnp.zeros(2), jnp.eye(2)), y)
    return 0.5 * jnp.sum(terms)


# A particle filter without resampling: 50 particles of a stochastic growth model.

PARTICLES = 50


def _particle_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(3)
    return np.array([0.9, 0.1, -0.5]), _series(n), rng.normal(size=(n, PARTICLES))


def _particle_loop(p: Any, y: Any, noise: Any) -> Any:
    x, weights, total = np.zeros(PARTICLES), np.ones(PARTICLES) / PARTICLES, 0.0
    for t in range(len(y)):
        x = p[0] * x + np.exp(p[1]) * noise[t]
        weights = weights * np.exp(-0.5 * ((y[t] - x) / np.exp(p[2])) ** 2 - p[2]) + 1e-300
        scale = np.sum(weights)
        weights = weights / scale
        total = total + np.log(scale)
    return total


def _particle_logarithms(p: Any, y: Any, noise: Any) -> Any:
    x, weights, total = np.zeros(PARTICLES), np.full(PARTICLES, -np.log(PARTICLES)), 0.0
    spread, seen = np.exp(p[1]), np.exp(p[2])
    for value, row in zip(y, noise, strict=True):
        x = p[0] * x + spread * row
        weights = weights - 0.5 * ((value - x) / seen) ** 2 - p[2]
        top = np.max(weights)
        scale = top + np.log(np.sum(np.exp(weights - top)))
        weights = weights - scale
        total = total + scale
    return total


def _particle_paths(p: Any, y: Any, noise: Any) -> Any:
    """All paths first, then the weights of all of them in one sum: no normalising on the way."""
    paths = np.zeros((len(y), PARTICLES))
    x = np.zeros(PARTICLES)
    for t in range(len(y)):
        x = p[0] * x + np.exp(p[1]) * noise[t]
        paths[t] = x
    terms = -0.5 * ((y[:, None] - paths) / np.exp(p[2])) ** 2 - p[2]
    weights = np.sum(terms, axis=0)
    top = np.max(weights)
    return top + np.log(np.mean(np.exp(weights - top)))


def _particle_jax(jax: Any, p: Any, y: Any, noise: Any) -> Any:
    jnp = jax.numpy

    def step(x: Any, row: Any) -> Any:
        x = p[0] * x + jnp.exp(p[1]) * row
        return x, x

    _, paths = jax.lax.scan(step, jnp.zeros(PARTICLES), noise)
    terms = -0.5 * ((y[:, None] - paths) / jnp.exp(p[2])) ** 2 - p[2]
    return jax.scipy.special.logsumexp(jnp.sum(terms, 0)) - jnp.log(PARTICLES)


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


MODELS = [
    Model("holt", _holt_data, (
        Spelling("numbers", _holt_numbers),
        Spelling("written into arrays", _holt_arrays),
        Spelling("list and stack", _holt_list),
    ), sizes=(10, 10_000), usual=1000, jax=_holt_jax),
    Model("section", _section_data, (
        Spelling("written into an array", _section_writes),
        Spelling("states and a list", _section_states),
        Spelling("feedback alone in the loop", _section_feedback),
    ), sizes=(10, 10_000), usual=1000, wrt=(0, 1), jax=_section_jax),
    Model("kalman", _kalman_data, (
        Spelling("matrices", _kalman_matrices),
        Spelling("numbers", _kalman_numbers),
        Spelling("vectors and lists", _kalman_vectors),
    ), sizes=(10, 3000), usual=300, jax=_kalman_jax),
    Model("particles", _particle_data, (
        Spelling("weights", _particle_loop),
        Spelling("logarithms", _particle_logarithms),
        Spelling("paths first", _particle_paths),
    ), sizes=(5, 1000), usual=100, jax=_particle_jax),
    Model("biquad", _pole_data, (
        Spelling("class with state", _biquad_class),
        Spelling("states in an array", _biquad_states),
        Spelling("difference equation", _biquad_written),
    ), sizes=(10, 10_000), usual=1000),
]  # fmt: skip
