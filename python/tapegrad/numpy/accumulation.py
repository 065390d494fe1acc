"""The `at` of universal functions on Variables: what an index names twice is changed twice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad._core import Variable, apply
from tapegrad.numpy.operands import (
    cast,
    free_shape,
    is_integer,
    lift,
    ndim_of,
    plain,
    shape_of,
)

_ARRAY, _RANGE = 3, 1  # kinds of items of a key: cpp/tapegrad/ops/index/index_spec.h


def at(ufunc: Any, target: Any, index: Any, *operand: Any) -> None:
    """Applies `ufunc` to the elements of `target` at `index`, which may repeat, in place."""
    name = ufunc.__name__
    if not isinstance(target, Variable):
        raise TypeError(
            f"np.{name}.at: the target is a plain array, which cannot hold the derivative of a "
            f"Variable; make it one before, y = tg.Variable(y), and call np.{name}.at(y, i, x)"
        )
    if ufunc.nout != 1:
        raise TypeError("Only single output ufuncs supported at this time")
    if len(operand) != ufunc.nin - 1:
        few = len(operand) < ufunc.nin - 1
        raise ValueError(
            "second operand needed for ufunc"
            if few
            else "second operand provided when ufunc is unary"
        )
    adds = name in ("add", "subtract")
    if adds and _added_at_recorded(name, target, index, operand[0]):
        return
    shape = shape_of(target)
    positions = np.arange(math.prod(shape), dtype=np.intp).reshape(shape)[_plain_index(name, index)]
    spread = [np.reshape(np.broadcast_to(lift(x), positions.shape), (-1,)) for x in operand]
    positions = positions.reshape(-1)
    if adds:
        _add(name, target, positions, spread[0])
        return
    rounds = _ranks(positions)
    for k in range(rounds.max() + 1 if rounds.size else 0):
        chosen = np.flatnonzero(rounds == k)
        places = positions[chosen]
        old = np.reshape(target, -1)[places]
        _set(target, shape, places, ufunc(old, *(x[chosen] for x in spread)))


def _set(target: Any, shape: tuple[int, ...], places: Any, values: Any) -> None:
    """Writes to positions among all elements."""
    if shape:
        target[np.unravel_index(places, shape)] = values
    else:
        target[...] = values[0]


def _plain_index(name: str, index: Any) -> Any:
    for item in index if isinstance(index, tuple) else (index,):
        if isinstance(item, Variable) and item.dtype.kind == "f":
            raise TypeError(
                f"np.{name}.at: the index is computed from inputs; pass plain integers, "
                "tg.value(i).astype(int)"
            )
    return plain(index)


def _added_at_recorded(name: str, target: Any, index: Any, x: Any) -> bool:
    """Whether the index was recorded integers alone: a program then adds where its own say."""
    items = index if isinstance(index, tuple) else (index,)
    if not any(map(is_integer, items)) or len(items) > ndim_of(target):
        return False
    arrays = [lift(item) if isinstance(item, Variable) else np.asarray(item) for item in items]
    if any(a.dtype.kind not in "iu" for a in arrays):
        return False
    rest = shape_of(target)[len(items) :]
    shape = np.broadcast_shapes(*map(free_shape, arrays)) + rest
    update = cast(np.broadcast_to(lift(x), shape), target.dtype)
    code = (_ARRAY, 0, 0, 0) * len(items) + tuple(k for n in rest for k in (_RANGE, 0, 1, n))
    target[...] = apply(
        "gather_add", (target, -update if name == "subtract" else update, *arrays), (code, 0)
    )
    return True


def _add(name: str, target: Any, positions: Any, x: Any) -> None:
    """Sums what belongs to a position before it is added."""
    if name == "subtract":
        x = -x
    shape = shape_of(target)
    places, x = _summed(positions, x)
    flat = np.reshape(target, -1)
    _set(target, shape, places, flat[places] + x)


def _ranks(positions: Any) -> Any:
    """Of each position, how often it stands before."""
    order = np.argsort(positions, kind="stable")
    ordered = positions[order]
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    lengths = np.diff(np.append(begins, len(ordered)))
    found = np.empty(len(positions), np.intp)
    found[order] = np.arange(len(positions)) - np.repeat(begins, lengths)
    return found


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
