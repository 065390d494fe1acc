"""What is drawn: boxes, frames and lines."""

import numpy as np
import pytest
from drawn_programs import CALLS, article, decomposed, loop, many, with_bodies

import tapegrad as tg
from tapegrad.inspect import record
from tapegrad.inspect.grouping import MOST
from tapegrad.inspect.scene import Scene
from tapegrad.inspect.text import TIMES


def scene_of(f, *args, **options):
    graph = record(f, *args)
    found = graph.values_and_adjoints() if graph.outputs else (graph.values(), ())
    return Scene(graph, *found, **options)


def titles(scene, kind=None):
    return [i.title for i in scene.items if i.number and kind in (None, i.kind)]


@pytest.mark.parametrize("name", CALLS)
def test_items_and_lines_are_those_of_the_graph(name):
    f, args = CALLS[name]
    graph = record(f, *args)
    scene = Scene(graph, graph.values())
    whole = [row for row in scene.rows if not row.scope]
    assert sorted(row.node.number for row in whole) == [node.number for node in graph.nodes]
    for item in scene.items[1:]:
        members = scene.items[item.parent].members
        assert item.number in members
        assert item.parent < item.number
        assert item.members is None or 0 < len(item.members) <= MOST or item.kind == "body"
    for line in scene.lines:  # downwards, at boxes
        assert line.source < line.target
        assert 0 < line.source_place < 1
        assert 0 < line.target_place < 1
    n_operands = sum(
        1
        for node in graph.steps()
        for k in node.operands
        if graph.nodes[k].kind != "constant" and node.body is None
    )
    plain = [k for k, item in enumerate(scene.items) if item.kind in ("step", "kernel")]
    rows = {k: scene.rows[scene.items[k].rows[0]] for k in plain}
    top = {k for k, row in rows.items() if not row.scope}
    assert sum(line.target in top for line in scene.lines) == n_operands


def test_values_and_derivatives_stand_side_by_side():
    scene = scene_of(article, 2.0, 5.0)
    notes = {item.title: (item.left, item.right) for item in scene.items}
    assert notes["x1"] == ("2", "5.5")
    assert notes["sin"] == ("-0.95892", "-1")
    assert notes["result"] == ("11.652", "")


def test_constants_stand_in_titles():
    shown = titles(scene_of(lambda x: (x @ np.ones((3, 2))) ** 3.0, np.ones(3)), "step")
    assert shown == ["matmul(·, float64 (3, 2))", "power(·, 3)"]
    assert "greater(·, 100)" in titles(scene_of(with_bodies, *CALLS["with_bodies"][1]))


def test_an_operation_with_several_results_is_one_box():
    scene = scene_of(decomposed, np.eye(2) + np.arange(4.0).reshape(2, 2))
    (box,) = [item for item in scene.items if item.title.startswith("svd")]
    assert len(box.rows) == 3
    assert sorted({x.source_place for x in scene.lines if x.source == box.number}) == [
        0.25, 0.5, 0.75,
    ]  # fmt: skip


def test_bodies_are_frames_with_named_ends():
    scene = scene_of(with_bodies, *CALLS["with_bodies"][1])
    scan, call = (item for item in scene.items if item.kind == "body")
    assert scan.title == f"scan {TIMES} 4"
    inside = [scene.items[k].title for k in scan.members]
    assert inside[:2] == ["carry 0 = 0", "x 0"]
    assert inside[-3:] == ["carry 0", "result 0", "result 1"]
    assert call.title == "call"
    (end,) = [k for k in call.members if scene.items[k].kind == "output"]
    readers = [scene.items[x.target].title for x in scene.lines if x.source == end]
    assert readers == ["matmul", "sum"]
    inner = [row for row in scene.rows if row.scope]
    assert inner
    assert all(row.value is None for row in inner)


def test_a_branch_is_marked():
    scene = scene_of(with_bodies, *CALLS["with_bodies"][1])
    assert [i.title for i in scene.items if i.guarded] == ["not_equal(·, 0)"]


def test_many_inputs_and_results_are_groups():
    scene = scene_of(many, [float(k) for k in range(40)])
    assert "40 inputs" in titles(scene, "inputs")
    assert "41 results" in titles(scene, "outputs")
    names = titles(scene, "input")
    assert names[0] == "values[0]"
    assert len(names) == 40


def test_large_graphs_begin_closed_and_small_ones_open():
    large, small = scene_of(loop, 1.0), scene_of(article, 2.0, 5.0)
    assert large.items[0].n_boxes == 10_002
    assert small.opened() == small.frames()
    shown = [i for i in large.items if i.number and large.items[i.parent].opened]
    assert len(shown) < 80


def test_without_groups_everything_stands_in_the_root():
    scene = scene_of(loop, 1.0, 100, group=False)
    assert {item.parent for item in scene.items[1:]} == {0}


def test_captured_values_are_inputs_from_outside():
    outside = tg.Variable(3.0)
    assert titles(scene_of(lambda x: x * outside, 2.0), "captured") == ["captured0"]
