"""scipy.integrate.quad of Variables: limits and arguments, by Leibniz's rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from tapegrad import _core
from tapegrad.operations.primitive import Primitive
from tapegrad.scipy.closures import Called, plain_result
from tapegrad.scipy.functions import derives
from tapegrad.transforms.gradients import vjp

_WHOLE = {
    "weight": "write the weight into the function",
    "full_output": "call it on plain values too, quad(f, tg.value(a), tg.value(b), full_output=1)",
    "points": "add up the integrals between the points",
    "complex_func": "integrate the real and the imaginary part apart",
}


class _Integral:
    """The integral of f(t, *args) from a to b; its rules are such integrals again.

    `f` of numbers gives a number, or an array of the shape of `like`, an argument's place.
    """

    def __init__(
        self, f: Callable[..., Any], epsabs: float, epsrel: float, limit: int, scalar: bool = True
    ) -> None:
        self.f, self.given, self.scalar = f, (epsabs, epsrel, limit), scalar
        self.error = 0.0
        self.slopes: dict[int, _Integral] = {}
        self.call: Any = Primitive(self._value)
        self.call.name = "scipy.integrate.quad"
        self.call.defvjp_argnums(self._pull)

    def _value(self, a: Any, b: Any, *args: Any) -> Any:
        epsabs, epsrel, limit = self.given

        def f(t: Any) -> Any:
            return plain_result("scipy.integrate.quad", self.f(t, *args))

        if self.scalar:
            found, error = scipy.integrate.quad(f, a, b, epsabs=epsabs, epsrel=epsrel, limit=limit)
            return found, error
        found, error = scipy.integrate.quad_vec(
            lambda t: np.asarray(f(t), np.float64), a, b, epsabs, epsrel, limit=limit, norm="max"
        )
        return found, error

    def _slope(self, k: int) -> _Integral:
        """The integral of the adjoint of argument k of f, whose last argument is the cotangent."""
        if k not in self.slopes:

            def adjoint(t: Any, *args: Any) -> Any:
                *given, g = args

                def of_one(x: Any) -> Any:
                    return self.f(t, *given[:k], x, *given[k + 1 :])

                value, pullback = vjp(of_one, given[k])
                return pullback(g + 0.0 * _core.value(value))[0]

            self.slopes[k] = _Integral(adjoint, *self.given, scalar=False)
        return self.slopes[k]

    def _pull(self, argnums: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        a, b, *rest = args

        def pull(g: Any) -> Any:
            g = g[0]
            found = []
            for k in argnums:
                if k < 2:
                    at, sign = (a, -1.0) if k == 0 else (b, 1.0)
                    found.append(sign * np.sum(g * self.f(at, *rest)))
                else:
                    found.append(self._slope(k - 2).call(a, b, *rest, g)[0])
            return found

        return pull


_KNOWN: dict[Any, _Integral] = {}


def _integral(called: Called, epsabs: float, epsrel: float, limit: int) -> _Integral:
    """The one of this function and these options, so that programs know it again."""
    called = called.forgetful()

    def f(t: Any, *operands: Any) -> Any:
        return called(operands, t)

    key = called.key, epsabs, epsrel, limit
    if key not in _KNOWN:
        if len(_KNOWN) >= 64:
            _KNOWN.clear()
        _KNOWN[key] = _Integral(f, epsabs, epsrel, limit)
    return _KNOWN[key]


@derives(
    scipy.integrate.quad,
    refused={**_WHOLE, "wvar": "it belongs to weight=", "wopts": "it belongs to weight="},
    functions=("func",),
)
def quad(
    func: Any,
    a: Any,
    b: Any,
    args: Any = (),
    full_output: Any = 0,
    epsabs: Any = 1.49e-8,
    epsrel: Any = 1.49e-8,
    limit: Any = 50,
    points: Any = None,
    weight: Any = None,
    wvar: Any = None,
    wopts: Any = None,
    maxp1: Any = 50,
    limlst: Any = 50,
    complex_func: Any = False,
) -> Any:
    called = Called("scipy.integrate.quad", func, args)
    integral = _integral(called, float(epsabs), float(epsrel), int(limit))
    value, error = integral.call(a, b, *called.operands)
    return value, error if _core.tracing() else float(_core.value(error))
