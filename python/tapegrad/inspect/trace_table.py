"""The computation trace of a function as a table, as textbooks print it.

Forward, the value and the tangent of every step; in reverse, the adjoints with each contribution.
The layout is that of A. G. Baydin, B. A. Pearlmutter, A. A. Radul, J. M. Siskind, "Automatic
differentiation in machine learning: a survey", JMLR 18 (2018), Tables 2 and 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.inspect.graph import Node, RecordedGraph, record
from tapegrad.inspect.traces.formulas import Formula, Name, with_several_results
from tapegrad.inspect.traces.trace_layout import TraceTable
from tapegrad.inspect.traces.trace_rules import (
    Contribution,
    contributions_of,
    formula_of,
    tangent_rule,
)
from tapegrad.transforms.trace import check_callable

__all__ = ["Contribution", "TraceRow", "TraceTable", "trace_table"]


@dataclass(frozen=True, eq=False)
class TraceRow:
    """One value of the trace: an input, or the result of a step.

    `formula` is None for inputs. `adjoint` is None where the output does not depend on the value,
    `tangent` for integers and flags. `line` is the user's line.
    """

    name: Name
    label: Name | None
    formula: Formula | None
    value: Any
    tangent_rule: Formula | None
    tangent: Any
    adjoint: Any
    contributions: tuple[Contribution, ...]
    line: str


def trace_table(
    f: Callable[..., Any],
    *args: Any,
    mode: str = "reverse",
    wrt: int | str = 0,
    direction: Any = None,
    seed: Any = 1.0,
    digits: int = 6,
    limit: int = 200,
) -> TraceTable:
    """The computation trace of `f(*args)`, to print or to show in a notebook.

    `mode` is "forward" (values and tangents), "reverse" (values and adjoints) or "both". Tangents
    are derivatives by the input `wrt`, a number or the argument's name, in the `direction` given
    (ones). In reverse, `f` returns a scalar, or an array with a `seed` of its shape. Whole numbers
    beside floats stay what they are; alone they are taken as floats. Loops appear unrolled,
    `tg.scan` as one step. Tables of more than `limit` rows show both ends.

    The result prints as text; `to_markdown()`, `to_latex()` and notebooks give other forms. `value`
    is the function's, `partials` has the derivative by each input (None in mode "forward"),
    `tangent` the derivative along the direction (None in mode "reverse"), `rows` everything.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> table = tg.trace_table(lambda x1, x2: np.log(x1) + x1 * x2 - np.sin(x2), 2.0, 5.0)
    >>> table.value, table.partials
    (11.652071455223084, (5.5, 1.7163378145367738))
    """
    if mode not in ("forward", "reverse", "both"):
        raise ValueError(f"trace_table: mode is 'forward', 'reverse' or 'both', not {mode!r}")
    if limit < 4:
        raise ValueError(f"trace_table: limit is {limit}, and a table has at least 4 rows")
    check_callable("trace_table", f, "tg.trace_table(f, x)")
    if all(isinstance(x, int) and not isinstance(x, bool) for x in args):
        args = tuple(map(float, args))
    graph = record(f, *args)
    _check(graph, mode, seed)
    names, several = _names(graph), with_several_results(graph)
    end = graph.outputs[0]
    values, adjoints = graph.values(), [None] * len(graph.nodes)
    tangents: list[Any] = [None] * len(graph.nodes)
    chosen = _input(graph, wrt)
    if mode != "forward":
        values, adjoints = graph.values_and_adjoints(seed=seed)
    if mode != "reverse":
        tangents = _tangents(graph, chosen, direction)
    contributions = contributions_of(graph, names, values, adjoints) if mode != "forward" else {}
    rows = [
        TraceRow(
            name=names[node.number],
            label=_label(node) if node.kind != "step" else None,
            formula=formula_of(node, names, values, node.step in several),
            value=values[node.number],
            tangent_rule=tangent_rule(node, names, values, tangents),
            tangent=tangents[node.number],
            adjoint=adjoints[node.number],
            contributions=tuple(contributions.get(node.number, ())),
            line=node.line,
        )
        for node in graph.nodes
        if node.number in names
    ]
    inputs = graph.inputs
    return TraceTable(
        rows=tuple(rows),
        mode=mode,
        output=names[end],
        value=values[end],
        partials=tuple(adjoints[k] if adjoints[k] is not None else values[k] * 0.0 for k in inputs)
        if mode != "forward"
        else None,
        tangent=tangents[end] if mode != "reverse" else None,
        wrt=names[chosen],
        names={name: values[k] for k, name in names.items()},
        tangents={name: tangents[k] for k, name in names.items()},
        digits=digits,
        limit=limit,
    )


def _check(graph: RecordedGraph, mode: str, seed: Any) -> None:
    if not graph.inputs:
        raise TypeError(
            f"trace_table: no argument of {graph.name} is a float or an array of floats; "
            "write 2.0 where you wrote 2"
        )
    if len(graph.outputs) != 1:
        raise TypeError(
            f"trace_table: {graph.name} gives {len(graph.outputs)} arrays that depend on its "
            "arguments, and a trace ends in one; return one of them"
        )
    shape = graph.nodes[graph.outputs[0]].shape
    if mode != "forward" and shape != np.shape(seed):
        raise ValueError(
            f"trace_table: {graph.name} gives an array of shape {shape}, and the seed has shape "
            f"{np.shape(seed)}; return a scalar, or give seed=np.ones({shape})"
        )


def _names(graph: RecordedGraph) -> dict[int, Name]:
    """v-1, v0 for the inputs, v1 and on for steps, c1 and on for arrays read from outside.

    Results of steps with several that nothing reads have no name.
    """
    names, steps, captured = {}, 0, 0
    users = graph.users()
    several = with_several_results(graph)
    first = 1 - len(graph.inputs)
    for place, k in enumerate(graph.inputs):
        names[k] = Name("v", str(first + place))
    for node in graph.nodes:
        read_later = users[node.number] or node.number in graph.outputs
        if node.kind == "step" and (read_later or node.step not in several):
            steps += 1
            names[node.number] = Name("v", str(steps))
        elif node.kind == "captured":
            captured += 1
            names[node.number] = Name("c", str(captured))
    return names


def _label(node: Node) -> Name | None:
    """The argument's name."""
    if node.kind != "input":
        return None
    stem = node.name.rstrip("0123456789")
    if len(stem) == 1 and stem.isalpha():
        return Name(stem, node.name[1:])
    return Name(node.name)


def _input(graph: RecordedGraph, wrt: int | str) -> int:
    known = [graph.nodes[k].name for k in graph.inputs]
    if isinstance(wrt, str) and wrt in known:
        return graph.inputs[known.index(wrt)]
    if isinstance(wrt, int) and -len(known) <= wrt < len(known):
        return graph.inputs[wrt]
    raise ValueError(
        f"trace_table: wrt={wrt!r} names no input; there are {', '.join(known)}, "
        f"or 0 to {len(known) - 1}"
    )


def _tangents(graph: RecordedGraph, chosen: int, direction: Any) -> list[Any]:
    """The derivative of every value along the direction; None of integers and flags."""
    directions = [np.zeros_like(x) if np.ndim(x) else 0.0 for x in graph.arguments]
    place = graph.inputs.index(chosen)
    shape = np.shape(graph.arguments[place])
    if direction is not None and np.shape(direction) != shape:
        raise ValueError(
            f"trace_table: the direction has shape {np.shape(direction)}, and the input "
            f"{graph.nodes[chosen].name} has shape {shape}"
        )
    given = np.ones(shape) if direction is None else direction
    like = np.asarray(graph.arguments[place])
    directions[place] = np.asarray(given, like.dtype) if like.ndim else float(given)
    result: list[Any] = [None] * len(graph.nodes)
    with _core.Scope() as scope:
        entered = [scope.argument(x) for x in graph.arguments]
        found = _core.replay_values(graph.recording, entered)
        places = [
            node.number
            for node in graph.nodes
            if node.dtype.startswith("float") and _core.is_variable(found[node.number])
        ]
        swept = scope.jvp([found[k] for k in places], entered, directions)
        for k, tangent in zip(places, swept, strict=True):
            result[k] = _core.value(tangent)
    return result
