"""How many operations a formula takes, written out and with shared parts."""

from __future__ import annotations

from typing import Any

from tapegrad.symbolic.lazy_sympy import sympy


def count_operations(expr: Any, shared: bool = False) -> int:
    """The number of operations of an expression.

    With `shared=True` what occurs several times counts once, as where a program computes it.

    >>> import sympy
    >>> from tapegrad.symbolic import count_operations
    >>> x = sympy.Symbol("x")
    >>> y = sympy.sin(x) ** 2 + sympy.cos(sympy.sin(x))
    >>> count_operations(y), count_operations(y, shared=True)
    (5, 4)
    """
    if not shared:
        return int(sympy.count_ops(expr))
    steps, rest = sympy.cse(expr)
    return int(sum(sympy.count_ops(x) for _, x in steps) + sum(map(sympy.count_ops, rest)))
