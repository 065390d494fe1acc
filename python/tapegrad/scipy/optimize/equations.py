"""Roots of systems of equations, and fixed points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize
from scipy.optimize import OptimizeResult

from tapegrad._core import to_number
from tapegrad.scipy.arrays import floats
from tapegrad.scipy.functions import derives
from tapegrad.scipy.optimize.implicit import (
    called_functions,
    check,
    flat,
    solution,
    unless_function,
)

_JUST_F = "let the function give the equations alone"


def itself(f: Callable[..., Any], x: Any) -> Any:
    """The equations f(x) = 0."""
    return f(x)


@derives(scipy.optimize.root, refused={"jac=True": _JUST_F}, functions=("fun", "jac"))
def root(
    fun: Any,
    x0: Any,
    args: Any = (),
    method: Any = "hybr",
    jac: Any = None,
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    name = "scipy.optimize.root"
    functions = called_functions(name, args, f=fun, jac=jac)
    way = unless_function(jac)

    def solve(made: Any, x0: Any) -> tuple[Any, Any]:
        found = scipy.optimize.root(
            made["f"], x0, (), method, made.get("jac", way), tol, callback, options
        )
        check(name, found.success, found.message)
        return found.x, found

    given = method, way, tol, callback, options
    x, result = solution(name, functions, [x0], given, itself, solve)
    result = OptimizeResult(success=True) if result is None else result
    result.update(x=x, fun=flat(functions["f"](functions["f"].operands, x)))
    return result


@derives(
    scipy.optimize.fsolve,
    refused={"full_output": "call root, whose result tells of the steps"},
    functions=("func", "fprime"),
)
def fsolve(
    func: Any,
    x0: Any,
    args: Any = (),
    fprime: Any = None,
    full_output: Any = 0,
    col_deriv: Any = 0,
    xtol: Any = 1.49012e-8,
    maxfev: Any = 0,
    band: Any = None,
    epsfcn: Any = None,
    factor: Any = 100,
    diag: Any = None,
) -> Any:
    name = "scipy.optimize.fsolve"
    functions = called_functions(name, args, f=func, fprime=fprime)
    rest = col_deriv, xtol, maxfev, band, epsfcn, factor, diag

    def solve(made: Any, x0: Any) -> tuple[Any, Any]:
        x, _, status, message = scipy.optimize.fsolve(
            made["f"], x0, (), made.get("fprime"), 1, *rest
        )
        check(name, status == 1, message)
        return x, None

    return solution(name, functions, [x0], rest, itself, solve)[0]


@derives(
    scipy.optimize.newton,
    refused={"full_output": "call root_scalar, whose result tells of the steps"},
    functions=("func", "fprime", "fprime2"),
)
def newton(
    func: Any,
    x0: Any,
    fprime: Any = None,
    args: Any = (),
    tol: Any = 1.48e-8,
    maxiter: Any = 50,
    fprime2: Any = None,
    x1: Any = None,
    rtol: Any = 0.0,
    full_output: Any = False,
    disp: Any = True,
) -> Any:
    name = "scipy.optimize.newton"
    functions = called_functions(name, args, f=func, fprime=fprime, fprime2=fprime2)

    def solve(made: Any, x0: Any, *second: Any) -> tuple[Any, Any]:
        found = scipy.optimize.newton(
            made["f"],
            x0,
            made.get("fprime"),
            (),
            tol,
            maxiter,
            made.get("fprime2"),
            second[0] if second else None,
            rtol,
            True,
            False,
        )
        if np.size(x0) == 1:
            check(name, found[1].converged, f"no convergence after {maxiter} iterations")
        else:
            check(name, np.all(found[1]), f"no convergence after {maxiter} iterations")
        return np.reshape(found[0], np.shape(x0)), None

    starts = [x0] if x1 is None else [x0, x1]
    return to_number(solution(name, functions, starts, (tol, maxiter, rtol), itself, solve)[0])


@derives(scipy.optimize.fixed_point, functions=("func",))
def fixed_point(
    func: Any,
    x0: Any,
    args: Any = (),
    xtol: Any = 1e-8,
    maxiter: Any = 500,
    method: Any = "del2",
) -> Any:
    name = "scipy.optimize.fixed_point"

    def solve(made: Any, x0: Any) -> tuple[Any, Any]:
        return scipy.optimize.fixed_point(made["f"], x0, (), xtol, maxiter, method), None

    def equation(f: Callable[..., Any], x: Any) -> Any:
        return floats(f(x)) - x

    given = xtol, maxiter, method
    return solution(name, called_functions(name, args, f=func), [x0], given, equation, solve)[0]
