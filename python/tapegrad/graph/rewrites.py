"""Other operations that give the same: stable ones, shorter ones.

A rule looks at a node and returns the operation to run in its place, or None. Nodes are not
changed: what the rules found is a *view*, which `Plan` takes. Dead code, common subexpressions and
constants are left to the compiled program.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Alias, Call, Constant, Operation

Rule = Callable[[Node], Operation | None]


# What rules put in: numerically stable forms.


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return np.logaddexp(x, 0.0)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), which does not overflow."""
    return 0.5 * (np.tanh(0.5 * x) + 1.0)


def sigmoid_of_negative(x: Any) -> Any:
    """1 / (1 + exp(x)), which does not overflow."""
    return 0.5 * (np.tanh(-0.5 * x) + 1.0)


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x))."""
    return -np.logaddexp(-x, 0.0)


def log_one_minus_sigmoid(x: Any) -> Any:
    """log(1 - sigmoid(x))."""
    return -np.logaddexp(x, 0.0)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) over its sum along an axis."""
    e = np.exp(x - tg.stop_gradient(np.max(x, axis=axis, keepdims=True)))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """log(softmax(x))."""
    shifted = x - tg.stop_gradient(np.max(x, axis=axis, keepdims=True))
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over axes."""
    top = tg.stop_gradient(np.max(x, axis=axis, keepdims=True))
    found = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return found if keepdims else np.squeeze(found, axis=axis)


def zeros_like(x: Any) -> Any:
    """Zeros in the shape of x."""
    return np.zeros(np.shape(x), x.dtype if hasattr(x, "dtype") else None)[()]


def ones_like(x: Any) -> Any:
    """Ones in the shape of x."""
    return np.ones(np.shape(x), x.dtype if hasattr(x, "dtype") else None)[()]


# Looking at nodes.


def _args(node: Any, function: Callable[..., Any]) -> tuple[Any, ...] | None:
    """The arguments of a call of the function, if that is what the node is."""
    if not isinstance(node, Node):
        return None
    operation = node.operation
    if isinstance(operation, Call) and operation.function is function and not operation.kwargs:
        return operation.args
    return None


def _is(x: Any, number: float) -> bool:
    if isinstance(x, Node) and isinstance(x.operation, Constant):
        x = x.operation.value
    return isinstance(x, int | float | np.number) and x == number


def _other_than(args: tuple[Any, ...] | None, number: float) -> Any:
    """Of two summands or factors, one of which is a number, the other."""
    if args is None:
        return None
    a, b = args
    return b if _is(a, number) else a if _is(b, number) else None


def _one_plus(node: Any) -> Any:
    return _other_than(_args(node, operator.add), 1)


def _first(args: tuple[Any, ...] | None) -> Any:
    return None if args is None else args[0]


# The rules, in the order in which they are tried.


def _stable_log(node: Node) -> Operation | None:
    x = _first(_args(node, np.log))
    if x is None:
        x = _first(_args(node, np.log1p))
        inner = _first(_args(x, np.exp))
        return None if inner is None else Call(softplus, (inner,))
    inner = _first(_args(_one_plus(x), np.exp))
    if inner is not None:
        return Call(softplus, (inner,))
    found = _args(x, softmax)
    if found is not None:
        return Call(log_softmax, found)
    inner, negated = _logistic(x)
    if inner is not None:
        return Call(log_one_minus_sigmoid if negated else log_sigmoid, (inner,))
    difference = _args(x, operator.sub)
    if difference is not None and _is(difference[0], 1):
        inner, negated = _logistic(difference[1])
        if inner is not None:
            return Call(log_sigmoid if negated else log_one_minus_sigmoid, (inner,))
    return None


def _logistic(node: Any) -> tuple[Any, bool]:
    """X of sigmoid(x), and whether the node is sigmoid(-x): 1 / (1 + exp(x))."""
    x = _first(_args(node, sigmoid))
    if x is not None:
        return x, False
    quotient = _args(node, operator.truediv)
    if quotient is not None and _is(quotient[0], 1):
        return _first(_args(_one_plus(quotient[1]), np.exp)), True
    return None, False


def _sigmoid(node: Node) -> Operation | None:
    x, negated = _logistic(node)
    return Call(sigmoid_of_negative, (x,)) if negated and x is not None else None


def _log_of_sum(node: Node) -> Operation | None:
    x = _first(_args(node, np.log))
    if not isinstance(x, Node) or not isinstance(x.operation, Call):
        return None
    call = x.operation
    if call.label != "Sum" or call.kwargs:
        return None
    inner = _first(_args(call.args[0], np.exp))
    return None if inner is None else Call(logsumexp, (inner, *call.args[1:3]))


def _log1p(node: Node) -> Operation | None:
    x = _one_plus(_first(_args(node, np.log)))
    return None if x is None else Call(np.log1p, (x,))


def _expm1(node: Node) -> Operation | None:
    args = _args(node, operator.sub)
    if args is None or not _is(args[1], 1):
        return None
    x = _first(_args(args[0], np.exp))
    return None if x is None else Call(np.expm1, (x,))


def _cancel(node: Node) -> Operation | None:
    found: Any = None
    difference, quotient = _args(node, operator.sub), _args(node, operator.truediv)
    if difference is not None:
        a, b = difference
        if a is b and isinstance(a, Node):
            return Call(zeros_like, (a,))
        found = _without(_args(a, operator.add), b)
    elif quotient is not None:
        a, b = quotient
        if a is b and isinstance(a, Node):
            return Call(ones_like, (a,))
        found = _without(_args(a, operator.mul), b)
    else:
        for outer, inner in ((np.log, np.exp), (np.exp, np.log), (operator.neg, operator.neg)):
            x = _first(_args(_first(_args(node, outer)), inner))
            found = x if found is None else found
    return Alias(found) if isinstance(found, Node) else None


def _without(args: tuple[Any, ...] | None, x: Any) -> Any:
    """Of two summands or factors, one of which is `x`, the other, if it has their shape."""
    if args is None or not isinstance(x, Node):
        return None
    a, b = args
    found = b if a is x else a if b is x else None
    return found if isinstance(found, Node) and _same_shape(found, x) else None


def _same_shape(a: Node, b: Node) -> bool:
    """Whether a broadcast of both has certainly the shape of `a`."""
    from tapegrad.graph.shapes import static

    shapes = static(a)[1], static(b)[1]
    if shapes[0] is None or shapes[1] is None:
        return False
    return not shapes[1] or (shapes[0] == shapes[1] and None not in shapes[0])


def _neutral(node: Node) -> Operation | None:
    for function, number in ((operator.add, 0), (operator.mul, 1)):
        x = _other_than(_args(node, function), number)
        if isinstance(x, Node):
            return Alias(x)
    for function, number in ((operator.sub, 0), (operator.truediv, 1), (operator.pow, 1)):
        args = _args(node, function)
        if args is not None and _is(args[1], number) and isinstance(args[0], Node):
            return Alias(args[0])
    return None


RULES: dict[str, Rule] = {
    "stable logarithm": _stable_log,
    "sigmoid": _sigmoid,
    "log-sum-exp": _log_of_sum,
    "log1p": _log1p,
    "expm1": _expm1,
    "cancelled": _cancel,
    "neutral": _neutral,
}


def rewritten(outputs: Iterable[Node]) -> tuple[dict[int, Operation], Counter[str]]:
    """The view that the rules give for all that `outputs` read, and how often each did."""
    view: dict[int, Operation] = {}
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    todo = list(outputs)
    while todo:
        node = todo.pop()
        if node.index in seen:
            continue
        seen.add(node.index)
        for name, rule in RULES.items():
            found = rule(node)
            if found is not None:
                view[node.index] = found
                counts[name] += 1
                break
        todo += view[node.index].inputs() if node.index in view else node.inputs
        todo += node.controls
        todo += [out for body in node.operation.bodies() for out in body.outputs]
    return view, counts
