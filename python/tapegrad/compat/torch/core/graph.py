"""What PyTorch knows of a graph beside its derivatives: names, versions, what was freed.

The core records and differentiates. A `Node` stands beside each recorded tensor, for what users ask
of a graph: its `grad_fn`, whether an input was used, which leaf takes a gradient, whether a saved
tensor was overwritten since (and on which line), whether the graph was given up by a sweep.

Invariant: a walk from a node reaches every leaf that the core's sweep reaches.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

# What an operation keeps for its derivative, as PyTorch's does: nothing, all operands, those that
# meet another one which takes a gradient, its result, or only a choice (indices, a mask).
NOTHING, INPUTS, OTHERS, RESULT, CHOICE = range(5)

_PACKAGE = __name__.rpartition(".core")[0]

FREED = (
    "backward: the graph is gone through a second time, and what it had saved was given up after "
    "the first: write y.backward(retain_graph=True) the first time, or compute y anew"
)


class Store:
    """Shared by all tensors that show the same memory: how often, and where, it was written."""

    __slots__ = ("version", "where", "written")

    def __init__(self) -> None:
        self.version = 0
        self.where = ""
        self.written: Node | None = None  # the last recorded write


class Node:
    """An operation's place in the graph: `tensor.grad_fn`."""

    __slots__ = ("__weakref__", "_name", "freed", "inputs", "leaf", "mark", "saved", "used")

    def __init__(self, name: str, inputs: tuple[Node, ...], saved: tuple[Any, ...] = ()) -> None:
        self._name = name
        self.inputs = inputs
        self.saved = saved  # (store, its version then, shape, dtype)
        self.leaf: Any = None
        self.freed = False
        self.used = False  # by another node
        for node in inputs:
            node.used = True
        self.mark = 0

    def name(self) -> str:
        """PyTorch's name of the operation."""
        return self._name

    @property
    def next_functions(self) -> tuple[tuple[Node, int], ...]:
        """The nodes of the inputs."""
        return tuple((n, 0) for n in self.inputs)

    @property
    def variable(self) -> Any:
        """The leaf that a gradient is added to."""
        return self.leaf() if self.leaf is not None else None

    def __repr__(self) -> str:
        return f"<{self._name} object at {id(self):#x}>"


def leaf_node(t: Any) -> Node:
    """The node of a leaf: where its gradient is added."""
    node = Node("AccumulateGrad", ())
    node.leaf = weakref.ref(t)
    return node


_walks = [0]


FOREIGN = "VariableBackward0"  # a Variable that is no tensor's: the core alone knows its leaves
DERIVATIVE = "DerivativeBackward0"  # of a recorded sweep: its inputs are the whole graph it swept


def walk(roots: list[Node], through_derivatives: bool = True) -> list[Node]:
    """The nodes that are reached from `roots`."""
    _walks[0] = mark = _walks[0] + 1
    stack, found = list(roots), []
    while stack:
        node = stack.pop()
        if node.mark != mark:
            node.mark = mark
            found.append(node)
            if through_derivatives or node._name != DERIVATIVE:
                stack.extend(node.inputs)
    return found


def check_and_free(nodes: list[Node], keep: bool) -> None:
    """Raises where something saved is gone or was overwritten; else gives the graph up."""
    for node in nodes:
        if node.freed:
            raise RuntimeError(FREED)
        for store, version, shape, dtype in node.saved:
            if store.version != version:
                raise RuntimeError(
                    "backward: a tensor that the derivative needs was changed in-place: "
                    f"{node._name} saved it, of {dtype} and shape {list(shape)}, at version "
                    f"{version}, and it is at version {store.version} now. It was changed last "
                    f"by {store.where}. Write the change out of place (x = x + 1 for x += 1), "
                    "change a clone(), or change it after backward()"
                )
    if not keep:
        for node in nodes:
            if node.saved:
                node.freed = True


def callers_line() -> str:
    """Where the user's code called into this package."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
