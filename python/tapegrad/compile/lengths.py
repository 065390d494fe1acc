"""Calls that differ in nothing but the lengths of arrays: one program for all of them.

A `LengthGroup` holds the signatures that are equal but for the lengths of their arrays' axes. When
a recording at one length agrees with one at another (`RecordedCall.across`), the two become a
`LengthProgram`, which makes a program for every further length; what the function reads besides its
arguments must be what it was. Where no program can be made for a length, the function is recorded
there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tapegrad._core import Lengths
from tapegrad.compile.program import TrustedProgram
from tapegrad.compile.program_cache import ProgramCache
from tapegrad.compile.reads.captured_data import stamps
from tapegrad.compile.reads.snapshot import Snapshot
from tapegrad.compile.recorder import RecordedCall

if TYPE_CHECKING:
    from tapegrad.compile.signatures import Signature

MOST_SERVED = 64  # lengths for which a program is kept
_MOST_PROGRAMS = 8
_MOST_COMPARED = 4  # signatures that a new recording is compared with


class LengthProgram:
    """What recordings at two lengths have in common: it makes programs for other lengths.

    `cache` says where that holds: what is read from outside, as it was. `captures` are the arrays
    that are read in place of those that were recorded, None for the recorded ones themselves.
    """

    __slots__ = ("cache", "call", "captures", "key", "last", "lengths")

    def __init__(
        self,
        lengths: Lengths,
        program: TrustedProgram,
        cache: ProgramCache,
        key: tuple[Any, ...],
        floats_are_inputs: bool,
    ) -> None:
        self.lengths = lengths
        self.key = _with_letters(key, lengths.free_axes, floats_are_inputs)
        self.call = program.call
        self.captures: list[Any] | None = None
        self.last = program  # for show
        self.cache = cache

    def holds_with(self, snapshot: Snapshot) -> bool:
        """Whether it may serve where these things are read from outside; takes them over."""
        label, replaced = self.cache.adopt(snapshot)
        if label:
            return False
        if replaced:
            held = self.captures or self.call.recording.captures
            self.captures = [replaced.get(id(x), x) for x in held]
        return True

    def program_for(
        self, inputs: Sequence[Any], passes: Mapping[str, bool]
    ) -> TrustedProgram | None:
        """The program for inputs of these lengths; None where it has to be recorded."""
        found = self.lengths.at(inputs)
        if found is None:
            return None
        self.last = TrustedProgram(self.call.with_recording(found), passes)
        self.last.captures = self.captures
        return self.last


class LengthGroup:
    """The signatures that differ in lengths alone."""

    __slots__ = (
        "_recorded",
        "_served",
        "floats_are_inputs",
        "forgotten_replays",
        "programs",
        "was_seen",
        "why",
    )

    def __init__(self) -> None:
        self.programs: list[LengthProgram] = []
        self.why = ""  # why the last recording serves its own lengths alone
        self.floats_are_inputs = True
        self.was_seen = False  # that one of the signatures left the state "unseen"
        self.forgotten_replays = 0
        self._recorded: deque[Signature] = deque(maxlen=_MOST_COMPARED)
        self._served: deque[Signature] = deque()

    @property
    def replays(self) -> int:
        """How often a program ran for a length that was never recorded."""
        served = [x.replays for x in list(self._served) if not x.recordings]
        return self.forgotten_replays + sum(served)

    def has_several(self) -> bool:
        """Whether it was recorded at several lengths."""
        return len(self._recorded) > 1

    def cache(self) -> ProgramCache | None:
        """A cache for another length where what is read outside is the very same; None else."""
        for program in self.programs:
            if program.cache.same():
                return ProgramCache(program.cache.snapshot, program.cache.plain_reads)
        return None

    def serve(
        self,
        signature: Signature,
        cache: ProgramCache,
        inputs: Sequence[Any],
        passes: Mapping[str, bool],
    ) -> None:
        """Gives `cache` the programs that other lengths have shown."""
        for general in self.programs:
            if any(general is known for known in cache.asked):
                continue
            cache.asked.append(general)
            if not general.holds_with(cache.snapshot):
                continue
            program = general.program_for(inputs, passes)
            if program is None:
                continue
            cache.contents = general.cache.contents
            cache.fixed_arrays |= general.cache.fixed_arrays
            cache.programs.append(program)
            self._remember(signature)

    def _remember(self, signature: Signature) -> None:
        if not any(signature is known for known in self._served):
            self._served.append(signature)
        if len(self._served) > MOST_SERVED:
            oldest = self._served.popleft()
            if not oldest.recordings:
                self.forgotten_replays += oldest.replays
                oldest.forget()

    def learn(
        self,
        signature: Signature,
        cache: ProgramCache,
        call: RecordedCall,
        passes: Mapping[str, bool],
    ) -> bool:
        """Compares a recording with those at other lengths: whether one agrees."""
        others = [x for x in self._recorded if x is not signature]
        if len(others) == len(self._recorded):
            self._recorded.append(signature)
        for other in others:
            for earlier_cache in other.caches:
                common = _joined(earlier_cache, cache)
                if common is None:
                    continue
                for earlier in earlier_cache.recordings():
                    lengths, why = call.across(earlier)
                    if lengths is None:
                        self.why = why
                        continue
                    program = cache.accept(call, earlier, passes)
                    general = LengthProgram(
                        lengths, program, common, signature.key, signature.floats_are_inputs
                    )
                    self.programs = [general, *self.programs[: _MOST_PROGRAMS - 1]]
                    cache.asked.append(general)
                    return True
        return False


def _joined(earlier: ProgramCache, now: ProgramCache) -> ProgramCache | None:
    """Where both recordings hold: a cache of its own, if what the two read means the same."""
    label, replaced = earlier.snapshot.compare(now.snapshot)
    if label or any(old in earlier.fixed_arrays for old in replaced):
        return None
    found = ProgramCache(now.snapshot, now.plain_reads)
    found.fixed_arrays = {_replaced_id(x, replaced) for x in earlier.fixed_arrays}
    found.fixed_arrays |= now.fixed_arrays
    found.contents = None
    if earlier.contents is not None or now.contents is not None:
        found.contents = stamps(now.snapshot.arrays)
        for known in (earlier.contents, now.contents):
            if known is not None and known != found.contents:
                return None
    return found


def _replaced_id(old: int, replaced: Mapping[int, Any]) -> int:
    """The id of the array that stands where the one with id `old` stood."""
    return id(replaced[old]) if old in replaced else old


def without_lengths(key: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The key of a signature without the lengths of arrays; None where there are none."""
    found = tuple(
        ("axes", len(part[0]), part[1]) if is_array(part) and part[0] else part for part in key
    )
    return None if found == key else found


def is_array(part: Any) -> bool:
    """Whether a part of a key stands for an array: its shape and dtype."""
    return (
        type(part) is tuple
        and len(part) == 2
        and type(part[0]) is tuple
        and isinstance(part[1], np.dtype)
    )


def _with_letters(
    key: tuple[Any, ...], free_axes: list[list[int]], floats: bool
) -> tuple[Any, ...]:
    """The key with letters in place of free lengths; `floats`: Python floats are inputs."""
    axes = iter(free_axes)
    found = []
    for part in key:
        if is_array(part):
            shape = tuple(
                n if letter < 0 else _letter(letter)
                for n, letter in zip(part[0], next(axes), strict=True)
            )
            part = (shape, part[1])
        elif isinstance(part, type) and (floats or part is not float):
            next(axes)  # a number
        found.append(part)
    return tuple(found)


def _letter(i: int) -> str:
    return "nmpq"[i] if i < 4 else f"n{i}"
