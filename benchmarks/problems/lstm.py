"""The gradient of an LSTM's loss, from the ADBench suite: a plain Python loop over small arrays.

All weights are diagonal, as in the suite: a gate sees its own cell's input (forget, output) or
hidden value (input, change). A character is a row of 14 bits, and the loss is that of predicting
each character's bits from those before it. The gradient is for the main parameters (a row of
weights and a row of biases for each layer, four gates side by side) and the extra ones (weights of
the input, weights and biases of the output). Bits, parameters and the first state are drawn.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks import handwritten, kinds, peers
from benchmarks.problem import Case, Run, Target

CELLS = 14


@dataclass(frozen=True)
class Size:
    layers: int
    steps: int


SIZES = {
    "1 layer, 16 steps": Size(1, 16),
    "2 layers, 128 steps": Size(2, 128),
    "2 layers, 1024 steps": Size(2, 1024),
    "4 layers, 4096 steps": Size(4, 4096),
}
LIMITS = [None, None, Target(1.0), Target(8.0)]
SUITE = "2 layers, 1024 steps"

CASES = [
    Case(name, unit="ms", same_bits=True, target=target, big=size.steps > 1024,
         rounds=3 if size.steps > 1024 else None, data=kinds.Task(size))
    for (name, size), target in zip(SIZES.items(), LIMITS, strict=True)
] + [
    Case(f"gradient over value, {SUITE}", unit="x", threads=False, target=Target(1.7), rounds=5,
         data=kinds.Task(SIZES[SUITE], kinds.VALUE_RATIO)),
    Case(f"first gradient, {SUITE}", unit="ms", threads=False, rounds=3, target=Target(150),
         data=kinds.Task(SIZES[SUITE], kinds.FIRST_CALL)),
]  # fmt: skip


@functools.cache
def _data(size: Size) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng(14)
    main = rng.uniform(size=(2 * size.layers, 4 * CELLS))
    extra = rng.uniform(size=(3, CELLS))
    state = rng.uniform(size=(2 * size.layers, CELLS))
    sequence = rng.integers(0, 2, (size.steps + 1, CELLS)).astype(float)
    return main, extra, state, sequence


def _step(
    np: Any, sigmoid: Any, layers: Any, extra: Any, state: Any, x: Any, wanted: Any
) -> tuple[Any, Any]:
    """The next state, and by how much the prediction for `wanted` adds to the loss."""
    next_state = []
    x = x * extra[0]
    for (weights, biases), (hidden, cell) in zip(layers, state, strict=True):
        forget = sigmoid(x * weights[0] + biases[0])
        take = sigmoid(hidden * weights[1] + biases[1])
        give = sigmoid(x * weights[2] + biases[2])
        change = np.tanh(hidden * weights[3] + biases[3])
        cell = cell * forget + take * change
        x = give * np.tanh(cell)
        next_state.append((x, cell))
    predicted = x * extra[1] + extra[2]
    log_sum = np.log(np.sum(np.exp(predicted)) + 2.0)
    return next_state, np.sum(wanted * (predicted - log_sum))


def _layers(main: Any) -> list[Any]:
    """A pair for each layer: the four gates' weights, and their biases."""
    gates = [row.reshape((4, CELLS)) for row in main]
    rows = [[gate[k] for k in range(4)] for gate in gates]
    return list(zip(rows[::2], rows[1::2], strict=True))


def _loss(np: Any, sigmoid: Any, main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    layers, extra = _layers(main), [extra[k] for k in range(3)]
    state = list(zip(state[::2], state[1::2], strict=True))
    total = 0.0
    for t in range(len(sequence) - 1):
        state, gain = _step(np, sigmoid, layers, extra, state, sequence[t], sequence[t + 1])
        total = total + gain
    return -total / (CELLS * (len(sequence) - 1))


def _sigmoid(np: Any, x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _gradients(result: Any) -> Any:
    return result[1]


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    data = _data(case.data.size)

    def build() -> kinds.Functions:
        def loss(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
            return _loss(np, functools.partial(_sigmoid, np), main, extra, state, sequence)

        value, gradient = compiled(loss), compiled(tg.value_and_grad(loss, (0, 1)))
        return kinds.Functions(lambda: gradient(*data), lambda: value(*data))

    return kinds.run(case.data, build, _gradients)


def autograd(case: Case) -> Run | None:
    if case.big or case.data.kind != kinds.GRADIENT:
        return None  # seconds a call
    from autograd import numpy as anp
    from autograd import value_and_grad

    main, extra, state, sequence = _data(case.data.size)

    def loss(parameters: Any) -> Any:
        sigmoid = functools.partial(_sigmoid, anp)
        return _loss(anp, sigmoid, parameters[0], parameters[1], state, sequence)

    def build() -> kinds.Functions:
        gradient = value_and_grad(loss)
        return kinds.Functions(lambda: gradient((main, extra)), lambda: loss((main, extra)))

    return kinds.run(case.data, build, _gradients)


def torch(case: Case) -> Run | None:
    return _torch(case, lambda step: step)


def torch_compile(case: Case) -> Run | None:
    """The step is compiled; the loop over 1024 of them would take minutes."""
    fresh = case.data.kind == kinds.FIRST_CALL
    return _torch(case, lambda step: peers.torch_compile(step, fresh))


def _torch(case: Case, compiled: Any) -> Run | None:
    import torch

    main, extra, state, sequence = (torch.from_numpy(array) for array in _data(case.data.size))

    def build() -> kinds.Functions:
        step = compiled(functools.partial(_step, torch, torch.sigmoid))

        def loss(main: Any, extra: Any) -> Any:
            layers, weights = _layers(main), list(extra.unbind())
            now = list(zip(state[::2], state[1::2], strict=True))
            rows = sequence.unbind()
            gains = []
            for x, wanted in itertools.pairwise(rows):
                now, gain = step(layers, weights, now, x, wanted)
                gains.append(gain)
            return -torch.stack(gains).sum() / (CELLS * (len(rows) - 1))

        def gradient() -> Any:
            point = [array.detach().requires_grad_() for array in (main, extra)]
            value = loss(*point)
            return value, torch.autograd.grad(value, point)

        return kinds.Functions(gradient, lambda: loss(main, extra))

    return kinds.run(case.data, build, _gradients)


def jax_jit(case: Case) -> Run | None:
    import jax
    from jax import numpy as jnp

    data = [jnp.asarray(array) for array in _data(case.data.size)]

    def build() -> kinds.Functions:
        jax.clear_caches()

        def loss(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
            layers = _layers(main)

            def step(now: Any, pair: Any) -> Any:
                return _step(jnp, jax.nn.sigmoid, layers, extra, now, *pair)

            start = list(zip(state[::2], state[1::2], strict=True))
            _, gains = jax.lax.scan(step, start, (sequence[:-1], sequence[1:]))
            return -jnp.sum(gains) / (CELLS * gains.size)

        value, gradient = jax.jit(loss), jax.jit(jax.value_and_grad(loss, (0, 1)))
        return kinds.Functions(
            lambda: jax.block_until_ready(gradient(*data)),
            lambda: jax.block_until_ready(value(*data)),
        )

    return kinds.run(case.data, build, _gradients)


def casadi(case: Case) -> Run | None:
    import casadi

    size = case.data.size
    main, extra, state, sequence = _data(size)

    def build() -> kinds.Functions:
        loss = _casadi_loss(size, casadi.DM(state.reshape(-1)), casadi.DM(sequence.T))
        point = casadi.MX.sym("point", main.size + extra.size)
        total = loss(point)
        value = casadi.Function("value", [point], [total])
        gradient = casadi.Function("gradient", [point], [total, casadi.gradient(total, point)])
        at = casadi.DM(np.concatenate([main.reshape(-1), extra.reshape(-1)]))
        return kinds.Functions(lambda: gradient(at), lambda: value(at))

    return kinds.run(case.data, build, _gradients)


def _casadi_loss(size: Size, state: Any, sequence: Any) -> Any:
    """One step's graph, repeated by `mapaccum`; the parameters are one column."""
    import casadi

    width = 8 * CELLS * size.layers
    now = casadi.SX.sym("now", 2 * CELLS * size.layers)
    x, wanted = casadi.SX.sym("x", CELLS), casadi.SX.sym("wanted", CELLS)
    point = casadi.SX.sym("point", width + 3 * CELLS)
    pieces = casadi.vertsplit(point, CELLS)
    gates, extra = pieces[: 8 * size.layers], pieces[8 * size.layers :]
    layers = [(gates[8 * k : 8 * k + 4], gates[8 * k + 4 : 8 * k + 8]) for k in range(size.layers)]
    states = casadi.vertsplit(now, CELLS)
    pairs = list(zip(states[::2], states[1::2], strict=True))
    numpy_names = SimpleNamespace(tanh=casadi.tanh, exp=casadi.exp, log=casadi.log, sum=casadi.sum1)
    sigmoid = functools.partial(_sigmoid, numpy_names)
    after, gain = _step(numpy_names, sigmoid, layers, extra, pairs, x, wanted)
    column = casadi.vertcat(*(part for pair in after for part in pair))
    step = casadi.Function("step", [now, x, wanted, point], [column, gain])
    steps = step.mapaccum("steps", size.steps)

    def loss(point: Any) -> Any:
        repeated = casadi.repmat(point, 1, size.steps)
        _, gains = steps(state, sequence[:, :-1], sequence[:, 1:], repeated)
        return -casadi.sum2(gains) / (CELLS * size.steps)

    return loss


def cpp(case: Case) -> Run | None:
    if case.data.kind == kinds.FIRST_CALL:
        return None
    size, point = case.data.size, _data(case.data.size)
    inputs = (size.layers, size.steps, *point)
    results = [np.empty(()), *(np.empty_like(array) for array in point[:2])]
    gradient = handwritten.bind("lstm", "gradient", inputs, results)
    value = handwritten.bind("lstm", "value", inputs, results[:1])
    return kinds.run(case.data, lambda: kinds.Functions(gradient, value), lambda found: found[1:])
