"""What is drawn of a graph: boxes, frames around them and lines between them, without places.

Items are boxes (a step, an input, an output) and frames (groups, which are boxes while they are
closed). Scalar and array constants stand in the titles of what reads them: a constant that ten
thousand steps share would be ten thousand lines. A step with a body is a frame around the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tapegrad.inspect.graph import Graph, Node
from tapegrad.inspect.grouping import Group, Member, cut, grouped
from tapegrad.inspect.text import (
    TIMES,
    attributes_text,
    clipped,
    operation_text,
    type_text,
    value_text,
)

_MANY_INPUTS = 12  # from here on they are a group
_AUTOMATIC, _AUTOMATIC_PARTS = 160, 70  # boxes shown at first: of all, or of a part
TITLE_WIDTH, NOTE_WIDTH = 7.4, 6.7  # of a character, in the monospaced fonts of pages and pictures
BOX_HEIGHT, FLAT_HEIGHT = 42.0, 26.0


@dataclass(eq=False)
class Item:
    """A box, or a frame with `members`. `rows` are numbers of the values that it stands for."""

    number: int
    parent: int
    kind: str
    title: str
    left: str = ""
    right: str = ""
    width: float = 0.0
    height: float = 0.0
    rows: list[int] = field(default_factory=list)
    members: list[int] | None = None
    opened: bool = False
    n_boxes: int = 1
    guarded: bool = False


@dataclass(frozen=True)
class Line:
    """A value on its way between two boxes, to places 0 to 1 along their sides."""

    source: int
    source_place: float
    target: int
    target_place: float
    value: int


@dataclass(frozen=True, eq=False)
class Row:
    """A value in the list of values. `scope` names the body that it belongs to."""

    node: Node
    scope: str
    operands: tuple[int, ...]
    item: int
    value: Any = None
    adjoint: Any = None
    time: float | None = None


class Scene:
    """Items, lines and rows of a graph; `values` and `adjoints` by node, `times` by step.

    `names` are those of the outputs.
    """

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Any] = (),
        adjoints: Sequence[Any] = (),
        times: Sequence[float] = (),
        *,
        names: Sequence[str] = (),
        group: bool = True,
    ) -> None:
        self.items: list[Item] = []
        self.lines: list[Line] = []
        self.rows: list[Row] = []
        self.group = group
        self._values, self._adjoints, self._times = values, adjoints, times
        guarded = {guard.number for guard in graph.guards}
        root = self._frame("root", graph.name, -1)
        root.opened = True
        self._fill(graph, root, _Scope(graph, "", guarded, names=names))
        self._measure()
        self._open()

    def _fill(self, graph: Graph, frame: Item, scope: _Scope) -> None:
        entries: list[Node] = [graph.nodes[k] for k in (*graph.inputs, *graph.captures)]
        members: list[Member] = [*entries]
        if len(entries) > _MANY_INPUTS:
            members = [Group("inputs", f"{len(entries)} inputs", cut(members, "inputs"))]
        steps = list(graph.steps())
        members += grouped(steps) if self.group else steps
        ends: list[Member] = [
            Node(k, "output", graph.nodes[n].dtype, graph.nodes[n].shape, operands=(n,))
            for k, n in enumerate(graph.outputs)
        ]
        if len(ends) > _MANY_INPUTS:
            ends = [Group("outputs", f"{len(ends)} results", cut(ends, "results"))]
        for node in graph.nodes:
            if node.kind == "constant":
                scope.rows[node.number] = self._row(node, scope, frame.number)
        self._add(members + ends, frame, scope)

    def _add(self, members: Sequence[Member], frame: Item, scope: _Scope) -> None:
        for member in members:
            if isinstance(member, Group):
                inner = self._frame(member.kind, member.title, frame.number)
                self._add(member.members, inner, scope)
            elif member.kind == "output":
                self._add_output(member, frame, scope)
            elif member.body is not None:
                self._add_body(member, frame, scope)
            else:
                self._add_box(member, frame, scope)

    def _add_box(self, node: Node, frame: Item, scope: _Scope) -> None:
        kind = node.kind if node.kind != "step" else "kernel" if node.kernel else "step"
        results = scope.results_of(node)
        item = self._item(kind, _title(node, scope), frame.number)
        item.guarded = any(x.number in scope.guarded for x in results)
        for k, result in enumerate(results):
            row = self._row(result, scope, item.number)
            item.rows.append(row)
            scope.rows[result.number] = row
            scope.sources[result.number] = (item.number, (k + 1) / (len(results) + 1))
        first = self.rows[item.rows[0]]
        item.left, item.right = _notes(first)
        self._connect(node.operands, item.number, scope)

    def _add_output(self, node: Node, frame: Item, scope: _Scope) -> None:
        (operand,) = node.operands
        item = self._item("output", scope.output_name(node.number), frame.number)
        item.rows = [scope.rows[operand]]
        item.left = _notes(self.rows[item.rows[0]])[0]
        self._connect(node.operands, item.number, scope)
        scope.ends.append(item.number)

    def _add_body(self, node: Node, frame: Item, scope: _Scope) -> None:
        assert node.body is not None
        passes = node.attributes.get("length")
        title = node.op if passes is None else f"{node.op} {TIMES} {passes}"
        outer = self._frame("body", title, frame.number)
        results = scope.results_of(node)
        for result in results:
            row = self._row(result, scope, outer.number)
            outer.rows.append(row)
            scope.rows[result.number] = row
        outer.left, outer.right = _notes(self.rows[outer.rows[0]])
        inner = _Scope(node.body, f"{scope.name}%{node.number} ", set(), node)
        self._fill(node.body, outer, inner)
        entries = [inner.sources[k][0] for k in node.body.inputs]
        if len(entries) == len(node.operands):
            for operand, entry in zip(node.operands, entries, strict=True):
                self._connect((operand,), entry, scope)
                if operand not in scope.sources:
                    text = clipped(operation_text(scope.graph.nodes[operand]), 20)
                    self.items[entry].title += f" = {text}"
        else:
            self._connect(node.operands, entries[0] if entries else outer.number, scope)
        if len(inner.ends) == len(results):
            for result, end in zip(results, inner.ends, strict=True):
                scope.sources[result.number] = (end, 0.5)
        else:
            for result in results:
                scope.sources[result.number] = (outer.number, 0.5)

    def _connect(self, operands: Sequence[int], target: int, scope: _Scope) -> None:
        for k, operand in enumerate(operands):
            if operand in scope.sources:
                source, place = scope.sources[operand]
                at = (k + 1) / (len(operands) + 1)
                self.lines.append(Line(source, place, target, at, scope.rows[operand]))

    def _item(self, kind: str, title: str, parent: int) -> Item:
        item = Item(len(self.items), parent, kind, title)
        self.items.append(item)
        if parent >= 0:
            members = self.items[parent].members
            assert members is not None
            members.append(item.number)
        return item

    def _frame(self, kind: str, title: str, parent: int) -> Item:
        item = self._item(kind, title, parent)
        item.members = []
        return item

    def _row(self, node: Node, scope: _Scope, item: int) -> int:
        def known(what: Sequence[Any], k: int) -> Any:
            return what[k] if not scope.name and 0 <= k < len(what) else None

        value = node.content if node.kind == "constant" else known(self._values, node.number)
        adjoint = known(self._adjoints, node.number)
        time = known(self._times, node.step) if node.output == 0 else None
        operands = tuple(scope.rows[k] for k in node.operands)
        self.rows.append(Row(node, scope.name, operands, item, value, adjoint, time))
        return len(self.rows) - 1

    def _measure(self) -> None:
        for item in reversed(self.items):  # members come after their frames
            if item.members is not None:
                item.n_boxes = sum(self.items[k].n_boxes for k in item.members)
                if item.kind not in ("body", "root"):
                    item.left = f"{item.n_boxes} boxes"
            gap = 2 if item.left and item.right else 0
            note = (len(item.left) + len(item.right) + gap) * NOTE_WIDTH
            title = len(item.title) * TITLE_WIDTH + (16 if item.members is not None else 0)
            item.width = round(max(44.0, title + 20, note + 20), 1)
            item.height = BOX_HEIGHT if item.left or item.right else FLAT_HEIGHT

    def _open(self) -> None:
        """Opens frames, all that are as deep, while the picture stays small."""
        most = _AUTOMATIC if self.items[0].n_boxes <= _AUTOMATIC else _AUTOMATIC_PARTS
        level = [k for k in self.items[0].members or () if self.items[k].members is not None]
        shown = len(self.items[0].members or ())
        while level:
            inside = [m for k in level for m in self.items[k].members or ()]
            shown += len(inside) - len(level)
            if shown > most:
                break
            for k in level:
                self.items[k].opened = True
            level = [m for m in inside if self.items[m].members is not None]

    def opened(self) -> set[int]:
        """The frames that are open at first."""
        return {item.number for item in self.items if item.opened}

    def frames(self) -> set[int]:
        """All frames."""
        return {item.number for item in self.items if item.members is not None}


class _Scope:
    """The names of one graph: where its values come from, and which rows they are."""

    def __init__(
        self,
        graph: Graph,
        name: str,
        guarded: set[int],
        owner: Node | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.graph, self.name, self.guarded, self.owner = graph, name, guarded, owner
        self.names = names
        self.sources: dict[int, tuple[int, float]] = {}
        self.rows: dict[int, int] = {}
        self.ends: list[int] = []
        self._results: dict[int, list[Node]] = {}
        for node in graph.nodes:
            if node.kind == "step":
                self._results.setdefault(node.step, []).append(node)

    def results_of(self, node: Node) -> list[Node]:
        return self._results[node.step] if node.kind == "step" else [node]

    def input_name(self, node: Node) -> str:
        if self.owner is None or node.kind != "input":
            return node.name
        place = self.graph.inputs.index(node.number)
        n_carry, n_xs = (self.owner.attributes.get(k, 0) for k in ("n_carry", "n_xs"))
        if place < n_carry:
            return f"carry {place}"
        return f"x {place - n_carry}" if place < n_carry + n_xs else node.name

    def output_name(self, k: int) -> str:
        if self.owner is not None:
            n_carry = self.owner.attributes.get("n_carry", 0)
            return f"carry {k}" if k < n_carry else f"result {k - n_carry}"
        if k < len(self.names):
            return clipped(self.names[k], 40)
        return "result" if len(self.graph.outputs) == 1 else f"result {k}"


def _title(node: Node, scope: _Scope) -> str:
    """The operation, with its constant operands written out."""
    if node.kind != "step":
        return clipped(scope.input_name(node), 40)
    title = node.op or node.kernel
    constants = [scope.graph.nodes[k] for k in node.operands]
    if any(x.kind == "constant" for x in constants) and len(constants) < 6:
        shown = [_constant_text(x) if x.kind == "constant" else "·" for x in constants]
        title += f"({', '.join(shown)})"
    attributes = attributes_text(node, said=True)
    if attributes and len(title) + len(attributes) < 30:
        title += f" [{attributes}]"
    return clipped(title, 44)


def _constant_text(node: Node) -> str:
    return clipped(value_text(node.content), 12) if node.shape == () else type_text(node)


def _notes(row: Row) -> tuple[str, str]:
    """Below the title: value and adjoint of scalars, the type of arrays."""
    node = row.node
    if node.shape != () or row.value is None:
        return type_text(node), ""
    adjoint = "" if row.adjoint is None else value_text(row.adjoint)
    return _short(value_text(row.value)), _short(adjoint)


def _short(text: str) -> str:
    try:
        return f"{float(text):.5g}"
    except ValueError:
        return clipped(text, 24)
