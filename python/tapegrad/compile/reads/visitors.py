"""What is read of an object, by its kind.

A visitor notes in a snapshot how an object is compared and takes in what it leads to. The table
says which kinds are known; `_visit_other` is for all else.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tapegrad._core import SGD, Variable
from tapegrad.compile.call import has_value
from tapegrad.compile.reads.captured_data import (
    MISSING,
    Gradient,
    bytes_of,
    content_of,
    is_generator,
    item_of,
)
from tapegrad.compile.reads.code_names import is_library, is_users, names_of, why_unwatched

if TYPE_CHECKING:
    from tapegrad.compile.reads.snapshot import Snapshot

Visitor: TypeAlias = "Callable[[Snapshot, Any, str], None]"

_PLAIN_TYPES = frozenset({int, float, str, bool, type(None), bytes, complex})
_VALUES = (int, float, complex, str, bytes, type(None), type(Ellipsis), np.generic, np.dtype, range)
_MOST_BYTES = 4096  # of a bytearray
# Python calls these where objects are made, taken down or shown; they are read only where the class
# itself is named.
_CONSTRUCTION = frozenset(
    {"__init__", "__new__", "__post_init__", "__del__", "__repr__", "__str__"}
)


def visit(snapshot: Snapshot, x: Any, label: str) -> None:
    """Takes an object into the snapshot under a label, and what it leads to."""
    if type(x) in _PLAIN_TYPES or isinstance(x, _VALUES):
        return snapshot.note(label, "value", x)
    if isinstance(x, Variable):
        return _visit_variable(snapshot, x, label)
    if id(x) in snapshot.seen:
        return snapshot.note(label, "value", snapshot.seen[id(x)])
    if isinstance(x, np.ndarray):
        return _visit_array(snapshot, x, label)
    snapshot.seen[id(x)] = label
    if is_generator(x):
        snapshot.generators.append(x)
        return snapshot.note(label, "identity", x)
    for types, visitor in _VISITORS:
        if isinstance(x, types):
            return visitor(snapshot, x, label)
    return _visit_other(snapshot, x, label)


def _visit_variable(snapshot: Snapshot, x: Variable, label: str) -> None:
    snapshot.variables.append((label, x))
    snapshot.note(label, "variable", x)
    if "grad" in snapshot.names and x.grad is not None:
        content = bytes_of(x.grad)
        snapshot.note(f"{label}.grad", "value", content)
        snapshot.compared.buffers.append((Gradient(x), content))


def _visit_array(snapshot: Snapshot, x: np.ndarray[Any, Any], label: str) -> None:
    if x.dtype == object:
        snapshot.seen[id(x)] = label
        snapshot.note(label, "value", x.shape)
        flat = x.ravel().tolist()
        snapshot.compared.slots += [(partial(item_of, x), i, item) for i, item in enumerate(flat)]
        for i, item in enumerate(flat):
            visit(snapshot, item, f"{label}.flat[{i}]")
    elif x.ndim == 0:  # read as a number
        snapshot.note(label, "value", x.tobytes())
        snapshot.compared.buffers.append((x, x.tobytes()))
    else:
        snapshot.arrays.append((label, x))
        snapshot.note(f"{label}.shape", "value", x.shape)
        snapshot.compared.shapes.append((x, x.shape))
        snapshot.note(label, "array", x)


def _visit_function(snapshot: Snapshot, x: FunctionType, label: str) -> None:
    snapshot.note(label, "identity", x.__code__)
    snapshot.compared.codes.append((x, x.__code__))
    snapshot.functions.append((label, x))
    library = not is_users(x)
    if not library:
        code = names_of(x.__code__)
        snapshot.learn(code)
        for name in code.unwatched:
            if name not in x.__globals__:
                snapshot.refuse(why_unwatched(name))
        snapshot.visit_names(x.__globals__, code.globals_, "")
        for name in sorted(code.imports):
            module = sys.modules.get(name)
            if module is not None:
                visit(snapshot, module, name)
    for name, cell in zip(x.__code__.co_freevars, x.__closure__ or (), strict=True):
        content = content_of(cell)
        snapshot.compared.cells.append((cell, content))
        if content is not MISSING:
            visit(snapshot, content, name)
    if x.__dict__ and not library:
        snapshot.visit_names(x.__dict__, snapshot.names & x.__dict__.keys(), label + ".")
    for name in ("__defaults__", "__kwdefaults__"):
        held = getattr(x, name)
        if held:
            snapshot.compared.slots.append((partial(getattr, x), name, held))
            visit(snapshot, held, f"{label}.{name}")


def _visit_module(snapshot: Snapshot, x: ModuleType, label: str) -> None:
    snapshot.note(label, "identity", x)
    snapshot.refuse_outside(x.__name__, snapshot.names)
    if not is_library(x.__name__):
        snapshot.visit_names(vars(x), snapshot.names & vars(x).keys(), label + ".")


def _visit_method(snapshot: Snapshot, x: Any, label: str) -> None:
    visit(snapshot, x.__func__, label)
    visit(snapshot, x.__self__, label + ".__self__")


def _visit_builtin(snapshot: Snapshot, x: Any, label: str) -> None:
    owner = x.__self__
    if owner is None or isinstance(owner, (ModuleType, type)):
        snapshot.note(label, "identity", x)
        snapshot.refuse_outside(x.__module__ or "", frozenset({x.__name__}))
    else:
        snapshot.note(label, "value", x.__name__)
        visit(snapshot, owner, label + ".__self__")


def _visit_partial(snapshot: Snapshot, x: Any, label: str) -> None:
    visit(snapshot, x.func, label + ".func")
    visit(snapshot, x.args, label + ".args")
    visit(snapshot, x.keywords, label + ".keywords")


def _visit_property(snapshot: Snapshot, x: property, label: str) -> None:
    if x.fget is not None:
        visit(snapshot, x.fget, label)


def _visit_wrapped(snapshot: Snapshot, x: Any, label: str) -> None:
    visit(snapshot, x.__func__, label)


def _visit_sequence(snapshot: Snapshot, x: Any, label: str) -> None:
    snapshot.note(label, "value", (type(x).__qualname__, len(x)))
    if not isinstance(x, tuple):
        snapshot.compared.lists.append((x, tuple(x)))
    for i, item in enumerate(x):
        visit(snapshot, item, f"{label}[{i}]")
    _visit_instance(snapshot, x, label)


def _visit_dict(snapshot: Snapshot, x: Any, label: str) -> None:
    snapshot.note(label, "value", (type(x).__qualname__, len(x)))
    snapshot.compared.dicts.append((x, tuple(x), tuple(x.values())))
    for key, item in x.items():
        visit(snapshot, key, f"a key of {label}")
        visit(snapshot, item, f"{label}[{key!r}]")
    _visit_instance(snapshot, x, label)


def _visit_set(snapshot: Snapshot, x: Any, label: str) -> None:
    snapshot.note(label, "value", frozenset(x))
    snapshot.compared.sets.append((x, frozenset(x)))


def _visit_optimiser(snapshot: Snapshot, x: Any, label: str) -> None:
    snapshot.note(label, "identity", x)
    snapshot.optimisers += 1


def _visit_bytearray(snapshot: Snapshot, x: bytearray, label: str) -> None:
    if len(x) > _MOST_BYTES:
        snapshot.refuse(
            f"it reads {label}, a {type(x).__name__} of {len(x)} items; pass it as an array"
        )
    snapshot.note(label, "value", bytes(x))
    snapshot.compared.buffers.append((x, bytes(x)))


def _visit_class(snapshot: Snapshot, x: type, label: str) -> None:
    snapshot.note(label, "identity", x)
    snapshot.refuse_outside(x.__module__, snapshot.names)
    for cls in x.__mro__:
        _visit_class_names(snapshot, cls, _CONSTRUCTION)


def _visit_class_names(snapshot: Snapshot, cls: type, more: frozenset[str] = frozenset()) -> None:
    if (cls, more) in snapshot.classes or is_library(cls.__module__ or ""):
        return
    snapshot.classes.add((cls, more))
    special = {
        name
        for name, item in cls.__dict__.items()
        if isinstance(item, FunctionType) and name.startswith("__") and name not in _CONSTRUCTION
    }
    names = (snapshot.names | special | more) & cls.__dict__.keys()
    snapshot.visit_names(cls.__dict__, names, cls.__qualname__ + ".")


def _visit_ufunc(snapshot: Snapshot, x: np.ufunc, label: str) -> None:
    snapshot.note(label, "identity", x)


def _visit_other(snapshot: Snapshot, x: Any, label: str) -> None:
    """An object of no known kind: by what it holds where it says that it is a value."""
    compiled = getattr(type(x), "_compiles", None)
    if compiled is not None:  # a Compiled, seen through
        return visit(snapshot, compiled(x), label)
    wrapped = getattr(x, "__wrapped__", None)
    if wrapped is not None:  # a cache around a function, and the like
        visit(snapshot, wrapped, f"{label}.__wrapped__")
    if hasattr(type(x), "__next__"):
        snapshot.refuse(
            f"it reads {label}, a {type(x).__name__}: what the next item is, nobody can know; "
            "take the items outside and pass them as arguments"
        )
    if has_value(type(x)):
        return snapshot.note(label, "value", x)
    snapshot.note(label, "identity", x)
    if type(x).__hash__ is None and not hasattr(x, "__dict__"):
        snapshot.refuse(
            f"it reads {label}, a {type(x).__name__}, whose content can't be watched; pass it "
            "as an argument, as a number or an array"
        )
    return _visit_instance(snapshot, x, label)


def _visit_instance(snapshot: Snapshot, x: Any, label: str) -> None:
    """The named attributes of an object, and of its class where that is the user's."""
    own = getattr(x, "__dict__", None)
    if isinstance(own, dict):
        snapshot.compared.sizes.append((own, len(own)))  # a new attribute may hide the class's
        # A library's callable (a vectorised function) may call what it holds.
        every = snapshot.dynamic or (callable(x) and is_library(type(x).__module__))
        named = [name for name in own if every or name in snapshot.names]
        snapshot.visit_names(own, named, label + ".")
    for cls in type(x).__mro__:
        _visit_class_names(snapshot, cls)
        for name, item in cls.__dict__.items():
            if isinstance(item, MemberDescriptorType) and (
                snapshot.dynamic or name in snapshot.names
            ):
                found = getattr(x, name, MISSING)
                snapshot.compared.slots.append((partial(getattr, x), name, found))
                if found is not MISSING:
                    visit(snapshot, found, f"{label}.{name}")


_VISITORS: tuple[tuple[type | tuple[type, ...], Visitor], ...] = (
    (FunctionType, _visit_function),
    (ModuleType, _visit_module),
    (MethodType, _visit_method),
    (BuiltinFunctionType, _visit_builtin),
    (partial, _visit_partial),
    (property, _visit_property),
    ((staticmethod, classmethod), _visit_wrapped),
    (SGD, _visit_optimiser),
    ((list, tuple, deque), _visit_sequence),
    ((dict, MappingProxyType), _visit_dict),
    ((set, frozenset), _visit_set),
    (bytearray, _visit_bytearray),
    (type, _visit_class),
    (np.ufunc, _visit_ufunc),
)
