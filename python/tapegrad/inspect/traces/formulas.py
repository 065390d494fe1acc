"""Steps of a recording as formulas for people: trees of `Name`, `Number`, `Partial`, `Applied`.

Formulas of derivatives are read from recordings of the operations' own rules. `formula_text.py`
writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tapegrad.inspect.graph import Graph, Node


@dataclass(frozen=True)
class Name:
    """What a value is called: a letter, an index, and a bar (adjoint) or a dot (tangent)."""

    letter: str
    index: str = ""
    accent: str = ""


@dataclass(frozen=True, eq=False)
class Number:
    """A number or an array of numbers."""

    content: Any


@dataclass(frozen=True)
class Partial:
    """The partial derivative of one value by another."""

    of: Name
    by: Name


@dataclass(frozen=True, eq=False)
class Applied:
    """An operation with its operands; of one with several results, that with number `part`."""

    op: str
    operands: tuple[Formula, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    part: int | None = None


Formula = Name | Number | Partial | Applied


def applied(node: Node, operands: Sequence[Formula], part: int | None = None) -> Applied:
    """The formula of a step."""
    op = "stop_gradient" if node.held and node.op == "positive" else node.op or "kernel"
    attributes = {"dtype": node.dtype} if op == "cast" else dict(node.attributes)
    op = str(attributes.pop("function", op)).removeprefix("scipy.special.")
    return Applied(op, tuple(operands), attributes, node.shape, part)


def with_several_results(graph: Graph) -> frozenset[int]:
    """The steps that have them."""
    return frozenset(node.step for node in graph.nodes if node.output > 0)


def read(
    graph: Graph,
    number: int,
    inputs: Sequence[Formula],
    known: Sequence[tuple[Name, Any]] = (),
    result: tuple[Name, Applied] | None = None,
    most: int = 12,
) -> Formula | None:
    """Node `number` as a formula of the inputs; None where it takes more than `most` steps.

    Constants that are one of the `known` integers and flags, and applications that are `result`,
    appear under their names.
    """
    found: dict[int, Formula] = dict(zip(graph.inputs, inputs, strict=True))
    left = most
    several = with_several_results(graph)

    def formula(k: int) -> Formula | None:
        nonlocal left
        if k not in found:
            node = graph.nodes[k]
            if node.kind == "constant":
                return _constant(node, known)
            left -= 1
            if node.kind != "step" or node.body or node.step in several or left < 0:
                return None
            operands = [formula(operand) for operand in node.operands]
            made = [x for x in operands if x is not None]
            if len(made) < len(operands):
                return None
            found[k] = _simplified(graph, node, applied(node, made))
            if result is not None and _same(found[k], result[1]):
                found[k] = result[0]
        return found[k]

    return formula(number)


def _constant(node: Node, known: Sequence[tuple[Name, Any]]) -> Formula:
    for name, content in known:
        same = np.shape(content) == node.shape and np.asarray(content).dtype == node.dtype
        if same and np.array_equal(content, node.content):
            return name
    return Number(node.content)


def _simplified(graph: Graph, node: Node, made: Applied) -> Formula:
    """Without comparisons of flags with zero."""
    if node.op in ("equal", "not_equal") and graph.nodes[node.operands[0]].dtype == "bool":
        flag, other = made.operands
        if is_zero(other):
            return flag if node.op == "not_equal" else Applied("logical_not", (flag,))
    return made


def _same(a: Formula, b: Formula) -> bool:
    if isinstance(a, Applied) and isinstance(b, Applied):
        pairs = zip(a.operands, b.operands, strict=False)
        same = a.op == b.op and len(a.operands) == len(b.operands) and a.attributes == b.attributes
        return same and all(_same(x, y) for x, y in pairs)
    if isinstance(a, Number) and isinstance(b, Number):
        return bool(np.array_equal(a.content, b.content))
    return a == b


def replaced(formula: Formula, by: Callable[[Name], Formula]) -> Formula:
    """The formula with its names replaced."""
    if isinstance(formula, Name):
        return by(formula)
    if isinstance(formula, Applied):
        return replace(formula, operands=tuple(replaced(x, by) for x in formula.operands))
    return formula


def is_zero(x: Formula) -> bool:
    """Whether it is the number zero or an array of zeros."""
    return isinstance(x, Number) and not np.any(x.content)
