"""The programs and recordings that hold while what a function reads from outside is the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Recording, Variable
from tapegrad.compile.extents import Extents
from tapegrad.compile.program import TrustedProgram
from tapegrad.compile.reads.captured_data import PlainReads, stamps
from tapegrad.compile.reads.snapshot import Snapshot
from tapegrad.compile.recorder import RecordedCall

MOST_PROGRAMS = 8


class ProgramCache(_core.ProgramCacheBase):
    """What a function reads besides its arguments, as it was, and what was recorded then.

    There is a program for each path through the function's branches, each confirmed by two
    recordings that agree; `unconfirmed` are the recordings that wait for a second one, and `brief`
    is one that left sweeps out.
    """

    __slots__ = ("asked", "brief", "fixed_arrays", "plain_reads", "unconfirmed")

    snapshot: Snapshot
    contents: list[Any] | None
    programs: list[TrustedProgram]

    def __init__(self, snapshot: Snapshot, plain_reads: PlainReads | None = None) -> None:
        self.snapshot = snapshot
        if plain_reads is None:
            plain_reads = _plain_reads(snapshot)
        # What code that is not recorded may take from the captured arrays.
        self.plain_reads: PlainReads = plain_reads
        watched = snapshot.arrays and plain_reads is PlainReads.ANYTHING
        self.contents = stamps(snapshot.arrays) if watched else None
        self.programs = []
        self.unconfirmed: list[RecordedCall] = []
        self.brief: RecordedCall | None = None
        self.fixed_arrays: set[int] = set()  # ids of those that no other array may replace
        self.asked: list[Any] = []  # the programs for other lengths that were asked for one

    def same(self) -> bool:
        """Whether everything is what it was; the quick test."""
        return self.snapshot.same_with(self.contents)

    def adopt(self, fresh: Snapshot) -> tuple[str, dict[int, Any]]:
        """Takes the fresh snapshot if it means the same.

        Returns what differs ('' if nothing does), and the arrays that were replaced.
        """
        label, replaced = self.snapshot.compare(fresh)
        if label:
            return label, replaced
        for (label, old), (_, now) in zip(self.snapshot.arrays, fresh.arrays, strict=True):
            if old is not now and id(old) in self.fixed_arrays:
                return label, replaced
        if self.contents is not None:
            now_contents = stamps(fresh.arrays)
            for (label, _), old, now in zip(fresh.arrays, self.contents, now_contents, strict=True):
                if old != now:
                    return f"the content of {label}", replaced
        if replaced:
            for program in self.programs:
                program.replace_captures(replaced)
        self.snapshot = fresh
        return "", replaced

    def shares(self, inputs: Sequence[Any]) -> bool:
        """Whether an input shows in another one or in what is captured, as writes to it would."""
        arrays = [x for x in inputs if _tree.is_array(x)]
        others = [x for _, x in self.snapshot.arrays]
        extents = Extents([*arrays, *others])
        if all(extents.meeting(x) == 1 for x in arrays if x.size):  # itself
            return False
        return any(
            np.may_share_memory(x, y) and not _are_parts(x, y)
            for i, x in enumerate(arrays)
            for y in [*arrays[:i], *others]
        )

    def watch_contents(self, call: RecordedCall, contents: list[Any], takes_numbers: bool) -> None:
        """From now on compares the captured arrays' contents, where `call` may depend on them.

        `takes_numbers`: there are numbers among the arguments that are no inputs of programs, so
        that plain code may compute with them and captured arrays.
        """
        self._hold(call)
        if self.contents is None and call.complete:
            may_be_numbers = takes_numbers or self.plain_reads is not PlainReads.NOTHING
            if not self._explained(call, may_be_numbers):
                self.contents = contents

    def _hold(self, call: RecordedCall) -> None:
        """Notes the captured arrays that no other may replace, since `call` keeps parts of them.

        What operations read of a whole array is read from the one that is there now; views, and
        arrays that are part of the result, stay those that were recorded.
        """
        captures = [x for x in call.recording.captures if _tree.is_array(x)]
        fixed = [x[0] for x in call.fixed if x is not None and _tree.is_array(x[0])]
        extents, own = Extents([*fixed, *captures]), Counter(map(id, captures))
        self.fixed_arrays |= {
            id(a) for _, a in self.snapshot.arrays if extents.meeting(a) > own[id(a)]
        }

    def _explained(self, call: RecordedCall, may_be_numbers: bool) -> bool:
        """Whether nothing that the program holds fixed may come from a captured array's content.

        `may_be_numbers`: numbers may. One of them can't be told from a number of the code.
        """
        arrays = self.snapshot.arrays
        if not arrays:
            return True
        watched = {id(x) for _, x in arrays}
        others = [
            x
            for x in call.recording.captures
            if not isinstance(x, Variable) and id(x) not in watched
        ]
        if others and not _are_views(others, [a for _, a in arrays]):
            return False
        constants = call.recording.constants
        if any(np.ndim(x) or may_be_numbers for x in constants):
            return False
        return all(
            x is None
            or id(x[0]) in watched
            or (isinstance(x[0], str | bool | None) and not may_be_numbers)
            for x in call.fixed
        )

    def confirm(self, call: RecordedCall, passes: Mapping[str, bool]) -> bool:
        """Whether an earlier recording agrees; the two then become a program."""
        brief, self.brief = self.brief, None
        for earlier in [*self.unconfirmed, *([brief] if brief is not None else [])]:
            if call.agrees(earlier):
                self.unconfirmed = [x for x in self.unconfirmed if x is not earlier]
                self.accept(call, earlier, passes)
                return True
        call.outlined = None
        self.unconfirmed = [call, *self.unconfirmed[: 2 * MOST_PROGRAMS - 1]]
        return False

    def accept(
        self, call: RecordedCall, earlier: RecordedCall, passes: Mapping[str, bool]
    ) -> TrustedProgram:
        """The program of a recording that is trusted, because an earlier one agrees."""
        self.unconfirmed = [x for x in self.unconfirmed if x is not call]
        made_anew = call.made_anew(earlier)
        call.outlined = None
        if not earlier.complete:
            earlier.recording = Recording()  # it has served; passes take much memory themselves
        program = TrustedProgram(call, passes, made_anew)
        self.programs = [program, *self.programs[: MOST_PROGRAMS - 1]]
        return program

    def drop(self, program: TrustedProgram) -> None:
        """Forgets a program."""
        self.programs = [x for x in self.programs if x is not program]

    def move_to_front(self, program: TrustedProgram) -> None:
        """Tries this program first from now on."""
        self.programs = [program, *(x for x in self.programs if x is not program)]

    def recordings(self) -> list[RecordedCall]:
        """All that were made here and are kept."""
        return [*(program.call for program in self.programs), *self.unconfirmed]

    def guards(self) -> list[str]:
        """The lines of choices: first of those that failed last, then of unconfirmed recordings."""
        lines = [program.program.guard_failed for program in self.programs]
        return lines + [line for call in self.unconfirmed for line in call.recording.guards]

    def has_branches(self) -> bool:
        """Whether an unconfirmed recording took a branch."""
        return any(call.recording.guards for call in self.unconfirmed)


def _plain_reads(snapshot: Snapshot) -> PlainReads:
    from tapegrad.compile.flow import plain_reads

    return plain_reads(snapshot)


def _are_views(views: Sequence[Any], arrays: Sequence[Any]) -> bool:
    """Whether each of these shows parts of one of the arrays."""
    by_owner: defaultdict[int, list[Any]] = defaultdict(list)
    for a in arrays:
        by_owner[id(a)].append(a)
        if a.base is not None:
            by_owner[id(a.base)].append(a)
    extents = {owner: Extents(found) for owner, found in by_owner.items()}

    def is_view(x: Any) -> bool:
        base = getattr(x, "base", None)
        return base is not None and id(base) in extents and extents[id(base)].meeting(x) > 0

    return all(map(is_view, views))


def _are_parts(x: Any, y: Any) -> bool:
    """Whether these are the real and the imaginary part of one complex array."""
    if x.strides != y.strides or x.shape != y.shape or any(s % (2 * x.itemsize) for s in x.strides):
        return False
    first, second = (a.__array_interface__["data"][0] for a in (x, y))
    return bool(abs(first - second) == x.itemsize == y.itemsize)
