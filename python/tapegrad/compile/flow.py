"""Where the contents of captured arrays go: a proof that recorded operations alone read them.

If a captured array meets nothing but arithmetic and NumPy's functions of arrays, then whatever was
computed from it without a record reaches the program as an array or a number, which is seen there;
but a branch, a position or a length that plain code takes from the array would not be seen. This
reads the source of the functions and follows each value that comes from a captured array. Where it
meets a choice that depends on one, or anything that it does not know, the proof fails, and the
contents are compared at each call instead.
"""

from __future__ import annotations

import ast
import builtins
import linecache
from functools import lru_cache
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from tapegrad.compile.code_names import is_library, is_users
from tapegrad.compile.contents import MISSING
from tapegrad.compile.watch import Watch
from tapegrad.numpy.table import facts_of, facts_of_method

_SHAPES = frozenset({"shape", "ndim", "size", "dtype", "itemsize", "nbytes"})  # attributes
_CARRIED = frozenset({"float", "abs", "sum", "zip", "enumerate", "reversed", "tuple", "list"})


# Under which label an argument is watched (a method's self), and what it is.
_Aliases: TypeAlias = dict[int, tuple[str, Any]]


class _UnknownError(Exception):
    """The proof fails."""


def only_recorded(watch: Watch) -> bool:
    """Whether no plain code takes a branch, a position or a length from a captured array."""
    labels = [label for label, _ in watch.arrays]
    if not labels:
        return True
    if any(part in label for label in labels for part in ("defaults__", ".args", ".keywords")):
        return False
    users = [f for _, f in watch.functions if is_users(f)]
    if any(f.__name__.startswith("__") for f in users):  # called without being named
        return False
    proof = _Proof(labels, dict(watch.roots), frozenset(f.__name__ for f in users))
    try:
        for label, root in watch.roots:
            if isinstance(root, MethodType):
                itself = {0: (f"{label}.__self__", root.__self__)}
                proof.function(root.__func__, (), itself)  # type: ignore[arg-type]
        for f in users:
            proof.function(f, (), {})
    except (_UnknownError, RecursionError):
        return False
    return True


class _Proof:
    def __init__(self, labels: list[str], roots: dict[str, Any], users: frozenset[str]) -> None:
        self.labels = labels
        self.roots = roots
        self.users = users  # the names of the user's functions
        self.known: dict[Any, bool] = {}

    def holds_array(self, label: str) -> bool:
        """Whether a captured array is there, or inside what is there."""
        return any(x == label or x.startswith((label + ".", label + "[")) for x in self.labels)

    def function(self, f: FunctionType, given: tuple[bool, ...], aliases: _Aliases) -> bool:
        """Whether the function's result comes from captured arrays, its arguments being `given`."""
        key = f.__code__, given, tuple(label for label, _ in aliases.values())
        if key in self.known:
            return self.known[key]
        self.known[key] = True  # while it is being looked at: it may call itself
        node = _source_of(f.__code__)
        if node is None:
            raise _UnknownError
        flow = _Flow(self, f, node, given, aliases)
        self.known[key] = flow.result
        return flow.result


class _Flow:
    """One function: which local names hold something that comes from a captured array."""

    def __init__(
        self, proof: _Proof, f: FunctionType, node: Any, given: tuple[bool, ...], aliases: _Aliases
    ) -> None:
        self.proof = proof
        self.function = f
        self.result = False
        arguments = node.args
        names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
        if any(given[len(names) :]):
            raise _UnknownError
        self.local = dict.fromkeys(f.__code__.co_varnames + f.__code__.co_cellvars, False)
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
                self.result |= self.value(node.body)
            else:
                self.block(node.body)
            if before == self.local:
                return
        raise _UnknownError

    # Statements.

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, s: ast.stmt) -> None:
        match s:
            case ast.Return():
                self.result |= s.value is not None and self.value(s.value)
            case ast.Assign():
                came = self.value(s.value)
                for target in s.targets:
                    self.assign(target, came)
            case ast.AnnAssign() | ast.AugAssign():
                if s.value is not None:
                    self.assign(s.target, self.value(s.value))
            case ast.If() | ast.While():
                self.choice(s.test)
                self.block(s.body)
                self.block(s.orelse)
            case ast.For():
                self.assign(s.target, self.value(s.iter))
                self.block(s.body)
                self.block(s.orelse)
            case ast.With():
                for item in s.items:
                    if self.value(item.context_expr) or item.optional_vars is not None:
                        raise _UnknownError
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
                raise _UnknownError

    def choice(self, test: ast.expr) -> None:
        if self.value(test):
            raise _UnknownError

    def assign(self, target: ast.expr, came: bool) -> None:
        match target:
            case ast.Name():
                self.local[target.id] = self.local.get(target.id, False) or came
                if target.id in self.labels:  # an argument's name for something else
                    self.local[target.id] |= self.proof.holds_array(self.labels.pop(target.id))
                    self.objects.pop(target.id, None)
            case ast.Tuple() | ast.List():
                for item in target.elts:
                    self.assign(item, came)
            case ast.Subscript() if isinstance(target.value, ast.Name):
                self.position(target.slice)
                name = target.value.id
                self.local[name] = self.local.get(name, False) or came
            case _:
                if came:
                    raise _UnknownError

    def position(self, index: ast.expr) -> None:
        if self.value(index):
            raise _UnknownError

    # Expressions: whether the value comes from a captured array.

    def value(self, e: ast.expr) -> bool:
        if isinstance(e, ast.Attribute) and e.attr in self.proof.users:
            raise _UnknownError  # a property, or a function that is handed on
        label = self.label_of(e)
        if label:
            return self.proof.holds_array(label)
        match e:
            case ast.Constant():
                return False
            case ast.Name():
                return self.local.get(e.id, False)
            case ast.Attribute():
                return self.value(e.value) and e.attr not in _SHAPES
            case ast.BinOp():
                return self.any(e.left, e.right)
            case ast.UnaryOp():
                if isinstance(e.op, ast.Not):
                    self.choice(e.operand)
                return self.value(e.operand)
            case ast.Compare():
                return self.any(e.left, *e.comparators)
            case ast.BoolOp():
                for part in e.values:
                    self.choice(part)
                return False
            case ast.IfExp():
                self.choice(e.test)
                return self.any(e.body, e.orelse)
            case ast.Subscript():
                self.position(e.slice)
                return self.value(e.value)
            case ast.Slice():
                return self.any(*(x for x in (e.lower, e.upper, e.step) if x is not None))
            case ast.Tuple() | ast.List():
                return self.any(*e.elts)
            case ast.Dict():
                return self.any(*e.values) | self.any(*(k for k in e.keys if k is not None))
            case ast.ListComp() | ast.GeneratorExp():
                for loop in e.generators:
                    self.assign(loop.target, self.value(loop.iter))
                    for test in loop.ifs:
                        self.choice(test)
                return self.value(e.elt)
            case ast.Call():
                return self.call(e)
            case ast.JoinedStr() | ast.FormattedValue():
                raise _UnknownError
        raise _UnknownError

    def any(self, *parts: ast.expr) -> bool:
        found = [self.value(part) for part in parts]
        return True in found

    def call(self, e: ast.Call) -> bool:
        if any(isinstance(a, ast.Starred) for a in e.args):
            raise _UnknownError
        given = tuple(self.value(a) for a in e.args)
        named = [self.value(k.value) for k in e.keywords]
        callee = self.resolve(e.func)
        if isinstance(callee, MethodType):
            owner = (self.label_of(e.func) or "").rpartition(".")[0]
            itself = {0: (owner, callee.__self__)}
            return self.of_users(callee.__func__, (False, *given), named, itself)
        if isinstance(callee, FunctionType) and is_users(callee):
            return self.of_users(callee, given, named, {})
        if callee is MISSING:  # a method, or a function that came as an argument
            if not isinstance(e.func, ast.Attribute) or e.func.attr in self.proof.users:
                raise _UnknownError
            facts = facts_of_method(e.func.attr)
            if facts is not None and not facts.values and self.value(e.func.value):
                raise _UnknownError
            if True in (*given[1:], *named):
                raise _UnknownError
            return self.value(e.func.value) or True in given
        if not is_library(getattr(callee, "__module__", None) or type(callee).__module__):
            raise _UnknownError
        if True in named:
            raise _UnknownError
        if True not in given:
            return False
        name = getattr(callee, "__name__", "")
        if getattr(builtins, name, None) is callee:
            if name == "len":
                return False
            if name in _CARRIED:
                return True
            raise _UnknownError
        facts = facts_of(callee)
        if facts is None or True in given[1 if facts.only_shape else facts.values :]:
            raise _UnknownError
        if facts.only_shape:
            return False
        if not facts.view and not self.has_locals(e):
            raise _UnknownError  # plain code alone: its result may be a number like any other
        return True

    def has_locals(self, e: ast.expr) -> bool:
        """Whether arguments or local names are in it."""
        names = [node.id for node in ast.walk(e) if isinstance(node, ast.Name)]
        return any(name in self.local for name in names)

    def of_users(
        self, f: Any, given: tuple[bool, ...], named: list[bool], itself: _Aliases
    ) -> bool:
        if True in named or not isinstance(f, FunctionType):
            raise _UnknownError
        return self.proof.function(f, given, itself)

    # Names that lead outside.

    def label_of(self, e: ast.expr) -> str | None:
        """The label under which a name, or an attribute of one, is watched; None for locals."""
        if isinstance(e, ast.Name):
            if e.id in self.labels:
                label = self.labels[e.id]
                return label if self.proof.holds_array(label) else None
            return None if e.id in self.local else e.id
        if isinstance(e, ast.Attribute):
            owner = self.label_of(e.value)
            if owner is None or e.attr in _SHAPES or e.attr == "T":
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
            if owner is MISSING or isinstance(owner, np.ndarray):
                return MISSING
            if isinstance(owner, ModuleType) or self.is_plain_attribute(owner, e.attr):
                return getattr(owner, e.attr, MISSING)
            raise _UnknownError
        return MISSING

    @staticmethod
    def is_plain_attribute(owner: Any, name: str) -> bool:
        found = getattr(type(owner), name, None)
        return not isinstance(found, property)


@lru_cache(maxsize=256)
def _source_of(code: CodeType) -> Any:
    """The function's node in its source, if that is what was compiled; None else."""
    lines = linecache.getlines(code.co_filename)
    if not lines:
        return None
    try:
        tree, codes = _parsed("".join(lines), code.co_filename)
    except SyntaxError:
        return None
    if code not in codes:
        return None
    kinds = ast.Lambda if code.co_name == "<lambda>" else ast.FunctionDef
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, kinds)
        and _first_line(node) == code.co_firstlineno
        and getattr(node, "name", "<lambda>") == code.co_name
    ]
    return found[0] if len(found) == 1 else None


def _first_line(node: Any) -> int:
    decorators = getattr(node, "decorator_list", ())
    return int(min([node.lineno, *(d.lineno for d in decorators)]))


@lru_cache(maxsize=8)
def _parsed(source: str, filename: str) -> tuple[ast.AST, frozenset[CodeType]]:
    tree = ast.parse(source)
    todo = [compile(source, filename, "exec", dont_inherit=True)]
    codes = set()
    while todo:
        code = todo.pop()
        codes.add(code)
        todo += [const for const in code.co_consts if isinstance(const, CodeType)]
    return tree, frozenset(codes)
