"""Ways through a graph: what lies between nodes, what bodies hold, in which order nodes run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tapegrad.graph.nodes import Body, Node
from tapegrad.graph.operations import Operation


def inputs_of(node: Node, view: Mapping[int, Operation]) -> Iterable[Node]:
    """What a node reads, by the operation that is run for it."""
    other = view.get(node.index)
    return node.inputs if other is None else tuple(other.inputs())


def between(
    ys: Iterable[Node],
    xs: Iterable[Node],
    stops: Iterable[Node] = (),
    view: Mapping[int, Operation] | None = None,
) -> dict[int, Node]:
    """The nodes on the ways from `xs` to `ys`, without `xs`, on which derivatives are.

    None of them goes through `stops`.
    """
    view = view or {}
    ends = {x.index for x in xs}
    closed = {x.index for x in stops}
    above: dict[int, Node] = {}

    def passes(node: Node) -> bool:
        return node.index not in closed and not view.get(node.index, node.operation).cuts

    todo = list(ys)
    while todo:
        node = todo.pop()
        if node.index not in above and node.index not in ends:
            above[node.index] = node
            if passes(node):
                todo += inputs_of(node, view)
    found: dict[int, Node] = {}
    for index in in_order(above, view):
        node = above[index]
        if passes(node) and any(i.index in ends or i.index in found for i in inputs_of(node, view)):
            found[index] = node
    return found


def in_order(nodes: Mapping[int, Node], view: Mapping[int, Operation]) -> list[int]:
    """Numbers in an order in which the nodes can be run: ascending, unless the view differs."""
    if not view:
        return sorted(nodes)
    done: dict[int, None] = {}
    for start in sorted(nodes):
        todo = [start]
        while todo:
            index = todo[-1]
            rest = [
                n.index
                for n in inputs_of(nodes[index], view)
                if n.index in nodes and n.index not in done
            ]
            if rest and index not in done:
                todo += rest
            else:
                done[todo.pop()] = None
    return list(done)


def nodes_within(body: Body) -> Iterator[Node]:
    """The nodes that belong to a body, and to bodies in it."""
    seen: set[int] = set()
    todo = list(body.outputs)
    while todo:
        node = todo.pop()
        if node.index in seen or node.body is None or not node.body.is_within(body):
            continue
        seen.add(node.index)
        yield node
        todo += [*node.inputs, *node.controls]
        todo += [out for inner in node.operation.bodies() for out in inner.outputs]


def has_effects(node: Node) -> bool:
    """Whether running the node changes a state."""
    return node.operation.effects or any(
        inner.operation.effects for body in node.operation.bodies() for inner in nodes_within(body)
    )
