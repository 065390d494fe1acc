"""The containers among a call's arguments: what a recorded function changed in its copies of them.

A recorded call gets containers of its own, with its handles in them. Where it changes one, its
caller's container has to change too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tapegrad import _tree
from tapegrad._core import Variable

Content: TypeAlias = tuple[list[Any], list[Any]]  # keys or names, and what is behind them
Change: TypeAlias = tuple[Any, list[Any], list[Any]]  # a container, and its content from now on


class PassedContainers:
    """Containers that a function may change, each with its caller's own and what it held first."""

    def __init__(self, own: Any, copied: Any) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}  # of what was passed: it, and the caller's own
        self._pairs: list[tuple[Any, Any, Content]] = []
        self._learn(own, copied)

    def _learn(self, own: Any, copied: Any) -> None:
        self._known[id(copied)] = copied, own
        if own is None or _tree.is_leaf(own) or _tree.is_complex(own):
            return
        content = _content(copied)
        if content is not None:
            self._pairs.append((copied, own, content))
        parts = zip(_tree.children(own) or (), _tree.children(copied) or (), strict=True)
        for (_, x), (_, y) in parts:
            self._learn(x, y)

    def changes(self, plain: Callable[[list[Variable]], list[Any]]) -> list[Change]:
        """The caller's containers that are to change, with what they are to hold then.

        `plain` gives what Variables are in the function itself.
        """
        found = []
        for copied, own, before in self._pairs:
            now = _content(copied)
            assert now is not None
            if not _same(now, before):
                found.append((own, now[0], [self._as_known(x) for x in now[1]]))
        items = [x for _, _, held in found for x in held]
        leaves = [x for _, x in _tree.leaves(items)]
        values = iter(plain([x for x in leaves if isinstance(x, Variable)]))
        known = (
            x.own if type(x) is _Own else next(values) if isinstance(x, Variable) else x
            for x in leaves
        )
        items = iter(_tree.fill(items, known))
        return [(own, keys, [next(items) for _ in held]) for own, keys, held in found]

    def _as_known(self, x: Any) -> Any:
        """`x` with a mark in place of all that was passed."""
        if x is not None and id(x) in self._known:
            return _Own(self._known[id(x)][1])
        parts = None if x is None or _tree.is_complex(x) else _tree.children(x)
        if parts is None:
            return x
        return _tree.rebuild(x, [self._as_known(part) for _, part in parts])


class _Own:
    """Marks what is the caller's own."""

    def __init__(self, own: Any) -> None:
        self.own = own


def carry_over(changes: list[Change]) -> None:
    """Makes the caller's containers hold what they are to hold."""
    for own, keys, items in changes:
        if isinstance(own, dict):
            own.clear()
            own.update(zip(keys, items, strict=True))
        elif isinstance(own, list):
            own[:] = items
        else:
            for name, item in zip(keys, items, strict=True):
                object.__setattr__(own, name, item)


def _content(x: Any) -> Content | None:
    """What a container holds that may change; None of others."""
    if isinstance(x, dict):
        return list(x), list(x.values())
    if isinstance(x, list):
        return [None] * len(x), list(x)
    names = getattr(type(x), "__dataclass_fields__", None)
    if names is None:
        return None
    known = [name for name in names if hasattr(x, name)]
    return known, [getattr(x, name) for name in known]


def _same(x: Content, y: Content) -> bool:
    return x[0] == y[0] and len(x[1]) == len(y[1]) and all(map(_is, x[1], y[1]))


def _is(x: Any, y: Any) -> bool:
    return x is y
