"""Functions that solvers call, with what they read from outside as further arguments.

A solver of SciPy calls a function of the user's on plain numbers, again whenever a derivative is
taken and at every replay of a program. So the Variables that the function reads by closure cells,
globals, defaults, attributes and containers become operands of the solver's operation, and a copy
of the function reads the operands in their place. Arrays do too, where the function's code writes
to none: an operation knows when an operand is changed under it. Numbers are those of the call.

What is not found here (a Variable in a module's attribute, in a class, in an object in C) stays in
the function; its results are then Variables, and `plain_result` refuses them by name.
"""

from __future__ import annotations

import copy
import dis
import operator
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache, partial
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn, TypeAlias

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.compile.call import INPUT_KINDS
from tapegrad.compile.reads.captured_data import MISSING, content_of
from tapegrad.compile.reads.code_names import is_library, is_users, names_of
from tapegrad.operations.operands import structure_of
from tapegrad.scipy.functions import holds_variable
from tapegrad.transforms.trace import name_of, pack
from tapegrad.transforms.transformed import Transformed

_PLAIN = frozenset({int, float, str, bool, type(None), bytes, complex})
_NUMBERS = frozenset({int, float, bool, complex, str})
_MOST_OBJECTS = 4000  # that are looked into; what lies beyond is refused when it is met

_NOT_FOUND = (
    "reads Variables that can't be found by its closure, globals, defaults and attributes, and "
    "their derivative would be lost; pass them in args="
)


class _Copies:
    """The objects that one copy of a function is made of, by the order in which they are met."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.made: dict[int, Any] = {}
        self.objects: list[tuple[Any, list[Any]]] = []  # what may be written to, with its contents

    def note(self, x: Any) -> Any:
        """Remembers what a copy of something mutable holds."""
        self.objects.append((x, _contents(x)))
        return x


Make: TypeAlias = Callable[[_Copies], Any]
Part: TypeAlias = "tuple[Hashable, Make | None]"  # what it is compared by; None: it stays itself


class _Same:
    """An object that is equal to itself alone."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.x is other.x

    def __hash__(self) -> int:
        return id(self.x)


class Closure:
    """`f`, and what it reads from outside: `closure(read, *args)` is f(*args) with other values.

    Two closures of one key are the same function of `read` and the arguments. What is kept for
    later calls, `forgetful()`, holds no Variable that was read, and so nothing that was recorded.
    """

    def __init__(self, name: str, f: Any) -> None:
        self.name, self.f = name, f
        self.read: list[Any] = []
        self._places: dict[int, int] = {}
        self._busy: dict[int, int] = {}
        self._known: dict[int, Part] = {}
        self._kept: list[Any] = []  # so that ids stay theirs
        self.key, self._make = self._part(f, True)
        if self._make is not None:
            self.f = None
        del self._busy, self._known, self._places, self._kept

    def forgetful(self) -> Closure:
        """The same without what is read."""
        copied = copy.copy(self)
        copied.read = []
        return copied

    @property
    def reads_variables(self) -> bool:
        """Whether there is a Variable among what is read."""
        return any(isinstance(x, Variable) for x in self.read)

    def __call__(self, read: Sequence[Any], *args: Any) -> Any:
        """The function of these values in place of what it reads."""
        if self._make is None:
            return self.f(*args)
        copies = _Copies(read)
        found = self._make(copies)(*args)
        for x, given in copies.objects:
            now = _contents(x)
            if len(now) != len(given) or any(map(operator.is_not, now, given)):
                raise TypeError(
                    f"{self.name}: the function writes to a {type(x).__name__} that holds "
                    "Variables which it reads; keep what it counts or notes in another object, or "
                    "pass the Variables in args="
                )
        return found

    # What there is, kind by kind.

    def _part(self, x: Any, arrays: bool) -> Part:
        kind = type(x)
        if kind is Variable or (
            kind is np.ndarray and arrays and x.dtype.char in INPUT_KINDS and x.dtype.isnative
        ):
            return self._operand(x)
        if kind in _PLAIN or isinstance(x, np.generic):
            return (kind, repr(x)), None
        if id(x) in self._known:
            return self._known[id(x)]
        if id(x) in self._busy or len(self._kept) > _MOST_OBJECTS:
            if id(x) not in self._busy:
                return _Same(x), None
            k = self._busy[id(x)]
            again = (lambda copies: copies.made[k]) if kind is FunctionType else None
            return ("within itself", k), again
        self._busy[id(x)] = len(self._kept)
        self._kept.append(x)
        part = self._known[id(x)] = self._look_into(x, arrays)
        del self._busy[id(x)]
        return part

    def _operand(self, x: Any) -> Part:
        if id(x) not in self._places:
            self._places[id(x)] = len(self.read)
            self.read.append(x)
        k = self._places[id(x)]
        return ("operand", k), lambda copies: copies.values[k]

    def _look_into(self, x: Any, arrays: bool) -> Part:
        if isinstance(x, FunctionType):
            return self._function(x) if is_users(x) else (_Same(x), None)
        if isinstance(x, MethodType):
            return self._rebuilt(
                x, [x.__func__, x.__self__], arrays, lambda parts: MethodType(*parts)
            )
        if isinstance(x, partial):
            called = [x.func, x.args, x.keywords]
            return self._rebuilt(x, called, arrays, lambda p: partial(p[0], *p[1], **p[2]))
        if isinstance(x, Transformed):
            transform = x._transform
            return self._rebuilt(x, [x._function], arrays, lambda p: transform(p[0]))
        if isinstance(x, np.ndarray):
            if x.dtype != object or not holds_variable(x):
                return _Same(x), None
            return self._rebuilt(x, x.ravel().tolist(), arrays, partial(_objects, x.shape))
        held = None if isinstance(x, type) or _tree.is_complex(x) else _tree.children(x)
        if held is not None:
            empty = _tree.rebuild(x, [None] * len(held))
            build = partial(_tree.rebuild, empty)
            return self._rebuilt(x, [item for _, item in held], arrays, build)
        opaque = isinstance(x, (type, ModuleType)) or is_library(type(x).__module__)
        if opaque or not isinstance(getattr(x, "__dict__", None), dict):
            return _Same(x), None
        return self._instance(x)

    def _rebuilt(
        self, x: Any, held: list[Any], arrays: bool, build: Callable[[list[Any]], Any]
    ) -> Part:
        """An object made of others, which is made anew where one of them is."""
        arrays = arrays and isinstance(x, (tuple, partial))  # what others hold may be written to
        parts = [self._part(item, arrays) for item in held]
        if all(make is None for _, make in parts):
            same = type(x) is tuple
            return (tuple, *(key for key, _ in parts)) if same else _Same(x), None

        pairs = [(_unless(make, item), make) for item, (_, make) in zip(held, parts, strict=True)]

        def made(copies: _Copies) -> Any:
            found = build([item if make is None else make(copies) for item, make in pairs])
            return copies.note(found) if isinstance(found, (list, dict)) else found

        names = tuple(name for name, _ in _tree.children(x) or [])
        of = _Same(x._transform) if isinstance(x, Transformed) else type(x)
        return (of, names, tuple(key for key, _ in parts)), made

    def _instance(self, x: Any) -> Part:
        """An object with attributes; arrays stay in it, which its methods may write to."""
        given = dict(vars(x))
        parts = {name: self._part(item, False) for name, item in given.items()}
        makers = {name: make for name, (_, make) in parts.items() if make is not None}
        if not makers:
            return _Same(x), None

        of, k = type(x), self._busy[id(x)]
        given = {name: _unless(makers.get(name), item) for name, item in given.items()}

        def made(copies: _Copies) -> Any:
            if k not in copies.made:
                copied = copies.made[k] = object.__new__(of)
                vars(copied).update(given)
                for name, make in makers.items():
                    vars(copied)[name] = make(copies)
                copies.note(copied)
            return copies.made[k]

        return (of, tuple((name, key) for name, (key, _) in parts.items())), made

    def _function(self, f: FunctionType) -> Part:
        code, names = f.__code__, names_of(f.__code__)
        arrays = not names.writes
        stored = _stored(code)
        contents = [content_of(cell) for cell in f.__closure__ or ()]
        cells: list[Part] = []
        for name, content in zip(code.co_freevars, contents, strict=True):
            part = (_Same(f), None) if content is MISSING else self._part(content, arrays)
            cells.append(self._unwritten(f, name, stored, part, content))
        named = {
            name: f.__globals__[name] for name in sorted(names.globals_ & f.__globals__.keys())
        }
        globals_ = {
            name: self._unwritten(f, name, stored, self._part(x, arrays), x)
            for name, x in named.items()
        }
        named_ones = f.__kwdefaults__ or {}
        defaults = self._part(f.__defaults__, arrays)
        keywords = self._part(tuple(named_ones.values()), arrays)
        fixed = [k for k, name in enumerate(code.co_freevars) if name in stored]
        moving = any(make is not None for _, make in globals_.values())
        moving = moving or any(type(x) in _NUMBERS for x in named.values())
        if moving and stored & names.globals_:  # it needs the very globals that it assigns to
            for name, x in named.items():
                if holds_variable(x):
                    self._refuse_to_assign(f, min(stored & names.globals_), name)
            moving = False
        key = (
            code,
            _Same(f.__globals__),
            tuple(
                _Same((f.__closure__ or ())[k]) if k in fixed else c[0] for k, c in enumerate(cells)
            ),
            tuple((name, part[0]) for name, part in globals_.items()),
            defaults[0],
            keywords[0],
        )
        if not cells and not moving and defaults[1] is None and keywords[1] is None:
            return key, None

        me, label, attributes = self._busy[id(f)], f.__name__, dict(vars(f))
        named = {name: _unless(globals_[name][1], x) for name, x in named.items()}
        spaces = f.__globals__
        shared = [
            cell if k in fixed or contents[k] is MISSING else None
            for k, cell in enumerate(f.__closure__ or ())
        ]
        contents = [_unless(make, x) for x, (_, make) in zip(contents, cells, strict=True)]
        by_place = _unless(defaults[1], f.__defaults__)
        by_name = {name: _unless(keywords[1], x) for name, x in named_ones.items()}

        def made(copies: _Copies) -> Any:
            if me in copies.made:
                return copies.made[me]
            closure = tuple(CellType() if cell is None else cell for cell in shared)
            space = dict(spaces) if moving else spaces
            copied = FunctionType(code, space, label, None, closure)
            copies.made[me] = copied
            for cell, old, content, (_, make) in zip(closure, shared, contents, cells, strict=True):
                if old is None:
                    cell.cell_contents = content if make is None else make(copies)
            for name, (_, make) in globals_.items():
                if name not in stored and moving:
                    space[name] = named[name] if make is None else make(copies)
            copied.__defaults__ = by_place if defaults[1] is None else defaults[1](copies)
            values = by_name.values() if keywords[1] is None else keywords[1](copies)
            copied.__kwdefaults__ = dict(zip(by_name, values, strict=True)) or None
            vars(copied).update(attributes)
            return copied

        return key, made

    def _unwritten(
        self, f: FunctionType, name: str, stored: frozenset[str], part: Part, x: Any
    ) -> Part:
        """The part, unless the function assigns to the name."""
        if name not in stored:
            return part
        if part[1] is not None and holds_variable(x):
            self._refuse_to_assign(f, name, name)
        return part[0], None

    def _refuse_to_assign(self, f: FunctionType, name: str, read: str) -> NoReturn:
        raise TypeError(
            f"{self.name}: {name_of(f)} assigns to {name!r}, a name from outside, and {read!r} is "
            "a Variable which it reads by such a name; give what it assigns a name of its own, or "
            "pass the Variable in args="
        )


def _contents(x: Any) -> list[Any]:
    if isinstance(x, list):
        return [*x]
    x = x if isinstance(x, dict) else vars(x)
    return [*x.values()]


def _unless(make: Make | None, x: Any) -> Any:
    """What stays of an object: nothing where another is made in its place."""
    return x if make is None else None


def _objects(shape: tuple[int, ...], items: list[Any]) -> Any:
    found = np.empty(len(items), object)
    found[:] = items
    return found.reshape(shape)


@lru_cache(maxsize=2048)
def _stored(code: Any) -> frozenset[str]:
    """The names from outside to which a function, or one in it, assigns."""
    found = set()
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF"):
            found.add(str(step.argval))
    for const in code.co_consts:
        if hasattr(const, "co_freevars"):
            found |= _stored(const)
    return frozenset(found)


class Called:
    """`f(*first, *args)` as a function of `operands`: the leaves of `args`, then what `f` reads.

    Two of one key are the same function of operands.
    """

    def __init__(self, name: str, f: Callable[..., Any], args: Any) -> None:
        self.name = name
        self._closure = Closure(name, f)
        self._args = args if isinstance(args, tuple) else (args,)
        leaves = [pack(x) for _, x in _tree.leaves(self._args)]
        self._n_leaves = len(leaves)
        self.operands = leaves + self._closure.read
        self.key = self._closure.key, str(structure_of(self._args)), len(leaves)

    def forgetful(self) -> Called:
        """The same without the operands, for later calls."""
        copied = copy.copy(self)
        copied._closure, copied.operands = self._closure.forgetful(), []
        copied._args = _tree.fill(self._args, iter([0.0] * self._n_leaves))
        return copied

    def __call__(self, operands: Sequence[Any], *first: Any) -> Any:
        """What the function gives."""
        n = self._n_leaves
        args = _tree.fill(self._args, iter(operands[:n]))
        return self._closure(operands[n:], *first, *args)


def plain_result(name: str, found: Any) -> Any:
    """What a function gave of plain values; TypeError where it holds a Variable, or is complex."""
    found = pack(found)  # arrays that it made and filled with plain numbers are plain
    if holds_variable(found):
        raise TypeError(f"{name}: the function {_NOT_FOUND}")
    if np.iscomplexobj(found) or (
        isinstance(found, (list, tuple)) and any(map(np.iscomplexobj, found))
    ):
        raise TypeError(
            f"{name}: the function gives complex numbers, of which only the real parts would have "
            "a derivative; compute with z.real and z.imag apart, as unknowns and equations"
        )
    return found
