"""Dynamic programming: alignments of two sequences, hidden Markov models, labels of frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling

STATES, SYMBOLS = 5, 8


# Soft dynamic time warping (Cuturi and Blondel 2017), gamma = 1.


def _warping_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return rng.normal(size=n), rng.normal(size=n)


def _softmin(a: Any, b: Any, c: Any) -> Any:
    return -np.log(np.exp(-a) + np.exp(-b) + np.exp(-c))


def _warping_table(x: Any, y: Any) -> Any:
    n, m = len(x), len(y)
    cost = np.full((n + 1, m + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            best = _softmin(cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1])
            cost[i, j] = (x[i - 1] - y[j - 1]) ** 2 + best
    return cost[n, m]


def _warping_rows(x: Any, y: Any) -> Any:
    """Two rows as lists of numbers."""
    above = [0.0] + [np.inf] * len(y)
    for i in range(len(x)):
        row = [np.inf]
        for j in range(len(y)):
            best = _softmin(above[j + 1], row[j], above[j])
            row.append((x[i] - y[j]) ** 2 + best)
        above = row
    return above[-1]


def _warping_diagonals(x: Any, y: Any) -> Any:
    """An antidiagonal at a time; element i of one belongs to row i."""
    n = len(x)
    distance = (x[:, None] - y[None, :]) ** 2
    before, last = np.full(n + 1, np.inf), np.full(n + 1, np.inf)
    before = np.concatenate((np.zeros(1), before[1:]))
    for d in range(2, 2 * n + 1):
        low, high = max(1, d - n), min(n, d - 1)
        rows = np.arange(low, high + 1)
        best = _softmin(last[low - 1 : high], last[low : high + 1], before[low - 1 : high])
        found = distance[rows - 1, d - rows - 1] + best
        parts = [np.full(low, np.inf), found, np.full(n - high, np.inf)]
        before, last = last, np.concatenate(parts)
    return last[n]


def _warping_jax(jax: Any, x: Any, y: Any) -> Any:
    """A scan over rows, in it a scan along the row."""
    jnp = jax.numpy

    def softmin(a: Any, b: Any, c: Any) -> Any:
        return -jnp.logaddexp(jnp.logaddexp(-a, -b), -c)

    large = 1e10

    def one_row(above: Any, value: Any) -> Any:
        def one(left: Any, item: Any) -> Any:
            up, corner, other = item
            found = (value - other) ** 2 + softmin(up, left, corner)
            return found, found

        _, row = jax.lax.scan(one, jnp.asarray(large), (above[1:], above[:-1], y))
        return jnp.concatenate((jnp.asarray([large]), row)), None

    first = jnp.concatenate((jnp.zeros(1), jnp.full(len(y), large)))
    last, _ = jax.lax.scan(one_row, first, x)
    return last[-1]


# Edit distance with learned costs: of a substitution by pair of symbols, of a gap.


def _edit_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    costs = rng.uniform(0.5, 2.0, size=(SYMBOLS, SYMBOLS))
    words = rng.integers(0, SYMBOLS, n), rng.integers(0, SYMBOLS, n)
    return costs, np.array([0.7, 0.8]), *words


def _edit_table(costs: Any, gap: Any, a: Any, b: Any) -> Any:
    table = np.zeros((len(a) + 1, len(b) + 1))
    for i in range(1, len(a) + 1):
        table[i, 0] = table[i - 1, 0] + gap[0]
    for j in range(1, len(b) + 1):
        table[0, j] = table[0, j - 1] + gap[1]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            shorter = np.minimum(table[i - 1, j] + gap[0], table[i, j - 1] + gap[1])
            table[i, j] = np.minimum(shorter, table[i - 1, j - 1] + costs[a[i - 1], b[j - 1]])
    return table[-1, -1]


def _edit_rows(costs: Any, gap: Any, a: Any, b: Any) -> Any:
    """The costs of all pairs gathered before; rows as lists of numbers."""
    pairs = costs[a][:, b]
    above = [j * gap[1] for j in range(len(b) + 1)]
    for i in range(len(a)):
        row = [(i + 1) * gap[0]]
        for j in range(len(b)):
            shorter = np.minimum(above[j + 1] + gap[0], row[j] + gap[1])
            row.append(np.minimum(shorter, above[j] + pairs[i, j]))
        above = row
    return above[-1]


def _edit_vectors(costs: Any, gap: Any, a: Any, b: Any) -> Any:
    """A row at a time: insertions along a row are a running minimum."""
    steps = gap[1] * np.arange(len(b) + 1)
    above = steps
    for i in range(len(a)):
        row = np.minimum(above[1:] + gap[0], above[:-1] + costs[a[i], b])
        row = np.concatenate((above[:1] + gap[0], row))
        above = np.minimum.accumulate(row - steps) + steps
    return above[-1]


def _edit_jax(jax: Any, costs: Any, gap: Any, a: Any, b: Any) -> Any:
    jnp = jax.numpy
    steps = gap[1] * jnp.arange(len(b) + 1)

    def one_row(above: Any, symbol: Any) -> Any:
        row = jnp.minimum(above[1:] + gap[0], above[:-1] + costs[symbol, b])
        row = jnp.concatenate((above[:1] + gap[0], row))
        return jax.lax.cummin(row - steps) + steps, None

    last, _ = jax.lax.scan(one_row, steps, a)
    return last[-1]


# The likelihood of a hidden Markov model, and its best path.


def _markov_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    moves, emits = rng.normal(size=(STATES, STATES)), rng.normal(size=(STATES, SYMBOLS))
    return moves, emits, rng.integers(0, SYMBOLS, n)


def _normalised(scores: Any) -> Any:
    e = np.exp(scores)
    return e / np.sum(e, axis=1, keepdims=True)


def _markov_scaled(moves: Any, emits: Any, seen: Any) -> Any:
    moves, emits = _normalised(moves), _normalised(emits)
    alpha = emits[:, seen[0]] / STATES
    total = 0.0
    for t in range(1, len(seen)):
        scale = np.sum(alpha)
        total = total + np.log(scale)
        alpha = (alpha / scale) @ moves * emits[:, seen[t]]
    return total + np.log(np.sum(alpha))


def _markov_logarithms(moves: Any, emits: Any, seen: Any) -> Any:
    """Logarithms, and emissions gathered before the loop."""
    moves, emits = np.log(_normalised(moves)), np.log(_normalised(emits))
    gathered = emits.T[seen]
    alpha = gathered[0] - np.log(STATES)
    for t in range(1, len(seen)):
        scores = alpha[:, None] + moves
        top = np.max(scores, axis=0)
        alpha = top + np.log(np.sum(np.exp(scores - top), axis=0)) + gathered[t]
    top = np.max(alpha)
    return top + np.log(np.sum(np.exp(alpha - top)))


def _markov_elements(moves: Any, emits: Any, seen: Any) -> Any:
    """The textbook's: a table, written element by element."""
    moves, emits = _normalised(moves), _normalised(emits)
    alpha = np.zeros((len(seen), STATES))
    total = 0.0
    for t in range(len(seen)):
        for j in range(STATES):
            if t == 0:
                alpha[t, j] = emits[j, seen[t]] / STATES
            else:
                arrived = 0.0
                for i in range(STATES):
                    arrived += alpha[t - 1, i] * moves[i, j]
                alpha[t, j] = arrived * emits[j, seen[t]]
        scale = alpha[t].sum()
        alpha[t] /= scale
        total += np.log(scale)
    return total


def _markov_jax(jax: Any, moves: Any, emits: Any, seen: Any) -> Any:
    jnp = jax.numpy
    moves, emits = jax.nn.softmax(moves, 1), jax.nn.softmax(emits, 1)

    def step(alpha: Any, symbol: Any) -> Any:
        scale = jnp.sum(alpha)
        return (alpha / scale) @ moves * emits[:, symbol], jnp.log(scale)

    alpha, scales = jax.lax.scan(step, emits[:, seen[0]] / STATES, seen[1:])
    return jnp.sum(scales) + jnp.log(jnp.sum(alpha))


def _path_vectors(moves: Any, emits: Any, seen: Any) -> Any:
    best = emits[:, seen[0]]
    for t in range(1, len(seen)):
        best = np.max(best[:, None] + moves, axis=0) + emits[:, seen[t]]
    return np.max(best)


def _path_table(moves: Any, emits: Any, seen: Any) -> Any:
    best = np.zeros((len(seen), STATES))
    best[0] = emits[:, seen[0]]
    for t in range(1, len(seen)):
        for j in range(STATES):
            best[t, j] = np.max(best[t - 1] + moves[:, j]) + emits[j, seen[t]]
    return np.max(best[-1])


def _path_gathered(moves: Any, emits: Any, seen: Any) -> Any:
    """States as a list of numbers, maxima taken two by two."""
    gathered = emits[:, seen]
    best = [gathered[j, 0] for j in range(STATES)]
    for t in range(1, len(seen)):
        row = []
        for j in range(STATES):
            top = best[0] + moves[0, j]
            for i in range(1, STATES):
                top = np.maximum(top, best[i] + moves[i, j])
            row.append(top + gathered[j, t])
        best = row
    return np.max(np.stack(best))


def _path_jax(jax: Any, moves: Any, emits: Any, seen: Any) -> Any:
    jnp = jax.numpy

    def step(best: Any, symbol: Any) -> Any:
        return jnp.max(best[:, None] + moves, axis=0) + emits[:, symbol], None

    best, _ = jax.lax.scan(step, emits[:, seen[0]], seen[1:])
    return jnp.max(best)


# The likelihood of labels of which frames are not told (Graves et al. 2006); 0 is the blank.

LABELS = 6


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


MODELS = [
    Model("soft_warping", _warping_data, (
        Spelling("table", _warping_table),
        Spelling("lists of rows", _warping_rows),
        Spelling("antidiagonals", _warping_diagonals),
    ), sizes=(5, 100), usual=40, wrt=(0, 1), work=lambda n: n * n, jax=_warping_jax),
    Model("edit_distance", _edit_data, (
        Spelling("table", _edit_table),
        Spelling("lists of rows", _edit_rows),
        Spelling("a row at a time", _edit_vectors),
    ), sizes=(5, 100), usual=40, wrt=(0, 1), work=lambda n: n * n, jax=_edit_jax),
    Model("hidden_markov", _markov_data, (
        Spelling("scaled", _markov_scaled),
        Spelling("logarithms, gathered", _markov_logarithms),
        Spelling("elements", _markov_elements),
    ), sizes=(10, 3000), usual=500, wrt=(0, 1), jax=_markov_jax),
    Model("best_path", _markov_data, (
        Spelling("maximum of a matrix", _path_vectors),
        Spelling("table", _path_table),
        Spelling("numbers, gathered", _path_gathered),
    ), sizes=(10, 3000), usual=500, wrt=(0, 1), jax=_path_jax),
    Model("frame_labels", _frames_data, (
        Spelling("vectors", _frames_vectors),
        Spelling("logarithms, gathered", _frames_gathered),
        Spelling("table", _frames_table),
    ), sizes=(8, 500), usual=100, jax=_frames_jax),
]  # fmt: skip
