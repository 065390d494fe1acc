"""Whether `y += v` of a plain array `y` may give `y` a new value, the Variable that is the sum.

It may where no other name can see the array: there nobody misses a write into its memory. This is
told from the number of references to the array, beside that of an array which surely has one name.
"""

from __future__ import annotations

import ast
import collections
import linecache
import opcode
import sys
import types
import weakref
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.numpy.operands import cast

_FIRST_IN_PLACE = 13  # NB_INPLACE_ADD, the argument of BINARY_OP from Python 3.11 on

# What a target of one name looks like, by the instruction that stores the result.
_PROGRAMS = {
    "FAST": """
def f(a, v):
    b = a()
    b {} v
""",
    "DEREF": """
def f(a, v):
    b = a()
    def g():
        nonlocal b
        b {} v
    g()
""",
    "GLOBAL": """
def f(a, v):
    global b
    b = a()
    b {} v
""",
    "NAME": """
def f(a, v):
    exec("b = a(); b {} v", dict(a=a, v=v))
""",
    "ATTR": """
def f(a, v):
    b = holder()
    b.b = a()
    b.b {} v
""",
    "SUBSCR": """
def f(a, v):
    b = [a()]
    b[0] {} v
""",
}
_one_name: dict[tuple[str, str], int] = {}
_measured: list[int] | None = None

# Objects whose attributes, and containers whose items, are read and assigned as those of any other.
_PLAIN: tuple[Any, ...] = (object, types.ModuleType, types.SimpleNamespace)
_GETTERS = {cls.__getattribute__ for cls in _PLAIN}
_SETTERS = {cls.__setattr__ for cls in _PLAIN}
_CONTAINERS = (list, dict, collections.defaultdict, collections.OrderedDict)


def check_rebinding(sign: str, inputs: tuple[Any, ...], frame: types.FrameType) -> None:
    """Raises where inputs[0], which `y sign v` is to change, may be seen by other names.

    `frame` is that of the user's statement; nothing may hold the array between it and here but the
    way that every such call takes.
    """
    global _measured
    references = sys.getrefcount(inputs[0])
    if _measured is not None:
        _measured.append(references)
        return
    target = inputs[0]
    if not target.flags.writeable:
        raise ValueError("output array is read-only")
    kind = _kind_of_store(frame)
    key = (kind, sign)
    if key not in _one_name:
        _one_name[key] = _measure(kind, sign)
    alone = (
        references <= _one_name[key]
        and weakref.getweakrefcount(target) == 0
        and _has_memory_of_its_own(target)
    )
    if not alone or not _holder_is_changed(kind, frame, target):
        raise _refusal(sign, target, frame)


def is_statement(frame: types.FrameType) -> bool:
    """Whether the frame is at `y += v` or the like, rather than at the call of a function."""
    code = frame.f_code.co_code
    name = opcode.opname[code[frame.f_lasti]]
    if name == "BINARY_OP":
        return code[frame.f_lasti + 1] >= _FIRST_IN_PLACE
    return name.startswith("INPLACE_")


def _kind_of_store(frame: types.FrameType) -> str:
    code = frame.f_code.co_code
    skipped = ("CACHE", "EXTENDED_ARG", "SWAP", "ROT_TWO", "ROT_THREE")
    for at in range(frame.f_lasti + 2, len(code), 2):
        name = opcode.opname[code[at]]
        if name in skipped:
            continue
        if name.startswith("STORE_"):
            return name.split("_")[1]
        break
    return ""


def _measure(kind: str, sign: str) -> int:
    """The references to an array of one name, as check_rebinding() counts them; -1: unknown."""
    global _measured
    if kind not in _PROGRAMS:
        return -1
    namespace: dict[str, Any] = {"holder": types.SimpleNamespace}
    exec(_PROGRAMS[kind].replace("{}", sign), namespace)
    counts: list[int] = []
    _measured = counts
    try:
        namespace["f"](lambda: np.ones((1, 1)), Variable(np.ones((1, 1))))
    except TypeError:  # an operator that Variables have not
        pass
    finally:
        _measured = None
    return counts[0] if counts else -1


def _has_memory_of_its_own(x: Any) -> bool:
    """Whether no other array lies in the memory of `x`: it may be np.ones(4).reshape(2, 2)."""
    if x.base is None:
        return True
    if type(x.base) is not np.ndarray or x.base.base is not None:
        return False
    view = np.ones(4).reshape(2, 2)
    return bool(sys.getrefcount(x.base) <= sys.getrefcount(view.base))


def _holder_is_changed(kind: str, frame: types.FrameType, target: Any) -> bool:
    """Whether what the target was read from is what the result is stored to."""
    if kind == "NAME":  # a class's body reads globals and stores its own
        return frame.f_locals is frame.f_globals
    if kind not in ("ATTR", "SUBSCR"):
        return True
    statement = _statement(frame)
    if statement is None or not isinstance(statement.target, (ast.Attribute, ast.Subscript)):
        return False
    holder = value_of(statement.target.value, frame)
    if isinstance(statement.target, ast.Subscript):
        return type(holder) in _CONTAINERS
    return _own_attribute(holder, statement.target.attr) is target


_NOTHING = object()


def _own_attribute(holder: Any, name: str) -> Any:
    """What an assignment to this attribute replaces."""
    cls = type(holder)
    if cls.__setattr__ not in _SETTERS or cls.__getattribute__ not in _GETTERS:
        return _NOTHING
    of_class = next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), None)
    if isinstance(of_class, types.MemberDescriptorType):
        return of_class.__get__(holder)
    if hasattr(type(of_class), "__set__"):
        return _NOTHING
    return getattr(holder, "__dict__", {}).get(name, _NOTHING)


def value_of(x: ast.expr, frame: types.FrameType) -> Any:
    """The value of `name.attribute.attribute`, read without running anybody's code."""
    if isinstance(x, ast.Attribute):
        return _own_attribute(value_of(x.value, frame), x.attr)
    if not isinstance(x, ast.Name):
        return _NOTHING
    code = frame.f_code
    if x.id not in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        return frame.f_globals.get(x.id, _NOTHING)
    names = frame.f_locals
    found = names.get(x.id, _NOTHING)
    if sys.version_info < (3, 13) and sys.getrefcount(names) <= 3:
        names.clear()  # a copy of the locals that the frame would keep: more references
    return found


def _statement(frame: types.FrameType) -> ast.AugAssign | None:
    """The statement that the frame is at, where its source is known."""
    first = last = frame.f_lineno
    positions = getattr(frame.f_code, "co_positions", None)
    start = end = None
    if positions is not None:
        first, last, start, end = list(positions())[frame.f_lasti // 2]
        if first is None or last is None:
            return None
    lines = [linecache.getline(frame.f_code.co_filename, n) for n in range(first, last + 1)]
    raw = [x.encode() for x in lines]
    raw[-1] = raw[-1][:end]
    raw[0] = raw[0][start:]
    try:
        body = ast.parse(b"".join(raw).decode(errors="replace").strip()).body
    except (SyntaxError, ValueError):
        return None
    return body[0] if len(body) == 1 and isinstance(body[0], ast.AugAssign) else None


def as_changed(sign: str, result: Any, target: Any) -> Any:
    """`result` as NumPy writes it into `target`: of its shape and dtype."""
    if result.shape != target.shape:
        raise ValueError(
            f"non-broadcastable output operand with shape {target.shape} doesn't match the "
            f"broadcast shape {result.shape}"
        )
    if result.dtype == target.dtype:
        return result
    if not np.can_cast(result.dtype, target.dtype, "same_kind"):
        raise TypeError(
            f"y {sign} v: y is an array of {target.dtype}, which holds no "
            f"{result.dtype} and no derivative; make it one of floats where it is made, as "
            f"np.zeros({target.shape}), or y.astype(float)"
        )
    return cast(result, target.dtype) if target.dtype.kind == "f" else result


def _refusal(sign: str, target: Any, frame: types.FrameType) -> TypeError:
    statement = _statement(frame)
    y = ast.unparse(statement.target) if statement else "y"
    v = ast.unparse(statement.value) if statement else "v"
    whole = target if type(target.base) is not np.ndarray else target.base
    if whole is target:
        what, made = "it", f"tg.Variable(np.zeros({target.shape}))"
    else:
        what, made = f"the array of shape {whole.shape} that it is a view of", "tg.Variable(array)"
    text = (
        f"{y} {sign} {v}, at {frame.f_code.co_filename}:{frame.f_lineno}: {y} is a plain array "
        f"(shape {target.shape}, dtype {target.dtype}) that another name, array or object may "
        f"refer to, and it cannot hold the derivative of a Variable; make {what} a Variable where "
        f"it is made, {made}"
    )
    if statement is None or whole is target or isinstance(statement.target, ast.Name):
        simple = statement is None or isinstance(statement.value, (ast.Name, ast.Call))
        value = v if simple else f"({v})"
        text += f", or write {y} = {y} {sign[:-1]} {value}, which leaves other names as they are"
    return TypeError(text)
