"""What moves, sums and folds elements, over arrays of SymPy expressions.

What an operation does with positions is asked of the operation itself: a move is applied to the
numbers of the elements, a linear operation to each unit array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.inspect.graph import Node
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.numbers import number

Objects = np.ndarray[Any, Any]
Rule = Callable[[Node, Sequence[Any]], Any]

MOVES = frozenset(
    (
        "reshape",
        "transpose",
        "expand_dims",
        "squeeze",
        "broadcast_to",
        "ravel",
        "part_of_pair",
        "swapaxes",
        "moveaxis",
        "concatenate",
        "stack",
        "unstack",
        "split",
        "flip",
        "roll",
        "pad_constant",
        "crop",
        "gather_axis",
        "tile",
        "repeat",
        "pad",
        "diagonal",
        "read_diagonal",
        "diagonal_scatter",
        "tril",
        "triu",
        "windows",
        "slice",
        "slice_copy",
        "slice_set",
        "gather",
        "gather_set",
        "take_along_axis",
        "put_along_axis",
        "shift",
    )
)
LINEAR = frozenset(
    (
        "sum_to_shape",
        "cumsum",
        "trace",
        "scatter_axis",
        "slice_add",
        "gather_add",
        "fourier",
        "real_fourier",
        "real_fourier_back",
    )
)
PLAIN = frozenset({"last_writes"})  # of integers alone


def is_objects(x: Any) -> bool:
    """Whether it is an array of expressions, not of plain integers or flags."""
    return isinstance(x, np.ndarray) and x.dtype == object


def objects(items: Sequence[Any], shape: tuple[int, ...]) -> Objects:
    """An array of the expressions, in order."""
    found = np.empty(len(items), dtype=object)
    for k, item in enumerate(items):
        found[k] = item
    return found.reshape(shape)


def applied(node: Node, operands: Sequence[Any], **attributes: Any) -> Any:
    """What the operation gives for plain operands; a tuple where it has several results."""
    given = tuple({**node.attributes, **attributes}.values())
    result = _core.apply(node.op, tuple(operands), given)
    several = isinstance(result, (tuple, list))
    return tuple(map(np.asarray, result)) if several else np.asarray(result)


def _each(result: Any, function: Callable[[Any], Any]) -> Any:
    return tuple(map(function, result)) if isinstance(result, tuple) else function(result)


def moved(node: Node, operands: Sequence[Any]) -> Any:
    """A move of elements, in which some places may get zero or a fill value."""
    formulas: list[Any] = [sympy.S.Zero]
    given = []
    for x in operands:
        if is_objects(x):
            first = len(formulas)
            given.append(np.arange(first, first + x.size, dtype=float).reshape(x.shape))
            formulas += x.ravel().tolist()
        else:
            given.append(x)
    attributes = {}
    if node.attributes.get("fill"):
        formulas.append(number(node.attributes["fill"]))
        attributes["fill"] = float(len(formulas) - 1)

    def taken(places: Any) -> Objects:
        return objects([formulas[int(k)] for k in places.ravel()], places.shape)

    return _each(applied(node, given, **attributes), taken)


def linear(node: Node, operands: Sequence[Any]) -> Any:
    """An operation that is linear in its floating operands together."""
    zeros = [np.zeros(x.shape) if is_objects(x) else x for x in operands]
    total: Any = None
    for k, x in enumerate(operands):
        if not is_objects(x):
            continue
        for place in np.ndindex(x.shape):
            if x[place] == 0:
                continue
            unit = [z.copy() if j == k else z for j, z in enumerate(zeros)]
            unit[k][place] = 1.0
            found = applied(node, unit)
            total = _added(total, found, x[place])
    if total is None:
        return _each(applied(node, zeros), lambda array: np.full(array.shape, sympy.S.Zero))
    return total


def multilinear(node: Node, operands: Sequence[Any]) -> Any:
    """An operation that is linear in each floating operand."""
    places = [k for k, x in enumerate(operands) if is_objects(x)]
    zeros = [np.zeros(x.shape) if is_objects(x) else x for x in operands]
    total: Any = None
    for at in product(*(np.ndindex(operands[k].shape) for k in places)):
        factor = prod((operands[k][p] for k, p in zip(places, at, strict=True)), start=sympy.S.One)
        if factor == 0:
            continue
        unit = list(zeros)
        for k, p in zip(places, at, strict=True):
            unit[k] = zeros[k].copy()
            unit[k][p] = 1.0
        total = _added(total, applied(node, unit), factor)
    if total is None:
        return _each(applied(node, zeros), lambda array: np.full(array.shape, sympy.S.Zero))
    return total


def _added(total: Any, coefficients: Any, factor: Any) -> Any:
    if isinstance(coefficients, tuple):
        so_far = total or (None,) * len(coefficients)
        return tuple(_added(t, c, factor) for t, c in zip(so_far, coefficients, strict=True))
    if total is None:
        total = objects([sympy.S.Zero] * coefficients.size, coefficients.shape)
    for place in np.ndindex(coefficients.shape):
        if coefficients[place] != 0:
            total[place] += number(coefficients[place]) * factor
    return total


# Folds


def _axes(node: Node, x: Objects) -> tuple[int, ...]:
    axis = node.attributes.get("axis")
    if axis is None:
        return tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % x.ndim for a in axes)


def _folded(node: Node, x: Objects, fold: Callable[[list[Any]], Any]) -> Objects:
    """One expression for each row of elements along the axes of the operation."""
    axes = _axes(node, x)
    kept = [a for a in range(x.ndim) if a not in axes]
    shape = tuple(x.shape[a] for a in kept)
    rows = x.transpose([*kept, *axes]).reshape(prod(shape), -1 if x.size else 0)
    found = objects([fold(list(row)) for row in rows], shape)
    if node.attributes.get("keepdims"):
        return found.reshape([1 if a in axes else n for a, n in enumerate(x.shape)])
    return found


def _fold(fold: Callable[[list[Any]], Any]) -> Rule:
    return lambda node, operands: _folded(node, operands[0], fold)


def _mean(row: list[Any]) -> Any:
    return sympy.Add(*row) / len(row) if row else sympy.nan


def _variance(row: list[Any], ddof: Any) -> Any:
    mean = _mean(row)
    return sympy.Add(*((x - mean) ** 2 for x in row)) / (len(row) - number(ddof))


def _var(node: Node, operands: Sequence[Any]) -> Objects:
    return _folded(node, operands[0], lambda row: _variance(row, node.attributes["ddof"]))


def _std(node: Node, operands: Sequence[Any]) -> Objects:
    ddof = node.attributes["ddof"]
    return _folded(node, operands[0], lambda row: sympy.sqrt(_variance(row, ddof)))


def _tie_shares(node: Node, operands: Sequence[Any]) -> Objects:
    x, extreme = operands
    axes = _axes(node, x)
    shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    best = np.broadcast_to(extreme.reshape(shape), x.shape)
    equal = np.frompyfunc(sympy.Eq, 2, 1)(x, best)
    ones = np.frompyfunc(lambda c: sympy.Piecewise((1, c), (0, True)), 1, 1)(equal)
    count = np.broadcast_to(np.asarray(ones.sum(axis=axes)).reshape(shape), x.shape)
    share = np.frompyfunc(lambda c, n: sympy.Piecewise((1 / n, c), (0, True)), 2, 1)
    return np.asarray(share(equal, count), dtype=object)


def _along(node: Node, x: Objects) -> tuple[Objects, Callable[[Objects], Objects]]:
    """The elements with the axis of a running fold in front, and the way back."""
    axis = node.attributes["axis"]
    if axis is None:
        return x.ravel(), lambda y: y
    backwards = bool(node.attributes.get("reverse", False))
    turned = np.moveaxis(x, axis, 0)[::-1] if backwards else np.moveaxis(x, axis, 0)
    return turned, lambda y: np.moveaxis(y[::-1] if backwards else y, 0, axis)


def _cumprod(node: Node, operands: Sequence[Any]) -> Objects:
    x, back = _along(node, operands[0])
    return back(np.multiply.accumulate(x, axis=0))


def _linear_recurrence(node: Node, operands: Sequence[Any]) -> Objects:
    c, back = _along(node, operands[0])
    x, _ = _along(node, operands[1])
    y = c.copy()
    for k in range(1, len(y)):
        y[k] = x[k] * y[k - 1] + c[k]
    return back(y)


FOLDS: dict[str, Rule] = {
    "sum": _fold(lambda row: sympy.Add(*row)),
    "mean": _fold(_mean),
    "prod": _fold(lambda row: sympy.Mul(*row)),
    "logsumexp": _fold(lambda row: sympy.log(sympy.Add(*map(sympy.exp, row)))),
    "max": _fold(lambda row: sympy.Max(*row)),
    "min": _fold(lambda row: sympy.Min(*row)),
    "var": _var,
    "std": _std,
    "tie_shares": _tie_shares,
    "cumprod": _cumprod,
    "linear_recurrence": _linear_recurrence,
}
