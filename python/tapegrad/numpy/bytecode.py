"""What code is at, by the names in its instructions alone: where no source or no place is known."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any

STORES = ("STORE_SUBSCR", "STORE_SLICE")  # of z[1:] = v, from Python 3.12 on
# Instructions after which the next one in the code does not follow.
_LEAVING = (
    "RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_ABSOLUTE",
    "JUMP_BACKWARD",
)  # fmt: skip
_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))


def named_in(code: CodeType, at: int) -> ast.AST | None:
    """The call or the assignment at this offset: the function that was loaded for the call."""
    before = [x for x in dis.get_instructions(code) if x.offset <= at]
    if not before:
        return None
    last = before[-1]
    if last.opname in STORES:
        return ast.parse("z[i] = v").body[0]
    if last.opname == "BINARY_SUBSCR" or last.argrepr == "[]":
        return ast.parse("a[i]", mode="eval").body
    if last.opname == "BINARY_MODULO" or last.argrepr == "%":
        return ast.parse("'%f' % v", mode="eval").body
    # A call of a method in C is done by the instruction before, in Python 3.11.
    if not last.opname.startswith(("CALL", "PRECALL")):
        return None
    n = (last.arg or 0) + last.opname.endswith("KW")
    depth = 0
    for index, jumps in _path_to_last(before):
        x = before[index]
        if depth == n and x.opname.startswith("LOAD_"):
            return _named_call(before[: index + 1])
        if x.opname == "PRECALL" and index == len(before) - 2:  # of this call
            continue
        if depth == n and x.opname == "PUSH_NULL":  # before the arguments, from Python 3.13 on
            continue
        try:
            depth += dis.stack_effect(x.opcode, x.arg, jump=jumps)
        except ValueError:
            return None
    return None


def _path_to_last(steps: list[dis.Instruction]) -> Iterator[tuple[int, bool]]:
    """The places of what is done before the last one, backwards, and whether it jumps from there.

    What stands before `b` of `a if c else b` is another path.
    """
    at = len(steps) - 2
    while at >= 0:
        jumps = steps[at].opname in _LEAVING
        if jumps:
            to = steps[at + 1].offset
            at -= 1
            while at >= 0 and not (steps[at].opcode in _JUMPS and steps[at].argval == to):
                at -= 1
        if at >= 0:
            yield at, jumps
        at -= 1


def _named_call(loads: list[dis.Instruction]) -> ast.expr | None:
    name = loads[-1].argval
    if not isinstance(name, str):
        return None
    args: list[ast.expr] = [ast.Name("v")]
    if loads[-1].opname not in ("LOAD_METHOD", "LOAD_ATTR"):
        return ast.Call(ast.Name(name), args, [])
    owner: Any = loads[-2].argval if len(loads) > 1 else "a"
    owner = owner if isinstance(owner, str) and owner.isidentifier() else "a"
    return ast.Call(ast.Attribute(ast.Name(owner), name), args, [])
