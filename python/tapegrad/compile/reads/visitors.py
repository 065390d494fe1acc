"""What is read of an object, by its kind.

A visitor notes in a snapshot how an object is compared and takes in what it leads to. The table
says which kinds are known; `_visit_other` is for all else.
"""

from __future__ import annotations

import operator
import re
import sys
from _thread import LockType, RLock
from collections import deque, namedtuple
from collections.abc import Callable
from functools import cache, partial, singledispatch
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GenericAlias,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    SimpleNamespace,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

import numpy as np

from tapegrad._core import SGD, Variable
from tapegrad._tree import is_variable
from tapegrad.compile.call import has_value
from tapegrad.compile.reads.captured_data import (
    MISSING,
    Gradient,
    bytes_of,
    content_of,
    is_generator,
    item_of,
)
from tapegrad.compile.reads.code_names import (
    CodeNames,
    is_library,
    is_users,
    may_draw,
    names_of,
    read_from,
    why_unwatched,
)

if TYPE_CHECKING:
    from tapegrad.compile.reads.snapshot import Snapshot

Visitor: TypeAlias = "Callable[[Snapshot, Any, str], None]"

_PLAIN_TYPES = frozenset({int, float, str, bool, type(None), bytes, complex})
_VALUES = (int, float, complex, str, bytes, type(None), type(Ellipsis), np.generic, np.dtype, range)
_MOST_BYTES = 4096  # of a bytearray
# Python calls these where objects are made, taken down or shown; they are read only where the class
# itself is named.
_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__del__", "__repr__", "__str__"})


_HEAP_TYPE = 1 << 9  # of a class's flags (Py_TPFLAGS_HEAPTYPE)
_MADE_IN_C = (MethodDescriptorType, WrapperDescriptorType, GetSetDescriptorType)
# Classes in C that keep nothing of their own, and types whose objects can't change or are not read.
_BASES = frozenset({object, Generic, BaseException, Exception, list, tuple, dict, set, frozenset})
_UNCHANGING = frozenset(
    {
        SimpleNamespace,
        re.Pattern,
        operator.itemgetter,
        operator.attrgetter,
        operator.methodcaller,
        type(cache(len)),
        LockType,
        RLock,
        GenericAlias,
        CodeType,
        slice,
        type(NotImplemented),
        *_MADE_IN_C,
        MemberDescriptorType,
        type(vars(namedtuple("_Pair", "a"))["a"]),  # reads an item of a named tuple
        type(int.from_bytes),
        type((1).__add__),
    }
)


def visit(snapshot: Snapshot, x: Any, label: str) -> None:
    """Takes an object into the snapshot under a label, and what it leads to."""
    if issubclass(type(x), Variable):  # before the numbers, for which isinstance takes it
        return _visit_variable(snapshot, x, label)
    if is_variable(x):  # a complex one, whose parts stay the same objects
        snapshot.note(label, "identity", x)
        for name in ("real", "imag"):
            _visit_variable(snapshot, getattr(x, name), f"{label}.{name}")
        return None
    try:
        is_plain = type(x) in _PLAIN_TYPES or isinstance(x, _VALUES)
    except Exception as error:  # of the user's __class__ or __getattribute__
        return snapshot.refuse(
            f"it reads {label}, a {type(x).__name__}, which can't be looked into: that raises "
            f"{type(error).__name__}; pass what is needed of it as an argument"
        )
    if is_plain:
        return snapshot.note(label, "value", x)
    if id(x) in snapshot.seen:
        return snapshot.note(label, "value", snapshot.seen[id(x)])
    if isinstance(x, np.ndarray):
        return _visit_array(snapshot, x, label)
    snapshot.seen[id(x)] = label
    if is_generator(x):
        snapshot.generators.append(x)
        return snapshot.note(label, "identity", x)
    snapshot.draws = snapshot.draws or may_draw(x)
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


_DISPATCHES = getattr(singledispatch(len), "__code__", None)  # of functions that choose by a type


def _visit_function(snapshot: Snapshot, x: FunctionType, label: str) -> None:
    snapshot.note(label, "identity", x.__code__)
    snapshot.compared.codes.append((x, x.__code__))
    snapshot.functions.append((label, x))
    if x.__code__ is _DISPATCHES:  # by what is registered; the cache beside it changes by itself
        visit(snapshot, vars(x)["registry"], f"{label}.registry")
        return
    library = not is_users(x)
    if library:
        snapshot.refuse_changing(read_from(x.__module__ or "", x.__name__))
    else:
        code = names_of(x.__code__)
        snapshot.learn(code)
        for name in code.unwatched:
            if name not in x.__globals__:
                snapshot.refuse(why_unwatched(name))
        _refuse_reads(snapshot, x, code)
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


def _refuse_reads(snapshot: Snapshot, f: FunctionType, code: CodeNames) -> None:
    """Refuses functions of modules that give what the outside world decides, np.load for one."""
    cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
    for first, *rest in code.chains:
        found = content_of(cells[first]) if first in cells else f.__globals__.get(first)
        for name in rest:
            if found is None or not issubclass(type(found), ModuleType):
                break
            snapshot.refuse_changing(read_from(found.__name__, name))
            found = getattr(found, name, None)


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
    _visit_classes(snapshot, x, _MAKING)


def _visit_classes(snapshot: Snapshot, kind: type, more: frozenset[str] = frozenset()) -> None:
    """What is read of a class and of its bases: of each, too, what only a base has so far."""
    users = [cls for cls in kind.__mro__ if not is_library(cls.__module__ or "")]
    inherited = frozenset().union(*(cls.__dict__.keys() for cls in users)) & snapshot.names
    for cls in users:
        _visit_class_names(snapshot, cls, more, inherited)


def _visit_class_names(
    snapshot: Snapshot, cls: type, more: frozenset[str], inherited: frozenset[str]
) -> None:
    if (cls, more | inherited) in snapshot.classes:
        return
    snapshot.classes.add((cls, more | inherited))
    generated = "__dataclass_params__" in cls.__dict__
    special = {
        name
        for name, item in cls.__dict__.items()
        if isinstance(item, FunctionType)
        and name.startswith("__")
        and name not in _MAKING
        and not (generated and item.__code__.co_filename == "<string>")
    }
    names = (snapshot.names | special | more) & cls.__dict__.keys()
    snapshot.visit_names(cls.__dict__, names | inherited, cls.__qualname__ + ".")


def attribute_of(x: Any, name: str) -> Any:
    """An attribute; MISSING where the object has none or raises, whatever it raises."""
    try:
        return getattr(x, name, MISSING)
    except Exception:  # the user's __getattr__ or property, which the function itself may not read
        return MISSING


def _visit_other(snapshot: Snapshot, x: Any, label: str) -> None:
    """An object of no known kind: by what it holds where it says that it is a value."""
    if getattr(type(x), "_unwatched", False):  # a primitive, what vmap keeps
        return snapshot.note(label, "identity", x)
    compiled = getattr(type(x), "_compiles", None)
    if compiled is not None:  # a Compiled, seen through
        return visit(snapshot, compiled(x), label)
    wrapped = attribute_of(x, "__wrapped__")
    if wrapped is not MISSING and wrapped is not None:  # a cache around a function, and the like
        visit(snapshot, wrapped, f"{label}.__wrapped__")
    if hasattr(type(x), "__next__"):
        snapshot.refuse(
            f"it reads {label}, a {type(x).__name__}: what the next item is, nobody can know; "
            "take the items outside and pass them as arguments"
        )
    if has_value(type(x)):
        return snapshot.note(label, "value", x)
    snapshot.note(label, "identity", x)
    if not _is_known(type(x)):
        snapshot.refuse(
            f"it reads {label}, a {type(x).__name__}, whose content can't be watched; pass it "
            "as an argument, as a number or an array"
        )
    return _visit_instance(snapshot, x, label)


def _is_known(kind: type) -> bool:
    """Whether what objects of this type hold can be seen, or can't change."""
    return kind in _UNCHANGING or not any(
        _is_compiled(cls) for cls in kind.__mro__ if cls not in _BASES
    )


def _is_compiled(cls: type) -> bool:
    """Whether a class was written in C, where its objects may keep what nobody sees."""
    if cls.__module__.partition(".")[0] in ("numpy", "tapegrad", "uarray"):
        return False  # functions, as a rule, scipy.fft's too; arrays and generators have visitors
    own = [x for name, x in cls.__dict__.items() if name not in ("__dict__", "__weakref__")]
    return not cls.__flags__ & _HEAP_TYPE or any(isinstance(x, _MADE_IN_C) for x in own)


def _visit_instance(snapshot: Snapshot, x: Any, label: str) -> None:
    """The named attributes of an object, and of its class where that is the user's."""
    own = attribute_of(x, "__dict__")
    if isinstance(own, dict):
        snapshot.compared.sizes.append((own, len(own)))  # a new attribute may hide the class's
        # What a library's methods read of it is not known.
        has_methods = is_library(type(x).__module__) and type(x) is not SimpleNamespace
        every = snapshot.dynamic or has_methods
        named = [name for name in own if every or name in snapshot.names]
        snapshot.visit_names(own, named, label + ".")
    if not is_library(type(x).__module__):
        snapshot.compared.slots.append((partial(getattr, x), "__class__", type(x)))
    _visit_classes(snapshot, type(x))
    for cls in type(x).__mro__:
        for name, item in cls.__dict__.items():
            if isinstance(item, MemberDescriptorType) and (
                snapshot.dynamic or name in snapshot.names
            ):
                found = attribute_of(x, name)
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
    ((staticmethod, classmethod), lambda snapshot, x, label: visit(snapshot, x.__func__, label)),
    (SGD, _visit_optimiser),
    ((list, tuple, deque), _visit_sequence),
    ((dict, MappingProxyType), _visit_dict),
    ((set, frozenset), _visit_set),
    (bytearray, _visit_bytearray),
    (type, _visit_class),
    (np.ufunc, lambda snapshot, x, label: snapshot.note(label, "identity", x)),
)
