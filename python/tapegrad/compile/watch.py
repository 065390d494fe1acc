"""What a compiled function reads besides its arguments, and whether it is still the same.

A `Watch` is a snapshot of everything that the code of a function names: globals, closure cells,
defaults, attributes of objects and of the user's own modules, and so on through the Python
functions that it calls by name. `same()` is the quick test at each call: identity, name by name.
Where it fails, a fresh snapshot is compared with the old one (`compare`): numbers, strings and
flags by value, containers by structure, functions by their code, arrays and Variables by identity,
where an array may be replaced by another of the same shape and dtype.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import zip_longest
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from tapegrad._core import SGD, Checks, Variable, is_leaf
from tapegrad._core import value as plain
from tapegrad.compile.code_names import (
    CodeNames,
    is_library,
    is_users,
    names_of,
    outside,
    why_unwatched,
)
from tapegrad.compile.contents import (
    MISSING,
    Gradient,
    bytes_of,
    content_of,
    is_generator,
    item_of,
    same_value,
    stamp,
)
from tapegrad.compile.signature import has_value

_MOST_ITEMS = 10_000

_VALUES = (int, float, complex, str, bytes, type(None), type(Ellipsis), np.generic, np.dtype, range)


def _bytes_same(buffers: tuple[tuple[Any, bytes], ...]) -> bool:
    return all(bytes_of(x) == saved for x, saved in buffers)


class UnwatchableError(Exception):
    """Something that a function reads, of which nobody can say whether it is still the same."""


class Watch(Checks):
    """A snapshot of what the code of `roots` names.

    `names` holds the attribute names of a snapshot taken earlier, which saves a round.
    """

    __slots__ = (
        "_bytes",
        "_cells",
        "_classes",
        "_codes",
        "_dicts",
        "_lists",
        "_pairs",
        "_seen",
        "_sets",
        "_shapes",
        "_sizes",
        "_slots",
        "_spaces",
        "arrays",
        "dynamic",
        "functions",
        "generators",
        "items",
        "literals",
        "names",
        "optimisers",
        "roots",
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
                self._visit(root, label)
            if self.names == names and self.dynamic == dynamic:
                break
            # More names: objects seen before may have attributes of them.
            names, dynamic = self.names, self.dynamic
        self._spaces += [(space, tuple(pairs)) for space, pairs in self._pairs.values()]
        self.set_checks(
            MISSING,
            tuple((space, space.get, pairs) for space, pairs in self._spaces),
            tuple(self._cells),
            tuple(self._shapes),
            tuple(self._codes),
            tuple(self._lists),
            tuple(self._dicts),
            tuple(self._sizes),
            tuple(self._sets),
            tuple(self._slots),
            tuple(v for _, v in self.variables),
            partial(_bytes_same, tuple(self._bytes)) if self._bytes else None,
            stamp,
        )
        self._pairs.clear()
        self._seen.clear()
        self._classes.clear()

    def _clear(self) -> None:
        self.items: list[tuple[str, str, Any]] = []
        self.functions: list[tuple[str, Any]] = []
        self.arrays: list[tuple[str, np.ndarray[Any, Any]]] = []
        self.variables: list[tuple[str, Any]] = []
        self.optimisers = 0
        self.generators: list[Any] = []
        self.literals: set[float] = set()
        self.writes = False
        self._seen: dict[int, str] = {}
        self._classes: set[tuple[type, frozenset[str]]] = set()
        self._sizes: list[tuple[Any, int]] = []
        self._pairs: dict[int, tuple[Any, list[tuple[str, Any]]]] = {}
        self._spaces: list[tuple[Any, tuple[tuple[str, Any], ...]]] = []
        self._shapes: list[tuple[Any, tuple[int, ...]]] = []
        self._cells: list[tuple[CellType, Any]] = []
        self._codes: list[tuple[Any, Any]] = []
        self._lists: list[tuple[Any, tuple[Any, ...]]] = []
        self._dicts: list[tuple[Any, tuple[Any, ...], tuple[Any, ...]]] = []
        self._sets: list[tuple[Any, frozenset[Any]]] = []
        self._slots: list[tuple[Callable[[Any, Any], Any], Any, Any]] = []
        self._bytes: list[tuple[Any, bytes]] = []

    def leaves_only(self) -> bool:
        """Whether no Variable that is read holds something recorded."""
        return all(is_leaf(v) for _, v in self.variables)

    def numbers(self) -> set[float]:
        """The numbers that the code writes out or reads by name, and the lengths of arrays."""
        found = {0.0, 1.0, *map(float, self.literals)}
        for _, kind, value in self.items:
            if kind == "value" and isinstance(value, (int, float, np.floating, np.integer)):
                found.add(float(value))
        for _, x in self.arrays:
            found.update(map(float, x.shape))
        return found

    def again(self) -> Watch:
        """A fresh snapshot of the same roots."""
        return Watch(self.roots, self.names, self.dynamic)

    def release(self, before: Watch) -> None:
        """Puts plain values where the recording left Variables of its own."""
        ours = {id(v) for _, v in before.variables}

        def is_left(x: Any) -> bool:
            return isinstance(x, Variable) and id(x) not in ours and not is_leaf(x)

        for space, pairs in self._spaces:
            for name, found in pairs:
                if is_left(found) and isinstance(space, dict):
                    space[name] = plain(found)
        for cell, found in self._cells:
            if is_left(found):
                cell.cell_contents = plain(found)
        for found, saved in self._lists:
            for i, x in enumerate(saved):
                if is_left(x) and i < len(found) and found[i] is x:
                    found[i] = plain(x)
        for mapping, keys, values in self._dicts:
            for key, x in zip(keys, values, strict=True):
                if is_left(x) and mapping.get(key) is x:
                    mapping[key] = plain(x)

    def compare(self, fresh: Watch) -> tuple[str, dict[int, Any]]:
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

    # Taking the snapshot.

    def _visit(self, x: Any, label: str) -> None:
        kind = type(x)
        if kind in _PLAIN_TYPES or isinstance(x, _VALUES):
            return self._note(label, "value", x)
        if isinstance(x, Variable):
            self.variables.append((label, x))
            self._note(label, "variable", x)
            return self._visit_gradient(x, label)
        if id(x) in self._seen:
            return self._note(label, "value", self._seen[id(x)])
        if isinstance(x, np.ndarray):
            return self._visit_array(x, label)
        self._seen[id(x)] = label
        if is_generator(x):
            self.generators.append(x)
            return self._note(label, "identity", x)
        for types, visit in _VISITORS:
            if isinstance(x, types):
                return visit(self, x, label)
        return self._visit_other(x, label)

    def _note(self, label: str, kind: str, value: Any) -> None:
        self.items.append((label, kind, value))
        if len(self.items) > _MOST_ITEMS:
            raise UnwatchableError(
                f"it reads more than {_MOST_ITEMS} things outside its arguments, the last of them "
                f"{label}; pass large collections as arrays, or as arguments"
            )

    def _visit_array(self, x: np.ndarray[Any, Any], label: str) -> None:
        if x.dtype == object:
            self._seen[id(x)] = label
            self._note(label, "value", x.shape)
            flat = x.ravel().tolist()
            self._slots += [(partial(item_of, x), i, item) for i, item in enumerate(flat)]
            for i, item in enumerate(flat):
                self._visit(item, f"{label}.flat[{i}]")
        elif x.ndim == 0:  # read as a number
            self._note(label, "value", x.tobytes())
            self._bytes.append((x, x.tobytes()))
        else:
            self.arrays.append((label, x))
            self._note(f"{label}.shape", "value", x.shape)
            self._shapes.append((x, x.shape))
            self._note(label, "array", x)

    def _visit_gradient(self, x: Any, label: str) -> None:
        if "grad" in self.names and x.grad is not None:
            content = bytes_of(x.grad)
            self._note(f"{label}.grad", "value", content)
            self._bytes.append((Gradient(x), content))

    def _visit_module(self, x: ModuleType, label: str) -> None:
        self._note(label, "identity", x)
        self._refuse_outside(x.__name__, self.names)
        if not is_library(x.__name__):
            self._visit_names(vars(x), self.names & vars(x).keys(), label + ".")

    @staticmethod
    def _refuse_outside(module: str, names: frozenset[str]) -> None:
        found = outside(module, names)
        if found:
            raise UnwatchableError(
                f"it reads {found}, which changes by itself; read it outside and pass it as an "
                "argument"
            )

    def _visit_names(self, space: Any, names: Iterable[str], prefix: str) -> None:
        pairs = self._pairs.setdefault(id(space), (space, []))[1]
        known = {name for name, _ in pairs}
        for name in sorted(names):
            if name in known:
                continue
            found = space.get(name, MISSING)
            pairs.append((name, found))
            if found is not MISSING:
                self._visit(found, prefix + name)

    def _learn(self, code: CodeNames) -> None:
        if code.attributes - self.names:
            self.names = self.names | code.attributes
        self.literals |= code.literals
        self.writes |= code.writes
        self.dynamic |= code.dynamic

    def _visit_function(self, x: FunctionType, label: str) -> None:
        self._note(label, "identity", x.__code__)
        self._codes.append((x, x.__code__))
        self.functions.append((label, x))
        library = not is_users(x)
        if not library:
            code = names_of(x.__code__)
            self._learn(code)
            for name in code.unwatched:
                if name not in x.__globals__:
                    raise UnwatchableError(why_unwatched(name))
            self._visit_names(x.__globals__, code.globals_, "")
            for name in sorted(code.imports):
                module = sys.modules.get(name)
                if module is not None:
                    self._visit(module, name)
        for name, cell in zip(x.__code__.co_freevars, x.__closure__ or (), strict=True):
            content = content_of(cell)
            self._cells.append((cell, content))
            if content is not MISSING:
                self._visit(content, name)
        if x.__dict__ and not library:
            self._visit_names(x.__dict__, self.names & x.__dict__.keys(), label + ".")
        for name in ("__defaults__", "__kwdefaults__"):
            held = getattr(x, name)
            if held:
                self._slots.append((partial(getattr, x), name, held))
                self._visit(held, f"{label}.{name}")

    def _visit_method(self, x: Any, label: str) -> None:
        self._visit(x.__func__, label)
        self._visit(x.__self__, label + ".__self__")

    def _visit_builtin(self, x: Any, label: str) -> None:
        owner = x.__self__
        if owner is None or isinstance(owner, (ModuleType, type)):
            self._note(label, "identity", x)
            self._refuse_outside(x.__module__ or "", frozenset({x.__name__}))
        else:
            self._note(label, "value", x.__name__)
            self._visit(owner, label + ".__self__")

    def _visit_partial(self, x: Any, label: str) -> None:
        self._visit(x.func, label + ".func")
        self._visit(x.args, label + ".args")
        self._visit(x.keywords, label + ".keywords")

    def _visit_sequence(self, x: Any, label: str) -> None:
        self._note(label, "value", (type(x).__qualname__, len(x)))
        if not isinstance(x, tuple):
            self._lists.append((x, tuple(x)))
        for i, item in enumerate(x):
            self._visit(item, f"{label}[{i}]")
        self._visit_instance(x, label)

    def _visit_dict(self, x: Any, label: str) -> None:
        self._note(label, "value", (type(x).__qualname__, len(x)))
        self._dicts.append((x, tuple(x), tuple(x.values())))
        for key, item in x.items():
            self._visit(key, f"a key of {label}")
            self._visit(item, f"{label}[{key!r}]")
        self._visit_instance(x, label)

    def _visit_set(self, x: Any, label: str) -> None:
        self._note(label, "value", frozenset(x))
        self._sets.append((x, frozenset(x)))

    def _visit_optimiser(self, x: Any, label: str) -> None:
        self._note(label, "identity", x)
        self.optimisers += 1

    def _visit_buffer(self, x: Any, label: str) -> None:
        if len(x) > 4096:
            raise UnwatchableError(
                f"it reads {label}, a {type(x).__name__} of {len(x)} items; pass it as an array"
            )
        self._note(label, "value", bytes(x))
        self._bytes.append((x, bytes(x)))

    def _visit_class(self, x: type, label: str) -> None:
        self._note(label, "identity", x)
        self._refuse_outside(x.__module__, self.names)
        for cls in x.__mro__:
            self._visit_class_names(cls, _CONSTRUCTION)

    def _visit_class_names(self, cls: type, more: frozenset[str] = frozenset()) -> None:
        if (cls, more) in self._classes or is_library(cls.__module__ or ""):
            return
        self._classes.add((cls, more))
        special = {
            name
            for name, item in cls.__dict__.items()
            if isinstance(item, FunctionType)
            and name.startswith("__")
            and name not in _CONSTRUCTION
        }
        names = (self.names | special | more) & cls.__dict__.keys()
        self._visit_names(cls.__dict__, names, cls.__qualname__ + ".")

    def _visit_property(self, x: property, label: str) -> None:
        if x.fget is not None:
            self._visit(x.fget, label)

    def _visit_wrapped(self, x: Any, label: str) -> None:
        self._visit(x.__func__, label)

    def _visit_other(self, x: Any, label: str) -> None:
        compiled = getattr(type(x), "_compiles", None)
        if compiled is not None:  # a Compiled, seen through
            return self._visit(compiled(x), label)
        if isinstance(x, np.ufunc):
            return self._note(label, "identity", x)
        wrapped = getattr(x, "__wrapped__", None)
        if wrapped is not None:  # a cache around a function, and the like
            self._visit(wrapped, f"{label}.__wrapped__")
        if hasattr(type(x), "__next__"):
            raise UnwatchableError(
                f"it reads {label}, a {type(x).__name__}: what the next item is, nobody can know; "
                "take the items outside and pass them as arguments"
            )
        if has_value(type(x)):
            return self._note(label, "value", x)
        self._note(label, "identity", x)
        if type(x).__hash__ is None and not hasattr(x, "__dict__"):
            raise UnwatchableError(
                f"it reads {label}, a {type(x).__name__}, whose content can't be watched; pass it "
                "as an argument, as a number or an array"
            )
        return self._visit_instance(x, label)

    def _visit_instance(self, x: Any, label: str) -> None:
        """The named attributes of an object, and of its class where that is the user's."""
        own = getattr(x, "__dict__", None)
        if isinstance(own, dict):
            self._sizes.append((own, len(own)))  # a new attribute may hide one of the class
            # A library's callable (a vectorised function) may call what it holds.
            every = self.dynamic or (callable(x) and is_library(type(x).__module__))
            named = [name for name in own if every or name in self.names]
            self._visit_names(own, named, label + ".")
        for cls in type(x).__mro__:
            self._visit_class_names(cls)
            for name, item in cls.__dict__.items():
                if isinstance(item, MemberDescriptorType) and (self.dynamic or name in self.names):
                    found = getattr(x, name, MISSING)
                    self._slots.append((partial(getattr, x), name, found))
                    if found is not MISSING:
                        self._visit(found, f"{label}.{name}")


# Called where objects are made, taken down or shown: read only where the class itself is named.
_CONSTRUCTION = frozenset(
    {"__init__", "__new__", "__post_init__", "__del__", "__repr__", "__str__"}
)

_PLAIN_TYPES = frozenset({int, float, str, bool, type(None), bytes, complex})

_VISITORS: tuple[tuple[Any, Callable[[Watch, Any, str], None]], ...] = (
    (FunctionType, Watch._visit_function),
    (ModuleType, Watch._visit_module),
    (MethodType, Watch._visit_method),
    (BuiltinFunctionType, Watch._visit_builtin),
    (partial, Watch._visit_partial),
    (property, Watch._visit_property),
    ((staticmethod, classmethod), Watch._visit_wrapped),
    (SGD, Watch._visit_optimiser),
    ((list, tuple, deque), Watch._visit_sequence),
    ((dict, MappingProxyType), Watch._visit_dict),
    ((set, frozenset), Watch._visit_set),
    (bytearray, Watch._visit_buffer),
    (type, Watch._visit_class),
)
