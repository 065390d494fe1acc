"""Learning from data: classes, clusters, ratings, survival times, a network of two layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

# Softmax regression.

CLASSES, FEATURES = 10, 20


def _classes_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    W, b = 0.1 * rng.normal(size=(FEATURES, CLASSES)), np.zeros(CLASSES)
    return W, b, rng.normal(size=(n, FEATURES)), rng.integers(0, CLASSES, n)


def _classes_gathered(W: Any, b: Any, x: Any, labels: Any) -> Any:
    z = x @ W + b
    z = z - np.max(z, axis=1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(labels)), labels])


def _classes_one_hot(W: Any, b: Any, x: Any, labels: Any) -> Any:
    wanted = np.eye(CLASSES)[labels]
    e = np.exp(x @ W + b)
    p = e / e.sum(axis=1, keepdims=True)
    return -np.sum(wanted * np.log(p)) / len(x)


def _classes_packed(packed: Any, x: Any, labels: Any) -> Any:
    """Weights and bias in one row of parameters, a column of ones, take_along_axis."""
    W = packed.reshape(FEATURES + 1, CLASSES)
    z = np.concatenate((x, np.ones((len(x), 1))), axis=1) @ W
    top = z.max(axis=1)
    log_sum = top + np.log(np.exp(z - top[:, None]).sum(axis=1))
    return np.mean(log_sum - np.take_along_axis(z, labels[:, None], axis=1)[:, 0])


def _classes_rows(W: Any, b: Any, x: Any, labels: Any) -> Any:
    """A sample at a time."""
    total = 0.0
    for i in range(len(x)):
        z = x[i] @ W + b
        total -= z[labels[i]] - np.log(np.sum(np.exp(z)))
    return total / len(x)


def _classes_jax(jax: Any, W: Any, b: Any, x: Any, labels: Any) -> Any:
    log_p = jax.nn.log_softmax(x @ W + b, axis=1)
    return -jax.numpy.mean(log_p[jax.numpy.arange(len(labels)), labels])


# Soft k-means: the free energy of points given centres.

CENTRES, SPACE = 8, 3


def _clusters_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(CENTRES, SPACE)), rng.normal(size=(n, SPACE))


def _clusters_broadcast(c: Any, x: Any) -> Any:
    squares = np.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=2)
    return -np.sum(np.log(np.sum(np.exp(-squares), axis=1)))


def _clusters_expanded(c: Any, x: Any) -> Any:
    """Squares by a product of matrices, responsibilities written out."""
    squares = np.sum(x**2, axis=1)[:, None] - 2 * x @ c.T + np.sum(c**2, axis=1)
    least = np.min(squares, axis=1, keepdims=True)
    weights = np.exp(least - squares)
    return np.sum(least[:, 0] - np.log(weights.sum(axis=1)))


def _clusters_loop(c: Any, x: Any) -> Any:
    """A centre at a time."""
    likely = 0.0
    for k in range(CENTRES):
        likely = likely + np.exp(-np.sum((x - c[k]) ** 2, axis=1))
    return -np.sum(np.log(likely))


def _clusters_jax(jax: Any, c: Any, x: Any) -> Any:
    jnp = jax.numpy
    squares = jnp.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=2)
    return -jnp.sum(jax.scipy.special.logsumexp(-squares, axis=1))


# Ratings: a factor of each person and of each thing.

RANK, PEOPLE, THINGS = 8, 50, 40


def _ratings_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    people, things = rng.integers(0, PEOPLE, n), rng.integers(0, THINGS, n)
    factors = 0.3 * rng.normal(size=(PEOPLE, RANK)), 0.3 * rng.normal(size=(THINGS, RANK))
    return *factors, people, things, rng.normal(size=n)


def _ratings_gathered(U: Any, V: Any, people: Any, things: Any, y: Any) -> Any:
    errors = np.sum(U[people] * V[things], axis=1) - y
    return np.sum(errors**2) + 0.1 * (np.sum(U**2) + np.sum(V**2))


def _ratings_table(U: Any, V: Any, people: Any, things: Any, y: Any) -> Any:
    """All products first, then those that were rated."""
    errors = (U @ V.T)[people, things] - y
    return np.sum(errors**2) + 0.1 * (np.sum(U * U) + np.sum(V * V))


def _ratings_loop(U: Any, V: Any, people: Any, things: Any, y: Any) -> Any:
    total = 0.0
    for person, thing, rating in zip(people, things, y, strict=True):
        total += (U[person] @ V[thing] - rating) ** 2
    return total + 0.1 * (np.sum(U**2) + np.sum(V**2))


def _ratings_jax(jax: Any, U: Any, V: Any, people: Any, things: Any, y: Any) -> Any:
    jnp = jax.numpy
    errors = jnp.sum(U[people] * V[things], axis=1) - y
    return jnp.sum(errors**2) + 0.1 * (jnp.sum(U**2) + jnp.sum(V**2))


# Cox's partial likelihood, times in rising order.


def _survival_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(3)
    return 0.3 * rng.normal(size=5), rng.normal(size=(n, 5)), rng.uniform(size=n) < 0.7


def _survival_sums(beta: Any, x: Any, died: Any) -> Any:
    score = x @ beta
    at_risk = np.cumsum(np.exp(score)[::-1])[::-1]
    return -np.sum((score - np.log(at_risk))[died])


def _survival_logarithms(beta: Any, x: Any, died: Any) -> Any:
    """Running sums of logarithms; who died weighs one."""
    score = np.sum(x * beta, axis=1)
    at_risk = np.logaddexp.accumulate(score[::-1])[::-1]
    return np.sum(died * (at_risk - score))


def _survival_loop(beta: Any, x: Any, died: Any) -> Any:
    at_risk = total = 0.0
    for i in range(len(x) - 1, -1, -1):
        score = x[i] @ beta
        at_risk = at_risk + np.exp(score)
        if died[i]:
            total -= score - np.log(at_risk)
    return total


def _survival_jax(jax: Any, beta: Any, x: Any, died: Any) -> Any:
    jnp = jax.numpy
    score = x @ beta
    at_risk = jnp.cumsum(jnp.exp(score)[::-1])[::-1]
    return -jnp.sum(died * (score - jnp.log(at_risk)))


# A network of two layers, by its weights: one batch.


def _layers_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    return (
        0.3 * rng.normal(size=(8, 16)), np.zeros(16), 0.3 * rng.normal(size=(16, 3)), np.zeros(3),
        rng.normal(size=(n, 8)), rng.normal(size=(n, 3)),
    )  # fmt: skip


def _layers_separate(A: Any, a: Any, B: Any, b: Any, x: Any, y: Any) -> Any:
    hidden = np.maximum(x @ A + a, 0.0)
    return np.mean((hidden @ B + b - y) ** 2)


def _layers_packed(weights: Any, x: Any, y: Any) -> Any:
    """One row of parameters, taken apart inside."""
    A, a = weights[:128].reshape(8, 16), weights[128:144]
    B, b = weights[144:192].reshape(16, 3), weights[192:]
    hidden = np.where(x @ A + a > 0, x @ A + a, 0.0)
    error = hidden @ B + b - y
    return np.sum(error * error) / error.size


def _layers_listed(parameters: Any, x: Any, y: Any) -> Any:
    """A list of pairs, a loop over layers."""
    for k, (weights, bias) in enumerate(parameters):
        x = np.dot(x, weights) + bias
        if k + 1 < len(parameters):
            x = x * (x > 0)
    return np.average((x - y) ** 2)


def _layers_samples(A: Any, a: Any, B: Any, b: Any, x: Any, y: Any) -> Any:
    """A sample at a time."""
    losses = []
    for i in range(len(x)):
        hidden = np.maximum(A.T @ x[i] + a, 0.0)
        losses.append(np.sum((B.T @ hidden + b - y[i]) ** 2))
    return np.sum(np.stack(losses)) / y.size


def _layers_jax(jax: Any, A: Any, a: Any, B: Any, b: Any, x: Any, y: Any) -> Any:
    hidden = jax.nn.relu(x @ A + a)
    return jax.numpy.mean((hidden @ B + b - y) ** 2)


def _in_a_row(A: Any, a: Any, B: Any, b: Any, x: Any, y: Any) -> tuple[Any, ...]:
    return np.concatenate((A.ravel(), a, B.ravel(), b)), x, y


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


MODELS = [
    Model("softmax_regression", _classes_data, (
        Spelling("gathered", _classes_gathered),
        Spelling("one-hot, no maximum", _classes_one_hot),
        Spelling("packed, taken along an axis", _classes_packed,
                 lambda W, b, x, labels: (np.concatenate((W, b[None])).ravel(), x, labels), (0,)),
        Spelling("a sample at a time", _classes_rows),
    ), sizes=(5, 3000), usual=200, wrt=(0, 1), jax=_classes_jax),
    Model("soft_clusters", _clusters_data, (
        Spelling("broadcast", _clusters_broadcast),
        Spelling("expanded", _clusters_expanded),
        Spelling("a centre at a time", _clusters_loop),
    ), sizes=(5, 10_000), usual=500, jax=_clusters_jax),
    Model("ratings", _ratings_data, (
        Spelling("gathered", _ratings_gathered),
        Spelling("all products", _ratings_table),
        Spelling("a rating at a time", _ratings_loop),
    ), sizes=(10, 3000), usual=300, wrt=(0, 1), jax=_ratings_jax),
    Model("survival", _survival_data, (
        Spelling("running sums", _survival_sums),
        Spelling("logarithms", _survival_logarithms),
        Spelling("loop", _survival_loop),
    ), sizes=(5, 1000), usual=200, jax=_survival_jax),
    Model("two_layers", _layers_data, (
        Spelling("separate", _layers_separate),
        Spelling("packed", _layers_packed, _in_a_row, (0,)),
        Spelling("list of layers", _layers_listed,
                 lambda A, a, B, b, x, y: ([(A, a), (B, b)], x, y), (0,)),
        Spelling("a sample at a time", _layers_samples),
    ), sizes=(5, 3000), usual=100, wrt=(0, 1, 2, 3), jax=_layers_jax),
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
]  # fmt: skip
