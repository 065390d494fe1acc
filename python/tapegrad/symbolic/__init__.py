"""Derivatives as formulas, and solvers that find their own derivatives, under Mathematica's names.

Formulas are SymPy's (`pip install tapegrad[symbolic]`), which is loaded at the first of them.

>>> import numpy as np
>>> from tapegrad.symbolic import D
>>> D(lambda x: x * np.sin(x**2), "x")
2*x**2*cos(x**2) + sin(x**2)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapegrad.symbolic.derivatives import D, Grad, Hessian, Jacobian
    from tapegrad.symbolic.formulas import to_sympy
    from tapegrad.symbolic.functions import from_sympy
    from tapegrad.symbolic.operations_count import count_operations
    from tapegrad.symbolic.solvers import FindMinimum, FindRoot, NDSolve
    from tapegrad.symbolic.taylor import Series

__all__ = [
    "D",
    "FindMinimum",
    "FindRoot",
    "Grad",
    "Hessian",
    "Jacobian",
    "NDSolve",
    "Series",
    "count_operations",
    "from_sympy",
    "to_sympy",
]

_HOMES = {
    "D": "derivatives",
    "FindMinimum": "solvers",
    "FindRoot": "solvers",
    "Grad": "derivatives",
    "Hessian": "derivatives",
    "Jacobian": "derivatives",
    "NDSolve": "solvers",
    "Series": "taylor",
    "count_operations": "operations_count",
    "from_sympy": "functions",
    "to_sympy": "formulas",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tapegrad.symbolic' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"tapegrad.symbolic.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
