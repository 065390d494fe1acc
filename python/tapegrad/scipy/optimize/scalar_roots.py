"""Roots of a function of one unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize
from scipy.optimize import OptimizeResult

from tapegrad._core import to_number
from tapegrad.scipy.functions import derives
from tapegrad.scipy.optimize.equations import itself
from tapegrad.scipy.optimize.implicit import called_functions, check, solution

_RTOL = 4.0 * np.finfo(float).eps
_ALONE = {"full_output": "call root_scalar, whose result tells of the steps"}


@derives(
    scipy.optimize.root_scalar,
    refused={
        "fprime=True": "let the function give its value alone",
        "fprime2=True": "let the function give its value alone",
    },
    functions=("f", "fprime", "fprime2"),
)
def root_scalar(
    f: Any,
    args: Any = (),
    method: Any = None,
    bracket: Any = None,
    fprime: Any = None,
    fprime2: Any = None,
    x0: Any = None,
    x1: Any = None,
    xtol: Any = None,
    rtol: Any = None,
    maxiter: Any = None,
    options: Any = None,
) -> Any:
    name = "scipy.optimize.root_scalar"
    functions = called_functions(name, args, f=f, fprime=fprime, fprime2=fprime2)
    starts = {"x0": x0, "x1": x1}
    if bracket is not None:
        starts["left"], starts["right"] = bracket
    starts = {key: x for key, x in starts.items() if x is not None}
    keys = tuple(starts)
    rest = {"xtol": xtol, "rtol": rtol, "maxiter": maxiter, "options": options}

    def solve(made: Any, *given: Any) -> tuple[Any, Any]:
        at: dict[str, Any] = {key: float(x) for key, x in zip(keys, given, strict=True)}
        if "left" in at:
            at["bracket"] = at.pop("left"), at.pop("right")
        derivatives = {key: made.get(key) for key in ("fprime", "fprime2")}
        found = scipy.optimize.root_scalar(made["f"], (), method, **derivatives, **at, **rest)
        check(name, found.converged, found.flag)
        return found.root, found

    key = method, keys, rest
    x, result = solution(name, functions, list(starts.values()), key, itself, solve)
    result = OptimizeResult(converged=True) if result is None else result
    result.root = to_number(x)
    return result


def _bracketed(own: Any, f: Any, a: Any, b: Any, args: Any, rest: dict[str, Any], disp: Any) -> Any:
    name = f"scipy.optimize.{own.__name__}"

    def solve(made: Any, a: Any, b: Any) -> tuple[Any, Any]:
        x, found = own(made["f"], float(a), float(b), (), **rest, full_output=True, disp=False)
        check(name, found.converged, f"no convergence after {found.iterations} iterations")
        return x, None

    functions = called_functions(name, args, f=f)
    return to_number(solution(name, functions, [a, b], rest, itself, solve)[0])


def _between_two(own: Any) -> Any:
    """A function of SciPy's that looks for a root between `a` and `b`, of Variables too."""

    def find(
        f: Any,
        a: Any,
        b: Any,
        args: Any = (),
        xtol: Any = 2e-12,
        rtol: Any = _RTOL,
        maxiter: Any = 100,
        full_output: Any = False,
        disp: Any = True,
    ) -> Any:
        rest = {"xtol": xtol, "rtol": rtol, "maxiter": maxiter}
        return _bracketed(own, f, a, b, args, rest, disp)

    find.__name__ = find.__qualname__ = own.__name__
    return derives(own, refused=_ALONE, functions=("f",))(find)


brentq = _between_two(scipy.optimize.brentq)
brenth = _between_two(scipy.optimize.brenth)
bisect = _between_two(scipy.optimize.bisect)
ridder = _between_two(scipy.optimize.ridder)


@derives(scipy.optimize.toms748, refused=_ALONE, functions=("f",))
def toms748(
    f: Any,
    a: Any,
    b: Any,
    args: Any = (),
    k: Any = 1,
    xtol: Any = 2e-12,
    rtol: Any = _RTOL,
    maxiter: Any = 100,
    full_output: Any = False,
    disp: Any = True,
) -> Any:
    rest = {"k": k, "xtol": xtol, "rtol": rtol, "maxiter": maxiter}
    return _bracketed(scipy.optimize.toms748, f, a, b, args, rest, disp)
