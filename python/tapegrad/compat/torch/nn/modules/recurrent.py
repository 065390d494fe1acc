"""Recurrent layers, with PyTorch's weights by name and layout."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import call, new
from tapegrad.compat.torch.core.functions.elementwise import applied
from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.nn import init
from tapegrad.compat.torch.nn.modules.linear import blank
from tapegrad.compat.torch.nn.modules.module import Module

_expit = applied("expit")


def _lstm(gates: Any, state: Any, w: Any, b: Any, n: int) -> Any:
    h, c = state
    total = gates + h @ w
    if b is not None:
        total = total + b
    s = _expit(total[..., : 2 * n])
    c = s[..., n:] * c + s[..., :n] * np.tanh(total[..., 2 * n : 3 * n])
    return _expit(total[..., 3 * n :]) * np.tanh(c), c


def _gru(gates: Any, state: Any, w: Any, b: Any, n: int) -> Any:
    (h,) = state
    own = h @ w
    if b is not None:
        own = own + b
    rz = _expit(gates[..., : 2 * n] + own[..., : 2 * n])
    new_h = np.tanh(gates[..., 2 * n :] + rz[..., :n] * own[..., 2 * n :])
    z = rz[..., n:]
    return ((1.0 - z) * new_h + z * h,)


def _plain(f: Callable[[Any], Any]) -> Any:
    def step(gates: Any, state: Any, w: Any, b: Any, n: int) -> Any:
        total = gates + state[0] @ w
        return (f(total if b is None else total + b),)

    return step


def _relu(x: Any) -> Any:
    return np.where(x <= 0, np.zeros((), x.dtype), x)


_STEPS = {
    "LSTM": (_lstm, 4, 2), "GRU": (_gru, 3, 1), "RNN_TANH": (_plain(np.tanh), 1, 1),
    "RNN_RELU": (_plain(_relu), 1, 1),
}  # fmt: skip


class RNNBase(Module):
    """Layers of cells over a sequence."""

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1,
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
        bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if proj_size:
            raise NotImplementedError("proj_size: put a Linear layer behind the output")
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional = float(dropout), bidirectional
        self._names: list[list[str]] = []
        rows = _STEPS[mode][1] * hidden_size
        for layer in range(num_layers):
            for way in range(1 + bidirectional):
                size = input_size if layer == 0 else hidden_size * (1 + bidirectional)
                names = []
                for name, shape in (
                    ("weight_ih", (rows, size)), ("weight_hh", (rows, hidden_size)),
                    *((("bias_ih", (rows,)), ("bias_hh", (rows,))) if bias else ()),
                ):  # fmt: skip
                    full = f"{name}_l{layer}{'_reverse' if way else ''}"
                    self.register_parameter(full, blank(*shape, dtype=dtype, device=device))
                    names.append(full)
                self._names.append(names)
        self.reset_parameters()

    @property
    def all_weights(self) -> list[list[Any]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def reset_parameters(self) -> None:
        """Uniform numbers below 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: the weights lie where they lie."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        """(output, state): the last layer's output at each step, each layer's state at the end."""
        if input.ndim not in (2, 3):
            raise ValueError(
                f"{self.mode}: the input has 2 axes, or 3 with the batch, and this one's shape "
                f"is {list(input.shape)}"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"{self.mode}: the last axis of the input is input_size={self.input_size}, and "
                f"its shape is {list(input.shape)}"
            )
        if input._v.dtype != self.weight_ih_l0._v.dtype:
            raise ValueError(
                f"{self.mode}: the input is {input.dtype} and the weights "
                f"{self.weight_ih_l0.dtype}; x.to({self.weight_ih_l0.dtype}) is of theirs"
            )
        batched = input.ndim == 3
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        states = self._first_states(x, hx, batched)
        ends: list[list[Any]] = []
        ways = 1 + self.bidirectional
        for layer in range(self.num_layers):
            outputs = []
            for way in range(ways):
                k = layer * ways + way
                out, *end = self._direction(x, [s[k] for s in states], k, bool(way))
                outputs.append(out)
                ends.append(end)
            x = outputs[0] if ways == 1 else _joined(outputs)
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        final = tuple(_stacked([end[j] for end in ends]) for j in range(len(states)))
        if not batched:
            x, final = x.squeeze(1), tuple(s.squeeze(1) for s in final)
        elif self.batch_first:
            x = x.transpose(0, 1)
        return x, final if len(final) > 1 else final[0]

    def _first_states(self, x: Any, hx: Any, batched: bool) -> list[Any]:
        n = _STEPS[self.mode][2]
        shape = (len(self._names), x.shape[1], self.hidden_size)
        if hx is None:
            return [new(np.zeros(shape, x._v.dtype)) for _ in range(n)]
        given = list(hx) if n > 1 else [hx]
        states = given if batched else [s.unsqueeze(1) for s in given]
        for s in states:
            if tuple(s.shape) != shape:
                raise RuntimeError(
                    f"{self.mode}: the state has shape {list(s.shape)}, and {list(shape)} is "
                    "wanted: layers times directions, batch, hidden_size"
                )
        return states

    def _direction(self, x: Any, states: list[Any], k: int, back: bool) -> Any:
        step, _, n_states = _STEPS[self.mode]
        weights = [getattr(self, name) for name in self._names[k]]
        n, bias = self.hidden_size, self.bias

        def compute(x: Any, *rest: Any) -> Any:
            state, (w_in, w_own, *b) = rest[:n_states], rest[n_states:]
            gates = x @ np.transpose(w_in)
            if bias:
                gates = gates + b[0]
            own, b_own = np.transpose(w_own), b[1] if bias else None
            outputs = []
            times = range(x.shape[0])
            for t in reversed(times) if back else times:
                state = step(gates[t], state, own, b_own, n)
                outputs.append(state[0])
            if back:
                outputs.reverse()
            return (np.stack(outputs), *state)

        return call(self.mode, compute, x, *states, *weights)

    def extra_repr(self) -> str:
        """Its options."""
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0.0),
            ("bidirectional", False),
        ):  # fmt: skip
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text


def _joined(parts: list[Any]) -> Any:
    return call("Cat", lambda *p: np.concatenate(p, axis=-1), *parts)


def _stacked(parts: list[Any]) -> Any:
    return call("Stack", lambda *p: np.stack(p), *parts)


class RNN(RNNBase):
    """Elman's recurrent network."""

    def __init__(self, *args: Any, nonlinearity: str = "tanh", **kwargs: Any) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"{type(self).__name__}: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}"
            )
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("GRU", *args, **kwargs)


class _Cell(Module):
    mode = "RNN_TANH"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = _STEPS[self.mode][1] * hidden_size
        self.weight_ih = blank(rows, input_size, dtype=dtype, device=device)
        self.weight_hh = blank(rows, hidden_size, dtype=dtype)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, blank(rows, dtype=dtype) if bias else None)
        bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """The next state."""
        step, _, n_states = _STEPS[self.mode]
        if hx is None:
            shape = (*input.shape[:-1], self.hidden_size)
            states = [new(np.zeros(shape, input._v.dtype)) for _ in range(n_states)]
        else:
            states = list(hx) if n_states > 1 else [hx]
        biases = [self.bias_ih, self.bias_hh] if self.bias else []

        def compute(x: Any, *rest: Any) -> Any:
            state, (w_in, w_own, *b) = rest[:n_states], rest[n_states:]
            gates = x @ np.transpose(w_in)
            if b:
                gates = gates + b[0]
            made = step(gates, state, np.transpose(w_own), b[1] if b else None, self.hidden_size)
            return made if n_states > 1 else made[0]

        return call(self.mode, compute, input, *states, self.weight_ih, self.weight_hh, *biases)

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"{self.input_size}, {self.hidden_size}"


class RNNCell(_Cell):
    """One step of `RNN`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        **given: Any,
    ) -> None:  # fmt: skip
        self.__dict__["mode"] = f"RNN_{nonlinearity.upper()}"
        super().__init__(input_size, hidden_size, bias, **given)


class LSTMCell(_Cell):
    """One step of `LSTM`."""

    mode = "LSTM"


class GRUCell(_Cell):
    """One step of `GRU`."""

    mode = "GRU"
