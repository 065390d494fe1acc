"""What the names of a function that lead outside it stand for, and how they are watched."""

from __future__ import annotations

import ast
import builtins
from types import ModuleType
from typing import Any

from tapegrad import _tree
from tapegrad.compile.reads.captured_data import MISSING

SHAPES = frozenset({"shape", "ndim", "size", "dtype", "itemsize", "nbytes"})  # attributes


class UnknownError(Exception):
    """The proof fails."""


class OutsideNames:
    """Names of a function: its locals, those that are watched, and the objects that they name.

    `labels` are the labels under which arguments are watched, `objects` what is known of them;
    `arrays` are the labels of captured arrays.
    """

    function: Any  # a Python function
    arrays: list[str]
    local: dict[str, int | None]
    labels: dict[str, str]
    objects: dict[str, Any]

    def holds_array(self, label: str) -> bool:
        """Whether a captured array is there, or inside what is there."""
        return any(x == label or x.startswith((label + ".", label + "[")) for x in self.arrays)

    def label_of(self, e: ast.expr) -> str | None:
        """The label under which a name, or an attribute of one, is watched; None for locals."""
        if isinstance(e, ast.Name):
            if e.id in self.labels:
                label = self.labels[e.id]
                return label if self.holds_array(label) else None
            return None if e.id in self.local else e.id
        if isinstance(e, ast.Attribute):
            owner = self.label_of(e.value)
            if owner is None or e.attr in SHAPES or e.attr == "T":
                return None
            return f"{owner}.{e.attr}"
        return None

    def resolve(self, e: ast.expr) -> Any:
        """The very object that an outside name leads to; MISSING where only a call knows."""
        if isinstance(e, ast.Name):
            if e.id in self.objects:
                return self.objects[e.id]
            if e.id in self.local:
                return MISSING
            f = self.function
            if e.id in f.__code__.co_freevars:
                cell = (f.__closure__ or ())[f.__code__.co_freevars.index(e.id)]
                return cell.cell_contents
            return f.__globals__.get(e.id, getattr(builtins, e.id, MISSING))
        if isinstance(e, ast.Attribute):
            owner = self.resolve(e.value)
            if owner is MISSING or _tree.is_array(owner):
                return MISSING
            if isinstance(owner, ModuleType) or self.is_plain_attribute(owner, e.attr):
                return getattr(owner, e.attr, MISSING)
            raise UnknownError
        return MISSING

    @staticmethod
    def is_plain_attribute(owner: Any, name: str) -> bool:
        """Whether reading the attribute runs no code of the user's."""
        found = getattr(type(owner), name, None)
        return not isinstance(found, property)

    def resolved(self, e: ast.expr) -> Any:
        """The object that a name or an attribute leads to; MISSING where that is not known."""
        return self.resolve(e) if isinstance(e, (ast.Name, ast.Attribute)) else MISSING
