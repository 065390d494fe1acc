"""Steps become a tree that keeps their order."""

from pathlib import Path

import numpy as np
import pytest
from drawn_programs import CALLS, article, loop, nested_loops, network, network_arguments

from tapegrad.inspect import record
from tapegrad.inspect.graph import Node
from tapegrad.inspect.grouping import MOST, Functions, grouped
from tapegrad.inspect.text import TIMES


def leaves(members):
    for member in members:
        if isinstance(member, Node):
            yield member
        else:
            yield from leaves(member.members)


def groups(members):
    for member in members:
        if not isinstance(member, Node):
            yield member
            yield from groups(member.members)


@pytest.mark.parametrize("name", CALLS)
def test_no_step_is_lost_or_moved(name):
    f, args = CALLS[name]
    steps = list(record(f, *args).steps())
    found = grouped(steps)
    assert list(leaves(found)) == steps
    for group in groups(found):
        assert 1 <= len(group.members) <= MOST


def test_a_source_line_is_a_group_with_its_code():
    (group,) = grouped(list(record(article, 2.0, 5.0).steps()))
    assert group.kind == "line"
    assert group.title.endswith("return np.log(x1) + x1 * x2 - np.sin(x2)")
    assert group.title.startswith("drawn_programs.py:")


def test_a_loop_is_counted():
    (group,) = grouped(list(record(loop, 0.5, 1000).steps()))
    assert group.kind == "repeat"
    assert f"1000 {TIMES} 2 steps" in group.title
    passes = [g for g in groups([group]) if g.title.startswith("pass ")]
    assert len(passes) == 1000
    assert all([node.op for node in g.members] == ["sin", "multiply"] for g in passes)


def test_loops_in_loops():
    (group,) = grouped(list(record(nested_loops, 0.5).steps()))
    assert group.kind == "repeat"
    assert group.title.startswith(f"30 {TIMES} drawn_programs.py:")
    first = group.members[0]
    inner = [g for g in first.members if not isinstance(g, Node)]
    assert [(g.kind, f"4 {TIMES} cos" in g.title) for g in inner] == [("repeat", True)]


def test_functions_are_groups_where_there_are_several():
    def twice(x):
        y = x * 2.0
        return y + x

    def whole(x):
        return np.sin(twice(x))

    found = grouped(list(record(whole, 1.0).steps()))
    assert [g.title for g in groups(found) if g.kind == "function"] == ["twice()"]
    kinds = {g.kind for g in groups(grouped(list(record(network, *network_arguments()).steps())))}
    assert "repeat" in kinds


def test_blocks_of_blocks_say_what_they_hold():
    def sums(x):
        for k in range(100):
            x = np.sin(x) if k % 3 else np.cos(x) + float(k % 7)
            if k % 5 == 0:
                x = x * x
        return x

    found = list(groups(grouped(list(record(sums, 1.0).steps()))))
    blocks = [g for g in found if g.kind == "block"]
    assert blocks
    assert all(len(g.members) <= MOST for g in found)


def test_functions_around_lines():
    functions = Functions()
    lines = Path(__file__).read_text("utf-8").splitlines()
    number = next(k for k, line in enumerate(lines, 1) if "y = x * 2.0" in line)
    assert functions.name_of(f"{__file__}:{number}") == "twice"
    assert functions.name_of(f"{__file__}:{number + 4}") == "whole"
    assert functions.name_of(f"{__file__}:1") == ""
    assert functions.name_of("no such file.py:4") == ""
    assert functions.name_of("") == ""


def test_a_loop_through_several_functions_is_one():
    def inner(x):
        y = np.sin(x)
        return y * x

    def outer(x):
        for _ in range(5):
            z = inner(x)
            x = x + z * 0.5
        return x

    (group,) = grouped(list(record(outer, 0.5).steps()))
    assert group.kind == "repeat"
    assert group.title.startswith(f"5 {TIMES} test_grouping.py:")
    for block in group.members:
        assert next(groups(block.members)).title == "inner()"
