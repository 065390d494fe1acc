"""Labels of frames (connectionist temporal classification), and steps of descent of a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

# The likelihood of labels of which frames are not told (Graves et al. 2006); 0 is the blank.

LABELS, SYMBOLS = 6, 8


def _frames_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    labels = np.array([1, 3, 3, 7, 2, 5])
    return 0.5 * rng.normal(size=(n, SYMBOLS)), labels


def _extended(labels: Any) -> Any:
    """Blanks between the labels, and where a blank may be jumped over."""
    path = np.zeros(2 * len(labels) + 1, int)
    path[1::2] = labels
    jump = np.zeros(len(path))
    jump[2:] = (path[2:] != 0) & (path[2:] != path[:-2])
    return path, jump


def _frames_vectors(scores: Any, labels: Any) -> Any:
    """Probabilities of a path's places as vectors, scaled in each frame."""
    e = np.exp(scores)
    p = e / np.sum(e, axis=1, keepdims=True)
    path, jump = _extended(labels)
    alpha = np.zeros(len(path))
    alpha[0], alpha[1] = p[0, path[0]], p[0, path[1]]
    total = 0.0
    for t in range(1, len(scores)):
        once = np.concatenate((np.zeros(1), alpha[:-1]))
        twice = np.concatenate((np.zeros(2), alpha[:-2]))
        alpha = (alpha + once + jump * twice) * p[t, path]
        scale = np.sum(alpha)
        total -= np.log(scale)
        alpha = alpha / scale
    return total - np.log(alpha[-1] + alpha[-2])


def _frames_gathered(scores: Any, labels: Any) -> Any:
    """Logarithms, gathered for all frames before the loop."""
    top = np.max(scores, axis=1, keepdims=True)
    log_p = scores - top - np.log(np.sum(np.exp(scores - top), axis=1, keepdims=True))
    path, jump = _extended(labels)
    gathered, barred = log_p[:, path], np.where(jump > 0, 0.0, -1e30)
    never = np.full(2, -1e30)
    alpha = np.concatenate((gathered[0, :2], np.full(len(path) - 2, -1e30)))
    for row in gathered[1:]:
        padded = np.concatenate((never, alpha))
        step = np.logaddexp(padded[2:], padded[1:-1])
        alpha = np.logaddexp(step, padded[:-2] + barred) + row
    return -np.logaddexp(alpha[-1], alpha[-2])


def _frames_table(scores: Any, labels: Any) -> Any:
    """A table of frames by places, element by element."""
    e = np.exp(scores)
    p = e / np.sum(e, axis=1, keepdims=True)
    path, jump = _extended(labels)
    table = np.zeros((len(scores), len(path)))
    table[0, 0], table[0, 1] = p[0, path[0]], p[0, path[1]]
    for t in range(1, len(scores)):
        for s in range(len(path)):
            arrived = table[t - 1, s]
            if s > 0:
                arrived = arrived + table[t - 1, s - 1]
            if jump[s]:
                arrived = arrived + table[t - 1, s - 2]
            table[t, s] = 3.0 * arrived * p[t, path[s]]
    return (len(scores) - 1) * np.log(3.0) - np.log(table[-1, -1] + table[-1, -2])


def _frames_jax(jax: Any, scores: Any, labels: Any) -> Any:
    jnp = jax.numpy
    p = jax.nn.softmax(scores, axis=1)
    path = jnp.zeros(2 * LABELS + 1, int).at[1::2].set(labels)
    jump = jnp.zeros(2 * LABELS + 1).at[2:].set((path[2:] != 0) & (path[2:] != path[:-2]))
    gathered = p[:, path]
    first = jnp.concatenate((gathered[0, :2], jnp.zeros(2 * LABELS - 1)))

    def step(alpha: Any, row: Any) -> Any:
        once = jnp.concatenate((jnp.zeros(1), alpha[:-1]))
        twice = jnp.concatenate((jnp.zeros(2), alpha[:-2]))
        alpha = (alpha + once + jump * twice) * row
        scale = jnp.sum(alpha)
        return alpha / scale, jnp.log(scale)

    alpha, scales = jax.lax.scan(step, first, gathered[1:])
    return -jnp.sum(scales) - jnp.log(alpha[-1] + alpha[-2])


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


MODELS = [
    Model("frame_labels", _frames_data, (
        Spelling("vectors", _frames_vectors),
        Spelling("logarithms, gathered", _frames_gathered),
        Spelling("table", _frames_table),
    ), sizes=(8, 500), usual=100, jax=_frames_jax),
    Model("two_layers", _layers_data, (
        Spelling("separate", _layers_separate),
        Spelling("packed", _layers_packed, _in_a_row, (0,)),
        Spelling("list of layers", _layers_listed,
                 lambda A, a, B, b, x, y: ([(A, a), (B, b)], x, y), (0,)),
        Spelling("a sample at a time", _layers_samples),
    ), sizes=(5, 3000), usual=100, wrt=(0, 1, 2, 3), jax=_layers_jax),
]  # fmt: skip
