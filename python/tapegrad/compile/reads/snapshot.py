"""A snapshot of what a compiled function reads besides its arguments.

It holds everything that the code of a function names: globals, closure cells, defaults, attributes
of objects and of the user's own modules, and so on through the Python functions that it calls by
name. `same()` is the quick test at each call: identity, name by name. Where it fails, a fresh
snapshot is compared with the old one (`compare`): numbers, strings and flags by value, containers
by structure, functions by their code, arrays and Variables by identity, where an array may be
replaced by another of the same shape and dtype.

What is read of an object depends on its kind: `visitors.py` has a function for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import zip_longest
from types import CellType
from typing import Any

import numpy as np

from tapegrad._core import SnapshotChecks, Variable, is_leaf
from tapegrad._tree import is_complex, is_variable, parts_of_complex
from tapegrad.compile.reads.captured_data import MISSING, bytes_of, same_value, stamp
from tapegrad.compile.reads.code_names import CodeNames, outside
from tapegrad.compile.reads.visitors import visit
from tapegrad.transforms.trace import value as plain

_MOST_ITEMS = 10_000


class UnwatchableError(Exception):
    """Something that a function reads, of which nobody can say whether it is still the same."""


class Compared:
    """What `same()` compares, object by object."""

    __slots__ = (
        "buffers", "cells", "codes", "dicts", "lists", "pairs", "sets", "shapes", "sizes", "slots",
    )  # fmt: skip

    def __init__(self) -> None:
        # Each namespace, by its id, with names and what they led to.
        self.pairs: dict[int, tuple[Any, list[tuple[str, Any]]]] = {}
        self.cells: list[tuple[CellType, Any]] = []
        self.shapes: list[tuple[Any, tuple[int, ...]]] = []  # of arrays
        self.codes: list[tuple[Any, Any]] = []  # of functions
        self.lists: list[tuple[Any, tuple[Any, ...]]] = []
        self.dicts: list[tuple[Any, tuple[Any, ...], tuple[Any, ...]]] = []
        self.sets: list[tuple[Any, frozenset[Any]]] = []
        self.sizes: list[tuple[Any, int]] = []
        # A call with a name and a default, and what it gave.
        self.slots: list[tuple[Callable[[Any, Any], Any], Any, Any]] = []
        self.buffers: list[tuple[Any, bytes]] = []  # by their bytes


class Snapshot(SnapshotChecks):
    """A snapshot of what the code of `roots` names.

    `names` holds the attribute names of a snapshot taken earlier, which saves a round.

    Raises:
        UnwatchableError: They read what can't be watched.
    """

    __slots__ = (
        "arrays",
        "classes",
        "compared",
        "draws",
        "dynamic",
        "functions",
        "generators",
        "items",
        "names",
        "optimisers",
        "roots",
        "seen",
        "variables",
        "writes",
    )

    def __init__(
        self,
        roots: Sequence[tuple[str, Any]],
        names: frozenset[str] = frozenset(),
        dynamic: bool = False,
    ) -> None:
        self.roots = tuple(roots)
        self.names = names
        self.dynamic = dynamic  # getattr(x, name): any attribute may be read
        while True:
            self._clear()
            for label, root in self.roots:
                self.visit(root, label)
            if self.names == names and self.dynamic == dynamic:
                break
            # There are more names now: objects seen before may have attributes of them.
            names, dynamic = self.names, self.dynamic
        found = self.compared
        self.set_checks(
            MISSING,
            tuple((space, space.get, tuple(pairs)) for space, pairs in found.pairs.values()),
            tuple(found.cells),
            tuple(found.shapes),
            tuple(found.codes),
            tuple(found.lists),
            tuple(found.dicts),
            tuple(found.sizes),
            tuple(found.sets),
            tuple(found.slots),
            tuple(v for _, v in self.variables),
            partial(_bytes_same, tuple(found.buffers)) if found.buffers else None,
            stamp,
        )
        self.seen.clear()
        self.classes.clear()

    def _clear(self) -> None:
        self.items: list[tuple[str, str, Any]] = []  # label, how it is compared, what it is
        self.functions: list[tuple[str, Any]] = []
        self.arrays: list[tuple[str, np.ndarray[Any, Any]]] = []
        self.variables: list[tuple[str, Any]] = []
        self.optimisers = 0
        self.generators: list[Any] = []
        self.writes = False  # the code may write to arrays
        self.draws = False  # something of a library's is read that may draw random numbers
        self.compared = Compared()
        self.seen: dict[int, str] = {}
        self.classes: set[tuple[type, frozenset[str]]] = set()

    def may_draw(self) -> bool:
        """Whether the code may draw random numbers."""
        return self.draws or self.dynamic or bool(self.generators) or "random" in self.names

    def leaves_only(self) -> bool:
        """Whether no Variable that is read holds something recorded."""
        return all(is_leaf(v) for _, v in self.variables)

    def again(self) -> Snapshot:
        """A fresh snapshot of the same roots."""
        return Snapshot(self.roots, self.names, self.dynamic)

    def release(self, before: Snapshot) -> None:
        """Puts plain values where a recording left Variables of its own."""
        ours = {id(v) for _, v in before.variables}

        def is_left(x: Any) -> bool:
            parts = parts_of_complex(x) if is_complex(x) and is_variable(x) else (x,)
            return any(
                isinstance(v, Variable) and id(v) not in ours and not is_leaf(v) for v in parts
            )

        for space, pairs in self.compared.pairs.values():
            for name, found in pairs:
                if is_left(found) and isinstance(space, dict):
                    space[name] = plain(found)
        for cell, found in self.compared.cells:
            if is_left(found):
                cell.cell_contents = plain(found)
        for items, saved in self.compared.lists:
            for i, x in enumerate(saved):
                if is_left(x) and i < len(items) and items[i] is x:
                    items[i] = plain(x)
        for mapping, keys, values in self.compared.dicts:
            for key, x in zip(keys, values, strict=True):
                if is_left(x) and mapping.get(key) is x:
                    mapping[key] = plain(x)

    def compare(self, fresh: Snapshot) -> tuple[str, dict[int, Any]]:
        """What differs in `fresh` ('' if nothing does), and which arrays it has in place of ours.

        Arrays are keyed by the id of the one that is replaced.
        """
        replaced: dict[int, Any] = {}
        nothing: tuple[str, str, Any] = ("", "", None)
        pairs = zip_longest(self.items, fresh.items, fillvalue=nothing)
        for (label, kind, old), (label_now, kind_now, now) in pairs:
            if label != label_now or kind != kind_now:
                return label or label_now, replaced
            if old is now:
                continue
            if kind == "array":
                if now is None or old.shape != now.shape or old.dtype != now.dtype:
                    return label, replaced
                if replaced.setdefault(id(old), now) is not now:
                    return label, replaced
            elif kind != "value" or not same_value(old, now):
                return label, replaced
        return "", replaced

    # For the visitors.

    def visit(self, x: Any, label: str) -> None:
        """Takes in an object, and what is read of it."""
        visit(self, x, label)

    def note(self, label: str, kind: str, value: Any) -> None:
        """Something that is compared: by "value", "identity", as an "array" or "variable"."""
        self.items.append((label, kind, value))
        if len(self.items) > _MOST_ITEMS:
            raise UnwatchableError(
                f"it reads more than {_MOST_ITEMS} things outside its arguments, the last of them "
                f"{label}; pass large collections as arrays, or as arguments"
            )

    def visit_names(self, space: Any, names: Iterable[str], prefix: str) -> None:
        """What names lead to in a namespace."""
        pairs = self.compared.pairs.setdefault(id(space), (space, []))[1]
        known = {name for name, _ in pairs}
        for name in sorted(names):
            if name in known:
                continue
            found = space.get(name, MISSING)
            pairs.append((name, found))
            if found is not MISSING:
                self.visit(found, prefix + name)

    def learn(self, code: CodeNames) -> None:
        """Notes what a function's code names."""
        if code.attributes - self.names:
            self.names = self.names | code.attributes
        self.writes |= code.writes
        self.dynamic |= code.dynamic

    def refuse(self, reason: str) -> None:
        """Something is read that can't be watched."""
        raise UnwatchableError(reason)

    def refuse_outside(self, module: str, names: frozenset[str]) -> None:
        """Refuses what the outside world decides: times, files, the environment."""
        self.refuse_changing(outside(module, names))

    def refuse_changing(self, found: str) -> None:
        """Refuses what changes by itself, if it is named."""
        if found:
            self.refuse(
                f"it reads {found}, which changes by itself; read it outside and pass it as an "
                "argument"
            )


# What the last snapshots of functions of one code have found: names, and whether any may be read.
_known: dict[Any, tuple[frozenset[str], bool]] = {}
_MOST_KNOWN = 4096


def snapshot_of(f: Any, label: str, others: Sequence[tuple[str, Any]] = ()) -> Snapshot:
    """A snapshot of what `f` reads, and other objects: quick where one of its code was taken.

    Raises:
        UnwatchableError: It reads what can't be watched.
    """
    code = getattr(f, "__code__", None)
    found = Snapshot([(label, f), *others], *_known.get(code, (frozenset(), False)))
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    if code is not None:
        _known[code] = found.names, found.dynamic
    return found


def _bytes_same(buffers: tuple[tuple[Any, bytes], ...]) -> bool:
    return all(bytes_of(x) == saved for x, saved in buffers)
