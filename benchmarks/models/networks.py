"""Networks with small states over a sequence, and attention."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling
from benchmarks.problems import lstm

HIDDEN, INPUTS = 16, 8


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


# The plain recurrent cell, one sequence.


def _plain_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    W = 0.3 * rng.normal(size=(HIDDEN, HIDDEN))
    return (
        W,
        0.3 * rng.normal(size=(HIDDEN, INPUTS)),
        np.zeros(HIDDEN),
        rng.normal(size=(n, INPUTS)),
    )


def _plain_products(W: Any, U: Any, b: Any, x: Any) -> Any:
    h = np.zeros(HIDDEN)
    for t in range(len(x)):
        h = np.tanh(W @ h + U @ x[t] + b)
    return np.sum(h**2)


def _plain_inputs_first(W: Any, U: Any, b: Any, x: Any) -> Any:
    driven = x @ U.T + b
    h = np.zeros(HIDDEN)
    for row in driven:
        h = np.tanh(np.dot(W, h) + row)
    return np.sum(h**2)


def _plain_packed(weights: Any, x: Any) -> Any:
    """One matrix for state, input and bias."""
    h = np.zeros(HIDDEN)
    for t in range(len(x)):
        h = np.tanh(weights @ np.concatenate((h, x[t], np.ones(1))))
    return np.sum(h**2)


def _plain_rows(W: Any, U: Any, b: Any, x: Any) -> Any:
    """States in an array, the last one read."""
    states = np.zeros((len(x) + 1, HIDDEN))
    for t in range(len(x)):
        states[t + 1] = np.tanh(states[t] @ W.T + x[t] @ U.T + b)
    return np.sum(states[-1] ** 2)


def _plain_pack(W: Any, U: Any, b: Any, x: Any) -> tuple[Any, ...]:
    return np.concatenate((W, U, b[:, None]), axis=1), x


def _plain_unpack(gradients: Any) -> Any:
    (packed,) = gradients
    return packed[:, :HIDDEN], packed[:, HIDDEN:-1], packed[:, -1]


def _plain_jax(jax: Any, W: Any, U: Any, b: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        return jax.numpy.tanh(W @ h + U @ row + b), None

    last, _ = jax.lax.scan(step, jax.numpy.zeros(HIDDEN), x)
    return jax.numpy.sum(last**2)


# Gated recurrent unit, a batch of four sequences.


def _gated_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    W = 0.3 * rng.normal(size=(3, INPUTS, HIDDEN))
    U = 0.3 * rng.normal(size=(3, HIDDEN, HIDDEN))
    return W, U, rng.normal(size=(n, 4, INPUTS))


def _gated_separate(W: Any, U: Any, x: Any) -> Any:
    h = np.zeros((4, HIDDEN))
    for t in range(len(x)):
        update = _sigmoid(x[t] @ W[0] + h @ U[0])
        reset = _sigmoid(x[t] @ W[1] + h @ U[1])
        new = np.tanh(x[t] @ W[2] + (reset * h) @ U[2])
        h = (1 - update) * h + update * new
    return np.mean(h**2)


def _gated_packed(W: Any, U: Any, x: Any) -> Any:
    """One product for all gates' inputs, one for both gates' states; sliced afterwards."""
    W = np.concatenate((W[0], W[1], W[2]), axis=1)
    U, candidate = np.concatenate((U[0], U[1]), axis=1), U[2]
    h = np.zeros((4, HIDDEN))
    for row in x:
        a, b = row @ W, h @ U
        update = _sigmoid(a[:, :HIDDEN] + b[:, :HIDDEN])
        reset = _sigmoid(a[:, HIDDEN : 2 * HIDDEN] + b[:, HIDDEN:])
        new = np.tanh(a[:, 2 * HIDDEN :] + (reset * h) @ candidate)
        h = h + update * (new - h)
    return np.mean(h**2)


def _gated_inputs_first(W: Any, U: Any, x: Any) -> Any:
    for_update, for_reset, for_new = (x @ W[k] for k in range(3))
    h = np.zeros((4, HIDDEN))
    for t in range(len(x)):
        update = _sigmoid(for_update[t] + h @ U[0])
        reset = _sigmoid(for_reset[t] + h @ U[1])
        h = (1 - update) * h + update * np.tanh(for_new[t] + (reset * h) @ U[2])
    return np.mean(h**2)


def _gated_jax(jax: Any, W: Any, U: Any, x: Any) -> Any:
    jnp, sigmoid = jax.numpy, jax.nn.sigmoid

    def step(h: Any, row: Any) -> Any:
        update = sigmoid(row @ W[0] + h @ U[0])
        reset = sigmoid(row @ W[1] + h @ U[1])
        new = jnp.tanh(row @ W[2] + (reset * h) @ U[2])
        return (1 - update) * h + update * new, None

    last, _ = jax.lax.scan(step, jnp.zeros((4, HIDDEN)), x)
    return jnp.mean(last**2)


# The suite's recurrent network with diagonal weights (ADBench), two layers.

CELLS = lstm.CELLS


def _cells_data(n: int) -> tuple[Any, ...]:
    return lstm._data(lstm.Size(2, n))


def _cells_separate(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    return lstm._loss(np, _sigmoid, main, extra, state, sequence)


def _cells_packed(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    """The suite's: gates side by side, weights read in the loop, states written back."""
    state, total, count = np.copy(state), 0.0, 0
    for t in range(len(sequence) - 1):
        x = sequence[t] * extra[0]
        for j in range(len(main) // 2):
            hidden, cell = state[2 * j], state[2 * j + 1]
            gates = np.concatenate((x, hidden, x, hidden)) * main[2 * j] + main[2 * j + 1]
            forget, take = _sigmoid(gates[:CELLS]), _sigmoid(gates[CELLS : 2 * CELLS])
            give, change = _sigmoid(gates[2 * CELLS : 3 * CELLS]), np.tanh(gates[3 * CELLS :])
            cell = cell * forget + take * change
            x = give * np.tanh(cell)
            state[2 * j], state[2 * j + 1] = x, cell
        predicted = x * extra[1] + extra[2]
        scores = predicted - np.log(np.sum(np.exp(predicted)) + 2.0)
        total = total + np.sum(sequence[t + 1] * scores)
        count = count + CELLS
    return -total / count


def _cells_lists(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    """Packed gates without writes; predictions stacked, their losses for all steps at once."""
    states = [(state[2 * j], state[2 * j + 1]) for j in range(len(main) // 2)]
    inputs, outputs = sequence[:-1] * extra[0], []
    for x in inputs:
        for j, (hidden, cell) in enumerate(states):
            gates = np.concatenate((x, hidden, x, hidden)) * main[2 * j] + main[2 * j + 1]
            forget, take, give, change = np.split(gates, 4)
            cell = cell * _sigmoid(forget) + _sigmoid(take) * np.tanh(change)
            x = _sigmoid(give) * np.tanh(cell)
            states[j] = x, cell
        outputs.append(x)
    predicted = np.stack(outputs) * extra[1] + extra[2]
    scores = predicted - np.log(np.sum(np.exp(predicted), axis=1, keepdims=True) + 2.0)
    return -np.sum(sequence[1:] * scores) / (CELLS * len(outputs))


def _cells_jax(jax: Any, main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    jnp, layers = jax.numpy, lstm._layers(main)
    start = list(zip(state[::2], state[1::2], strict=True))

    def step(now: Any, pair: Any) -> Any:
        return lstm._step(jnp, functools.partial(lstm._sigmoid, jnp), layers, extra, now, *pair)

    _, gains = jax.lax.scan(step, start, (sequence[:-1], sequence[1:]))
    return -jnp.sum(gains) / (CELLS * gains.size)


# Attention of one sequence to itself, four heads of eight.

HEADS, WIDTH = 4, 32


def _attention_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    return 0.2 * rng.normal(size=(3, WIDTH, WIDTH)), rng.normal(size=(n, WIDTH))


def _softmax(x: Any) -> Any:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def _attention_heads(W: Any, x: Any) -> Any:
    """A head at a time, columns sliced."""
    q, k, v = x @ W[0], x @ W[1], x @ W[2]
    size = WIDTH // HEADS
    found = []
    for h in range(HEADS):
        part = slice(h * size, (h + 1) * size)
        found.append(_softmax(q[:, part] @ k[:, part].T / np.sqrt(size)) @ v[:, part])
    return np.sum(np.concatenate(found, axis=1) ** 2)


def _attention_batched(W: Any, x: Any) -> Any:
    n, size = len(x), WIDTH // HEADS
    q, k, v = ((x @ W[i]).reshape(n, HEADS, size).transpose(1, 0, 2) for i in range(3))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(size)
    return np.sum((_softmax(scores) @ v) ** 2)


def _attention_einsum(W: Any, x: Any) -> Any:
    """Subscripts, and a softmax that doesn't subtract the maximum."""
    n, size = len(x), WIDTH // HEADS
    q, k, v = np.einsum("nd,ide->ine", x, W).reshape(3, n, HEADS, size)
    weights = np.exp(np.einsum("qhd,khd->hqk", q, k) / np.sqrt(size))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return np.sum(np.einsum("hqk,khd->qhd", weights, v) ** 2)


def _attention_jax(jax: Any, W: Any, x: Any) -> Any:
    n, size = len(x), WIDTH // HEADS
    q, k, v = ((x @ W[i]).reshape(n, HEADS, size).transpose(1, 0, 2) for i in range(3))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(size)
    return jax.numpy.sum((jax.nn.softmax(scores, axis=-1) @ v) ** 2)


MODELS = [
    Model("recurrent", _plain_data, (
        Spelling("products in the loop", _plain_products),
        Spelling("inputs before the loop", _plain_inputs_first),
        Spelling("one packed matrix", _plain_packed, _plain_pack, (0,), _plain_unpack),
        Spelling("states in an array", _plain_rows),
    ), sizes=(5, 1000), usual=200, wrt=(0, 1, 2), jax=_plain_jax),
    Model("gated", _gated_data, (
        Spelling("separate gates", _gated_separate),
        Spelling("packed and sliced", _gated_packed),
        Spelling("inputs before the loop", _gated_inputs_first),
    ), sizes=(5, 500), usual=100, wrt=(0, 1), jax=_gated_jax),
    Model("long_memory", _cells_data, (
        Spelling("separate gates", _cells_separate),
        Spelling("packed, states written", _cells_packed),
        Spelling("packed, split, stacked", _cells_lists),
    ), sizes=(5, 2000), usual=200, wrt=(0, 1), jax=_cells_jax),
    Model("attention", _attention_data, (
        Spelling("a head at a time", _attention_heads),
        Spelling("batched", _attention_batched),
        Spelling("einsum, no maximum", _attention_einsum),
    ), sizes=(4, 300), usual=64, work=lambda n: n * n + 32 * n, jax=_attention_jax),
]  # fmt: skip
