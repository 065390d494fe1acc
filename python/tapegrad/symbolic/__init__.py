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


# Other names of Mathematica's, and what to write here.
_INSTEAD = {
    "ArgMin": "FindMinimum(f, x0)[1]",
    "Curl": "the elements of Jacobian(f)",
    "DSolve": "sympy.dsolve",
    "Derivative": "D(f, 'x')",
    "Div": "Jacobian(f).trace()",
    "Dt": "D(f, 'x')",
    "Expand": "D(f, 'x', simplify=sympy.expand)",
    "Factor": "D(f, 'x', simplify=sympy.factor)",
    "FindMaximum": "FindMinimum(lambda x: -f(x), x0)",
    "FullSimplify": "D(f, 'x', simplify=sympy.simplify)",
    "Integrate": "sympy.integrate(to_sympy(f), x)",
    "Laplacian": "Hessian(f).trace()",
    "Limit": "sympy.limit(to_sympy(f), x, x0)",
    "NIntegrate": "tapegrad.scipy.integrate.quad",
    "NMinimize": "FindMinimum(f, x0)",
    "NSolve": "FindRoot(f, x0)",
    "Normal": "Series(f, ('x', 0, n)).removeO()",
    "Simplify": "D(f, 'x', simplify=True)",
    "Solve": "sympy.solve(to_sympy(f), x)",
    "TeXForm": "D(f, 'x', form='latex')",
}


def __getattr__(name: str) -> Any:
    if name in _INSTEAD:
        raise AttributeError(
            f"module 'tapegrad.symbolic' has no {name!r}; write {_INSTEAD[name]} instead"
        )
    if name not in _HOMES:
        raise AttributeError(
            f"module 'tapegrad.symbolic' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    from importlib import import_module

    found = getattr(import_module(f"tapegrad.symbolic.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES))
