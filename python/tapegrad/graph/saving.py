"""Graphs as bytes: nodes one after the other, whatever the length of their chains."""

from __future__ import annotations

import io
import pickle
import sys
from typing import Any

from tapegrad.graph.nodes import Graph, Node


class NotSavableError(ValueError):
    """A function in the graph can't be named, so that another process would find it."""


class _Pickler(pickle.Pickler):
    """Nodes are written by number; functions of tensors by the name of what was made of them."""

    def __init__(self, file: Any, graph: Graph) -> None:
        super().__init__(file, protocol=4)
        self._graph = graph

    def persistent_id(self, x: Any) -> Any:
        if isinstance(x, Node):
            return "node", x.index
        if x is self._graph:
            return ("graph",)
        name: Any = getattr(x, "__qualname__", None)
        module = getattr(x, "__module__", None)
        if callable(x) and isinstance(name, str) and isinstance(module, str):
            found = getattr(sys.modules.get(module), name, None)
            if found is not x and getattr(found, "numeric", None) is x:
                return "numeric", module, name
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, graph: Graph, nodes: list[Node]) -> None:
        super().__init__(file)
        self._graph = graph
        self._nodes = nodes

    def persistent_load(self, pid: Any) -> Any:
        kind, *rest = pid
        if kind == "node":
            return self._nodes[rest[0]]
        if kind == "graph":
            return self._graph
        __import__(rest[0])
        return getattr(sys.modules[rest[0]], rest[1]).numeric


# What of a graph is about its making alone.
_OWN = ("nodes", "_lock", "make", "_controls", "body")
_OF_NODES = ("graph", "index", "samples")


def dumps(graph: Graph) -> bytes:
    """A graph as bytes.

    Raises:
        NotSavableError: A function in it (a lambda, say) has no name in a module.
    """
    file = io.BytesIO()
    try:
        rest = {k: v for k, v in vars(graph).items() if k not in _OWN}
        kinds = [type(node) for node in graph.nodes]
        _Pickler(file, graph).dump(kinds)
        for node in graph.nodes:
            state = {k: v for k, v in vars(node).items() if k not in _OF_NODES}
            _Pickler(file, graph).dump(state)
        _Pickler(file, graph).dump(rest)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotSavableError(
            f"the graph can't be saved: {error}; functions in it must be ones of a module, by name"
        ) from error
    return file.getvalue()


def loads_into(data: bytes, graph: Graph) -> None:
    """Fills an empty graph with one that was saved."""
    file = io.BytesIO(data)
    nodes: list[Node] = []

    def load() -> Any:
        return _Unpickler(file, graph, nodes).load()

    for index, kind in enumerate(load()):
        node = object.__new__(kind)
        node.graph, node.index, node.samples = graph, index, {}
        nodes.append(node)
    for node in nodes:
        vars(node).update(load())
    graph.nodes[:] = nodes
    vars(graph).update(load())
