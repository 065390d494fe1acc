"""SymPy expressions as the source of functions on NumPy arrays and Variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy.printing.numpy import SciPyPrinter

from tapegrad.symbolic.lazy_sympy import sympy


class Printer(SciPyPrinter):  # type: ignore[misc]  # SymPy is untyped
    """SymPy's printer for SciPy, with functions that Variables have."""

    def __init__(self) -> None:
        super().__init__(
            {"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True}
        )

    def _print_Piecewise(self, expr: Any) -> str:
        where = self._module_format("numpy.where")
        pieces = list(expr.args)
        last = pieces[-1]
        found = self._print(last.expr if last.cond == sympy.true else sympy.nan)
        for piece in reversed(pieces[:-1] if last.cond == sympy.true else pieces):
            found = f"{where}({self._print(piece.cond)}, {self._print(piece.expr)}, {found})"
        return str(found)

    def _print_Max(self, expr: Any) -> str:
        return _nested(self, "maximum", expr.args)

    def _print_Min(self, expr: Any) -> str:
        return _nested(self, "minimum", expr.args)

    def _print_And(self, expr: Any) -> str:
        return _nested(self, "logical_and", expr.args)

    def _print_Or(self, expr: Any) -> str:
        return _nested(self, "logical_or", expr.args)

    def _print_Heaviside(self, expr: Any) -> str:
        name = self._module_format("numpy.heaviside")
        at_zero = expr.args[1] if len(expr.args) > 1 else sympy.Rational(1, 2)
        return f"{name}({self._print(expr.args[0])}, {self._print(at_zero)})"

    def _print_elliptic_k(self, expr: Any) -> str:
        return self._special("ellipk", expr.args)

    def _print_elliptic_e(self, expr: Any) -> str:
        return self._special("ellipe" if len(expr.args) == 1 else "ellipeinc", expr.args)

    def _print_elliptic_f(self, expr: Any) -> str:
        return self._special("ellipkinc", expr.args)

    def _print_expint(self, expr: Any) -> str:
        one = expr.args[0] == 1
        return self._special("exp1" if one else "expn", expr.args[1:] if one else expr.args)

    def _special(self, name: str, args: Sequence[Any]) -> str:
        words = ", ".join(self._print(x) for x in args)
        return f"{self._module_format(f'scipy.special.{name}')}({words})"

    def _print_polygamma(self, expr: Any) -> str:
        order, x = expr.args
        if order == 0:
            return f"{self._module_format('scipy.special.psi')}({self._print(x)})"
        return str(super()._print_polygamma(expr))


def _nested(printer: Any, function: str, args: Sequence[Any]) -> str:
    """f(a, f(b, c)): a function of two for any number of operands."""
    words = [printer._print(x) for x in args]
    name = printer._module_format(f"numpy.{function}")
    found = words[-1]
    for word in reversed(words[:-1]):
        found = f"{name}({word}, {found})"
    return str(found)
