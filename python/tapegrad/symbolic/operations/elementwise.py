"""Functions of numbers over SymPy expressions, under the names of the operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad.symbolic.lazy_sympy import sympy

HALF = sympy.Rational(1, 2)


def is_truth(x: Any) -> bool:
    """Whether it is true or false, not a number."""
    return isinstance(x, (sympy.logic.boolalg.Boolean, bool)) and not isinstance(x, sympy.Symbol)


def as_truth(x: Any) -> Any:
    """Whether a number is not zero."""
    return x if is_truth(x) else sympy.Ne(x, 0)


def as_number(x: Any) -> Any:
    """1 for true, 0 for false."""
    if x in (sympy.true, sympy.false):
        return sympy.Integer(int(bool(x)))
    return sympy.Piecewise((1, x), (0, True)) if is_truth(x) else x


def where(condition: Any, a: Any, b: Any) -> Any:
    """`a` where the condition holds, else `b`."""
    return sympy.Piecewise((as_number(a), as_truth(condition)), (as_number(b), True))


def _equal(a: Any, b: Any) -> Any:
    if is_truth(a) or is_truth(b):
        flag, other = (a, b) if is_truth(a) else (b, a)
        if is_truth(other):
            return sympy.Not(sympy.Xor(flag, other))
        if other in (0, 1):
            return flag if other == 1 else sympy.Not(flag)
        return sympy.Eq(as_number(flag), other)
    return sympy.Eq(a, b)


def _compared(relation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: relation(as_number(a), as_number(b))


def trunc(x: Any) -> Any:
    """X without its fraction."""
    return sympy.sign(x) * sympy.floor(sympy.Abs(x))


def _rint(x: Any) -> Any:
    """The nearest integer; of two the even one."""
    up = sympy.floor(x + HALF)
    tie = sympy.And(sympy.Eq(x + HALF, up), sympy.Eq(sympy.Mod(up, 2), 1))
    return sympy.Piecewise((up - 1, tie), (up, True))


def _copysign(a: Any, b: Any) -> Any:
    return sympy.Piecewise((sympy.Abs(a), b >= 0), (-sympy.Abs(a), True))


def _maximum(a: Any, b: Any) -> Any:
    return sympy.Max(a, b)


def _minimum(a: Any, b: Any) -> Any:
    return sympy.Min(a, b)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return sympy.Min(sympy.Max(x, low), high)


def _product(a: Any, b: Any) -> Any:
    """A product in which zero wins."""
    return sympy.S.Zero if a == 0 or b == 0 else a * b


def _multiply(a: Any, b: Any) -> Any:
    return a * b


def _logaddexp(a: Any, b: Any) -> Any:
    return sympy.log(sympy.exp(a) + sympy.exp(b))


def _same(x: Any) -> Any:
    return x


def _cbrt(x: Any) -> Any:
    if x.is_nonnegative:
        return sympy.cbrt(x)
    return sympy.sign(x) * sympy.cbrt(sympy.Abs(x))


def expit(x: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + sympy.exp(-x))


def _of_order(bessel: Callable[..., Any], order: int, scale: int = 0) -> Callable[[Any], Any]:
    """A Bessel function of x, times exp(-|x|) or exp(x)."""
    if scale == 0:
        return lambda x: bessel(order, x)
    return lambda x: bessel(order, x) * sympy.exp(-sympy.Abs(x) if scale < 0 else x)


def _erfcx(x: Any) -> Any:
    return sympy.exp(x**2) * sympy.erfc(x)


def _erfcx_integral(n: Any, x: Any) -> Any:
    t = sympy.Dummy()
    return sympy.diff(_erfcx(t), t, int(n)).subs(t, x) / ((-2) ** n * sympy.factorial(n))


def _huber(delta: Any, r: Any) -> Any:
    size = sympy.Abs(r)
    return sympy.Piecewise((r**2 / 2, size <= delta), (delta * (size - delta / 2), True))


# Operands are numbers: flags among them enter as 0 and 1.
OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": _multiply,
    "divide": lambda a, b: a / b,
    "negative": lambda x: -x,
    "positive": _same,
    "conjugate": _same,
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x**2,
    "sqrt": sympy.sqrt,
    "absolute": sympy.Abs,
    "fabs": sympy.Abs,
    "degrees": lambda x: 180 * x / sympy.pi,
    "radians": lambda x: sympy.pi * x / 180,
    "copysign": _copysign,
    "zmul": _product,
    "zproduct": _product,
    "maximum": _maximum,
    "minimum": _minimum,
    "fmax": _maximum,
    "fmin": _minimum,
    "clip": _clip,
    "sign": sympy.sign,
    "heaviside": sympy.Heaviside,
    "less": _compared(sympy.Lt),
    "less_equal": _compared(sympy.Le),
    "greater": _compared(sympy.Gt),
    "greater_equal": _compared(sympy.Ge),
    "isnan": lambda x: sympy.true if x is sympy.nan else sympy.false,
    "isinf": lambda x: sympy.true if x.is_infinite else sympy.false,
    "isfinite": lambda x: sympy.false if x is sympy.nan or x.is_infinite else sympy.true,
    "signbit": lambda x: sympy.Lt(x, 0),
    "prefer": lambda a, b: sympy.Heaviside(a - b, HALF),
    "with_value": lambda mask, x, known: x,  # which is that formula's limit
    "floor": sympy.floor,
    "ceil": sympy.ceiling,
    "trunc": trunc,
    "rint": _rint,
    "floor_divide": lambda a, b: sympy.floor(a / b),
    "remainder": sympy.Mod,
    "fmod": lambda a, b: a - b * trunc(a / b),
    "modf_frac": lambda x: x - trunc(x),
    "ldexp": lambda x, n: x * 2**n,
    "exp": sympy.exp,
    "exp2": lambda x: 2**x,
    "expm1": lambda x: sympy.exp(x) - 1,
    "log": sympy.log,
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log1p": lambda x: sympy.log(1 + x),
    "power": lambda a, b: a**b,
    "cbrt": _cbrt,
    "logaddexp": _logaddexp,
    "logaddexp2": lambda a, b: sympy.log(2**a + 2**b) / sympy.log(2),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "arctan2": sympy.atan2,
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "arcsinh": sympy.asinh,
    "arccosh": sympy.acosh,
    "arctanh": sympy.atanh,
    "expit": expit,
    "log_expit": lambda x: -sympy.log(1 + sympy.exp(-x)),
    "logit": lambda x: sympy.log(x / (1 - x)),
    "erf": sympy.erf,
    "erfc": sympy.erfc,
    "ndtr": lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2,
    "erfcx": _erfcx,
    "erfcx_integral": _erfcx_integral,
    "erfcx_slope": lambda x: _erfcx_integral(1, x),
    "log_ndtr": lambda x: sympy.log(sympy.erfc(-x / sympy.sqrt(2)) / 2),
    "huber": _huber,
    "j0": _of_order(sympy.besselj, 0),
    "j1": _of_order(sympy.besselj, 1),
    "y0": _of_order(sympy.bessely, 0),
    "y1": _of_order(sympy.bessely, 1),
    "i0": _of_order(sympy.besseli, 0),
    "i1": _of_order(sympy.besseli, 1),
    "k0": _of_order(sympy.besselk, 0),
    "k1": _of_order(sympy.besselk, 1),
    "i0e": _of_order(sympy.besseli, 0, -1),
    "i1e": _of_order(sympy.besseli, 1, -1),
    "k0e": _of_order(sympy.besselk, 0, 1),
    "k1e": _of_order(sympy.besselk, 1, 1),
    "j1_over_x": lambda x: sympy.besselj(1, x) / x,
    "i1_over_x": lambda x: sympy.besseli(1, x) / x,
    "j_over_power": lambda n, x: sympy.besselj(n, x) / x**n,
    "i_over_power": lambda n, x: sympy.besseli(n, x) / x**n,
    "xlogy": lambda x, y: x * sympy.log(y),
    "xlog1py": lambda x, y: x * sympy.log(1 + y),
    "entr": lambda x: -x * sympy.log(x),
    "rel_entr": lambda x, y: x * sympy.log(x / y),
    "kl_div": lambda x, y: x * sympy.log(x / y) - x + y,
    "gammaln": sympy.loggamma,
    "polygamma": sympy.polygamma,
    "psi": sympy.digamma,
    "cast": _same,
    "int_add": lambda a, b: a + b,
    "int_subtract": lambda a, b: a - b,
    "int_multiply": _multiply,
    "int_floor_divide": lambda a, b: sympy.floor(a / b),
    "int_remainder": sympy.Mod,
    "int_minimum": _minimum,
    "int_maximum": _maximum,
    "int_positive": _same,
    "to_integers": lambda x: sympy.sign(x) * sympy.floor(sympy.Abs(x)),
    "int_negative": lambda x: -x,
    "int_absolute": sympy.Abs,
}

# Operands may be flags.
OF_FLAGS: dict[str, Callable[..., Any]] = {
    "where": where,
    "equal": _equal,
    "not_equal": lambda a, b: sympy.Not(_equal(a, b)),
    "logical_and": lambda a, b: sympy.And(as_truth(a), as_truth(b)),
    "logical_or": lambda a, b: sympy.Or(as_truth(a), as_truth(b)),
    "logical_xor": lambda a, b: sympy.Xor(as_truth(a), as_truth(b)),
    "logical_not": lambda x: sympy.Not(as_truth(x)),
}
