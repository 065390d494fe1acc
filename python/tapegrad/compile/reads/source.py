"""The source of functions, as syntax trees."""

from __future__ import annotations
import __future__

import ast
import linecache
from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import or_
from types import CodeType
from typing import Any, TypeAlias

_Compiled: TypeAlias = tuple[ast.AST, frozenset[CodeType]]

_FUTURES = reduce(or_, (getattr(__future__, x).compiler_flag for x in __future__.all_feature_names))
_GOES_ON = frozenset(" \t\r\n\f#)]}")  # a line that begins so does not begin a statement
_MOST_LINES = 8  # that begin at the margin, and may be one statement: decorators, texts


@lru_cache(maxsize=256)
def source_of(code: CodeType) -> Any:
    """The function's node in its source, if that is what was compiled; None else.

    Files may be long, so the statement around the function is looked at first. That it was cut out
    rightly shows in its code, which is the same only where all lines and columns are.
    """
    lines = linecache.getlines(code.co_filename)
    found = _in_its_statement(code, lines)
    if found is None:
        found = _compiled("".join(lines), code)
    return None if found is None or code not in found[1] else _node_of(code, found[0])


def _in_its_statement(code: CodeType, lines: Sequence[str]) -> _Compiled | None:
    """The statement at the margin that the function is part of, if its code is there."""
    first = code.co_firstlineno - 1
    if first >= len(lines):
        return None
    last = first + 1
    while first > 0 and lines[first][0] in _GOES_ON:
        first -= 1
    # Calls of what is imported are compiled to other code.
    others = [k for k, x in enumerate(lines) if x.startswith(("import ", "from "))]
    for _ in range(_MOST_LINES):
        last = _next_at_margin(lines, last)
        text = ["\n"] * len(lines)
        text[first:last] = lines[first:last]
        for k in others:
            if not lines[k].startswith("from __future__"):
                end = _next_at_margin(lines, k + 1)
                text[k:end] = lines[k:end]
        found = _compiled("".join(text), code)
        if found is not None:
            return found if code in found[1] else None
        last += 1
    return None


def _next_at_margin(lines: Sequence[str], k: int) -> int:
    while k < len(lines) and lines[k][0] in _GOES_ON:
        k += 1
    return k


def _node_of(code: CodeType, tree: ast.AST) -> Any:
    kind = ast.Lambda if code.co_name == "<lambda>" else ast.FunctionDef
    line = code.co_firstlineno
    todo, found = [tree], []
    for node in todo:  # it grows
        is_there = isinstance(node, kind) and _first_line(node) == line
        if is_there and getattr(node, "name", "<lambda>") == code.co_name:
            found.append(node)
        todo += [x for x in ast.iter_child_nodes(node) if _may_hold(x, line)]
    return found[0] if len(found) == 1 else None


def _may_hold(node: Any, line: int) -> bool:
    """Whether something in it may begin at this line. Arguments and the like have no lines."""
    end = getattr(node, "end_lineno", None)
    return end is None or _first_line(node) <= line <= end


def _first_line(node: Any) -> int:
    decorators = getattr(node, "decorator_list", ())
    return int(min([node.lineno, *(d.lineno for d in decorators)]))


def _compiled(source: str, code: CodeType) -> _Compiled | None:
    try:
        return _parsed(source, code.co_filename, code.co_flags & _FUTURES)
    except SyntaxError:
        return None


@lru_cache(maxsize=8)
def _parsed(source: str, filename: str, futures: int) -> _Compiled:
    tree = ast.parse(source)
    todo = [compile(tree, filename, "exec", flags=futures, dont_inherit=True)]
    codes = set()
    while todo:
        code = todo.pop()
        codes.add(code)
        todo += [const for const in code.co_consts if isinstance(const, CodeType)]
    return tree, frozenset(codes)
