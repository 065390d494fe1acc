"""Whether calling a function changes what it reads from outside."""

from __future__ import annotations

from typing import Any

from tapegrad.compile.reads.captured_data import generator_states, have_moved, stamps
from tapegrad.compile.reads.snapshot import Snapshot, UnwatchableError


class SideEffects:
    """What a function reads besides its arguments, as it was before a call of it.

    `contents` are the stamps of the snapshot's arrays where they are known. With `largest`, arrays
    of more bytes are looked at only where the function's code may write to arrays.
    """

    __slots__ = ("_generators", "_largest", "_snapshot", "contents")

    def __init__(
        self, snapshot: Snapshot, contents: list[Any] | None = None, largest: int | None = None
    ) -> None:
        self._snapshot = snapshot
        self._generators = generator_states(snapshot.generators) if snapshot.may_draw() else None
        self._largest = None if snapshot.writes else largest
        self.contents = stamps(self._arrays(snapshot)) if contents is None else contents

    def _arrays(self, snapshot: Snapshot) -> list[tuple[str, Any]]:
        most = self._largest
        return [x for x in snapshot.arrays if most is None or x[1].nbytes <= most]

    @property
    def reads_variables(self) -> bool:
        """Whether Variables are among what is read."""
        return bool(self._snapshot.variables)

    def found(self, release: bool = False) -> str:
        """What has changed since then, and what to do about it; '' where nothing has.

        `release`: Variables that a recording left behind become plain values.
        """
        snapshot = self._snapshot
        before = self._generators
        if before is not None and have_moved(before, generator_states(snapshot.generators)):
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
        arrays = self._arrays(fresh)
        for (label, _), before, now in zip(arrays, self.contents, stamps(arrays), strict=True):
            if before != now:
                return f"it writes to the array {label}, and a replay would not; pass it in"
        return ""
