"""Whether calling a function changes what it reads from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapegrad.compile.contents import generator_states, have_moved, stamps
from tapegrad.compile.watch import Watch


class Outside:
    """What functions read besides their arguments, as it was when this was made.

    Raises:
        UnwatchableError: They read what can't be watched.
    """

    def __init__(self, roots: Sequence[tuple[str, Any]]) -> None:
        self._watch = Watch(roots)
        self._generators = generator_states(self._watch.generators)
        self._contents = stamps(self._watch)

    def difference(self) -> str:
        """What has changed since then; '' where nothing has."""
        watch = self._watch
        if have_moved(self._generators, generator_states(watch.generators)):
            return "it draws random numbers; draw them before, and pass them in"
        if not watch.same():
            label, replaced = watch.compare(watch.again())
            if label or replaced:
                return f"it changes {label or 'an array'}; pass it in, and return the new value"
        for (label, _), before, now in zip(
            watch.arrays, self._contents, stamps(watch), strict=True
        ):
            if before != now:
                return f"it writes to the array {label}; pass it in, and return the new value"
        return ""
