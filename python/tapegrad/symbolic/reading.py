"""A recorded graph evaluated over SymPy expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.inspect.graph import Graph, Node, RecordedGraph
from tapegrad.symbolic.numbers import numbers
from tapegrad.symbolic.operations.arrays import Objects, applied, is_objects
from tapegrad.symbolic.operations.refused import REFUSED
from tapegrad.symbolic.operations.table import RULES


def read(graph: RecordedGraph, inputs: Sequence[Objects]) -> tuple[list[Any], list[Any]]:
    """The outputs of a graph and the values that its guards ask for, as arrays of expressions."""
    captures: list[Any] = []
    if graph.captures:
        values = graph.values()
        captures = [values[k] for k in graph.captures]
    wanted = [*graph.outputs, *(guard.number for guard in graph.guards)]
    found = _evaluate(graph, inputs, captures, wanted)
    n = len(graph.outputs)
    return found[:n], found[n:]


def _evaluate(
    graph: Graph, inputs: Sequence[Any], captures: Sequence[Any], wanted: Sequence[int]
) -> list[Any]:
    known: dict[int, Any] = dict(zip(graph.inputs, inputs, strict=True))
    known |= {k: _entered(x) for k, x in zip(graph.captures, captures, strict=True)}
    done: dict[int, tuple[Any, ...]] = {}  # the results of steps
    for k in sorted(_needed(graph, wanted)):
        node = graph.nodes[k]
        if k in known:
            continue
        if node.kind == "constant":
            known[k] = _entered(node.content)
        else:
            if node.step not in done:
                result = _result(graph, node, [known[j] for j in node.operands])
                done[node.step] = result if isinstance(result, tuple) else (result,)
            known[k] = done[node.step][node.output]
    return [known[k] for k in wanted]


def _needed(graph: Graph, wanted: Sequence[int]) -> set[int]:
    found: set[int] = set()
    left = list(wanted)
    while left:
        k = left.pop()
        if k not in found:
            found.add(k)
            left += graph.nodes[k].operands
    return found


def _entered(x: Any) -> Any:
    """Floating numbers as expressions; integers and flags stay what they are."""
    array = np.asarray(_core.value(x) if _core.is_variable(x) else x)
    return numbers(array) if array.dtype.kind == "f" else array


def _result(graph: Graph, node: Node, operands: list[Any]) -> Any:
    if not any(is_objects(x) for x in operands):
        return _entered_all(applied(node, operands))
    if node.op == "call" and node.body is not None:
        return tuple(_evaluate(node.body, operands, (), node.body.outputs))
    if node.op == "scan" and node.body is not None:
        return _scan(node, operands)
    rule = RULES.get(node.op)
    if rule is None:
        if all(_is_plain(x) for x in operands):
            return _entered_all(applied(node, [_floats(x) for x in operands]))
        reason = REFUSED.get(node.op, "is not known to tapegrad.symbolic")
        raise NotImplementedError(f"tapegrad.symbolic: {_place(node)} {reason}")
    for k, x in zip(node.operands, operands, strict=True):
        if is_objects(x) and graph.nodes[k].dtype.startswith(("int", "uint")):
            raise NotImplementedError(
                f"tapegrad.symbolic: {_place(node)} takes positions that depend on the arguments, "
                "and a formula has none; use np.where"
            )
    try:
        return rule(node, operands)
    except LookupError as error:
        raise NotImplementedError(f"tapegrad.symbolic: {_place(node)} {error.args[0]}") from None


def _place(node: Node) -> str:
    name = node.attributes.get("function", node.op)
    return f"{name} (line {node.line})" if node.line else str(name)


def _scan(node: Node, operands: list[Any]) -> tuple[Any, ...]:
    """The body step by step, as often as the scan is long."""
    body = node.body
    assert body is not None
    n, n_xs, length = (node.attributes[key] for key in ("n_carry", "n_xs", "length"))
    carry, xs, others = operands[:n], operands[n : n + n_xs], operands[n + n_xs :]
    order = range(length)
    ys: list[list[Any]] = [[] for _ in body.outputs[n:]]
    for t in reversed(order) if node.attributes["reverse"] else order:
        inputs = [*carry, *(np.asarray(x[t], dtype=x.dtype) for x in xs), *others]
        found = _evaluate(body, inputs, (), body.outputs)
        carry = found[:n]
        for rows, row in zip(ys, found[n:], strict=True):
            rows.append(row)
    if node.attributes["reverse"]:
        ys = [rows[::-1] for rows in ys]
    return (*carry, *(np.stack(rows) if rows else np.empty(0, object) for rows in ys))


def _is_plain(x: Any) -> bool:
    return not is_objects(x) or not any(item.free_symbols for item in x.ravel())


def _floats(x: Any) -> Any:
    return np.asarray(x, dtype=float) if is_objects(x) else x


def _entered_all(result: Any) -> Any:
    return tuple(map(_entered, result)) if isinstance(result, tuple) else _entered(result)
