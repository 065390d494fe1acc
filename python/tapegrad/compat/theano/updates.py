"""Updates: shared variables and their next values."""

from __future__ import annotations

from typing import Any


class OrderedUpdates(dict[Any, Any]):
    """A dict of shared variables and expressions, to which others can be added."""

    def __add__(self, other: Any) -> OrderedUpdates:
        return OrderedUpdates({**self, **dict(other)})

    def update(self, *others: Any, **_: Any) -> None:
        """Takes in pairs, or another dict."""
        super().update(*others)
