"""Curves through data: splines, integrals, Gaussian processes."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

# A cubic B-spline on a uniform grid of knots, at scattered points (Cox and de Boor).

KNOTS = np.arange(16) / 9.0 - 3 / 9.0  # 12 coefficients on [0, 1]


def _spline_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return rng.normal(size=12), rng.uniform(0.001, 0.999, n), rng.normal(size=n)


def _spline_basis(c: Any, x: Any, y: Any) -> Any:
    """All basis functions at all points, degree by degree."""
    t = KNOTS
    basis = ((x[:, None] >= t[:-1]) & (x[:, None] < t[1:])).astype(float)
    for degree in range(1, 4):
        left = (x[:, None] - t[: -degree - 1]) / (t[degree:-1] - t[: -degree - 1])
        right = (t[degree + 1 :] - x[:, None]) / (t[degree + 1 :] - t[1:-degree])
        basis = left * basis[:, :-1] + right * basis[:, 1:]
    return np.sum((basis @ c - y) ** 2)


def _spline_cells(c: Any, x: Any, y: Any) -> Any:
    """Four coefficients gathered a point, and the cubic polynomials of the cell."""
    cell = np.floor(x * 9.0).astype(int)
    u = x * 9.0 - cell
    weights = [
        (1 - u) ** 3 / 6,
        (3 * u**3 - 6 * u**2 + 4) / 6,
        (-3 * u**3 + 3 * u**2 + 3 * u + 1) / 6,
        u**3 / 6,
    ]
    found = sum(weight * c[cell + k] for k, weight in enumerate(weights))
    return np.sum((found - y) ** 2)


def _spline_points(c: Any, x: Any, y: Any) -> Any:
    """De Boor's triangle, a point at a time."""
    total = 0.0
    for i in range(len(x)):
        k = int(np.searchsorted(KNOTS, x[i], side="right")) - 1
        d = [c[j + k - 3] for j in range(4)]
        for r in range(1, 4):
            for j in range(3, r - 1, -1):
                low = KNOTS[j + k - 3]
                a = (x[i] - low) / (KNOTS[j + 1 + k - r] - low)
                d[j] = (1 - a) * d[j - 1] + a * d[j]
        total += (d[3] - y[i]) ** 2
    return total


def _spline_jax(jax: Any, c: Any, x: Any, y: Any) -> Any:
    jnp = jax.numpy
    cell = jnp.floor(x * 9.0).astype(int)
    u = x * 9.0 - cell
    found = (
        c[cell] * (1 - u) ** 3
        + c[cell + 1] * (3 * u**3 - 6 * u**2 + 4)
        + c[cell + 2] * (-3 * u**3 + 3 * u**2 + 3 * u + 1)
        + c[cell + 3] * u**3
    ) / 6
    return jnp.sum((found - y) ** 2)


# An integral with parameters, by the trapezoidal rule and Simpson's.


def _integral_data(n: int) -> tuple[Any, ...]:
    return np.array([1.3, 0.7, 2.1]), np.linspace(0.0, 3.0, 2 * n + 1)


def _integrand(p: Any, x: Any) -> Any:
    return np.exp(-p[0] * x) * np.sin(p[1] * x**2) + 1 / (1 + p[2] * x)


def _simpson_slices(p: Any, x: Any) -> Any:
    f = _integrand(p, x)
    h = x[1] - x[0]
    return h / 3 * (f[0] + 4 * np.sum(f[1::2]) + 2 * np.sum(f[2:-1:2]) + f[-1])


def _simpson_weights(p: Any, x: Any) -> Any:
    weights = np.ones(len(x))
    weights[1:-1:2] = 4.0
    weights[2:-1:2] = 2.0
    return (x[1] - x[0]) / 3 * weights @ _integrand(p, x)


def _simpson_loop(p: Any, x: Any) -> Any:
    h, total = x[1] - x[0], 0.0
    for i in range(0, len(x) - 2, 2):
        ends = _integrand(p, x[i]) + _integrand(p, x[i + 2])
        total += h / 3 * (ends + 4 * _integrand(p, x[i + 1]))
    return total


def _simpson_jax(jax: Any, p: Any, x: Any) -> Any:
    jnp = jax.numpy
    f = jnp.exp(-p[0] * x) * jnp.sin(p[1] * x**2) + 1 / (1 + p[2] * x)
    h = x[1] - x[0]
    return h / 3 * (f[0] + 4 * jnp.sum(f[1::2]) + 2 * jnp.sum(f[2:-1:2]) + f[-1])


# The likelihood of a Gaussian process: length, amplitude, noise.


def _process_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    x = rng.uniform(0.0, 5.0, (n, 2))
    return np.array([0.1, 0.2, -1.0]), x, np.sin(x[:, 0]) + 0.3 * rng.normal(size=n)


def _process_cholesky(p: Any, x: Any, y: Any) -> Any:
    squares = np.sum((x[:, None, :] - x[None, :, :]) ** 2, axis=-1)
    K = np.exp(2 * p[1]) * np.exp(-0.5 * squares / np.exp(2 * p[0]))
    L = np.linalg.cholesky(K + np.exp(2 * p[2]) * np.eye(len(y)))
    z = np.linalg.solve(L, y)
    return 0.5 * z @ z + np.sum(np.log(np.diag(L)))


def _process_determinant(p: Any, x: Any, y: Any) -> Any:
    """Squares expanded, a solve and a logarithm of the determinant."""
    norms = np.sum(x * x, axis=1)
    squares = norms[:, None] + norms[None, :] - 2 * x @ x.T
    K = np.exp(2 * p[1] - 0.5 * squares * np.exp(-2 * p[0])) + np.exp(2 * p[2]) * np.eye(len(y))
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def _process_coordinates(p: Any, x: Any, y: Any) -> Any:
    """A matrix of differences for each coordinate, the diagonal added in place, an inverse."""
    length, amplitude, noise = np.exp(p)
    K = np.zeros((len(y), len(y)))
    for k in range(x.shape[1]):
        K = K + ((x[:, k][:, None] - x[:, k][None, :]) / length) ** 2
    K = amplitude**2 * np.exp(-0.5 * K)
    K[np.arange(len(y)), np.arange(len(y))] += noise**2
    return 0.5 * y @ np.linalg.inv(K) @ y + 0.5 * np.linalg.slogdet(K)[1]


def _process_jax(jax: Any, p: Any, x: Any, y: Any) -> Any:
    jnp = jax.numpy
    squares = jnp.sum((x[:, None, :] - x[None, :, :]) ** 2, axis=-1)
    K = jnp.exp(2 * p[1]) * jnp.exp(-0.5 * squares / jnp.exp(2 * p[0]))
    L = jnp.linalg.cholesky(K + jnp.exp(2 * p[2]) * jnp.eye(len(y)))
    z = jax.scipy.linalg.solve_triangular(L, y, lower=True)
    return 0.5 * z @ z + jnp.sum(jnp.log(jnp.diag(L)))


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


MODELS = [
    Model("spline", _spline_data, (
        Spelling("basis", _spline_basis),
        Spelling("cells gathered", _spline_cells),
        Spelling("a point at a time", _spline_points),
    ), sizes=(10, 3000), usual=300, jax=_spline_jax),
    Model("simpson", _integral_data, (
        Spelling("slices", _simpson_slices),
        Spelling("weights", _simpson_weights),
        Spelling("loop", _simpson_loop),
    ), sizes=(5, 3000), usual=300, jax=_simpson_jax),
    Model("gaussian_process", _process_data, (
        Spelling("Cholesky", _process_cholesky),
        Spelling("determinant", _process_determinant),
        Spelling("coordinates, inverse", _process_coordinates),
    ), sizes=(4, 100), usual=40, work=lambda n: n * n + n**3 / 30, rtol=1e-7, jax=_process_jax),
    Model("horner", _horner_data, (
        Spelling("vectors", _horner_vectors),
        Spelling("point by point", _horner_points),
        Spelling("powers", _horner_powers),
    ), sizes=(10, 3000), usual=500),
]  # fmt: skip
