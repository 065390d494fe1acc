"""Texts that plain code makes of a Variable: f'{v:.3f}', '%.3f' % v, str(v).

While a whole function is recorded the number is known to plain code from then on, and a replay is
for this number alone: a text may choose a branch or be the key of a table. A text that the
statement only shows, as print does, is for people, and a replay shows nothing.
"""

from __future__ import annotations

import ast
import linecache
from types import CodeType, FrameType

from tapegrad.numpy import refusals
from tapegrad.numpy.rebinding import value_of

_SHOW = frozenset(
    ("print", "debug", "info", "warning", "error", "critical", "exception", "log", "warn", "write")
)
_MODULES = frozenset(("logging", "traceback", "pprint", "warnings"))
_MOST_PLACES = 10_000
_places: dict[tuple[CodeType, int], bool] = {}


def is_only_shown() -> bool:
    """Whether the user's statement does nothing with its text but show it."""
    frame = refusals.outside()
    if frame is None:
        return False
    if str(frame.f_globals.get("__name__", "")).partition(".")[0] in _MODULES:
        return True
    key = frame.f_code, frame.f_lasti
    found = _places.get(key)
    if found is None:
        if len(_places) >= _MOST_PLACES:
            _places.clear()
        found = _places[key] = _shows(_statement(frame))
    return found


def is_format(x: ast.AST | None, frame: FrameType | None) -> bool:
    """Whether it is `text % v`, which makes a text."""
    if not isinstance(x, ast.BinOp) or not isinstance(x.op, ast.Mod):
        return False
    left = x.left
    if isinstance(left, ast.Constant):
        return isinstance(left.value, (str, bytes))
    if isinstance(left, ast.JoinedStr):
        return True
    return frame is not None and type(value_of(left, frame)) in (str, bytes)


def _shows(statement: ast.stmt | None) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    if any(isinstance(x, ast.NamedExpr) for x in ast.walk(statement)):
        return False
    f = statement.value.func
    return (f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "")) in _SHOW


def _statement(frame: FrameType) -> ast.stmt | None:
    """The innermost statement that the frame is at, where its source is known."""
    line, column = frame.f_lineno, None
    positions = getattr(frame.f_code, "co_positions", None)
    if positions is not None:
        first, _, column, _ = list(positions())[frame.f_lasti // 2]
        line = line if first is None else first
    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except (SyntaxError, ValueError):
        return None
    found = None
    for x in ast.walk(tree):  # what is outside comes first
        if not isinstance(x, ast.stmt) or not x.lineno <= line <= (x.end_lineno or line):
            continue
        after = line == x.end_lineno and column is not None and column >= (x.end_col_offset or 0)
        before = line == x.lineno and column is not None and column < x.col_offset
        if not after and not before:
            found = x
    return found
