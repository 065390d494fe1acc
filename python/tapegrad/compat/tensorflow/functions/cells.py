"""`tf.nn.rnn_cell`, `tf.nn.static_rnn` and `tf.nn.dynamic_rnn`: recurrent networks.

The cells are TensorFlow's: one kernel for input and state side by side, LSTM gates in the order
input, candidate, forget, output (Hochreiter and Schmidhuber, 1997, with a forget gate), GRU gates
in the order reset, update (Cho et al., 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tapegrad.compat.tensorflow.dispatch import apply
from tapegrad.compat.tensorflow.dtypes import numpy_dtype
from tapegrad.compat.tensorflow.functions.arrays import shape, transpose, zeros
from tapegrad.compat.tensorflow.functions.control import _flat, _rebuilt, _scanned
from tapegrad.compat.tensorflow.functions.initializers import (
    constant_initializer,
    zeros_initializer,
)
from tapegrad.compat.tensorflow.functions.layers import _length
from tapegrad.compat.tensorflow.functions.math import sigmoid, tanh
from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.scopes import get_variable, variable_scope


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM: its memory and its output."""

    c: Any
    h: Any


def _affine(x: Any, h: Any, kernel: Any, bias: Any) -> Any:
    return np.concatenate([x, h], axis=-1) @ kernel + bias


class RNNCell:
    """A step: `cell(inputs, state)` gives an output and the next state."""

    title = "rnn_cell"

    def __init__(self, num_units: int, activation: Any = None, reuse: Any = None, name: Any = None):
        self.num_units = num_units
        self._activation = activation or tanh
        self._name = name or self.title
        self._made: dict[str, Any] = {}

    @property
    def state_size(self) -> Any:
        """The lengths of the state."""
        return self.num_units

    @property
    def output_size(self) -> int:
        """The length of the output."""
        return self.num_units

    def zero_state(self, batch_size: Any, dtype: Any = np.float64) -> Any:
        """A state of zeros."""
        kind = numpy_dtype(dtype).name
        leaves = iter([zeros([batch_size, n], kind) for n in _flat(self.state_size)])
        return _rebuilt(self.state_size, leaves)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        if not self._made:
            with inputs.graph.inside(None), variable_scope(scope or self._name):
                self.build(_length(inputs, -1, self.title) + self.num_units, inputs.dtype)
        return self.step(inputs, state)

    def build(self, n: int, dtype: Any) -> None:
        """Makes the variables."""
        self._add("kernel", "bias", n, self.num_units, dtype)

    def _add(self, kernel: str, bias: str, n: int, m: int, dtype: Any, start: float = 0.0) -> None:
        initial = constant_initializer(start) if start else zeros_initializer()
        self._made[kernel] = get_variable(kernel, [n, m], dtype)
        self._made[bias] = get_variable(bias, [m], dtype, initial)

    def _gates(self, x: Any, h: Any, kernel: str = "kernel", bias: str = "bias") -> Any:
        args = (x, h, self._made[kernel], self._made[bias])
        return apply(_affine, args, label="BiasAdd", tensors=4)

    def step(self, x: Any, state: Any) -> tuple[Any, Any]:
        """The output and the next state."""
        raise NotImplementedError(
            f"{type(self).__name__} has no step(x, state), the output and the next state"
        )


class BasicRNNCell(RNNCell):
    """The output is the state: activation([x, h] @ kernel + bias)."""

    title = "basic_rnn_cell"

    def step(self, x: Any, state: Any) -> tuple[Any, Any]:
        new = self._activation(self._gates(x, state))
        return new, new


class GRUCell(RNNCell):
    """A gate chooses between the state and a candidate, another forgets."""

    title = "gru_cell"

    def build(self, n: int, dtype: Any) -> None:
        with variable_scope("gates"):
            self._add("kernel", "bias", n, 2 * self.num_units, dtype, 1.0)
            gates = dict(self._made)
        with variable_scope("candidate"):
            self._add("kernel", "bias", n, self.num_units, dtype)
        self._made |= {f"gate_{k}": v for k, v in gates.items()}

    def step(self, x: Any, state: Any) -> tuple[Any, Any]:
        gates = sigmoid(self._gates(x, state, "gate_kernel", "gate_bias"))
        r, u = gates[..., : self.num_units], gates[..., self.num_units :]
        candidate = self._activation(self._gates(x, r * state))
        new = u * state + (1.0 - u) * candidate
        return new, new


class BasicLSTMCell(RNNCell):
    """A memory behind three gates."""

    title = "basic_lstm_cell"

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        state_is_tuple: bool = True,
        activation: Any = None,
        reuse: Any = None,
        name: Any = None,
    ) -> None:
        super().__init__(num_units, activation, reuse, name)
        if not state_is_tuple:
            raise NotImplementedError("the state of an LSTM is a tuple here: state_is_tuple=True")
        self._forget_bias = forget_bias

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(self.num_units, self.num_units)

    def build(self, n: int, dtype: Any) -> None:
        self._add("kernel", "bias", n, 4 * self.num_units, dtype)

    def step(self, x: Any, state: Any) -> tuple[Any, Any]:
        n = self.num_units
        gates = self._gates(x, state[1])
        i, j, f, o = (gates[..., k * n : (k + 1) * n] for k in range(4))
        kept = state[0] * sigmoid(f + self._forget_bias)
        c = kept + sigmoid(i) * self._activation(j)
        h = self._activation(c) * sigmoid(o)
        return h, LSTMStateTuple(c, h)


class LSTMCell(BasicLSTMCell):
    """The same, under its other name."""

    title = "lstm_cell"


class MultiRNNCell(RNNCell):
    """Cells above one another."""

    title = "multi_rnn_cell"

    def __init__(self, cells: Sequence[RNNCell], state_is_tuple: bool = True) -> None:
        if not state_is_tuple:
            raise NotImplementedError(
                "tf.nn.rnn_cell.MultiRNNCell: state_is_tuple=False is not there; states are tuples"
            )
        super().__init__(cells[-1].num_units)
        self._cells = list(cells)

    @property
    def state_size(self) -> Any:
        return tuple(cell.state_size for cell in self._cells)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        states = []
        for k, (cell, held) in enumerate(zip(self._cells, state, strict=True)):
            with variable_scope(f"cell_{k}"):
                inputs, new = cell(inputs, held)
            states.append(new)
        return inputs, tuple(states)


def static_rnn(
    cell: RNNCell,
    inputs: Sequence[Any],
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """The cell at each of a list of inputs: the outputs, and the last state."""
    if sequence_length is not None:
        raise NotImplementedError("static_rnn: sequence_length is for tf.nn.dynamic_rnn")
    state = initial_state
    outputs = []
    with variable_scope(scope or "rnn"):
        if state is None:
            state = cell.zero_state(shape(inputs[0])[0], dtype or inputs[0].dtype)
        for x in inputs:
            y, state = cell(x, state)
            outputs.append(y)
    return outputs, state


def dynamic_rnn(
    cell: RNNCell,
    inputs: Any,
    sequence_length: Any = None,
    initial_state: Any = None,
    dtype: Any = None,
    parallel_iterations: Any = None,
    swap_memory: bool = False,
    time_major: bool = False,
    scope: Any = None,
) -> tuple[Any, Any]:
    """The cell along the time of (batch, time, length): the outputs, and the last state.

    Beyond the length of a row its outputs are zero and its state stays.
    """
    x = inputs if time_major else transpose(inputs, [1, 0, 2])
    with variable_scope(scope or "rnn"):
        state = initial_state
        if state is None:
            state = cell.zero_state(shape(x)[1], dtype or inputs.dtype)
        start = _flat(state)
        times = apply(_times, (x,), cuts=True)

        def step(carry: list[Any], given: list[Any]) -> list[Any]:
            y, new = cell(given[0], _rebuilt(state, iter(carry)))
            leaves = _flat(new)
            if sequence_length is not None:
                on = given[1] < sequence_length
                pairs = zip(leaves, carry, strict=True)
                leaves = [apply(_where_rows, (on, a, b), tensors=3) for a, b in pairs]
                y = apply(_where_rows, (on, y, 0.0), tensors=3)
            return [*leaves, y]

        found = _scanned(start, [x, times], step, False, "rnn")
    outputs = found[-1] if time_major else transpose(found[-1], [1, 0, 2])
    return outputs, _rebuilt(state, iter(found[: len(start)]))


def _times(x: Any) -> Any:
    return np.arange(np.shape(x)[0])


def _where_rows(on: Any, a: Any, b: Any) -> Any:
    return np.where(np.expand_dims(on, -1), a, b)


__getattr__ = refusing("nn.rnn_cell", globals())
