"""Formulas as a person would write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad.symbolic.lazy_sympy import sympy

_MANY_CASES = 6
_SHORT, _LONG = 40, 150  # operations up to which SymPy simplifies, and expands


def readable(expr: Any, simplify: bool | Callable[[Any], Any] = True) -> Any:
    """The shortest of a few equivalent forms; `simplify` may be a function of one's own."""
    if not isinstance(expr, sympy.Expr):
        return expr
    if callable(simplify):
        return simplify(expr)
    if not simplify:
        return _folded(expr)
    real = {s: sympy.Dummy(s.name, real=True) for s in expr.free_symbols if s.is_real is None}
    found = _shortest(expr.xreplace(real))
    return found.xreplace({dummy: s for s, dummy in real.items()})


def _shortest(expr: Any) -> Any:
    """Of symbols that stand for real numbers."""
    if expr.has(sympy.Piecewise):
        expr = _folded(_without_power_rule(expr))
    if expr.is_Atom:
        return expr
    forms, length = [expr], sympy.count_ops(expr)
    if length <= _LONG:
        forms.append(sympy.expand(expr))
        if not expr.has(sympy.Piecewise):
            forms.append(sympy.factor_terms(expr))
    if length <= _SHORT:
        forms.append(sympy.simplify(expr))
    return min((_without_sizes(form) for form in forms), key=_length)


def _folded(expr: Any) -> Any:
    """With cases on the outside, where they are few."""
    conditions = {piece.cond for p in expr.atoms(sympy.Piecewise) for piece in p.args}
    return sympy.piecewise_fold(expr) if len(conditions) <= _MANY_CASES else expr


def _length(expr: Any) -> tuple[int, int]:
    return int(sympy.count_ops(expr)), len(str(expr))


def _without_sizes(expr: Any) -> Any:
    """cos(Abs(x)) as cos(x)."""
    return expr.replace(_is_even, _without_size) if expr.has(sympy.Abs) else expr


def _is_even(expr: Any) -> bool:
    return isinstance(expr, (sympy.cos, sympy.cosh)) and expr.args[0].has(sympy.Abs)


def _without_size(expr: Any) -> Any:
    factors = sympy.Mul.make_args(expr.args[0])
    plain = [x.args[0] if isinstance(x, sympy.Abs) else x for x in factors]
    return expr.func(sympy.Mul(*plain))


def _without_power_rule(expr: Any) -> Any:
    """Without the limit of x**y log(x) at x = 0, which the rule of powers holds apart.

    The formula says log(0) there, so it is not silently another.
    """
    pieces = [p for p in expr.atoms(sympy.Piecewise) if _is_limit_of_power(p)]
    return expr.xreplace({p: p.args[1].expr for p in pieces})


def _is_limit_of_power(piece: Any) -> bool:
    """Whether it is x**y log(x), but for the case that x is 0 and y positive."""
    if len(piece.args) != 2 or piece.args[1].cond != sympy.true:
        return False
    condition, rest = piece.args[0].cond, piece.args[1].expr
    for log in rest.atoms(sympy.log):
        base, exponent = (rest / log).as_base_exp()
        if base != log.args[0]:
            continue
        zero = sympy.And(sympy.Eq(base, 0), exponent > 0)
        like = sympy.Piecewise((0, zero), (1, True))  # which writes conditions in its own form
        if like.has(sympy.Piecewise) and like.args[0].cond == condition:
            return True
    return False
