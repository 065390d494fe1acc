"""Whether calling a function changes what it reads from outside."""

from __future__ import annotations

from typing import Any

from tapegrad.compile.reads.captured_data import generator_states, have_moved, stamps
from tapegrad.compile.reads.snapshot import Snapshot, UnwatchableError


class SideEffects:
    """What a function reads besides its arguments, as it was before a call of it.

    `contents` are the stamps of the snapshot's arrays where they are known.
    """

    __slots__ = ("_generators", "_snapshot", "contents")

    def __init__(self, snapshot: Snapshot, contents: list[Any] | None = None) -> None:
        self._snapshot = snapshot
        self._generators = generator_states(snapshot.generators)
        self.contents = stamps(snapshot.arrays) if contents is None else contents

    def found(self, release: bool = False) -> str:
        """What has changed since then, and what to do about it; '' where nothing has.

        `release`: Variables that a recording left behind become plain values.
        """
        snapshot = self._snapshot
        if have_moved(self._generators, generator_states(snapshot.generators)):
            return (
                "it draws random numbers; draw them before, outside of it, and pass them in (a "
                "replay would not draw again)"
            )
        try:
            fresh = snapshot if snapshot.same() else snapshot.again()
        except UnwatchableError as error:
            return str(error)
        label, replaced = snapshot.compare(fresh)
        if label or replaced:
            if release:
                fresh.release(snapshot)
            return (
                f"it changes {label or 'an array'}, which is not among its arguments, and a "
                "replay would not; return the new value instead"
            )
        for (label, _), before, now in zip(
            snapshot.arrays, self.contents, stamps(fresh.arrays), strict=True
        ):
            if before != now:
                return f"it writes to the array {label}, and a replay would not; pass it in"
        return ""
