"""How Python writes operators, for generated functions and for prints."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

# The sign, and how strongly it binds.
INFIX: dict[Callable[..., Any], tuple[str, int]] = {
    operator.or_: ("|", 1),
    operator.xor: ("^", 2),
    operator.and_: ("&", 3),
    operator.lt: ("<", 0),
    operator.le: ("<=", 0),
    operator.gt: (">", 0),
    operator.ge: (">=", 0),
    operator.add: ("+", 5),
    operator.sub: ("-", 5),
    operator.mul: ("*", 6),
    operator.truediv: ("/", 6),
    operator.floordiv: ("//", 6),
    operator.mod: ("%", 6),
    operator.matmul: ("@", 6),
    operator.pow: ("**", 8),
}
PREFIX: dict[Callable[..., Any], tuple[str, int]] = {
    operator.neg: ("-", 7),
    operator.invert: ("~", 7),
}


def applied(function: Callable[..., Any], args: list[str]) -> str | None:
    """An operator's expression of names and literals; None where the function is no operator."""
    if function in INFIX and len(args) == 2:
        return f"{_operand(args[0])} {INFIX[function][0]} {_operand(args[1])}"
    if function in PREFIX and len(args) == 1:
        return f"{PREFIX[function][0]}{_operand(args[0])}"
    if function is operator.getitem and args[0].isidentifier():
        return f"{args[0]}[{args[1]}]"
    return None


def _operand(text: str) -> str:
    return f"({text})" if text.startswith("-") else text
