"""One signature of a compiled function: what was recorded for it, and how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad import _core
from tapegrad.compile.lengths import Family
from tapegrad.compile.program_cache import World
from tapegrad.compile.signature import Signature


class Entry(_core.EntryBase):
    """One signature."""

    __slots__ = (
        "_failures",
        "_replays_seen",
        "_was_brief",
        "eager",
        "family",
        "fixed",
        "floats",
        "forget",
        "key",
        "recordings",
        "result_known",
        "variants",
        "worlds",
    )

    current: World | None

    def __init__(
        self, signature: Signature, family: Family | None, forget: Callable[[], Any]
    ) -> None:
        self.key = signature.key
        self.fixed = signature.fixed  # arguments by identity: kept alive, so that no id comes back
        self.family = family  # of those that differ in lengths
        self.forget = forget  # takes it out of its table
        self.worlds: list[World] = []
        self.current = None
        self.eager = ""  # why it runs eagerly
        self.floats = family is None or family.floats  # Python floats are inputs
        self.variants: dict[Any, Entry] = {}  # by the values of the floats, where they are not
        self.recordings = 0
        self.result_known = False  # that the eager result holds no Variable
        self._was_brief = False
        self._failures = 0
        self._replays_seen = 0

    @property
    def was_brief(self) -> bool:
        """Whether the one call has been that need not be recorded whole; lengths share it."""
        return self._was_brief or (self.family is not None and self.family.was_brief)

    @was_brief.setter
    def was_brief(self, value: bool) -> None:
        self._was_brief = value
        if self.family is not None:
            self.family.was_brief = value

    def count_failure(self) -> int:
        """How many times in a row no program served."""
        if self.replays != self._replays_seen:
            self._failures, self._replays_seen = 0, self.replays
        self._failures += 1
        return self._failures
