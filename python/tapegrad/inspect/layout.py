"""Places of all that is shown of a scene: the members of each open frame, from the inside outwards.

`page/layout.js` is this file in JavaScript, which a test holds to the same numbers.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from tapegrad.inspect.layers import HEADER, Arc, Level, arrange
from tapegrad.inspect.scene import Scene

# A node of a level: a member's number, or a point where a bundle of lines enters or leaves it.
_Key = tuple[str, int]
# Where a line meets a node: a place 0 to 1 of a box, or the bundle that enters a frame there.
_Port = tuple[str, float]


@dataclass(eq=False)
class Stretch:
    """A part of lines within one frame, in the coordinates of the picture."""

    lines: list[int]
    stations: list[tuple[float, float, float]]
    far: bool
    ends: bool  # at a box, where the arrow is drawn


@dataclass(eq=False)
class Layout:
    """Left, top, width and height of what is shown, by item; `stretches` in order."""

    places: dict[int, tuple[float, float, float, float]]
    stretches: list[Stretch]
    width: float
    height: float


@dataclass(eq=False)
class _Draft:
    """The level of an open frame while it is collected."""

    members: list[int]
    entries: dict[int, int] = field(default_factory=dict)  # by bundle, in order of appearance
    exits: dict[int, int] = field(default_factory=dict)
    arcs: dict[tuple[_Key, _Port, _Key, _Port], list[int]] = field(default_factory=dict)
    level: Level | None = None


def lay_out(scene: Scene, opened: Set[int]) -> Layout:
    """The layout of a scene in which these frames are open; the root is open always."""
    drafts = _drafts(scene, opened)
    for number in sorted(drafts, reverse=True):
        _arrange(scene, drafts, number)
    return _collect(scene, drafts)


def _drafts(scene: Scene, opened: Set[int]) -> dict[int, _Draft]:
    shown: dict[int, int] = {0: 0}  # of each item what stands for it
    drafts: dict[int, _Draft] = {0: _Draft(scene.items[0].members or [])}
    depth = [0] * len(scene.items)
    for item in scene.items[1:]:
        depth[item.number] = depth[item.parent] + 1
        if item.parent not in drafts:
            shown[item.number] = shown[item.parent]
            continue
        shown[item.number] = item.number
        if item.members is not None and item.number in opened:
            drafts[item.number] = _Draft(item.members)
    for number, line in enumerate(scene.lines):
        u, v = shown[line.source], shown[line.target]
        if u == v:
            continue
        bundle = line.value if u == line.source else -1 - u
        from_u: list[int] = []
        to_v: list[int] = []
        a, b = u, v
        while scene.items[a].parent != scene.items[b].parent:
            if depth[a] >= depth[b]:
                a = scene.items[a].parent
                from_u.append(a)
            else:
                b = scene.items[b].parent
                to_v.append(b)
        out: _Port = ("place", line.source_place if u == line.source else 0.5)
        into: _Port = ("place", line.target_place if v == line.target else 0.5)
        a_node = u
        for frame in from_u:
            draft = drafts[frame]
            draft.exits.setdefault(bundle, len(draft.exits))
            _connect(draft, ("member", a_node), out, ("exit", bundle), ("place", 0.0), number)
            a_node, out = frame, ("bundle", bundle)
        around = drafts[scene.items[a].parent]
        last = into if not to_v else ("bundle", bundle)
        _connect(around, ("member", a_node), out, ("member", b), last, number)
        for k in range(len(to_v) - 1, -1, -1):
            draft = drafts[to_v[k]]
            draft.entries.setdefault(bundle, len(draft.entries))
            inner = to_v[k - 1] if k > 0 else v
            port = ("bundle", bundle) if k > 0 else into
            start: _Key = ("entry", bundle)
            _connect(draft, start, ("place", 0.0), ("member", inner), port, number)
    return drafts


def _connect(draft: _Draft, u: _Key, out: _Port, v: _Key, into: _Port, line: int) -> None:
    draft.arcs.setdefault((u, out, v, into), []).append(line)


def _arrange(scene: Scene, drafts: dict[int, _Draft], number: int) -> None:
    draft = drafts[number]
    item = scene.items[number]
    index: dict[_Key, int] = {("entry", b): k for b, k in draft.entries.items()}
    widths, heights = [0.0] * len(index), [0.0] * len(index)
    for m in draft.members:
        index["member", m] = len(widths)
        inner = drafts[m].level if m in drafts else None
        widths.append(scene.items[m].width if inner is None else inner.width)
        heights.append(scene.items[m].height if inner is None else inner.height)
    for b in draft.exits:
        index["exit", b] = len(widths)
        widths.append(0.0)
        heights.append(0.0)

    def distance(key: _Key, port: _Port, below: bool) -> float:
        if port[0] == "place":
            return widths[index[key]] * port[1]
        inner = drafts[key[1]]
        assert inner.level is not None
        ends = inner.exits if below else inner.entries
        place = ends[int(port[1])]
        if below:
            place += len(inner.level.left) - len(inner.exits)
        return inner.level.left[place]

    arcs = [
        Arc(index[u], distance(u, out, True), index[v], distance(v, into, False))
        for u, out, v, into in draft.arcs
    ]
    header = HEADER if number else 0.0
    least = max(item.width, 90.0) if number else 0.0
    draft.level = Level(widths, heights, len(draft.entries), len(draft.exits), arcs, header, least)
    arrange(draft.level)


def _collect(scene: Scene, drafts: dict[int, _Draft]) -> Layout:
    root = drafts[0].level
    assert root is not None
    places = {0: (0.0, 0.0, root.width, root.height)}
    stretches: list[Stretch] = []
    for number in sorted(drafts):  # frames before their members
        draft, level = drafts[number], drafts[number].level
        assert level is not None
        x, y = places[number][:2]
        for k, m in enumerate(draft.members, start=len(draft.entries)):
            places[m] = (x + level.left[k], y + level.top[k], level.widths[k], level.heights[k])
        for ((_, _, v, into), lines), arc in zip(draft.arcs.items(), level.arcs, strict=True):
            ends = v[0] == "member" and into[0] == "place"
            moved = [(x + px, y + y0, y + y1) for px, y0, y1 in arc.stations]
            stretches.append(Stretch(lines, moved, arc.far, ends))
    return Layout(places, stretches, root.width, root.height)
