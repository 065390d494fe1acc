"""Finds what no Variable can answer: `type(x) is float`. isinstance(x, float) is right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

_CLASSES = frozenset({"float", "ndarray", "float64", "float32", "floating", "number"})
_TESTS = frozenset({"IS_OP", "COMPARE_OP", "CONTAINS_OP"})
_MOST_FUNCTIONS = 100  # that are followed from one
_MOST_SEEN = 10_000

_seen: dict[int, CodeType] = {}  # by address, since hashing code takes long


def may_have_type_tests(f: object) -> bool:
    """Whether `f` is anything but a function that was looked at."""
    return type(f) is not FunctionType or id(f.__code__) not in _seen


def new_type_tests(f: object) -> list[str]:
    """Where `f`, or a function that it names, compares type(...) with a class of numbers or arrays.

    Of each function only once: the second time there is nothing new.
    """
    found: list[str] = []
    waiting = [f]
    for _ in range(_MOST_FUNCTIONS):
        if not waiting:
            break
        function = _function_of(waiting.pop())
        if function is None or id(function.__code__) in _seen:
            continue
        if len(_seen) >= _MOST_SEEN:  # functions made from text, again and again
            _seen.clear()
        _seen[id(function.__code__)] = function.__code__
        space = function.__globals__
        if str(space.get("__name__", "")).partition(".")[0] in ("numpy", "scipy", "tapegrad"):
            continue
        for code in _nested(function.__code__):
            if "type" in code.co_names and "type" not in space:
                found += _tests_in(code)
            waiting += [space[name] for name in code.co_names if name in space]
    return found


def _function_of(f: Any) -> FunctionType | None:
    try:
        for _ in range(20):  # decorators, each around the next
            if isinstance(f, FunctionType):
                return f
            if isinstance(f, partial):
                f = f.func
            else:
                f = f.__func__ if isinstance(f, MethodType) else f.__wrapped__
    except Exception:  # of whatever the user's object does, an AttributeError as a rule
        return None
    return None


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _nested(const)


def _tests_in(code: CodeType) -> list[str]:
    import dis

    lines: dict[int, list[dis.Instruction]] = {}
    line = code.co_firstlineno
    starts = dict(dis.findlinestarts(code))
    for step in dis.get_instructions(code):
        line = starts.get(step.offset) or line
        lines.setdefault(line, []).append(step)
    found = []
    for number, steps in lines.items():
        names = {step.argval for step in steps if isinstance(step.argval, str)}
        operations = {step.opname for step in steps}
        tests = not _TESTS.isdisjoint(operations) or "issubclass" in names
        if any("ASSERTION" in f"{step.opname}{step.argrepr}".upper() for step in steps):
            continue  # it raises: that is loud enough
        classes = sorted(_CLASSES & names)
        if tests and classes and _asks_for_a_type(steps):
            found.append(f"{code.co_filename}:{number} compares type(...) with {classes[0]}")
    return found


def _asks_for_a_type(steps: list[Any]) -> bool:
    """Whether type(x) of a local name is among the instructions."""
    return any(
        first.argval == "type"
        and second.opname.startswith(("LOAD_FAST", "LOAD_DEREF"))
        and third.opname.startswith(("CALL", "PRECALL"))
        for first, second, third in zip(steps, steps[1:], steps[2:], strict=False)
    )
