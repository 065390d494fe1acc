"""Places of boxes in layers, so that lines run downwards and cross little.

The steps are those of Sugiyama, Tagawa and Toda (Methods for visual understanding of hierarchical
system structures, IEEE Trans. SMC 11(2), 1981): layers by longest paths, an order within each by
the barycentres of neighbours, and places, each layer's the least squares solution that keeps boxes
apart (pool adjacent violators). Work grows with the boxes and lines (times the logarithm, for
sorting): where routes would have more points than that, the longest lines get none.

`page/layers.js` is this file in JavaScript, which a test holds to the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

GAP_X, GAP_LINE, GAP_Y, PAD, HEADER = 18.0, 9.0, 26.0, 14.0, 24.0
ROOM, ROOM_EACH = 4000, 8  # points of routes in a level, and more for each node
_SWEEPS, _PLACINGS, _MOST_COUNTED = 4, 5, 4000


@dataclass(eq=False)
class Arc:
    """A line from node u to node v, `du` and `dv` from their left sides.

    Its route is `stations`: an x, and the y at which a vertical stretch begins and ends. One that
    is `far` has no route beyond its ends.
    """

    u: int
    du: float
    v: int
    dv: float
    stations: list[tuple[float, float, float]] = field(default_factory=list)
    far: bool = False


@dataclass(eq=False)
class Level:
    """The members of a frame. Entries and exits are points on its upper and lower side.

    Nodes are numbered: entries, then members, then exits; arcs lead to higher numbers.
    """

    widths: list[float]
    heights: list[float]
    n_entries: int
    n_exits: int
    arcs: list[Arc]
    header: float
    least_width: float
    left: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


class _Work:
    """What the steps share: nodes with the points at which lines pass layers added.

    A segment leads to the next layer: (node, distance from its centre, node, distance).
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        self.widths = list(level.widths)
        self.heights = list(level.heights)
        self.layer = _layers(level)
        self.down: list[list[tuple[float, int, float]]] = [[] for _ in self.widths]
        self.up: list[list[tuple[float, int, float]]] = [[] for _ in self.widths]
        self.routes: list[list[int]] = []
        self.n_real = len(self.widths)
        self._route()
        self.rows: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]
        for k, layer in enumerate(self.layer):
            self.rows[layer].append(k)
        self.x = [0.0] * len(self.widths)

    def _route(self) -> None:
        chains: dict[tuple[int, float], list[int]] = {}
        reach = _reach(self.level, self.layer)
        for arc in self.level.arcs:
            first, last = self.layer[arc.u], self.layer[arc.v]
            arc.far = last - first > reach
            chain = chains.setdefault((arc.u, arc.du), [])
            self.routes.append([])
            if arc.far:
                continue
            while len(chain) < last - first - 1:
                point = len(self.widths)
                self.widths.append(0.0)
                self.heights.append(0.0)
                self.layer.append(first + len(chain) + 1)
                self.down.append([])
                self.up.append([])
                if chain:
                    self._segment(chain[-1], 0.0, point, 0.0)
                else:
                    self._segment(arc.u, arc.du - self.widths[arc.u] / 2, point, 0.0)
                chain.append(point)
            points = chain[: last - first - 1]
            if points:
                self._segment(points[-1], 0.0, arc.v, arc.dv - self.widths[arc.v] / 2)
            else:
                du = arc.du - self.widths[arc.u] / 2
                self._segment(arc.u, du, arc.v, arc.dv - self.widths[arc.v] / 2)
            self.routes[-1] = points

    def _segment(self, u: int, du: float, v: int, dv: float) -> None:
        self.down[u].append((du, v, dv))
        self.up[v].append((dv, u, du))


def arrange(level: Level) -> None:
    """Gives the members of a level their places, its arcs their routes, and itself a size."""
    work = _Work(level)
    _order(work)
    _place(work)
    _finish(work)


def _layers(level: Level) -> list[int]:
    n = len(level.widths)
    base = 1 if level.n_entries else 0
    layer = [0] * level.n_entries + [base] * (n - level.n_entries)
    outgoing: list[list[int]] = [[] for _ in range(n)]
    n_incoming = [0] * n
    for arc in level.arcs:
        outgoing[arc.u].append(arc.v)
        n_incoming[arc.v] += 1
    for u in range(n):
        for v in outgoing[u]:
            layer[v] = max(layer[v], layer[u] + 1)
    first_exit = n - level.n_exits
    last = max(layer[:first_exit], default=-1) + 1
    for v in range(first_exit, n):
        layer[v] = last
    for u in range(first_exit - 1, level.n_entries - 1, -1):  # beside what reads them first
        if n_incoming[u] == 0 and outgoing[u]:
            layer[u] = max(layer[u], min(layer[v] for v in outgoing[u]) - 1)
    return layer


def _reach(level: Level, layer: list[int]) -> int:
    """Over how many layers lines may lead to have routes."""
    room = ROOM + ROOM_EACH * len(level.widths)
    spans = sorted(layer[arc.v] - layer[arc.u] for arc in level.arcs)
    for span in spans:
        room -= span - 1
        if room < 0:
            return span - 1
    return spans[-1] if spans else 0


def _order(work: _Work) -> None:
    at = [0.0] * len(work.widths)
    for row in work.rows:
        for k, v in enumerate(row):
            at[v] = k
    n_segments = sum(len(found) for found in work.down)
    best, least = [list(row) for row in work.rows], -1
    for _ in range(_SWEEPS):
        for downwards in (True, False):
            rows = work.rows if downwards else work.rows[::-1]
            for row in rows[1:]:
                _sort_row(work, row, at, work.up if downwards else work.down)
            if n_segments > _MOST_COUNTED:
                continue
            n = _crossings(work, at)
            if least < 0 or n < least:
                best, least = [list(row) for row in work.rows], n
        if least == 0:
            break
    if n_segments <= _MOST_COUNTED:
        work.rows = best


def _sort_row(
    work: _Work,
    row: list[int],
    at: list[float],
    neighbours: list[list[tuple[float, int, float]]],
) -> None:
    key = {}
    for v in row:
        found = neighbours[v]
        total = 0.0
        for dv, u, du in found:
            total += at[u] + _fraction(du, work.widths[u]) - _fraction(dv, work.widths[v])
        key[v] = total / len(found) if found else at[v]
    row.sort(key=key.__getitem__)
    for k, v in enumerate(row):
        at[v] = k


def _fraction(d: float, width: float) -> float:
    return 0.8 * d / width if width > 0 else 0.0


def _crossings(work: _Work, at: list[float]) -> int:
    total = 0
    for row in work.rows:
        ends = []
        for u in row:
            for du, v, dv in work.down[u]:
                start = at[u] + _fraction(du, work.widths[u])
                ends.append((start, at[v] + _fraction(dv, work.widths[v])))
        ends.sort()
        total += _inversions([end for _, end in ends])
    return total


def _inversions(ends: Sequence[float]) -> int:
    """How many pairs stand in the wrong order, by a tree of counts."""
    rank = {x: k + 1 for k, x in enumerate(sorted(set(ends)))}
    tree = [0] * (len(rank) + 1)
    total = 0
    for seen, x in enumerate(ends):
        k, below = rank[x], 0
        while k > 0:
            below += tree[k]
            k -= k & -k
        total += seen - below
        k = rank[x]
        while k < len(tree):
            tree[k] += 1
            k += k & -k
    return total


def _place(work: _Work) -> None:
    for row in work.rows:
        offsets = _offsets(work, row)
        middle = offsets[-1] / 2 if offsets else 0.0
        for v, offset in zip(row, offsets, strict=True):
            work.x[v] = offset - middle
    for _ in range(_PLACINGS):
        for row in work.rows[1:]:
            _place_row(work, row, (work.up,))
        for row in work.rows[-2::-1]:
            _place_row(work, row, (work.down,))
    for row in work.rows:
        _place_row(work, row, (work.up, work.down))


def _offsets(work: _Work, row: list[int]) -> list[float]:
    """How far from the first the nodes of a layer stand where they stand as near as they may."""
    offsets = []
    offset = 0.0
    for k, v in enumerate(row):
        if k > 0:
            u = row[k - 1]
            line = work.widths[u] == 0 or work.widths[v] == 0
            offset += (work.widths[u] + work.widths[v]) / 2 + (GAP_LINE if line else GAP_X)
        offsets.append(offset)
    return offsets


def _place_row(
    work: _Work, row: list[int], sides: Sequence[list[list[tuple[float, int, float]]]]
) -> None:
    offsets = _offsets(work, row)
    # Nodes that want to pass each other form a block, which stands where all of it wants to be.
    starts: list[int] = []
    sums: list[float] = []
    weights: list[float] = []
    for k, v in enumerate(row):
        total, n = 0.0, 0
        for side in sides:
            for dv, u, du in side[v]:
                total += work.x[u] + du - dv
                n += 1
        wanted = total / n if n else work.x[v]
        weight = (4.0 if v >= work.n_real else 1.0) * n if n else 0.05
        starts.append(k)
        sums.append((wanted - offsets[k]) * weight)
        weights.append(weight)
        while len(sums) > 1 and sums[-2] / weights[-2] >= sums[-1] / weights[-1]:
            starts.pop()
            end, end_weight = sums.pop(), weights.pop()
            sums[-1] += end
            weights[-1] += end_weight
    starts.append(len(row))
    for b, total in enumerate(sums):
        for k in range(starts[b], starts[b + 1]):
            work.x[row[k]] = total / weights[b] + offsets[k]


def _finish(work: _Work) -> None:
    level, n = work.level, work.n_real
    low = min((work.x[v] - work.widths[v] / 2 for v in range(len(work.x))), default=0.0)
    high = max((work.x[v] + work.widths[v] / 2 for v in range(len(work.x))), default=0.0)
    level.width = max(high - low + 2 * PAD, level.least_width)
    shift = (level.width - (high - low)) / 2 - low
    tops: list[float] = []
    bottoms: list[float] = []
    y = 0.0 if level.n_entries else level.header + PAD
    for k, row in enumerate(work.rows):
        entries = k == 0 and level.n_entries
        height = level.header if entries else max(work.heights[v] for v in row)
        tops.append(y)
        bottoms.append(y + height)
        widest = 0.0
        for u in row:
            for du, v, dv in work.down[u]:
                widest = max(widest, abs(work.x[v] + dv - work.x[u] - du))
        y += height + GAP_Y + min(60.0, 0.06 * widest)
    if not work.rows:
        level.height = level.header + PAD
    else:
        level.height = bottoms[-1] + (0.0 if level.n_exits else PAD)
    level.left = [work.x[v] - work.widths[v] / 2 + shift for v in range(n)]
    level.top = [0.0] * n
    for v in range(n):
        layer = work.layer[v]
        level.top[v] = (tops[layer] + bottoms[layer] - work.heights[v]) / 2
        if v < level.n_entries:
            level.top[v] = 0.0
    for arc, points in zip(level.arcs, work.routes, strict=True):
        first, last = work.layer[arc.u], work.layer[arc.v]
        start = level.top[arc.u] + work.heights[arc.u]
        arc.stations = [(level.left[arc.u] + arc.du, start, bottoms[first])]
        arc.stations += [
            (work.x[p] + shift, tops[work.layer[p]], bottoms[work.layer[p]]) for p in points
        ]
        arc.stations.append((level.left[arc.v] + arc.dv, tops[last], level.top[arc.v]))
