"""The loss of a recurrent network with diagonal weights that predicts characters; its gradient.

Rows of the main parameters: four gates' weights, then their biases, for each layer. Rows of the
state: a layer's hidden values, then its cells'. The extra parameters weigh the input and the
output, and shift the output.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tapegrad as tg
from benchmarks.gradbench.function import Function, array, nested_list


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def layer(weight: Any, bias: Any, hidden: Any, cell: Any, x: Any) -> tuple[Any, Any]:
    """The next hidden values and cells; a row of weights and of biases for each gate."""
    forget = sigmoid(x * weight[0] + bias[0])
    take = sigmoid(hidden * weight[1] + bias[1])
    give = sigmoid(x * weight[2] + bias[2])
    change = np.tanh(hidden * weight[3] + bias[3])
    cell = cell * forget + take * change
    return give * np.tanh(cell), cell


def loss(main: Any, extra: Any, state: Any, sequence: Any) -> Any:
    """Of the mean character's mean bit."""
    steps, bits = len(sequence) - 1, sequence.shape[1]
    gates = [(list(weight), list(bias)) for weight, bias in main.reshape(-1, 2, 4, bits)]
    by_input, by_output, shift = extra

    def step(states: Any, characters: Any) -> Any:
        x, wanted = characters
        x = x * by_input
        following = []
        for (weight, bias), (hidden, cell) in zip(gates, states, strict=True):
            x, cell = layer(weight, bias, hidden, cell, x)
            following.append((x, cell))
        predicted = x * by_output + shift
        log_probabilities = predicted - np.log(np.sum(np.exp(predicted)) + 2.0)
        return following, np.sum(wanted * log_probabilities)

    start = list(zip(state[::2], state[1::2], strict=True))
    _, gains = tg.scan(step, start, (sequence[:-1], sequence[1:]))
    return -np.sum(gains) / (steps * bits)


def _arguments(message_input: Any) -> tuple[Any, ...]:
    names = ("main_params", "extra_params", "state", "sequence")
    return tuple(array(message_input[name]) for name in names)


def _flat(result: Any) -> Any:
    return nested_list(np.concatenate([np.ravel(gradient) for gradient in result]))


FUNCTIONS = {
    "objective": Function(tg.compile(loss), _arguments, float),
    "jacobian": Function(tg.compile(tg.grad(loss, (0, 1))), _arguments, _flat),
}
