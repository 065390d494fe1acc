"""Whole pictures: frames hold their members, every line leads from its source to its target."""

import itertools
import sys

import pytest
from drawn_programs import CALLS, loop

import tapegrad as tg
from tapegrad.inspect import record
from tapegrad.inspect.layout import lay_out
from tapegrad.inspect.scene import Scene


def scene_of(name):
    f, args = CALLS[name]
    return Scene(record(f, *args))


def shown_for(scene, layout, k):
    while k not in layout.places:
        k = scene.items[k].parent
    return k


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("which", ["opened", "frames", "none"])
def test_boxes_are_in_their_frames_and_apart(name, which):
    scene = scene_of(name)
    opened = {"opened": scene.opened(), "frames": scene.frames(), "none": {0}}[which]
    layout = lay_out(scene, opened)
    by_parent = {}
    for k, (x, y, w, h) in layout.places.items():
        if k == 0:
            continue
        left, top, width, height = layout.places[scene.items[k].parent]
        assert left < x
        assert x + w < left + width
        assert top < y
        assert y + h < top + height
        by_parent.setdefault(scene.items[k].parent, []).append((x, y, w, h))
    for boxes in by_parent.values():
        for (x, y, w, h), (a, b, c, d) in itertools.combinations(boxes, 2):
            assert x + w < a or a + c < x or y + h < b or b + d < y
    if which == "none":
        assert len(layout.places) == 1 + len(scene.items[0].members)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("everything", [False, True])
def test_lines_lead_from_source_to_target(name, everything):
    scene = scene_of(name)
    layout = lay_out(scene, scene.frames() if everything else scene.opened())
    parts = {}
    for stretch in layout.stretches:
        for k in stretch.lines:
            parts.setdefault(k, []).append(stretch)
    for k, line in enumerate(scene.lines):
        u, v = (shown_for(scene, layout, end) for end in (line.source, line.target))
        if u == v:
            assert k not in parts
            continue
        # The parts are one way: sorted from top to bottom each begins where the last one ends.
        way = sorted(parts[k], key=lambda s: (s.stations[0][1], s.stations[-1][2]))
        x, y, w, h = layout.places[u]
        assert way[0].stations[0][1] == pytest.approx(y + h)
        assert x <= way[0].stations[0][0] <= x + w
        for above, below in itertools.pairwise(way):
            assert above.stations[-1][0] == pytest.approx(below.stations[0][0])
            assert above.stations[-1][2] == pytest.approx(below.stations[0][1])
        x, y, w, h = layout.places[v]
        assert way[-1].stations[-1][2] == pytest.approx(y)
        assert x <= way[-1].stations[-1][0] <= x + w
        assert [s.ends for s in way] == [False] * (len(way) - 1) + [True]


def calls_for(n_steps, f=loop):
    """How many calls of functions, C functions among them, a layout of all n steps makes."""
    scene = Scene(record(f, 0.5, n_steps // 2))
    n = 0

    def count(*_):
        nonlocal n
        n += 1

    sys.setprofile(count)
    try:
        layout = lay_out(scene, scene.frames())
    finally:
        sys.setprofile(None)
    assert len(layout.places) > n_steps
    return n


def test_the_work_grows_with_the_boxes():
    small, large = calls_for(1_250), calls_for(10_000)
    assert large < 9 * small
    assert large < 1_000 * 10_000


def test_the_work_of_what_is_closed_is_small():
    scene = Scene(record(tg.grad(loop), 0.5))
    assert len(scene.items) > 25_000
    layout = lay_out(scene, scene.opened())
    assert len(layout.places) < 90
