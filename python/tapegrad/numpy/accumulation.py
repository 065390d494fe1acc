"""np.add.at and np.subtract.at on Variables: repeated indices are summed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.numpy.operands import lift


def add_at(name: str, target: Any, index: Any, x: Any) -> None:
    """Adds to the elements of `target` at `index`, which may repeat, in place."""
    if not isinstance(target, Variable):
        raise TypeError(
            f"np.{name}.at: the target is a plain array, which cannot hold the derivative of a "
            f"Variable; make it one before, y = tg.Variable(y), and call np.{name}.at(y, i, x)"
        )
    if _holds_variables(index):
        raise TypeError(
            f"np.{name}.at: the index is computed from inputs; pass plain integers, "
            "tg.value(i).astype(int)"
        )
    shape = tuple(target.shape)
    positions = np.arange(int(np.prod(shape)), dtype=np.intp).reshape(shape)[index]
    x = np.reshape(np.broadcast_to(lift(x), np.shape(positions)), -1)
    if name == "subtract":
        x = -x
    at, x = _summed(np.reshape(positions, -1), x)
    flat = np.reshape(target, -1)
    every = np.unravel_index(at, shape) if shape else ...
    target[every] = flat[at] + x if shape else target + x[0]


def _summed(at: Any, x: Any) -> Any:
    """Each position once, with the sum of what belongs to it: pairs are added, round by round."""
    while True:
        order = np.argsort(at, kind="stable")
        at, x = at[order], x[order]
        begins = np.flatnonzero(np.append(True, at[1:] != at[:-1])[: len(at)])
        if len(begins) == len(at):
            return at, x
        lengths = np.diff(np.append(begins, len(at)))
        ranks = np.arange(len(at)) - np.repeat(begins, lengths)
        last = ranks == np.repeat(lengths, lengths) - 1
        pairs = np.flatnonzero((ranks % 2 == 0) & ~last)
        singles = np.flatnonzero((ranks % 2 == 0) & last)
        x = np.concatenate([x[singles], x[pairs] + x[pairs + 1]])
        at = np.concatenate([at[singles], at[pairs]])


def _holds_variables(index: Any) -> bool:
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(i, Variable) for i in items)
