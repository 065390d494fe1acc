"""Python's math module of Variables, while a function is differentiated.

`math.sin(v)` asks for a float, in which a derivative would be lost. While a transform calls the
user's function (and inside `tg.patch_numpy()`) the functions of `math` take Variables that are
numbers: their values are NumPy's then, and outside of their domains they raise `math`'s own
errors. In a compiled function that holds for later calls too: whether a result is finite is a
choice like any other that the function makes. All else goes to `math` itself.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable


def _special(name: str) -> Callable[..., Any]:
    def found(*args: Any) -> Any:
        return getattr(import_module("scipy.special"), name)(*args)

    return found


def _log(x: Any, *base: Any) -> Any:
    return np.log(x) / np.log(base[0]) if base else np.log(x)


def _hypot(*coordinates: Any) -> Any:
    """One after the other: squares of large numbers would overflow."""
    return functools.reduce(np.hypot, coordinates, 0.0)


# What gives the same of NumPy's numbers. Of those that never fail a result is not looked at.
_NEVER_FAIL: dict[str, Callable[..., Any]] = {
    "asinh": np.arcsinh, "atan": np.arctan, "atan2": np.arctan2, "cbrt": np.cbrt,
    "copysign": np.copysign, "erf": _special("erf"), "erfc": _special("erfc"), "fabs": np.abs,
    "radians": np.radians, "tanh": np.tanh,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_NEVER_FAIL,
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "atanh": np.arctanh, "cos": np.cos,
    "cosh": np.cosh, "degrees": np.degrees, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1,
    "fmod": np.fmod, "gamma": _special("gamma"), "hypot": _hypot, "lgamma": _special("gammaln"),
    "log": _log, "log10": np.log10, "log1p": np.log1p, "log2": np.log2, "pow": np.power,
    "sin": np.sin, "sinh": np.sinh, "sqrt": np.sqrt, "tan": np.tan,
}  # fmt: skip
_OF_SEVERAL = {"atan2", "copysign", "fmod", "hypot", "pow"}
# What has no derivative.
_ANSWERS: dict[str, Callable[[Any], Any]] = {
    "isfinite": lambda x: bool(np.isfinite(x)),
    "isinf": lambda x: bool(np.isinf(x)),
    "isnan": lambda x: bool(np.isnan(x)),
}

ORIGINALS: dict[str, Any] = {
    name: getattr(math, name)
    for name in sorted({*_FUNCTIONS, *_ANSWERS, "isclose"})
    if hasattr(math, name)  # cbrt and exp2 came with Python 3.11
}


_DOUBLE = np.dtype(np.float64)


def _is_number(x: Any) -> bool:
    """Whether it is a Variable of no axes, and of floats, which as a float would lose something."""
    return type(x) is Variable and not x.ndim and (x.dtype is _DOUBLE or x.dtype.kind == "f")


def _is_array(x: Any) -> bool:
    return type(x) is Variable and bool(x.ndim)


def _as_double(x: Any) -> Any:
    return x.astype(np.float64) if type(x) is Variable and x.dtype is not _DOUBLE else x


def _plain(x: Any) -> Any:
    return float(_core.value(x)) if type(x) is Variable else x


def _recorded(original: Callable[..., Any], numpys: Callable[..., Any], args: Any) -> Any:
    """Of a function that is being recorded: the result is looked at where errors may be."""
    with np.errstate(all="ignore"):
        found = numpys(*args)
        if not bool(np.isfinite(found)):
            original(*map(_plain, args))  # for its errors
    return _core.as_float(found)


def _of_one(name: str, otherwise: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """`otherwise` takes calls of another number of arguments."""
    original, numpys = ORIGINALS[name], _FUNCTIONS[name]
    never_fails, as_float = name in _NEVER_FAIL, _core.as_float
    tracing, value = _core.tracing, _core.value

    @functools.wraps(original)
    def taken(*args: Any) -> Any:
        if len(args) != 1:
            return (otherwise or original)(*args)
        x = args[0]
        if type(x) is not Variable or not _is_number(x):
            return original(x)
        x = _as_double(x)
        if never_fails:
            return as_float(numpys(x))
        if tracing():
            return _recorded(original, numpys, (x,))
        original(float(value(x)))  # for its errors
        return as_float(numpys(x))

    return taken


def _of_several(name: str) -> Callable[..., Any]:
    original, numpys = ORIGINALS[name], _FUNCTIONS[name]
    never_fails = name in _NEVER_FAIL

    @functools.wraps(original)
    def taken(*args: Any) -> Any:
        if not any(map(_is_number, args)) or any(map(_is_array, args)):
            return original(*args)
        numbers = tuple(map(_as_double, args))
        if not never_fails:
            if _core.tracing():
                return _recorded(original, numpys, numbers)
            original(*map(_plain, args))  # for its errors
        return _core.as_float(numpys(*numbers))

    return taken


def _asked(name: str) -> Callable[..., Any]:
    original, of_number = ORIGINALS[name], _ANSWERS[name]

    @functools.wraps(original)
    def answer(x: Any, /) -> Any:
        return of_number(x) if _is_number(x) else original(x)

    return answer


def _close(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def are_close(a: Any, b: Any, *, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> Any:
        numbers = (a, b, rel_tol, abs_tol)
        if not any(map(_is_number, numbers)) or any(map(_is_array, numbers)):
            return original(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
        if rel_tol < 0.0 or abs_tol < 0.0:
            raise ValueError("tolerances must be non-negative")
        if a == b:
            return True
        if abs(a) == math.inf or abs(b) == math.inf:
            return False
        return bool(abs(b - a) <= max(rel_tol * max(abs(a), abs(b)), abs_tol))

    return are_close


def _stand_in(name: str) -> Callable[..., Any]:
    if name == "isclose":
        made = _close(ORIGINALS[name])
    elif name in _ANSWERS:
        made = _asked(name)
    elif name in _OF_SEVERAL:
        made = _of_several(name)
    else:
        made = _of_one(name, _of_several(name) if name == "log" else None)
    setattr(made, "replaces", ORIGINALS[name])  # noqa: B010 - mypy knows none of functions
    return made


REPLACEMENTS = {name: _stand_in(name) for name in ORIGINALS}
