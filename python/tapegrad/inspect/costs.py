"""What the steps of a graph cost, added up by source line and operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tapegrad.inspect.graph import Graph, Node
from tapegrad.inspect.grouping import Functions
from tapegrad.inspect.text import bytes_of, clipped, line_text, source_text


@dataclass(eq=False)
class Cost:
    """Time, steps and bytes of results of a part, and of its parts."""

    name: str
    nanoseconds: float = 0.0
    n_steps: int = 0
    n_bytes: int = 0
    parts: dict[str, Cost] = field(default_factory=dict)

    def add(self, path: Sequence[str], nanoseconds: float, n_bytes: int) -> None:
        """Adds a step to this part and to those that the path names, each inside the last."""
        part = self
        for name in (None, *path):
            if name is not None:
                part = part.parts.setdefault(name, Cost(name))
            part.nanoseconds += nanoseconds
            part.n_steps += 1
            part.n_bytes += n_bytes

    def sorted_parts(self) -> list[Cost]:
        """Its parts, the longest first."""
        return sorted(self.parts.values(), key=lambda part: -part.nanoseconds)


def step_bytes(graph: Graph) -> list[int]:
    """The bytes of all results of each step."""
    found: dict[int, int] = {}
    for node in graph.nodes:
        if node.kind == "step":
            found[node.step] = found.get(node.step, 0) + bytes_of(node)
    return [found[k] for k in sorted(found)]


def costs_of(graph: Graph, times: Sequence[float]) -> Cost:
    """The costs of a graph: of each function, in it each line, in it each operation."""
    places, sizes = Places(graph), step_bytes(graph)
    total = Cost(graph.name)
    for node in graph.steps():
        total.add([*places.of(node), step_name(node)], times[node.step], sizes[node.step])
    return total


class Places:
    """Function and line of steps, as far as they are known; none in programs without lines."""

    def __init__(self, graph: Graph) -> None:
        self._functions = Functions()
        self._known: dict[str, list[str]] = {}
        if any(node.line for node in graph.nodes):
            self._known[""] = ["no source line"]

    def of(self, node: Node) -> list[str]:
        """The names of what a step stands in, the outermost first."""
        line = node.line
        if line and line not in self._known:
            function = self._functions.name_of(line)
            code = clipped(source_text(line), 70)
            text = f"{line_text(line)} | {code}" if code else line_text(line)
            self._known[line] = [f"{function}()", text] if function else [text]
        return self._known.get(line, [])


def step_name(node: Node) -> str:
    """The operation with the shape of its result; a kernel says its own."""
    return node.kernel or (f"{node.op} {node.shape}" if node.shape else node.op)
