"""Branches, loops and scans: operations with bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad.graph.nodes import Body, Graph, Node
from tapegrad.graph.operations import Operation
from tapegrad.transforms.scan import scan

if TYPE_CHECKING:
    from tapegrad.graph.emit import Emitter


class Branch(Operation):
    """One of two bodies, by a truth value: the other is not run. Its value is a tuple."""

    def __init__(self, condition: Node, if_true: Body, if_false: Body) -> None:
        self.condition = condition
        self.branches = (if_true, if_false)

    def inputs(self) -> Iterable[Node]:
        yield self.condition
        for body in self.branches:
            yield from outer_inputs(body)

    def bodies(self) -> Sequence[Body]:
        return self.branches

    def title(self) -> str:
        return "cond"

    def emit(self, to: Emitter, node: Node) -> None:
        changed = to.states_of(node)
        merged = to.new_versions(changed)
        for head, body in zip(
            (f"if {to.name(self.condition)}:", "else:"), self.branches, strict=True
        ):
            with to.block(head), to.versions_as_now():
                to.emit_nodes(body.outputs, body)
                to.write(f"{to.new_name(node)} = {to.template(body.outputs)}")
                to.write_versions(merged)
        to.set_versions(merged)
        to.bound(node)


class Loop(Operation):
    """`while condition(*values): values = body(*values)`. Its value is the tuple of them."""

    def __init__(self, start: Sequence[Node], condition: Body, body: Body) -> None:
        self.start = tuple(start)
        self.condition = condition
        self.body = body

    def inputs(self) -> Iterable[Node]:
        yield from self.start
        yield from outer_inputs(self.condition)
        yield from outer_inputs(self.body)

    def bodies(self) -> Sequence[Body]:
        return (self.condition, self.body)

    def title(self) -> str:
        return "while"

    def emit(self, to: Emitter, node: Node) -> None:
        merged = to.new_versions(to.states_of(node))
        to.write_versions(merged)
        to.set_versions(merged)
        values, turn = to.new_name(node), to.turn_of(node)
        to.write(f"{values} = ({''.join(to.name(x) + ', ' for x in self.start)})")
        with to.block("while True:", turn), to.versions_as_now():
            if turn:
                to.write(f"{turn} = {turn} + 1")
            for body in self.bodies():
                for k, parameter in enumerate(body.parameters):
                    to.bind(parameter, f"{values}[{k}]")
            to.emit_nodes(self.condition.outputs, self.condition)
            to.go_on()
            to.write(f"if not {to.name(self.condition.outputs[0])}: break")
            to.emit_nodes(self.body.outputs, self.body)
            to.write_versions(merged)
            to.write(f"{values} = {to.template(self.body.outputs)}")
        to.set_versions(merged)
        to.bound(node)


def outer_inputs(body: Body) -> Iterator[Node]:
    """What a body reads that was made outside of it."""
    seen: set[int] = set()
    todo = list(body.outputs)
    while todo:
        node = todo.pop()
        if node.index in seen:
            continue
        seen.add(node.index)
        if node.body is None or not node.body.is_within(body):
            yield node
        else:
            todo += [*node.inputs, *node.controls]


class Scan(Operation):
    """A step for each element of `sequences`, with a carry: `tg.scan`.

    The body's parameters are the carry, then an element of each sequence; its outputs the next
    carry, then what is stacked. Its value is the tuple of the last carry and of the stacks.
    `length` is a node or a number where there are no sequences. With `until` the last output is a
    condition: where it holds, the scan ends with that step.
    """

    def __init__(
        self,
        start: Sequence[Node],
        sequences: Sequence[Node],
        body: Body,
        length: Any = None,
        backwards: bool = False,
        until: bool = False,
    ) -> None:
        self.until = until
        self.start = tuple(start)
        self.sequences = tuple(sequences)
        self.body = body
        self.length = length
        self.backwards = backwards

    def inputs(self) -> Iterable[Node]:
        yield from self.start
        yield from self.sequences
        if isinstance(self.length, Node):
            yield self.length
        yield from outer_inputs(self.body)

    def bodies(self) -> Sequence[Body]:
        return (self.body,)

    def title(self) -> str:
        return "scan"

    def emit(self, to: Emitter, node: Node) -> None:
        if to.states_of(node):
            raise NotImplementedError(
                f"{node.described()}: a state is assigned to inside of a scan; carry its value, "
                "and assign what the scan ends with"
            )
        drawn = to.turn_of(node)
        turn = drawn or f"t{node.index}"
        step = f"step{node.index}"
        n = len(self.start)
        with to.block(f"def {step}({turn}, carry, xs):", drawn), to.versions_as_now():
            for k, parameter in enumerate(self.body.parameters):
                to.bind(parameter, f"carry[{k}]" if k < n else f"xs[{k - n}]")
            to.emit_nodes(self.body.outputs)
            outputs = self.body.outputs
            to.write(f"return {to.template(outputs[:n])}, {to.template(outputs[n:])}")
        run = to.function(scan_plainly if drawn or self.until else scan_recorded)
        start, sequences = to.template(self.start), to.template(self.sequences)
        rest = f"{to.template(self.length)}, {self.backwards}"
        rest += f", {self.until}" if self.until else ""
        to.bind(node, f"{run}({step}, {start}, {sequences}, {rest})")


def scan_recorded(
    step: Callable[..., Any], start: Any, sequences: Any, length: Any, backwards: bool
) -> Any:
    """The scan's value, by `tg.scan`."""

    def without_turn(carry: Any, xs: Any) -> Any:
        return step(0, carry, xs)

    n = None if length is None else int(length)
    if n == 0 or (sequences and min([len(x) for x in sequences]) == 0):
        return scan_plainly(step, start, sequences, length, backwards)
    xs = _shortened(sequences, n) if sequences else None
    last, ys = scan(without_turn, start, xs, n, reverse=backwards)
    return (*last, *ys)


def _shortened(sequences: Any, length: int | None) -> Any:
    """The sequences, all as long as the shortest, or as said."""
    lengths = [len(x) for x in sequences]
    n = min(lengths) if length is None else min(length, *lengths)
    return tuple([x if len(x) == n else x[:n] for x in sequences])


def scan_plainly(
    step: Callable[..., Any],
    start: Any,
    sequences: Any,
    length: Any,
    backwards: bool,
    until: bool = False,
) -> Any:
    """The same as a loop of Python."""
    if sequences:
        sequences = _shortened(sequences, None if length is None else int(length))
    n = len(sequences[0]) if sequences else int(length)
    carry, stacks = start, []
    for t in reversed(range(n)) if backwards else range(n):
        carry, ys = step(t, carry, tuple([x[t] for x in sequences]))
        stacks.append(ys)
        if until and ys[-1]:
            break
    if backwards:
        stacks.reverse()
    if not stacks:
        _, ys = step(0, carry, tuple([np.zeros(x.shape[1:], x.dtype) for x in sequences]))
        return (*carry, *[np.zeros((0, *np.shape(y))) for y in ys])
    return (*carry, *[np.stack(column) for column in zip(*stacks, strict=True)])


def make_body(graph: Graph, function: Callable[..., Any], parameters: Sequence[Node]) -> Body:
    """A body; `function()` makes its nodes and returns the nodes of its outputs, a tuple."""
    body = Body(graph.body)
    body.parameters = tuple(parameters)
    for parameter in parameters:
        parameter.body = body
    with graph.inside(body):
        body.outputs = tuple(function())
    return body
