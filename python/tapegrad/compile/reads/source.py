"""The source of functions, as syntax trees."""

from __future__ import annotations

import ast
import linecache
from functools import lru_cache
from types import CodeType
from typing import Any


@lru_cache(maxsize=256)
def source_of(code: CodeType) -> Any:
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
