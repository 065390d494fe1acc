"""Deferred expressions: nodes of a graph, and where the user made them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapegrad.graph.operations import Operation

_PACKAGE = str(Path(__file__).resolve().parents[1])


def users_line() -> str:
    """The file and line, outside of this package, that is being run."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return "unknown line" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


class Body:
    """The inside of a branch or a loop: nodes that are run where it is, and nowhere else.

    `parameters` are what changes from one turn of a loop to the next, `outputs` what the body
    gives.
    """

    def __init__(self, owner: Body | None) -> None:
        self.owner = owner
        self.parameters: tuple[Node, ...] = ()
        self.outputs: tuple[Node, ...] = ()

    def is_within(self, other: Body | None) -> bool:
        """Whether this body is `other`, or lies in it; None is the graph itself."""
        here: Body | None = self
        while here is not None:
            if here is other:
                return True
            here = here.owner
        return other is None


class Node:
    """One application of an operation: computed when it is asked for, and not before.

    `inputs` are the nodes whose values it reads, `controls` those that are to be run before it
    though it reads nothing of theirs. Nodes of a graph are numbered as they are made, and a node is
    made after what it reads: the order of numbers is an order in which they can be run.
    """

    def __init__(self, graph: Graph, operation: Operation, name: str) -> None:
        self.graph = graph
        self.operation = operation
        self.inputs: tuple[Node, ...] = tuple(operation.inputs())
        self.where = users_line()
        self.body = graph.body
        self.controls: tuple[Node, ...] = graph.controls_now()
        self.label = name
        self.samples: dict[int, Any] = {}  # see `shapes.py`
        self.index = graph.add(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label!r}>"

    def described(self) -> str:
        """The node and the line that made it, for messages."""
        return f"{self.shown()!r}, made at {self.where}"

    def shown(self) -> str:
        """The name in messages and prints."""
        return self.label


class Graph:
    """All nodes that were made while it was the default graph.

    `make` is the class of the nodes, so that a layer of names may give them its own methods. With
    `keeps=False` the graph doesn't hold its nodes: they go when nobody else does.
    """

    def __init__(
        self, make: Callable[[Graph, Operation, str], Node] = Node, keeps: bool = True
    ) -> None:
        self.make = make
        self._keeps = keeps
        self._count = 0
        self.nodes: list[Node] = []
        self.names: dict[str, Node] = {}
        self.seed: int | None = None
        self.collections: dict[str, list[Any]] = {}
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._scope = ""
        self._controls: tuple[Node, ...] = ()
        self.body: Body | None = None

    def add(self, node: Node) -> int:
        """Numbers a new node."""
        with self._lock:
            if self._keeps:
                self.nodes.append(node)
                self.names[node.label] = node
            self._count += 1
            return self._count - 1

    def node(self, operation: Operation, name: str | None = None) -> Any:
        """A new node for an operation."""
        return self.make(self, operation, self.unique_name(name or operation.title()))

    def unique_name(self, name: str) -> str:
        """The name within the scope that is open, with a number if it is taken.

        A name that ends in a slash is a whole name already.
        """
        full = self._scope + name
        if name.endswith("/"):  # a whole name; a scope of that name doesn't take it
            full = name.rstrip("/")
            if full not in self.names:
                self._counts[full] = max(self._counts.get(full, 0), 1)
                return full
        count = self._counts.get(full, 0)
        self._counts[full] = count + 1
        if not count:
            return full
        found = f"{full}_{count}"
        while found in self._counts:
            count += 1
            found = f"{full}_{count}"
        self._counts[full] = count + 1
        self._counts[found] = 1
        return found

    @property
    def scope(self) -> str:
        """The name scope that is open, '' or ending in a slash."""
        return self._scope

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Names of nodes made inside begin with `name/`."""
        before = self._scope
        if not name:
            self._scope = ""
        elif name.endswith("/"):
            self._scope = name
        else:
            self._scope = self.unique_name(name) + "/"
        try:
            yield self._scope
        finally:
            self._scope = before

    @contextmanager
    def control_dependencies(self, nodes: Iterable[Node] | None) -> Iterator[None]:
        """Nodes made inside are run after these; None forgets those of outer contexts."""
        before = self._controls
        self._controls = () if nodes is None else (*before, *nodes)
        try:
            yield
        finally:
            self._controls = before

    def controls_now(self) -> tuple[Node, ...]:
        """What a node that is made now is to be run after."""
        return self._controls

    @contextmanager
    def inside(self, body: Body | None) -> Iterator[None]:
        """Nodes made inside belong to the body, or to the graph itself."""
        before, controls = self.body, self._controls
        self.body, self._controls = body, ()
        try:
            yield
        finally:
            self.body, self._controls = before, controls
