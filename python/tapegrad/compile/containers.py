"""The containers among a call's arguments: what a recorded function changed in its copies of them.

A recorded call gets containers of its own, with its handles in them. Where it changes one, its
caller's container has to change too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tapegrad import _tree
from tapegrad._core import Variable

# What a container holds: whether it is an attribute, its key or name, and what is there.
Content: TypeAlias = list[tuple[bool, Any, Any]]
Change: TypeAlias = tuple[Any, Content]  # a container, and its content from now on


class PassedContainers:
    """Containers that a function may change, each with its caller's own and what it held first.

    `are_shared`: one stands in two places, of which the function got a copy each.
    """

    def __init__(self, own: Any, copied: Any) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}  # of what was passed: it, and the caller's own
        self._pairs: list[tuple[Any, Any, Content]] = []
        self._learn(own, copied)
        self.are_shared = len({id(x) for _, x, _ in self._pairs}) < len(self._pairs)

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
                found.append((own, now))
        held = [self._as_known(x) for _, content in found for _, _, x in content]
        leaves = [x for _, x in _tree.leaves(held)]
        values = iter(plain([x for x in leaves if isinstance(x, Variable)]))
        known = (
            x.own if type(x) is _Own else next(values) if isinstance(x, Variable) else x
            for x in leaves
        )
        items = iter(_tree.fill(held, known))
        return [
            (own, [(is_name, key, next(items)) for is_name, key, _ in content])
            for own, content in found
        ]

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
    for own, content in changes:
        items = [(key, x) for is_name, key, x in content if not is_name]
        if isinstance(own, dict):
            own.clear()
            for key, x in items:
                own[key] = x  # what else that does to attributes is set right below
        elif isinstance(own, list):
            list.__setitem__(own, slice(None), [x for _, x in items])
        names = {key: x for is_name, key, x in content if is_name}
        for name in getattr(own, "__dict__", {}).keys() - names.keys():
            object.__delattr__(own, name)
        for name, x in names.items():
            object.__setattr__(own, name, x)  # of frozen ones too


def _content(x: Any) -> Content | None:
    """What a container holds that may change; None of others."""
    fields = getattr(type(x), "__dataclass_fields__", None)
    if fields is None and not isinstance(x, (dict, list)):
        return None
    items = x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, list) else ()
    names = {name: getattr(x, name) for name in fields or () if hasattr(x, name)}
    names.update(getattr(x, "__dict__", {}))
    return [(False, k, y) for k, y in items] + [(True, name, y) for name, y in names.items()]


def _same(x: Content, y: Content) -> bool:
    return len(x) == len(y) and all(
        a[:2] == b[:2] and a[2] is b[2] for a, b in zip(x, y, strict=True)
    )
