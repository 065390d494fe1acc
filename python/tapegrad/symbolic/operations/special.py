"""Functions of scipy.special over SymPy expressions, under SciPy's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.inspect.graph import Node
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.operations.arrays import Objects
from tapegrad.symbolic.operations.elementwise import OF_NUMBERS

_exp, _log, _sqrt, _abs = sympy.exp, sympy.log, sympy.sqrt, sympy.Abs


def _of_degree(polynomial: Callable[..., Any]) -> Callable[..., Any]:
    """A polynomial that SymPy has for whole degrees alone."""

    def of(n: Any, *others: Any) -> Any:
        if not n.is_Integer:
            raise LookupError(
                "has a formula in SymPy for whole degrees; write the degree as a whole number in "
                "the function"
            )
        return polynomial(n, *others)

    return of


def _in_degrees(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: function(sympy.pi * x / 180)


def _boxcox(x: Any, power: Any) -> Any:
    return sympy.Piecewise((_log(x), sympy.Eq(power, 0)), ((x**power - 1) / power, True))


def _inv_boxcox(x: Any, power: Any) -> Any:
    return sympy.Piecewise((_exp(x), sympy.Eq(power, 0)), ((1 + power * x) ** (1 / power), True))


def _laguerre(n: Any, x: Any) -> Any:
    return sympy.laguerre(n, x) if n.is_Integer else sympy.hyper((-n,), (1,), x)


SPECIAL: dict[str, Callable[..., Any]] = {
    "gamma": sympy.gamma,
    "rgamma": lambda x: 1 / sympy.gamma(x),
    "beta": lambda a, b: sympy.gamma(a) * sympy.gamma(b) / sympy.gamma(a + b),
    "betaln": lambda a, b: sympy.loggamma(a) + sympy.loggamma(b) - sympy.loggamma(a + b),
    "binom": sympy.binomial,
    "poch": lambda x, m: sympy.gamma(x + m) / sympy.gamma(x),
    "zeta": lambda x, q=1: sympy.zeta(x, q),
    "_zeta": lambda x, q=1: sympy.zeta(x, q),
    "zetac": lambda x: sympy.zeta(x) - 1,
    "gammainc": lambda a, x: sympy.lowergamma(a, x) / sympy.gamma(a),
    "gammaincc": lambda a, x: sympy.uppergamma(a, x) / sympy.gamma(a),
    "jv": sympy.besselj,
    "jn": sympy.besselj,
    "yv": sympy.bessely,
    "yn": sympy.bessely,
    "iv": sympy.besseli,
    "kv": sympy.besselk,
    "kn": sympy.besselk,
    "ive": lambda v, x: sympy.besseli(v, x) * _exp(-_abs(x)),
    "kve": lambda v, x: sympy.besselk(v, x) * _exp(x),
    "erfi": sympy.erfi,
    "dawsn": lambda x: _sqrt(sympy.pi) / 2 * _exp(-(x**2)) * sympy.erfi(x),
    "erfinv": sympy.erfinv,
    "erfcinv": lambda x: sympy.erfinv(1 - x),
    "ndtri": lambda p: _sqrt(2) * sympy.erfinv(2 * p - 1),
    "expi": sympy.Ei,
    "exp1": lambda x: sympy.expint(1, x),
    "expn": sympy.expint,
    "ellipk": sympy.elliptic_k,
    "ellipe": sympy.elliptic_e,
    "ellipkm1": lambda p: sympy.elliptic_k(1 - p),
    "ellipkinc": sympy.elliptic_f,
    "ellipeinc": sympy.elliptic_e,
    "lambertw": sympy.LambertW,
    "exp10": lambda x: 10**x,
    "exprel": lambda x: (_exp(x) - 1) / x,
    "cosm1": lambda x: sympy.cos(x) - 1,
    "powm1": lambda x, y: x**y - 1,
    "sindg": _in_degrees(sympy.sin),
    "cosdg": _in_degrees(sympy.cos),
    "tandg": _in_degrees(sympy.tan),
    "cotdg": _in_degrees(sympy.cot),
    "boxcox": _boxcox,
    "boxcox1p": lambda x, power: _boxcox(1 + x, power),
    "inv_boxcox": _inv_boxcox,
    "inv_boxcox1p": lambda x, power: _inv_boxcox(x, power) - 1,
    "pseudo_huber": lambda delta, r: delta**2 * (_sqrt(1 + (r / delta) ** 2) - 1),
    "eval_legendre": sympy.legendre,
    "eval_chebyt": sympy.chebyshevt,
    "eval_chebyu": sympy.chebyshevu,
    "eval_hermite": sympy.hermite,
    "eval_laguerre": _laguerre,
    "eval_gegenbauer": _of_degree(sympy.gegenbauer),
    "eval_jacobi": _of_degree(sympy.jacobi),
    "eval_genlaguerre": _of_degree(sympy.assoc_laguerre),
    "eval_sh_legendre": lambda n, x: sympy.legendre(n, 2 * x - 1),
    "eval_hermitenorm": lambda n, x: sympy.hermite(n, x / _sqrt(2)) / _sqrt(2) ** n,
    "betainc": lambda a, b, x: sympy.betainc_regularized(a, b, 0, x),
    "betaincc": lambda a, b, x: sympy.betainc_regularized(a, b, x, 1),
    "spence": lambda x: sympy.polylog(2, 1 - x),
    "wrightomega": lambda x: sympy.LambertW(_exp(x)),
    "jve": sympy.besselj,
    "yve": sympy.bessely,
    "hyp0f1": lambda b, x: sympy.hyper((), (b,), x),
    "hyp1f1": lambda a, b, x: sympy.hyper((a,), (b,), x),
    "hyp2f1": lambda a, b, c, x: sympy.hyper((a, b), (c,), x),
}

SEVERAL: dict[str, tuple[Callable[..., Any], ...]] = {
    "airy": (sympy.airyai, sympy.airyaiprime, sympy.airybi, sympy.airybiprime),
    "sici": (sympy.Si, sympy.Ci),
    "shichi": (sympy.Shi, sympy.Chi),
    "fresnel": (sympy.fresnels, sympy.fresnelc),
}

_REASON = "has no formula in SymPy; take the derivative in numbers, tg.grad(f)(x)"


def _name(node: Node) -> str:
    return str(node.attributes["function"]).removeprefix("scipy.special.")


def foreign(node: Node) -> Callable[..., Any]:
    """The function of a step that runs a loop of another library."""
    name = _name(node)
    if name in SPECIAL:
        return SPECIAL[name]
    if name in OF_NUMBERS:
        return OF_NUMBERS[name]
    raise LookupError(_REASON)


def foreign_several(node: Node, operands: Sequence[Any]) -> tuple[Objects, ...]:
    """The results of a function of another library that has several."""
    name = _name(node)
    if name not in SEVERAL:
        raise LookupError(_REASON)
    found = []
    for function in SEVERAL[name]:
        result = np.empty(node.shape, dtype=object)
        result[...] = np.frompyfunc(function, len(operands), 1)(*operands)
        found.append(result)
    return tuple(found)
