"""Solutions of equations, differentiated by the implicit function theorem.

Where F(x, p) = 0 says what x is, dx = -(dF/dx)^-1 (dF/dp) dp, however x was found. SciPy's own
solver finds it on plain values; the rule is written with transforms, so that it can be
differentiated further. What the solver starts from has no influence on x, and no derivative.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.operations.primitive import Primitive
from tapegrad.scipy.arrays import floats, shape_of
from tapegrad.scipy.closures import Called, Closure, plain_result
from tapegrad.scipy.functions import holds_variable
from tapegrad.transforms.gradients import vjp
from tapegrad.transforms.jacobians import jacobian

Equation = Callable[..., Any]  # F(called, x): `called` is the user's function, of x alone
Solve = Callable[..., "tuple[Any, Any]"]  # of plain functions by name and starts: x, SciPy's result

_MOST = 64


class _Implicit:
    """x with F(x, *operands) = 0, as the solver finds it from its starts."""

    def __init__(
        self,
        name: str,
        functions: Mapping[str, tuple[Called, int]],
        equation: Equation,
        solve: Solve,
        n: int,
    ) -> None:
        self.name, self.functions, self.equation, self.solve = name, functions, equation, solve
        self.n_starts = n
        self.found = threading.local()
        self.call: Any = Primitive(self._value)
        self.call.name = name
        self.call.defvjp_argnums(self._pull)

    def _of(self, operands: Sequence[Any]) -> dict[str, Callable[..., Any]]:
        """The user's functions of these operands, which follow one another."""
        made: dict[str, Callable[..., Any]] = {}
        at = 0
        for key, (called, n) in self.functions.items():
            made[key] = partial(called, tuple(operands[at : at + n]))
            at += n
        return made

    def _value(self, *given: Any) -> Any:
        starts, operands = given[: self.n_starts], given[self.n_starts :]
        made = {key: plain(self.name, f) for key, f in self._of(operands).items()}
        x, self.found.result = self.solve(made, *starts)
        return np.asarray(x, np.float64)

    def _pull(self, argnums: Any, x: Any, given: Any, kwargs: Any) -> Any:
        n, size = self.n_starts, int(np.prod(shape_of(x)))
        moved = [k for k in argnums if k >= n]

        def equations(x: Any, *some: Any) -> Any:
            now = list(given)
            for k, value in zip(moved, some, strict=True):
                now[k] = value
            return flat(self.equation(self._of(now[n:])["f"], x))

        def pull(g: Any) -> Any:
            found = {k: np.zeros(shape_of(given[k])) for k in argnums if k < n}
            some = [given[k] for k in moved]
            if moved:
                slopes = np.reshape(jacobian(equations)(x, *some), (size, size))
                weights = self._solved(np.transpose(slopes), np.reshape(g, (size,)))
                with warnings.catch_warnings():  # not all operands stand in the equation
                    warnings.filterwarnings("ignore", ".*does not depend on")
                    _, pullback = vjp(partial(equations, x), *some)
                    found.update(zip(moved, pullback(-weights), strict=True))
            return [found[k] for k in argnums]

        return pull

    def _solved(self, a: Any, b: Any) -> Any:
        try:
            return np.linalg.solve(a, b)
        except np.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(
                f"{self.name}: the Jacobian is singular at the solution, which has no derivative "
                "there; call it on plain values, or give the equations a solution that is isolated"
            ) from error


def flat(found: Any) -> Any:
    """Equations as one vector."""
    return np.stack([*found]) if isinstance(found, (list, tuple)) else np.reshape(found, (-1,))


def plain(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose results of plain arguments hold no Variable."""

    def checked(*args: Any) -> Any:
        found = f(*args)
        return found if holds_variable(args) else plain_result(name, found)

    return checked


_KNOWN: dict[Any, _Implicit] = {}


def solution(
    name: str,
    functions: Mapping[str, Called],
    starts: Sequence[Any],
    options: Any,
    equation: Equation,
    solve: Solve,
) -> tuple[Any, Any]:
    """The solution, and SciPy's result; None for that while a function is recorded.

    `functions["f"]` is the one that the equation is made of. `options` are what `solve` depends on
    besides: programs know two calls of the same options as the same.
    """
    key = name, tuple((k, f.key) for k, f in functions.items()), len(starts), frozen(name, options)
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        kept = {k: (f.forgetful(), len(f.operands)) for k, f in functions.items()}
        _KNOWN[key] = _Implicit(name, kept, equation, solve, len(starts))
    known = _KNOWN[key]
    operands = [x for f in functions.values() for x in f.operands]
    x = known.call(*(floats(start) for start in starts), *operands)
    result, known.found.result = known.found.result, None
    return x, None if _core.tracing() else result


def called_functions(name: str, args: Any, **given: Any) -> dict[str, Called]:
    """Those of the user's functions that there are, with the same arguments."""
    return {key: Called(name, f, args) for key, f in given.items() if callable(f)}


def unless_function(given: Any) -> Any:
    """An option, which nothing that is kept holds where it is a function of the user's."""
    return None if callable(given) else given


def frozen(name: str, x: Any) -> Any:
    """What options are compared by."""
    if isinstance(x, dict):
        return tuple((key, frozen(name, x[key])) for key in sorted(x, key=str))
    if isinstance(x, (list, tuple)):
        return (type(x), *(frozen(name, item) for item in x))
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape, x.tobytes()
    return Closure(name, x).key


def check(name: str, success: Any, message: str) -> None:
    """Raises where the solver has found nothing."""
    if not success:
        raise RuntimeError(f"{name}: {' '.join(str(message).split())}")
