"""`theano.scan` and what is made of it: loops as expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tapegrad.compat.theano.updates import OrderedUpdates
from tapegrad.compat.theano.variables import as_tensor_variable, graph
from tapegrad.graph import control
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Operation, Parameter, item


class until:  # noqa: N801 - Theano's name
    """A condition, returned last by a step: where it holds the loop ends with that step."""

    def __init__(self, condition: Any) -> None:
        self.condition = condition


class _Output:
    """What one output starts with, and which of its former values a step gets."""

    def __init__(self, info: Any) -> None:
        self.taps: list[int] = []
        self.start: list[Any] = []
        if info is None:
            return
        if isinstance(info, Mapping):
            initial = info.get("initial")
            self.taps = list(info.get("taps", [-1]))
            if initial is None:
                return
        else:
            initial, self.taps = info, [-1]
        if any(tap >= 0 for tap in self.taps):
            raise ValueError(f"scan: taps of outputs are negative, and are {self.taps}")
        initial = as_tensor_variable(initial)
        oldest = -min(self.taps)
        # With one tap of -1 the initial value is the one before the first; else a row for each.
        self.start = [initial] if self.taps == [-1] else [initial[k] for k in range(oldest)]

    def given(self, window: list[Any]) -> list[Any]:
        """The values of the taps, of the last values, oldest first."""
        return [window[len(window) + tap] for tap in self.taps] if self.start else []


def _sequence_parts(info: Any) -> list[Any]:
    """A sequence for each tap: position t of it is what step t gets."""
    if not isinstance(info, Mapping):
        return [as_tensor_variable(info)]
    whole = as_tensor_variable(info["input"])
    taps = list(info.get("taps", [0]))
    low, high = min([*taps, 0]), max([*taps, 0])
    return [whole[tap - low : (tap - high) or None] for tap in taps]


def _list(x: Any) -> list[Any]:
    if x is None:
        return []
    return list(x) if isinstance(x, list | tuple) else [x]


def scan(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    n_steps: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
    profile: bool = False,
    allow_gc: Any = None,
    strict: bool = False,
) -> Any:
    """Outputs of all steps of `fn`, stacked, and updates.

    A step gets an element of each sequence, the former values of each output, and
    `non_sequences`; it returns the outputs, and perhaps updates (of which none may be left: what a
    step changes is carried) and `until(condition)`.
    """
    if truncate_gradient != -1:
        raise NotImplementedError(
            "scan: truncate_gradient is not there; theano.gradient.disconnected_grad cuts"
        )
    parts = [part for info in _list(sequences) for part in _sequence_parts(info)]
    if go_backwards:
        parts = [part[::-1] for part in parts]
    if not parts and n_steps is None:
        raise ValueError("scan: n_steps says how many steps there are where no sequence does")
    infos = _list(outputs_info)
    outputs = [_Output(info) for info in infos]
    start = [x for output in outputs for x in output.start]
    given = [graph.node(Parameter(x), "scan_carry") for x in start]
    given += [graph.node(Parameter(x, _first), "scan_element") for x in parts]
    conditions: list[Any] = []
    counts: list[int] = []

    def step() -> list[Any]:
        carry, elements = given[: len(start)], given[len(start) :]
        windows, at = [], 0
        for output in outputs:
            windows.append(carry[at : at + len(output.start)])
            at += len(output.start)
        taps = [x for o, window in zip(outputs, windows, strict=True) for x in o.given(window)]
        found, condition = _returned(fn(*elements, *taps, *_list(non_sequences)))
        if outputs and len(found) != len(outputs):
            raise ValueError(
                f"scan: fn returns {len(found)} outputs and outputs_info has {len(outputs)}"
            )
        conditions.extend(condition)
        counts.append(len(found))
        carried = [
            x
            for window, new in zip(windows, found, strict=False)
            if window
            for x in (*window[1:], new)
        ]
        return [*carried, *found, *condition]

    body = control.make_body(graph, step, given)
    operation = control.Scan(start, parts, body, n_steps, until=bool(conditions))
    node = graph.node(operation, name)
    found = [item(node, len(start) + k) for k in range(counts[0])]
    return (found[0] if len(found) == 1 else found), OrderedUpdates()


def _returned(x: Any) -> tuple[list[Any], list[Any]]:
    parts = list(x) if isinstance(x, tuple | list) else [x]
    condition, updates, found = [], [], []
    for part in parts:
        if isinstance(part, until):
            condition.append(as_tensor_variable(part.condition))
        elif isinstance(part, Mapping):
            updates.append(part)
        elif isinstance(part, list | tuple):
            more = list(part)
            if more and all(isinstance(e, tuple) and len(e) == 2 for e in more):
                updates.append(dict(more))
            else:
                found += more
        else:
            found.append(part)
    if any(updates):
        raise NotImplementedError(
            "scan: a step returns updates of shared variables; carry the value as an output with "
            "outputs_info, and update with the last one"
        )
    return [as_tensor_variable(p) for p in found], condition


def _first(x: Any) -> Any:
    return x[0]


def map(
    fn: Callable[..., Any],
    sequences: Any,
    non_sequences: Any = None,
    go_backwards: bool = False,
    name: str | None = None,
    **_: Any,
) -> Any:
    """`fn` of each element, stacked."""
    return scan(fn, sequences, None, non_sequences, None, -1, go_backwards, name=name)


def reduce(
    fn: Callable[..., Any],
    sequences: Any,
    outputs_info: Any,
    non_sequences: Any = None,
    go_backwards: bool = False,
    name: str | None = None,
    **_: Any,
) -> Any:
    """The last value of a carried output."""
    found, updates = scan(
        fn, sequences, outputs_info, non_sequences, None, -1, go_backwards, name=name
    )
    last = [x[-1] for x in found] if isinstance(found, list) else found[-1]
    return last, updates


def foldl(fn: Callable[..., Any], sequences: Any, outputs_info: Any, *rest: Any, **_: Any) -> Any:
    """`reduce` from the first element to the last."""
    return reduce(fn, sequences, outputs_info, *rest)


def foldr(
    fn: Callable[..., Any], sequences: Any, outputs_info: Any, non_sequences: Any = None, **_: Any
) -> Any:
    """`reduce` from the last element to the first."""
    return reduce(fn, sequences, outputs_info, non_sequences, True)


class IfElse(Operation):
    """One of two expressions: what the other needs alone is not computed."""

    def __init__(self, condition: Node, a: Node, b: Node) -> None:
        self.condition = condition
        self.either = (a, b)

    def inputs(self) -> Any:
        return (self.condition, *self.either)

    def reads_first(self) -> Any:
        return (self.condition,)

    def title(self) -> str:
        return "if"

    def emit(self, to: Any, node: Node) -> None:
        heads = (f"if {to.name(self.condition)}:", "else:")
        for head, x in zip(heads, self.either, strict=True):
            with to.block(head):
                to.emit_nodes([x])
                to.write(f"{to.new_name(node)} = {to.name(x)}")
        to.bound(node)


def ifelse(condition: Any, then_branch: Any, else_branch: Any, name: str | None = None) -> Any:
    """One of two expressions, or of two lists of them."""
    if isinstance(then_branch, list | tuple):
        pairs = zip(then_branch, else_branch, strict=True)
        return [ifelse(condition, a, b) for a, b in pairs]
    if not isinstance(condition, Node):
        return then_branch if condition else else_branch
    a, b = as_tensor_variable(then_branch), as_tensor_variable(else_branch)
    return graph.node(IfElse(condition, a, b), name)


__all__ = ["foldl", "foldr", "ifelse", "map", "reduce", "scan", "until"]
