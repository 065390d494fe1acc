"""Boxes in layers: nothing overlaps, lines run downwards, few cross."""

import itertools

import numpy as np
import pytest

from tapegrad.inspect.layers import GAP_X, ROOM, ROOM_EACH, Arc, Level, _inversions, arrange


def level_of(n, pairs, n_entries=0, n_exits=0):
    widths = [0.0] * n_entries + [60.0] * (n - n_entries - n_exits) + [0.0] * n_exits
    heights = [0.0] * n_entries + [40.0] * (n - n_entries - n_exits) + [0.0] * n_exits
    arcs = [Arc(u, widths[u] / 2, v, widths[v] / 2) for u, v in pairs]
    level = Level(widths, heights, n_entries, n_exits, arcs, 24.0, 100.0)
    arrange(level)
    return level


def random_pairs(seed, n, degree):
    rng = np.random.default_rng(seed)
    return [(int(rng.integers(max(0, v - 9), v)), v) for v in range(1, n) for _ in range(degree)]


def crossings(level):
    """Crossings of the straight lines between neighbouring stations, by comparing all pairs."""
    pieces = {
        (x, low, nx, top)
        for arc in level.arcs
        for (x, _, low), (nx, top, _) in itertools.pairwise(arc.stations)
    }
    return sum(
        1
        for a, b in itertools.combinations(pieces, 2)
        if a[1] == b[1] and (a[0] - b[0]) * (a[2] - b[2]) < 0
    )


@pytest.mark.parametrize(("seed", "degree"), [(0, 1), (1, 2), (2, 3)])
def test_boxes_keep_apart_and_lines_run_downwards(seed, degree):
    level = level_of(60, random_pairs(seed, 60, degree))
    boxes = list(zip(level.left, level.top, level.widths, level.heights, strict=True))
    for (x, y, w, h), (a, b, c, d) in itertools.combinations(boxes, 2):
        apart = x + w + GAP_X <= a + 1e-6 or a + c + GAP_X <= x + 1e-6
        assert apart or y + h < b or b + d < y
    for x, y, w, h in boxes:
        assert x > 0
        assert x + w < level.width
        assert y > 24
        assert y + h < level.height
    for arc in level.arcs:
        ys = [y for _, top, low in arc.stations for y in (top, low)]
        assert all(y <= following + 1e-9 for y, following in itertools.pairwise(ys))
        assert arc.stations[0][0] == level.left[arc.u] + arc.du
        assert arc.stations[-1][0] == pytest.approx(level.left[arc.v] + arc.dv)


def test_lines_pass_no_box():
    level = level_of(60, random_pairs(3, 60, 2))
    boxes = list(zip(level.left, level.top, level.widths, level.heights, strict=True))
    for arc in level.arcs:
        for x, top, low in arc.stations[1:-1]:
            for left, y, w, h in boxes:
                assert not (left < x < left + w and top < y + h and y < low)


def test_a_crossing_that_need_not_be_goes_away():
    # Two chains that begin in the wrong order.
    assert crossings(level_of(6, [(0, 3), (1, 2), (2, 5), (3, 4)])) == 0
    # A tree, whose leaves are numbered all over.
    tree = [(0, k) for k in (1, 2, 3)] + [(1 + k % 3, 4 + k) for k in range(9)]
    assert crossings(level_of(13, tree)) == 0


def test_chains_stand_straight():
    level = level_of(10, [(k, k + 1) for k in range(9)])
    assert len({round(x, 6) for x in level.left}) == 1


def test_entries_are_above_and_exits_below():
    level = level_of(5, [(0, 1), (1, 2), (1, 4), (0, 3)], n_entries=1, n_exits=1)
    assert level.top[0] == 0
    assert level.top[4] == level.height
    assert level.arcs[0].stations[0][1:] == (0.0, 24.0)


def test_what_reads_nothing_stands_beside_its_reader():
    level = level_of(5, [(0, 1), (1, 2), (2, 4), (3, 4)])
    assert level.top[3] == level.top[2]


def test_the_longest_lines_of_a_crowd_have_no_route():
    n = 1000  # every node reads its neighbour and the one as far from the other end
    chain = [(k, k + 1) for k in range(n - 1)]
    level = level_of(n, [*chain, *((k, n - 1 - k) for k in range(n // 2 - 1))])
    assert not any(arc.far for arc in level.arcs[: n - 1])
    spans = [n - 1 - 2 * k for k in range(n // 2 - 1)]
    far = [span for span, arc in zip(spans, level.arcs[n - 1 :], strict=True) if arc.far]
    near = [span for span, arc in zip(spans, level.arcs[n - 1 :], strict=True) if not arc.far]
    assert min(far) > max(near) > 100
    assert sum(span - 1 for span in near) <= ROOM + ROOM_EACH * n
    assert all(len(arc.stations) == 2 for arc in level.arcs if arc.far)


def test_a_single_long_line_has_one():
    n = 300
    level = level_of(n, [*((k, k + 1) for k in range(n - 1)), (0, n - 1)])
    assert not any(arc.far for arc in level.arcs)
    assert len(level.arcs[-1].stations) == n


def test_lines_of_one_value_share_their_way():
    level = level_of(8, [*((k, k + 1) for k in range(5)), (0, 5), (0, 6), (5, 6), (6, 7)])
    short, long = level.arcs[5].stations, level.arcs[6].stations
    assert long[1 : len(short) - 1] == short[1:-1]


def test_an_empty_level_has_room_for_its_title():
    level = level_of(0, [])
    assert (level.width, level.height) == (100.0, 38.0)


def test_inversions_are_counted():
    rng = np.random.default_rng(0)
    for n in (0, 1, 5, 40):
        ends = [float(x) for x in rng.integers(0, 9, n)]
        expected = sum(a > b for a, b in itertools.combinations(ends, 2))
        assert _inversions(ends) == expected
