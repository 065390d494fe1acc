"""Where the contents of captured arrays go: a proof that recorded operations alone read them.

If a captured array meets nothing but arithmetic and NumPy's functions of arrays, then whatever was
computed from it without a record reaches the program as an array, which is seen there, or as a
number. A number can't be told from one that the code writes out, so it matters whether there may
be any: the elements of a captured array, and what a function makes of such arrays alone. A branch,
a position or a length that plain code takes from the array would not be seen at all. This reads the
source of the functions and follows each value that comes from a captured array. Where it meets a
choice that depends on one, or anything that it does not know, the proof fails, and the contents are
compared at each call instead.
"""

from __future__ import annotations

import ast
import builtins
from types import FunctionType, MethodType
from typing import Any, TypeAlias

from tapegrad import _tree
from tapegrad.compile.reads.captured_data import MISSING, PlainReads
from tapegrad.compile.reads.code_names import is_library, is_users, makes_objects
from tapegrad.compile.reads.outside_names import SHAPES, OutsideNames, UnknownError
from tapegrad.compile.reads.snapshot import Snapshot
from tapegrad.compile.reads.source import source_of
from tapegrad.numpy.table import facts_of, facts_of_method

_CARRIED = frozenset({"float", "abs", "sum", "zip", "enumerate", "reversed", "tuple", "list"})
_PAIRED = frozenset({"zip", "enumerate", "reversed", "tuple", "list"})  # their items are apart

# What a value comes from; 0: from neither.
_CAPTURED = 1  # captured arrays
_INPUT = 2  # the function's arguments: what is made of both is recorded


# By position, the label under which an argument is watched (a method's self), and what it is.
_Aliases: TypeAlias = dict[int, tuple[str, Any]]


def plain_reads(snapshot: Snapshot) -> PlainReads:
    """What plain code may take from the captured arrays."""
    labels = [label for label, _ in snapshot.arrays]
    if not labels:
        return PlainReads.NOTHING
    if any(part in label for label in labels for part in ("defaults__", ".args", ".keywords")):
        return PlainReads.ANYTHING
    users = [f for _, f in snapshot.functions if is_users(f)]
    if any(f.__name__.startswith("__") for f in users):  # called without being named
        return PlainReads.ANYTHING
    proof = _Proof(labels, dict(snapshot.roots), frozenset(f.__name__ for f in users))
    try:
        for label, root in snapshot.roots:
            if isinstance(root, MethodType):
                itself = {0: (f"{label}.__self__", root.__self__)}
                proof.function(root.__func__, None, itself)  # type: ignore[arg-type]  # it is a method
        for f in users:
            proof.function(f, None, {})
    except (UnknownError, RecursionError):
        return PlainReads.ANYTHING
    if proof.numbers or any(map(makes_objects, users)):
        return PlainReads.NUMBERS
    return PlainReads.NOTHING


def _either(a: int | None, b: int) -> int:
    """What is one or the other; None: not there yet."""
    return b if a is None else ((a | b) & _CAPTURED) | (a & b & _INPUT)


class _Proof:
    def __init__(self, labels: list[str], roots: dict[str, Any], users: frozenset[str]) -> None:
        self.labels = labels
        self.roots = roots
        self.users = users  # the names of the user's functions
        self.known: dict[Any, int] = {}
        self.numbers = False  # plain code may make numbers of captured arrays

    def function(self, f: FunctionType, given: tuple[int, ...] | None, aliases: _Aliases) -> int:
        """What the function's result comes from; None: its arguments are the inputs."""
        key = f.__code__, given, tuple(label for label, _ in aliases.values())
        if key in self.known:
            return self.known[key]
        self.known[key] = _CAPTURED  # while it is being looked at: it may call itself
        node = source_of(f.__code__)
        if node is None:
            raise UnknownError
        flow = _Flow(self, f, node, given, aliases)
        self.known[key] = flow.result or 0
        return flow.result or 0


class _Flow(OutsideNames):
    """One function: which local names hold something that comes from a captured array."""

    def __init__(
        self,
        proof: _Proof,
        f: FunctionType,
        node: Any,
        given: tuple[int, ...] | None,
        aliases: _Aliases,
    ) -> None:
        self.proof = proof
        self.arrays = proof.labels
        self.function = f
        self.result: int | None = None
        arguments = node.args
        names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
        if given is not None and any(x & _CAPTURED for x in given[len(names) :]):
            raise UnknownError
        self.local: dict[str, int | None] = dict.fromkeys(
            f.__code__.co_varnames + f.__code__.co_cellvars
        )
        if given is None:
            starred = [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]
            self.local.update(
                dict.fromkeys([*names, *(a.arg for a in arguments.kwonlyargs), *starred], _INPUT)
            )
        else:
            self.local.update(dict.fromkeys(names, 0))
            self.local.update(zip(names, given, strict=False))
        self.labels = {name: f"argument {i}" for i, name in enumerate(names)}
        self.objects = {
            name: proof.roots[label] for name, label in self.labels.items() if label in proof.roots
        }
        for i, (label, x) in aliases.items():
            if i < len(names):
                self.labels[names[i]], self.objects[names[i]] = label, x
        for _ in range(3):  # what a loop makes of a name may reach its first lines
            before = dict(self.local)
            if isinstance(node, ast.Lambda):
                self.result = _either(self.result, self.value(node.body))
            else:
                self.block(node.body)
            if before == self.local:
                return
        raise UnknownError

    # Statements.

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, s: ast.stmt) -> None:
        match s:
            case ast.Return():
                if s.value is not None:
                    self.result = _either(self.result, self.value(s.value))
            case ast.Assign():
                came = self.value(s.value)
                for target in s.targets:
                    self.assign(target, came)
            case ast.AnnAssign():
                if s.value is not None:
                    self.assign(s.target, self.value(s.value))
            case ast.AugAssign():
                came = self.value(s.value)
                if isinstance(s.target, ast.Name):
                    came |= self.value(ast.Name(s.target.id, ast.Load()))
                if isinstance(s.op, ast.MatMult):
                    self.makes_number(came)
                self.assign(s.target, came)
            case ast.If() | ast.While():
                self.choice(s.test)
                self.block(s.body)
                self.block(s.orelse)
            case ast.For():
                self.assign(s.target, self.item_of(s.iter))
                self.block(s.body)
                self.block(s.orelse)
            case ast.With():
                for item in s.items:
                    if self.value(item.context_expr) & _CAPTURED or item.optional_vars is not None:
                        raise UnknownError
                self.block(s.body)
            case ast.Expr():
                self.value(s.value)
            case ast.Assert():
                self.choice(s.test)
            case ast.Pass() | ast.Break() | ast.Continue() | ast.Global() | ast.Nonlocal():
                pass
            case ast.Raise():
                pass
            case _:
                raise UnknownError

    def choice(self, test: ast.expr) -> None:
        if self.value(test) & _CAPTURED:
            raise UnknownError

    def assign(self, target: ast.expr, came: int) -> None:
        match target:
            case ast.Name():
                if target.id in self.labels:  # an argument's name for something else
                    if self.holds_array(self.labels.pop(target.id)):
                        came = _either(_CAPTURED, came)
                    self.objects.pop(target.id, None)
                self.local[target.id] = _either(self.local.get(target.id), came)
            case ast.Tuple() | ast.List():
                for item in target.elts:
                    self.assign(item, came)
            case ast.Subscript() if isinstance(target.value, ast.Name):
                self.position(target.slice)
                name = target.value.id
                self.local[name] = (self.local.get(name) or 0) | came
                if came == _CAPTURED:
                    self.local[name] = _CAPTURED  # its items may be plain ones
            case _:
                if came & _CAPTURED:
                    raise UnknownError

    def position(self, index: ast.expr) -> None:
        if self.value(index) & _CAPTURED:
            raise UnknownError

    # Expressions: what the value comes from.

    def makes_number(self, came: int) -> None:
        """Notes that plain code may make a number of what came."""
        if came == _CAPTURED:
            self.proof.numbers = True

    def item_of(self, e: ast.expr) -> int:
        """What the items of an iterable come from: numbers, where it is a captured array."""
        came = self.value(e)
        if not isinstance(self.resolved(e), (list, tuple, dict)):
            self.makes_number(came)
        return came

    def item_at(self, e: ast.Subscript) -> int:
        """What x[i] comes from: a number, where x is a captured array and i picks an element."""
        self.position(e.slice)
        came = self.value(e.value)
        parts = e.slice.elts if isinstance(e.slice, ast.Tuple) else [e.slice]
        spans = [
            isinstance(part, ast.Slice)
            or (isinstance(part, ast.Constant) and part.value in (None, Ellipsis))
            for part in parts
        ]
        owner = self.resolved(e.value)
        if _tree.is_array(owner):
            if spans.count(False) >= owner.ndim:
                self.makes_number(came)
        elif not all(spans) and not isinstance(owner, (list, tuple, dict)):
            self.makes_number(came)
        return came

    def value(self, e: ast.expr) -> int:
        if isinstance(e, ast.Attribute) and e.attr in self.proof.users:
            raise UnknownError  # a property, or a function that is handed on
        label = self.label_of(e)
        if label:
            return _CAPTURED if self.holds_array(label) else 0
        match e:
            case ast.Constant():
                return 0
            case ast.Name():
                return self.local.get(e.id) or 0
            case ast.Attribute():
                came = self.value(e.value)
                return 0 if e.attr in SHAPES else came
            case ast.BinOp():
                came = self.any(e.left, e.right)
                if isinstance(e.op, ast.MatMult):
                    self.makes_number(came)
                return came
            case ast.UnaryOp():
                if isinstance(e.op, ast.Not):
                    self.choice(e.operand)
                return self.value(e.operand)
            case ast.Compare():
                return self.any(e.left, *e.comparators)
            case ast.BoolOp():
                for part in e.values:
                    self.choice(part)
                return 0
            case ast.IfExp():
                self.choice(e.test)
                return self.apart(e.body, e.orelse)
            case ast.Subscript():
                return self.item_at(e)
            case ast.Slice():
                return self.any(*(x for x in (e.lower, e.upper, e.step) if x is not None))
            case ast.Tuple() | ast.List():
                return self.apart(*e.elts)
            case ast.Dict():
                return self.apart(*e.values, *(k for k in e.keys if k is not None))
            case ast.ListComp() | ast.GeneratorExp():
                for loop in e.generators:
                    self.assign(loop.target, self.item_of(loop.iter))
                    for test in loop.ifs:
                        self.choice(test)
                return self.value(e.elt)
            case ast.Call():
                return self.call(e)
            case ast.JoinedStr() | ast.FormattedValue():
                raise UnknownError
        raise UnknownError

    def any(self, *parts: ast.expr) -> int:
        """What comes from all the parts together."""
        found = 0
        for part in parts:
            found |= self.value(part)
        return found

    def together(self, e: ast.expr) -> int:
        """What comes from an argument of a function that makes one array of a sequence."""
        if isinstance(e, (ast.Tuple, ast.List)):
            found = 0
            for part in e.elts:
                found |= self.together(part)
            return found
        return self.value(e)

    def apart(self, *parts: ast.expr) -> int:
        """What comes from one of the parts or another."""
        found: int | None = None
        for part in parts:
            found = _either(found, self.value(part))
        return found or 0

    def call(self, e: ast.Call) -> int:
        if any(isinstance(a, ast.Starred) for a in e.args):
            raise UnknownError
        callee = self.resolve(e.func)
        function = getattr(callee, "__func__", callee)
        is_own = isinstance(function, FunctionType) and is_users(function)
        given = tuple(self.value(a) if is_own else self.together(a) for a in e.args)
        named = [self.value(k.value) for k in e.keywords]
        if any(came & _CAPTURED for came in named) and callee is not MISSING:
            raise UnknownError
        every = 0
        for came in (*given, *named):
            every |= came
        if isinstance(callee, MethodType):
            owner = (self.label_of(e.func) or "").rpartition(".")[0]
            itself = {0: (owner, callee.__self__)}
            return self.of_users(callee.__func__, (0, *given), itself)
        if isinstance(callee, FunctionType) and is_users(callee):
            return self.of_users(callee, given, {})
        if callee is MISSING:  # a method, or a function that came as an argument
            return self.method(e, given, named)
        if not is_library(getattr(callee, "__module__", None) or type(callee).__module__):
            raise UnknownError
        if not every & _CAPTURED:
            return every
        name = getattr(callee, "__name__", "")
        if getattr(builtins, name, None) is callee:
            return self.builtin(name, e)
        facts = facts_of(callee)
        after = given[
            1 if facts is not None and facts.only_shape else facts.values if facts else 0 :
        ]
        if facts is None or any(came & _CAPTURED for came in after):
            raise UnknownError
        if facts.only_shape:
            return 0
        if not facts.view and every == _CAPTURED:
            raise UnknownError  # plain code alone: its result may be a number like any other
        return every

    def method(self, e: ast.Call, given: tuple[int, ...], named: list[int]) -> int:
        """A method of something that only the call knows, of an array as a rule."""
        if not isinstance(e.func, ast.Attribute) or e.func.attr in self.proof.users:
            raise UnknownError
        own = self.value(e.func.value)
        facts = facts_of_method(e.func.attr)
        if facts is not None and not facts.values and own & _CAPTURED:
            raise UnknownError
        if any(came & _CAPTURED for came in (*given[1:], *named)):
            raise UnknownError
        every = own
        for came in (*given, *named):
            every |= came
        if facts is None or not facts.view:
            self.makes_number(every)
        return every

    def builtin(self, name: str, e: ast.Call) -> int:
        """A function of Python's, of what comes from captured arrays."""
        if name == "len":
            return 0
        if name not in _CARRIED:
            raise UnknownError
        if name in _PAIRED:
            for part in e.args:
                self.item_of(part)
            return self.apart(*e.args)
        every = self.any(*e.args)
        self.makes_number(every)
        return every

    def of_users(self, f: Any, given: tuple[int, ...], itself: _Aliases) -> int:
        if not isinstance(f, FunctionType):
            raise UnknownError
        return self.proof.function(f, given, itself)
