"""Calls that differ in nothing but the lengths of arrays: one program for all of them.

A `Family` holds the signatures that are equal but for the lengths of their arrays' axes. When a
recording at one length agrees with one at another (`Recorded.across`), the two become a `General`,
which makes a program for every further length; what the function reads besides its arguments must
be what it was. Where no program can be made for a length, the function is recorded there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tapegrad._core import Lengths
from tapegrad.compile.contents import stamps
from tapegrad.compile.program_cache import Path, Recorded, World

MOST_SERVED = 64  # lengths for which a program is kept
_MOST_GENERALS = 8
_MOST_COMPARED = 4  # signatures that a new recording is compared with


class General:
    """What two recordings have in common, and where it holds: in a World of its own.

    Stands among the paths of that World, which keeps its captures those of the arrays' names.
    """

    __slots__ = ("captures", "key", "last", "lengths", "recorded", "world")

    def __init__(
        self, lengths: Lengths, path: Path, world: World, key: tuple[Any, ...], floats: bool
    ) -> None:
        self.lengths = lengths
        self.key = _with_letters(key, lengths.free_axes, floats)
        self.recorded: Recorded = path.recorded
        self.captures: list[Any] | None = None
        self.last = path  # for show
        self.world = world
        world.paths = [self]  # type: ignore[list-item]  # stands in for a path

    def path_for(self, inputs: Sequence[Any], passes: Mapping[str, bool]) -> Path | None:
        """The program for inputs of these lengths; None where it has to be recorded."""
        found = self.lengths.at(inputs)
        if found is None:
            return None
        self.last = Path(self.recorded.replaced_by(found), dict(passes))
        self.last.captures = self.captures
        return self.last


class Family:
    """The signatures that differ in lengths alone."""

    __slots__ = (
        "_recorded",
        "_served",
        "floats",
        "forgotten_replays",
        "generals",
        "was_brief",
        "why",
    )

    def __init__(self) -> None:
        self.generals: list[General] = []
        self.why = ""  # why the last recording serves its own lengths alone
        self.floats = True  # Python floats are inputs
        self.was_brief = False  # see Entry
        self.forgotten_replays = 0
        self._recorded: deque[Any] = deque(maxlen=_MOST_COMPARED)
        self._served: deque[Any] = deque()

    @property
    def replays(self) -> int:
        """How often a program ran for a length that was never recorded."""
        served: list[int] = [x.replays for x in list(self._served) if not x.recordings]
        return self.forgotten_replays + sum(served)

    def has_several(self) -> bool:
        """Whether it was recorded at several lengths."""
        return len(self._recorded) > 1

    def world(self) -> World | None:
        """A World for another length where what is read outside is the very same; None else."""
        for general in self.generals:
            if general.world.same():
                return World(general.world.watch, general.world.proven)
        return None

    def serve(
        self, entry: Any, world: World, inputs: Sequence[Any], passes: Mapping[str, bool]
    ) -> None:
        """Gives `world` the programs that other lengths have shown."""
        for general in self.generals:
            if any(general is known for known in world.generals):
                continue
            world.generals.append(general)
            if general.world.adopt(world.watch):
                continue
            path = general.path_for(inputs, passes)
            if path is None:
                continue
            world.contents = general.world.contents
            world.fixed_arrays |= general.world.fixed_arrays
            world.paths.append(path)
            self._remember(entry)

    def _remember(self, entry: Any) -> None:
        if not any(entry is known for known in self._served):
            self._served.append(entry)
        if len(self._served) > MOST_SERVED:
            oldest = self._served.popleft()
            if not oldest.recordings:
                self.forgotten_replays += oldest.replays
                oldest.forget()

    def learn(self, entry: Any, world: World, found: Recorded, passes: Mapping[str, bool]) -> None:
        """Compares a recording with those at other lengths; the first that agrees trusts both."""
        others = [x for x in self._recorded if x is not entry]
        if len(others) == len(self._recorded):
            self._recorded.append(entry)
        for other in others:
            for earlier_world in other.worlds:
                surroundings = _joined(earlier_world, world)
                if surroundings is None:
                    continue
                for earlier in earlier_world.recordings():
                    lengths, why = found.across(earlier)
                    if lengths is None:
                        self.why = why
                        continue
                    path = world.accept(found, earlier, dict(passes))
                    general = General(lengths, path, surroundings, entry.key, entry.floats)
                    self.generals = [general, *self.generals[: _MOST_GENERALS - 1]]
                    world.generals.append(general)
                    return


def _joined(earlier: World, now: World) -> World | None:
    """Where both recordings hold: a World of its own, if what the two read means the same."""
    label, replaced = earlier.watch.compare(now.watch)
    if label or any(old in earlier.fixed_arrays for old in replaced):
        return None
    found = World(now.watch, now.proven)
    found.fixed_arrays = {_replaced_id(x, replaced) for x in earlier.fixed_arrays}
    found.fixed_arrays |= now.fixed_arrays
    found.contents = None
    if earlier.contents is not None or now.contents is not None:
        found.contents = stamps(now.watch)
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
