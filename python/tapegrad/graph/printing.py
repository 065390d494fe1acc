"""Expressions as text: as they were written, as they are recorded, as the program computes them.

A gradient has no formula before it is computed: it is the recording of a run with samples, as
`tapegrad.inspect` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tapegrad.graph import operations as ops
from tapegrad.graph.nodes import Node
from tapegrad.graph.plans import Plan, Store, held
from tapegrad.graph.shapes import UnknownError, sample
from tapegrad.graph.syntax import INFIX, PREFIX
from tapegrad.inspect.graph import Graph, OptimisedGraph, RecordedGraph, record

# How operations of the tape are written.
_SIGNS = {
    "add": "+", "subtract": "-", "multiply": "*", "zmul": "*", "divide": "/", "power": "**",
    "matmul": "@", "less": "<", "greater": ">", "less_equal": "<=", "greater_equal": ">=",
    "equal": "==",
}  # fmt: skip


def above(node: Node) -> Iterator[Node]:
    """The node and all that it reads."""
    seen: set[int] = set()
    todo = [node]
    while todo:
        n = todo.pop()
        if n.index not in seen:
            seen.add(n.index)
            yield n
            todo += n.inputs


def placeholders(node: Node) -> list[Node]:
    """The placeholders that a node reads."""
    found = [n for n in above(node) if isinstance(n.operation, ops.Placeholder)]
    return sorted(found, key=lambda n: n.index)


def is_plain(node: Node) -> bool:
    """Whether the node has a formula without being run."""
    kinds = (ops.Call, ops.Constant, ops.Placeholder, ops.State)
    return all(isinstance(n.operation, kinds) for n in above(node))


def formula(x: Any) -> str:
    """An expression as it was written."""
    if isinstance(x, Node):
        operation = x.operation
        if isinstance(operation, ops.Constant):
            return _shown(operation.value)
        if not isinstance(operation, ops.Call):
            return x.shown()
        args = [formula(a) for a in operation.args]
        if operation.function in INFIX and len(args) == 2:
            return f"({args[0]} {INFIX[operation.function][0]} {args[1]})"
        if operation.function in PREFIX:
            return f"({PREFIX[operation.function][0]}{args[0]})"
        if operation.label == "getitem":
            return f"{args[0]}[{args[1]}]"
        while args and args[-1] in ("None", "False"):
            args.pop()
        return f"{operation.label}({', '.join(args)})"
    if isinstance(x, tuple | list):
        return f"[{', '.join(map(formula, x))}]"
    if isinstance(x, slice):
        ends = ["" if e is None else formula(e) for e in (x.start, x.stop)]
        return ":".join(ends) + ("" if x.step is None else f":{formula(x.step)}")
    return _shown(x)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"array{value.shape}"
    if isinstance(value, np.generic):
        value = value.item()
    return str(value.tolist()) if isinstance(value, np.ndarray) else str(value)


def tree(node: Node) -> str:
    """An expression as a tree, an operation in each line; what was shown before is `...`."""
    lines: list[str] = []
    seen: set[int] = set()

    def add(x: Any, depth: int) -> None:
        if not isinstance(x, Node):
            lines.append(" |" * depth + formula(x))
            return
        operation = x.operation
        leaf = not isinstance(operation, ops.Call) and not x.inputs
        shown = formula(x) if leaf else f"{operation.title()} [id {x.index}]"
        again = x.index in seen and not leaf
        lines.append(" |" * depth + shown + (" ..." if again else ""))
        seen.add(x.index)
        if again or leaf:
            return
        args = operation.args if isinstance(operation, ops.Call) else x.inputs
        for a in args:
            for part in a if isinstance(a, list | tuple) else [a]:
                if part is not None and part is not False:
                    add(part, depth + 1)

    add(node, 0)
    return "\n".join(lines)


def programs(plan: Plan, store: Store) -> tuple[RecordedGraph, OptimisedGraph]:
    """The recording of a plan with samples of its inputs, and the program of that, not fused."""
    recorded = record(plan.function, *_samples(plan, store))
    return recorded, recorded.optimised(fuse=False)


def _samples(plan: Plan, store: Store) -> list[Any]:
    found = [_held(_sample(node)) for node in plan.feeds]
    return [*found, *(store.values[store.at(state)] for state in plan.read)]


def _sample(node: Node) -> Any:
    try:
        return sample(node, 3)
    except UnknownError:
        return sample(node, 0)


def _held(x: Any) -> Any:
    return held(np.asarray(x))


def recorded_formulas(plan: Plan, store: Store) -> list[str]:
    """A formula for each output, as it is recorded."""
    recorded, _ = programs(plan, store)
    return _formulas(recorded, names_of(plan))


def program_formulas(plan: Plan, store: Store) -> list[str]:
    """A formula for each output, as the program computes it."""
    _, program = programs(plan, store)
    return _formulas(program, names_of(plan))


def names_of(plan: Plan) -> list[str]:
    """The names of the arguments of a plan's function, as the user gave them."""
    return [node.shown() for node in (*plan.feeds, *plan.read)]


def _formulas(graph: Graph, names: Sequence[str]) -> list[str]:
    texts: dict[int, str] = {}
    for node in graph.nodes:
        if node.kind == "input":
            texts[node.number] = names[node.number] if node.number < len(names) else node.name
        elif node.kind != "step":
            texts[node.number] = _shown(node.content) if node.content is not None else node.kind
        else:
            texts[node.number] = _applied(node, [texts[k] for k in node.operands])
    return [texts[k] for k in graph.outputs]


def _applied(node: Any, args: list[str]) -> str:
    if node.op in _SIGNS and len(args) == 2:
        return f"({args[0]} {_SIGNS[node.op]} {args[1]})"
    if node.op == "negative":
        return f"(-{args[0]})"
    settings = [f"{k}={v}" for k, v in node.attributes.items() if v is not None and v is not False]
    return f"{node.op or node.kernel}({', '.join([*args, *settings])})"


def program_trees(plan: Plan, graph: Graph) -> list[str]:
    """The outputs of a program as trees."""
    names = names_of(plan)
    lines: list[str] = []
    seen: set[int] = set()
    nodes: Mapping[int, Any] = {n.number: n for n in graph.nodes}

    def add(number: int, depth: int) -> None:
        node = nodes[number]
        mark = " |" * depth
        if node.kind == "input":
            lines.append(mark + (names[number] if number < len(names) else node.name))
        elif node.kind != "step":
            lines.append(mark + (_shown(node.content) if node.content is not None else node.kind))
        else:
            again = " ..." if number in seen else ""
            lines.append(f"{mark}{node.op or node.kernel} [id {number}]{again}")
            if number not in seen:
                seen.add(number)
                for k in node.operands:
                    add(k, depth + 1)

    for k in graph.outputs:
        add(k, 0)
    return lines
