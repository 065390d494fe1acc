"""One Python function for a set of nodes: the text that `tg.compile` is given.

Nodes are written in the order of their numbers, those that change a state (or come after one that
does) last. Each write of a state is a new name, a *version*: a node sees the last of those that it
comes after, by what it reads or by a control dependency, and else the value from before the run.

A gradient is a function of its own inside the text, to which `tg.grad` is applied: nodes between
what is differentiated and what it is differentiated by are written in there, all others outside.
Where nodes of the inside are needed outside too they are written twice; the compiled program
computes them once.
"""

from __future__ import annotations

import keyword
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import numpy as np

from tapegrad.graph.nodes import Body, Node
from tapegrad.graph.operations import Assign, Gradients, Operation, State, Template
from tapegrad.graph.ways import between, has_effects, in_order, nodes_within
from tapegrad.transforms.gradients import grad

_PLAIN = (bool, int, str, type(None))


class MissingFeedError(Exception):
    """A placeholder that is needed has no value. `node` is that placeholder."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.node = node


class Emitter:
    """Writes statements. `lines` and `sources` are the text, and the node of each line.

    `view` says of nodes, by number, that another operation is run in place of theirs.
    """

    def __init__(self, view: Mapping[int, Operation] | None = None) -> None:
        self.view = view or {}
        self.lines: list[str] = []
        self.sources: list[Node | None] = []
        self.namespace: dict[str, Any] = {}
        self.read: dict[int, Node] = {}  # the states whose value from before the run is read
        self.states: dict[int, Node] = {}  # those that are written
        self.written: dict[int, str] = {}  # the last version, where there is another than the first
        self.draws: list[tuple[str, Node]] = []
        self.kept: list[
            str
        ] = []  # what the user's functions gave: they are called for what they do
        self._known: dict[int, tuple[str, Any]] = {}  # by id: the global, and what keeps it alive
        self._names: dict[int, str] = {}
        self._versions: dict[int, str] = {}  # what the node that is being written sees of states
        self._after: dict[int, dict[int, str]] = {}  # what those see that come after a node
        self._order: dict[str, int] = {}  # of writes, by version
        self._versions_at: dict[int, dict[int, str]] = {}
        self._parameters: dict[int, str] = {}  # of the functions around
        self._reads: dict[int, list[Node]] = {}
        self._turns: tuple[str, ...] = ()
        self._indent = 1
        self._counter = 0
        self._now: Node | None = None

    # What operations use.

    def name(self, node: Node) -> str:
        """The name of a value that was written before; of a state, what it holds at this place."""
        found = self._names.get(node.index)
        if found is None and isinstance(node.operation, State):
            return self.state_now(node)
        return self._names[node.index]

    def template(self, x: Template) -> str:
        """A nesting of nodes and plain values, as an expression."""
        if isinstance(x, Node):
            return self.name(x)
        if type(x) is tuple:
            return f"({''.join(self.template(e) + ', ' for e in x)})"
        if type(x) is list:
            return f"[{', '.join(map(self.template, x))}]"
        if type(x) is dict:
            return f"{{{', '.join(f'{k!r}: {self.template(e)}' for k, e in x.items())}}}"
        if type(x) is slice:
            return f"slice({', '.join(map(self.template, (x.start, x.stop, x.step)))})"
        return self.plain(x)

    def plain(self, x: Any) -> str:
        """A plain value as an expression: a literal, or a global."""
        if type(x) in _PLAIN or (type(x) is float and math.isfinite(x)):
            return repr(x)
        if x is Ellipsis:
            return "..."
        return self.function(x)

    def function(self, x: Any) -> str:
        """The global that holds a function, or any other object.

        Functions of NumPy and of this package are held by their `__call__`, at which a compiled
        function need not look again at each call: nobody changes those.
        """
        found = self._known.get(id(x))
        if found is None:
            stem = re.sub(r"\W", "_", getattr(x, "__name__", "") or type(x).__name__).strip("_")
            taken = stem in self.namespace or keyword.iskeyword(stem) or not stem.isidentifier()
            name = f"{stem}_{len(self.namespace)}" if taken else stem
            self.namespace[name] = x.__call__ if _is_of_library(x) else x
            found = self._known[id(x)] = name, x
        return found[0]

    def new_name(self, node: Node) -> str:
        """The name that the node's value gets."""
        return f"v{node.index}"

    def bind(self, node: Node, expression: str) -> None:
        """Writes `name = expression`."""
        self.write(f"{self.new_name(node)} = {expression}")
        self.bound(node)

    def bound(self, node: Node) -> None:
        """The node's name is bound from here on."""
        self._names[node.index] = self.new_name(node)
        if self.operation_of(node).foreign and self._indent == 1:
            self.kept.append(self.new_name(node))

    def write(self, line: str) -> None:
        """Adds a line, at the present depth."""
        self.lines.append("    " * self._indent + line)
        self.sources.append(self._now)

    @contextmanager
    def block(self, head: str, turn: str = "") -> Iterator[None]:
        """Lines inside are those of a statement; names that are bound there end with it."""
        self.write(head)
        names, turns = dict(self._names), self._turns
        self._indent += 1
        self._turns = (*turns, turn) if turn else turns
        try:
            yield
        finally:
            self._indent -= 1
            self._names, self._turns = names, turns

    def feed(self, node: Node, name: str) -> None:
        """The node's value comes from outside, under this name."""
        self._names[node.index] = name
        if isinstance(node.operation, State):
            self._versions[node.index] = name

    def missing(self, node: Node) -> None:
        """A placeholder that nobody gave a value."""
        raise MissingFeedError(node)

    # States.

    def state_now(self, state: Node) -> str:
        """The name of what a state holds at this place."""
        found = self._versions.get(state.index)
        if found is None:
            self.read[state.index] = state
            return f"s{state.index}"
        return found

    def assign_state(self, state: Node, name: str) -> None:
        """The state holds what is bound to `name`, for nodes that come after this one."""
        self.states[state.index] = state
        self._versions = {**self._versions, state.index: name}
        self._order[name] = len(self._order) + 1
        self.written[state.index] = name

    def states_of(self, node: Node) -> list[Node]:
        """The states that bodies of a node write."""
        found: dict[int, Node] = {}
        for body in node.operation.bodies():
            for inner in nodes_within(body):
                if isinstance(inner.operation, Assign):
                    found[inner.operation.state.index] = inner.operation.state
        return list(found.values())

    def new_versions(self, states: Sequence[Node]) -> dict[int, tuple[Node, str]]:
        """Names for what states hold after a branch or a loop."""
        made = {}
        for state in states:
            self._counter += 1
            made[state.index] = state, f"s{state.index}_{self._counter}"
        return made

    def write_versions(self, merged: Mapping[int, tuple[Node, str]]) -> None:
        """Binds these names to what the states hold at the end of the block."""
        for state, name in merged.values():
            self.write(f"{name} = {self.written.get(state.index) or self.state_now(state)}")

    def set_versions(self, merged: Mapping[int, tuple[Node, str]]) -> None:
        """From here on states hold what is bound to these names."""
        for state, name in merged.values():
            self.assign_state(state, name)

    def go_on(self) -> None:
        """What is written next in this block sees what was written so far."""
        self._versions = {**self._versions, **self.written}

    @contextmanager
    def versions_as_now(self) -> Iterator[None]:
        """After the block states are where they are now."""
        before, written = dict(self._versions), dict(self.written)
        try:
            yield
        finally:
            self._versions, self.written = before, written

    # Random numbers.

    def drawing(self, node: Node) -> str:
        """The global that draws the node's numbers, with what its calls begin with."""
        name = f"draw{node.index}"
        if name not in self.namespace:
            self.namespace[name] = None  # the plan puts the generator there
            self.draws.append((name, node))
        return name

    def turn_of(self, node: Node) -> str:
        """The name that counts a loop's turns, where random numbers are drawn in it; '' else."""
        bodies = node.operation.bodies()
        if not any(n.operation.draws for body in bodies for n in nodes_within(body)):
            return ""
        name = f"t{node.index}"
        self.write(f"{name} = 0")
        return name

    def turns(self) -> str:
        """The numbers of the turns of all loops around."""
        return f"({''.join(t + ', ' for t in self._turns)})"

    # Nodes.

    def emit_nodes(self, targets: Iterable[Node], _: Body | None = None) -> None:
        """Writes what is needed for `targets` and is not there yet."""
        found: dict[int, Node] = {}
        todo = list(targets)
        while todo:
            node = todo.pop()
            if node.index not in found and node.index not in self._names:
                found[node.index] = node
                todo += self.reads(node)
        order = in_order(found, self.view)
        late = self._late(found, order)
        for index in [*(i for i in order if i not in late), *(i for i in order if i in late)]:
            self._emit(found[index])

    def reads(self, node: Node) -> list[Node]:
        """The nodes that are to be written before this one."""
        found = self._reads.get(node.index)
        if found is None:
            found = self._reads[node.index] = self._find_reads(node)
        return found

    def operation_of(self, node: Node) -> Operation:
        """What is run for a node."""
        return self.view.get(node.index, node.operation)

    def _find_reads(self, node: Node) -> list[Node]:
        operation = self.operation_of(node)
        differentiated = operation.differentiated()
        if differentiated is None:
            return [*operation.reads_first(), *node.controls]
        ys, xs, others = differentiated
        inner = between(ys, xs, operation.stops, self.view)
        ends = inner.keys() | {x.index for x in xs}
        edge = [n for i in inner.values() for n in self.reads(i) if n.index not in ends]
        apart = [y for y in ys if y.index not in ends]
        twice = [n for n in inner.values() if has_effects(n)]  # inside for its derivative alone
        return [*(() if operation.binds else xs), *others, *edge, *apart, *twice, *node.controls]

    def _late(self, found: Mapping[int, Node], order: Iterable[int]) -> set[int]:
        """The nodes that change a state, and those that come after such."""
        late: set[int] = set()
        for index in order:
            node = found[index]
            if has_effects(node) or any(n.index in late for n in self.reads(node)):
                late.add(index)
        return late

    def _emit(self, node: Node, versions: dict[int, str] | None = None) -> None:
        if node.index in self._names:
            return
        outer, before = self._versions, self._now
        self._versions = self._visible(node) if versions is None else versions
        self._now = node
        try:
            if not self._parameters:
                self._versions_at.setdefault(node.index, self._versions)
            self.operation_of(node).emit(self, node)
            if self._versions is not outer:
                self._after[node.index] = self._versions
        finally:
            self._versions, self._now = outer, before

    def _visible(self, node: Node) -> dict[int, str]:
        """What a node sees of states: the last writes that it comes after."""
        found = self._versions
        for other in self.reads(node):
            for state, name in self._after.get(other.index, {}).items():
                if self._order.get(name, 0) > self._order.get(found.get(state, ""), 0):
                    found = {**found, state: name}
        return found

    def emit_function(
        self, xs: Sequence[Node], ys: Sequence[Node], result: Any, stops: Sequence[Node] = ()
    ) -> str:
        """Writes `result` as a function of `xs`; returns the function's name.

        `result` is an expression, or is called when all of `ys` are written.
        """
        inner = between(ys, xs, stops, self.view)
        self._counter += 1
        name = f"f{self._counter}"
        parameters = {x.index: f"x{x.index}" for x in xs}
        outer, before = self._parameters, dict(self._versions)
        head = f"def {name}({', '.join(parameters.values())}):"
        with self.block(head), self.versions_as_now():
            self._parameters = {**outer, **parameters}
            for index in inner:
                self._names.pop(index, None)
            self._names.update(parameters)
            for index in in_order(inner, self.view):
                at = self._versions_at.get(index, before)
                self._emit(inner[index], {**at, **self._parameters})
            self._versions = {**before, **self._parameters}
            self.write(f"return {result()}")
        self._parameters = outer
        return name

    def emit_gradients(self, operation: Gradients, node: Node) -> None:
        """Writes a function and its gradient."""

        def total() -> str:
            pairs = [
                f"({self.name(y)}, {'None' if s is None else self.name(s)})"
                for y, s in zip(operation.ys, operation.seeds, strict=True)
            ]
            return f"{self.function(sum_of_products)}({', '.join(pairs)})"

        name = self.emit_function(operation.xs, operation.ys, total, operation.stops)
        positions = tuple(range(len(operation.xs)))
        given = ", ".join(self.name(x) for x in operation.xs)
        self.bind(node, f"{self.function(gradient_of)}({name}, {positions})({given})")


def gradient_of(f: Callable[..., Any], positions: tuple[int, ...]) -> Callable[..., Any]:
    """`tg.grad`, without the warning of a zero: a branch that is not taken gives none."""
    found = grad(f, positions)

    def gradient(*args: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not depend on the differentiated")
            return found(*args)

    return gradient


def _is_of_library(x: Any) -> bool:
    """Whether it is a function of NumPy or of this package, which holds nothing of a user's."""
    module = getattr(x, "__module__", None)
    return (
        isinstance(x, FunctionType | _Dispatcher)
        and isinstance(module, str)
        and (module.startswith(("tapegrad.", "numpy")) and ".random" not in module)
        and getattr(x, "__closure__", None) is None
    )


_Dispatcher: type[Any] = type(np.sum)


def sum_of_products(*pairs: tuple[Any, Any]) -> Any:
    """The sum of all y * seed, over all elements; a seed None is one."""
    total = None
    for y, seed in pairs:
        term = np.sum(y if seed is None else y * seed)
        total = term if total is None else total + term
    return total
