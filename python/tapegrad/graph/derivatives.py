"""Gradients as nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Gradients, item
from tapegrad.graph.ways import between


def connected(y: Node, x: Node, stops: Sequence[Node] = ()) -> bool:
    """Whether a derivative of `y` by `x` may be anything but zero."""
    return y is x or y.index in between([y], [x], stops)


def gradients(
    ys: Sequence[Node],
    xs: Sequence[Node],
    seeds: Sequence[Node | None] | None = None,
    name: str | None = None,
    stops: Sequence[Node] = (),
) -> list[Any]:
    """A node for the gradient of the sum of `ys` by each of `xs`; None where none leads to it.

    They are total derivatives: where one of `xs` is computed from another, its gradient and that of
    the other are found apart. `stops` are taken as constants.
    """
    seeds = [None] * len(ys) if seeds is None else list(seeds)
    found: list[Any] = [None] * len(xs)
    groups: list[list[int]] = []
    for k, x in enumerate(xs):
        if not any(connected(y, x, stops) for y in ys):
            continue
        for group in groups:
            if not any(connected(xs[g], x) or connected(x, xs[g]) for g in group):
                group.append(k)
                break
        else:
            groups.append([k])
    for group in groups:
        of = [xs[k] for k in group]
        pairs = [
            (y, s)
            for y, s in zip(ys, seeds, strict=True)
            if any(connected(y, x, stops) for x in of)
        ]
        operation = Gradients([y for y, _ in pairs], of, [s for _, s in pairs], stops)
        node = of[0].graph.node(operation, name)
        for position, k in enumerate(group):
            found[k] = item(node, position, f"{node.label}_of_{xs[k].label.rpartition('/')[2]}")
    return found
