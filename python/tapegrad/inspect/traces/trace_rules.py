"""What the steps of a computation trace do to tangents and adjoints, in formulas and numbers.

Each step is applied by itself, so that its rule is recorded and read as a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _core
from tapegrad.inspect.graph import Node, RecordedGraph, record
from tapegrad.inspect.traces.formulas import (
    Applied,
    Formula,
    Name,
    Number,
    Partial,
    applied,
    read,
)
from tapegrad.transforms.jacobians import jvp


@dataclass(frozen=True, eq=False)
class Contribution:
    """What a step adds to the adjoint of one operand.

    `rule` is the local derivative times the adjoint as a formula, None where it is long. `value` is
    what is added, `total` the adjoint with all that was added up to here; both are None for steps
    that hold a loop or a function of their own, up to the last contribution, whose total is the
    adjoint. `first` says that nothing was added before.
    """

    target: Name
    partial: Partial
    rule: Formula | None
    value: Any
    total: Any
    first: bool


def _operand(names: dict[int, Name], values: Sequence[Any], k: int) -> Formula:
    return names[k] if k in names else Number(values[k])


def formula_of(
    node: Node, names: dict[int, Name], values: Sequence[Any], several: bool = False
) -> Applied | None:
    """The step as a formula of its operands; None of inputs."""
    if node.kind != "step":
        return None
    operands = [_operand(names, values, k) for k in node.operands]
    return applied(node, operands, node.output if several else None)


def _active(node: Node, known: Sequence[Any]) -> list[int]:
    """The operands of a step through which derivatives pass, each once."""
    return [k for k in dict.fromkeys(node.operands) if known[k] is not None]


@dataclass(frozen=True, eq=False)
class _Step:
    """A step as a function of its floating operands, of which derivatives pass `active`."""

    node: Node
    active: list[int]
    others: list[int]
    values: Sequence[Any]
    names: dict[int, Name]

    def __call__(self, active: Sequence[Any], others: Sequence[Any]) -> Any:
        given = dict(zip([*self.active, *self.others], [*active, *others], strict=True))
        operands = tuple(given.get(k, self.values[k]) for k in self.node.operands)
        function = _function_of(self.node)
        if function is not None:
            return function(*operands)
        return _core.apply(self.node.op, operands, tuple(self.node.attributes.values()))

    def given(self) -> tuple[list[Any], list[Any]]:
        """The values of both kinds of operands."""
        active, others = ([self.values[k] for k in ks] for ks in (self.active, self.others))
        return active, others

    def words(self) -> list[Formula]:
        return [self.names[k] for k in (*self.active, *self.others)]

    def read(self, graph: RecordedGraph, output: int, words: list[Formula]) -> Formula | None:
        """An output of a rule as a formula."""
        whole = [  # these are no inputs of a recording: they stand in it as constants
            (self.names[k], self.values[k])
            for k in self.node.operands
            if k in self.names and np.asarray(self.values[k]).dtype.kind != "f"
        ]
        formula = formula_of(self.node, self.names, self.values)
        name = self.names.get(self.node.number)
        result = None if name is None or formula is None else (name, formula)
        return read(graph, output, words, whole, result)


def _step_of(node: Node, active: list[int], names: dict[int, Name], values: Sequence[Any]) -> _Step:
    others = [
        k
        for k in dict.fromkeys(node.operands)
        if k in names and k not in active and np.asarray(values[k]).dtype.kind == "f"
    ]
    return _Step(node, active, others, values, names)


_FOREIGN = ("foreign", "foreign_several")
_SCIPY = "scipy.special."


def _has_rule(node: Node) -> bool:
    if node.body is not None or node.kernel or not node.op or node.held:
        return False
    if node.op in _FOREIGN:
        return _function_of(node) is not None
    return node.op != "host_function"


def _function_of(node: Node) -> Callable[..., Any] | None:
    """The function of SciPy that a step applies, if it does."""
    name = str(node.attributes.get("function", ""))
    if node.op not in _FOREIGN or not name.startswith(_SCIPY):
        return None
    from importlib import import_module

    found: Callable[..., Any] | None = getattr(
        import_module("scipy.special"), name.removeprefix(_SCIPY), None
    )
    return found


def tangent_rule(
    node: Node, names: dict[int, Name], values: Sequence[Any], tangents: Sequence[Any]
) -> Formula | None:
    """The tangent of a step as a formula of its operands' tangents; None where it is long."""
    if node.kind != "step" or tangents[node.number] is None or not _has_rule(node):
        return None
    active = _active(node, tangents)
    if not active:
        return None
    step = _step_of(node, active, names, values)

    def rule(given: Sequence[Any], others: Sequence[Any], along: Sequence[Any]) -> Any:
        found = jvp(lambda *x: step(x, others), tuple(given), tuple(along))[1]
        return found[node.output] if isinstance(found, (tuple, list)) else found

    graph = record(rule, *step.given(), [tangents[k] for k in active])
    words = [*step.words(), *(accented(names[k], "dot") for k in active)]
    return step.read(graph, graph.outputs[0], words) if graph.outputs else None


def contributions_of(
    graph: RecordedGraph,
    names: dict[int, Name],
    values: Sequence[Any],
    adjoints: Sequence[Any],
) -> dict[int, list[Contribution]]:
    """What a step adds to its operands' adjoints, by its first result that has a name."""
    outputs: dict[int, list[Node]] = {}
    for node in graph.nodes:
        if node.kind == "step":
            outputs.setdefault(node.step, []).append(node)
    open_: dict[int, int] = {}  # how many contributions are still to come
    steps = []
    for results in reversed(outputs.values()):
        if all(adjoints[n.number] is None for n in results) or results[0].held:
            continue
        active = _active(results[0], adjoints)
        steps.append((results, active))
        for k in active:
            open_[k] = open_.get(k, 0) + 1
    totals: dict[int, Any] = {}
    found: dict[int, list[Contribution]] = {}
    for results, active in steps:
        rules, added = _reverse_rule(results, active, names, values, adjoints)
        for k, rule, value in zip(active, rules, added, strict=True):
            first = k not in totals
            before = None if first else totals[k]
            known = value is not None and (first or before is not None)
            totals[k] = (value if first else before + value) if known else None
            open_[k] -= 1
            total = adjoints[k] if open_[k] == 0 and totals[k] is None else totals[k]
            row = next(n.number for n in results if n.number in names)
            partial = Partial(names[row], names[k])
            found.setdefault(row, []).append(
                Contribution(accented(names[k], "bar"), partial, rule, value, total, first)
            )
    return found


def _reverse_rule(
    results: list[Node],
    active: list[int],
    names: dict[int, Name],
    values: Sequence[Any],
    adjoints: Sequence[Any],
) -> tuple[list[Formula | None], list[Any]]:
    """Formula and value of what a step adds to each active operand."""
    unknown: list[Any] = [None] * len(active)
    if not _has_rule(results[0]) or not active:
        return unknown, unknown
    step = _step_of(results[0], active, names, values)

    def rule(seeds: Sequence[Any], given: Sequence[Any], others: Sequence[Any]) -> Any:
        pullback = tg.vjp(lambda *x: step(x, others), *given)[1]
        return list(pullback(seeds[0] if len(results) == 1 else tuple(seeds)))

    seeds = [
        adjoints[n.number] if adjoints[n.number] is not None else values[n.number] * 0.0
        for n in results
    ]
    bars = [accented(names.get(n.number, Name("unread")), "bar") for n in results]
    added = [_core.value(x) for x in rule(seeds, *step.given())]
    graph = record(rule, seeds, *step.given())
    if len(graph.outputs) != len(active):
        return unknown, added
    words = [*bars, *step.words()]
    return [_product(step.read(graph, k, words), bars) for k in graph.outputs], added


def _product(rule: Formula | None, bars: list[Name]) -> Formula | None:
    """A rule in which the adjoint alone appears as a product, as in the survey."""
    if rule is None:
        return None
    if rule in bars:
        return Applied("multiply", (rule, Number(1)))
    if isinstance(rule, Applied) and rule.op == "negative" and rule.operands[0] in bars:
        return Applied("multiply", (rule.operands[0], Number(-1)))
    return rule


def accented(name: Name, accent: str) -> Name:
    """The name of its adjoint ("bar") or tangent ("dot")."""
    return Name(name.letter, name.index, accent)
