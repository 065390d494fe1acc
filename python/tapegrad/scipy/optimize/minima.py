"""Minimisers, as solutions of the equation that the gradient is zero.

Components at a bound, towards which the function falls, stay there: their derivative is zero. A
solver that is told no Jacobian is given the exact one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize
from scipy.optimize import OptimizeResult

from tapegrad._core import to_number
from tapegrad.scipy.arrays import shape_of
from tapegrad.scipy.closures import Called
from tapegrad.scipy.functions import derives, holds_variable, refuse, with_parameters_of
from tapegrad.scipy.optimize.implicit import (
    called_functions,
    check,
    flat,
    plain,
    solution,
    unless_function,
)
from tapegrad.transforms.gradients import grad
from tapegrad.transforms.jacobians import jacobian
from tapegrad.transforms.trace import stop_gradient

_JUST_F = "let the function give its value alone; its gradient is derived"
_NEAR = 1e-8  # of a bound, as a share of its size
# Methods that take no gradient.
_WITHOUT = ("nelder-mead", "powell", "cobyla", "cobyqa")


def bounded_equations(gradient: Any, x: Any, low: Any, high: Any, near: float = _NEAR) -> Any:
    """The gradient as the equations of a minimum between bounds."""
    from_low, from_high = np.isfinite(low), np.isfinite(high)
    low, high = np.where(from_low, low, 0.0), np.where(from_high, high, 0.0)
    at_low = (x - low <= near * (1.0 + np.abs(low))) & (gradient > 0) & from_low
    at_high = (high - x <= near * (1.0 + np.abs(high))) & (gradient < 0) & from_high
    return np.where(at_low | at_high, x - stop_gradient(x), gradient)


def _limits(name: str, bounds: Any) -> Any:
    """Bounds as two arrays; None where there are none."""
    if bounds is None:
        return None
    if isinstance(bounds, scipy.optimize.Bounds):
        bounds = bounds.lb, bounds.ub
    elif not holds_variable(bounds):
        pairs = [(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]
        bounds = np.array([a for a, _ in pairs], float), np.array([b for _, b in pairs], float)
    return _plain_limits(name, bounds)


def _plain_limits(name: str, limits: Any) -> tuple[Any, Any]:
    if holds_variable(limits):
        refuse(
            name,
            "a Variable in bounds=",
            "minimise over u with x = low + (high - low) * u, whose bounds are 0 and 1",
        )
    low, high = limits
    return np.asarray(low, float), np.asarray(high, float)


def _gradient(f: Callable[..., Any], x: Any) -> Any:
    return grad(lambda x: np.sum(f(x)))(x)


@derives(
    scipy.optimize.minimize,
    refused={
        "constraints": "write its conditions (of Lagrange) as equations, and give them to root",
        "jac=True": _JUST_F,
    },
    functions=("fun", "jac", "hess", "hessp"),
)
def minimize(
    fun: Any,
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    name = "scipy.optimize.minimize"
    functions = called_functions(name, args, f=fun, jac=jac, hess=hess, hessp=hessp)
    limits = _limits(name, bounds)
    way, ways = unless_function(jac), unless_function(hess)
    derived = jac is None and not (isinstance(method, str) and method.lower() in _WITHOUT)

    def solve(made: Any, x0: Any) -> tuple[Any, Any]:
        found = scipy.optimize.minimize(
            made["f"],
            x0,
            (),
            method,
            plain(name, partial(_gradient, made["f"])) if derived else made.get("jac", way),
            made.get("hess", ways),
            made.get("hessp"),
            bounds,
            (),
            tol,
            callback,
            options,
        )
        check(name, found.success, found.message)
        return found.x, found

    def equation(f: Callable[..., Any], x: Any) -> Any:
        gradient = _gradient(f, x)
        return gradient if limits is None else bounded_equations(gradient, x, *limits)

    given = method, way, ways, limits, tol, callback, options
    x, result = solution(name, functions, [x0], given, equation, solve)
    return _result(functions["f"], x, result)


def _result(f: Called, x: Any, result: Any) -> Any:
    result = OptimizeResult(success=True) if result is None else result
    result.update(x=x, fun=f(f.operands, x))
    return result


@derives(scipy.optimize.minimize_scalar, functions=("fun",))
def minimize_scalar(
    fun: Any,
    bracket: Any = None,
    bounds: Any = None,
    args: Any = (),
    method: Any = None,
    tol: Any = None,
    options: Any = None,
) -> Any:
    name = "scipy.optimize.minimize_scalar"
    functions = called_functions(name, args, f=fun)
    limits = None if bounds is None else _plain_limits(name, bounds)
    near = 2.0 * (options or {}).get("xatol", tol or 1e-5)  # how far from a bound the method stops

    def solve(made: Any, *bracket: Any) -> tuple[Any, Any]:
        given = tuple(float(x) for x in bracket) or None
        found = scipy.optimize.minimize_scalar(made["f"], given, bounds, (), method, tol, options)
        check(name, found.success, found.get("message", "no minimum was found"))
        return found.x, found

    def equation(f: Callable[..., Any], x: Any) -> Any:
        slope = _gradient(f, x)
        return slope if limits is None else bounded_equations(slope, x, *limits, near)

    given = method, limits, tol, options
    x, result = solution(name, functions, list(bracket or ()), given, equation, solve)
    return _result(functions["f"], to_number(x), result)


def _least_squares(
    fun: Any, x0: Any, jac: Any, bounds: Any, args: Any, kwargs: Any, **options: Any
) -> Any:
    del options["loss"]  # which is linear
    name = "scipy.optimize.least_squares"
    if kwargs:
        fun = partial(fun, **kwargs)
        jac = partial(jac, **kwargs) if callable(jac) else jac
    functions = called_functions(name, args, f=fun, jac=jac)
    is_object = isinstance(bounds, scipy.optimize.Bounds)
    limits = _plain_limits(name, (bounds.lb, bounds.ub) if is_object else bounds)
    given = {key: x for key, x in options.items() if x is not None}
    way = unless_function(jac)

    def solve(made: Any, x0: Any) -> tuple[Any, Any]:
        derived = plain(name, partial(slopes_of, made["f"])) if way == "2-point" else way
        found = scipy.optimize.least_squares(
            made["f"], x0, made.get("jac", derived), limits, **given
        )
        check(name, found.success, found.message)
        return found.x, found

    def equation(f: Callable[..., Any], x: Any) -> Any:
        return bounded_equations(normal_equations(f, x), x, *limits)

    key = way, limits, given
    x, result = solution(name, functions, [x0], key, equation, solve)
    result = _result(functions["f"], x, result)
    result.cost = 0.5 * np.sum(flat(result.fun) ** 2)
    return result


least_squares = derives(
    scipy.optimize.least_squares,
    refused={"loss": "write the loss into a function for minimize"},
    functions=("fun", "jac"),
)(with_parameters_of(scipy.optimize.least_squares, _least_squares))


def slopes_of(f: Callable[..., Any], x: Any) -> Any:
    return jacobian(lambda x: flat(f(x)))(x)


def normal_equations(f: Callable[..., Any], x: Any) -> Any:
    """The gradient of half the sum of squares."""
    return np.reshape(grad(lambda x: 0.5 * np.sum(flat(f(x)) ** 2))(x), shape_of(x))
