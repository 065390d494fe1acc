"""The steps of a recording as a tree: functions, repeated blocks, source lines.

Groups are intervals of the recorded order. Operands come before what reads them, so that whatever
groups are drawn as one box, no cycle appears. No group has more than `MOST` members: what is
longer is cut into blocks.
"""

from __future__ import annotations

import ast
import linecache
import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tapegrad.inspect.graph import Node
from tapegrad.inspect.text import TIMES, TO, clipped, line_text, source_text

MOST = 64  # members of a group
_LONGEST = 64  # members of a block that is looked for repeated


@dataclass(eq=False)
class Group:
    """Members that are shown as one box or, opened, as a frame around them.

    `kind` is "function", "line", "repeat" (equal blocks, one after another), "block" (a part of
    what is long), "inputs", "outputs" or "body" (what a step applies; `node` is that step).
    """

    kind: str
    title: str
    members: list[Member] = field(default_factory=list)
    node: Node | None = None


Member: TypeAlias = "Node | Group"


def grouped(steps: Sequence[Node]) -> list[Member]:
    """The steps in order, as members of groups."""
    functions = Functions()
    runs = _runs(steps, lambda node: functions.name_of(node.line))
    if len(runs) == 1:
        return _cut(_of_lines(steps), "steps")
    # Calls that alternate for long are a loop through several functions: lines say more there.
    if len(runs) > MOST:
        return _cut(_of_lines(steps), "steps")
    found: list[Member] = []
    for name, run in runs:
        members = _of_lines(run)
        if len(members) == 1 or not name:
            found += members
        else:
            found.append(Group("function", f"{name}()", _cut(members, "steps")))
    return _cut(_rolled(found), "steps")


def cut(members: Sequence[Member], word: str) -> list[Member]:
    """The members themselves, or blocks of them where they are many."""
    return _cut(members, word)


def _of_lines(steps: Sequence[Node]) -> list[Member]:
    members: list[Member] = []
    for line, run in _runs(steps, lambda node: node.line):
        inner = _cut(_with_repeats(run, _key_of_step), "steps")
        if len(inner) == 1 and isinstance(inner[0], Group):  # one repeat: the line and the count
            (only,) = inner
            assert isinstance(only, Group)
            only.title = _line_title(line, only.title)
            members.append(only)
        elif len(inner) == 1 or not line:
            members += inner
        else:
            members.append(Group("line", _line_title(line), inner))
    return _rolled(members)


def _rolled(members: list[Member]) -> list[Member]:
    """Members in which blocks that repeat are groups, and again blocks of these."""
    while True:
        repeated = _with_repeats(members, _key)
        if len(repeated) == len(members):
            return repeated
        members = repeated


def _line_title(line: str, rest: str = "") -> str:
    if not line:
        return rest
    code = clipped(source_text(line), 48)
    place = f"{line_text(line)} | {rest}" if rest else line_text(line)
    return f"{place} | {code}" if code else place


def _runs(steps: Sequence[Node], key: Callable[[Node], str]) -> list[tuple[str, list[Node]]]:
    found: list[tuple[str, list[Node]]] = []
    for node in steps:
        word = key(node)
        if not found or found[-1][0] != word:
            found.append((word, []))
        found[-1][1].append(node)
    return found


def _key_of_step(member: Member) -> Hashable:
    assert isinstance(member, Node)
    return (member.op, member.kernel, member.shape)


def _key(member: Member) -> Hashable:
    """Equal for members that look alike."""
    if isinstance(member, Node):
        return (member.line, member.op, member.shape)
    return (member.kind, member.title, len(member.members))


def _with_repeats(members: Sequence[Member], key: Callable[[Member], Hashable]) -> list[Member]:
    """The members, with blocks that follow each other three times or more made groups.

    A bounded number of comparisons is made at each place, whatever follows.
    """
    keys = [key(m) for m in members]
    found: list[Member] = []
    start, n = 0, len(members)
    while start < n:
        period, times = _best_period(keys, start)
        if times < 3:
            found.append(members[start])
            start += 1
            continue
        blocks: list[Member] = []
        for k in range(times):
            block = list(members[start + k * period : start + (k + 1) * period])
            blocks.append(block[0] if period == 1 else Group("block", f"pass {k}", block))
        title = f"{times} {TIMES} {_what(members[start : start + period])}"
        found.append(Group("repeat", title, _cut(blocks, "passes")))
        start += period * times
    return found


def _what(block: Sequence[Member]) -> str:
    """What a block is called by: its operation, or its source lines."""
    if len(block) == 1 and isinstance(block[0], Node):
        return block[0].op or block[0].kernel
    lines = sorted({node.line for node in _nodes_of(block)}, key=_place_of)
    first, last = _place_of(lines[0]), _place_of(lines[-1])
    if not lines[0] or first == last or first[0] != last[0]:
        return f"{len(block)} steps"
    return f"{line_text(lines[0])}{TO}{last[1]}"


def _place_of(line: str) -> tuple[str, int]:
    file, _, number = line.rpartition(":")
    return file, int(number) if number.isdigit() else 0


def _nodes_of(members: Sequence[Member]) -> Iterable[Node]:
    for member in members:
        if isinstance(member, Node):
            yield member
        else:
            yield from _nodes_of(member.members)


def _best_period(keys: Sequence[Any], start: int) -> tuple[int, int]:
    """The shortest period at a place that repeats three times or more, and how often."""
    n, first = len(keys), keys[start]
    for period in range(1, min(_LONGEST, (n - start) // 3) + 1):
        if keys[start + period] != first:
            continue
        k = start
        while k + period < n and keys[k + period] == keys[k]:
            k += 1
        times = (k - start) // period + 1
        if times >= 3:
            return period, times
    return 0, 0


def _cut(members: Sequence[Member], word: str) -> list[Member]:
    """Blocks of blocks, as even as they go, where there are more than `MOST`."""
    found = list(members)
    n_levels = math.ceil(math.log(max(len(found), 1)) / math.log(MOST))
    width = math.ceil(len(found) ** (1 / max(n_levels, 1)))
    first, total = [*range(len(found)), len(found)], len(found)
    while len(found) > MOST:
        blocks: list[Member] = []
        for k in range(0, len(found), width):
            end = min(k + width, len(found))
            title = f"{word} {first[k]}{TO}{first[end] - 1}"
            blocks.append(Group("block", title, found[k:end]))
        found, first = blocks, [*first[:total:width], total]
    return found


class Functions:
    """The functions that lines stand in, by what the files say."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[list[int], list[str]]] = {}
        self.names: dict[str, str] = {}

    def name_of(self, line: str) -> str:
        """The innermost function around a line; "" at the top of a file, or without the file."""
        if line not in self.names:
            file, _, number = line.rpartition(":")
            self.names[line] = self._find(file, int(number)) if number.isdigit() else ""
        return self.names[line]

    def _find(self, file: str, number: int) -> str:
        if file not in self.files:
            self.files[file] = _spans("".join(linecache.getlines(file)))
        starts, names = self.files[file]
        place = bisect_right(starts, number) - 1
        return names[place] if place >= 0 else ""


def _spans(text: str) -> tuple[list[int], list[str]]:
    """First lines of the stretches of a file, and the innermost function of each."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return [], []
    marks: dict[int, str] = {1: ""}

    def visit(nodes: Iterable[ast.AST], around: str) -> None:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                marks[node.lineno] = node.name
                visit(ast.iter_child_nodes(node), node.name)
                marks.setdefault((node.end_lineno or node.lineno) + 1, around)
            else:
                visit(ast.iter_child_nodes(node), around)

    visit([tree], "")
    starts = sorted(marks)
    return starts, [marks[k] for k in starts]
