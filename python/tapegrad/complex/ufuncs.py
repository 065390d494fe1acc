"""NumPy's universal functions where an operand is complex."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad.complex import arithmetic, elementary, inverse
from tapegrad.complex.parts import (
    Pair,
    as_numpys,
    is_complex,
    join_any,
    operand_of,
    operands,
    real_dtype,
)
from tapegrad.complex.powers import as_operator_takes_it, operator_power, power
from tapegrad.complex.variable import ComplexVariable
from tapegrad.numpy.operands import cast, fill_objects


def _add(a: Pair, b: Pair) -> Pair:
    return a[0] + b[0], a[1] + b[1]


def _subtract(a: Pair, b: Pair) -> Pair:
    return a[0] - b[0], a[1] - b[1]


def _is_less(a: Pair, b: Pair) -> Any:
    """NumPy's order: by real parts, then by imaginary parts; no number is beside NaN."""
    return _is_before(a, b) | ((a[0] == b[0]) & (a[1] < b[1]))


def _is_less_or_equal(a: Pair, b: Pair) -> Any:
    return _is_before(a, b) | ((a[0] == b[0]) & (a[1] <= b[1]))


def _is_before(a: Pair, b: Pair) -> Any:
    return (a[0] < b[0]) & (a[1] == a[1]) & (b[1] == b[1])


def _is_equal(a: Pair, b: Pair) -> Any:
    return (a[0] == b[0]) & (a[1] == b[1])


def _is_true(a: Pair) -> Any:
    return (a[0] != 0) | (a[1] != 0)


def _is_nan(a: Pair) -> Any:
    return np.isnan(a[0]) | np.isnan(a[1])


def _chosen(mask: Any, a: Pair, b: Pair) -> Pair:
    return np.where(mask, a[0], b[0]), np.where(mask, a[1], b[1])


def _of_parts(function: Callable[[Any, Any], Pair]) -> Callable[[Pair], Pair]:
    return lambda a: function(*a)


# Of pairs; the result is a pair.
PAIRS: dict[str, Callable[..., Pair]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": arithmetic.multiply,
    "divide": arithmetic.divide,
    "power": power,
    "float_power": power,
    "negative": lambda a: (-a[0], -a[1]),
    "positive": lambda a: (+a[0], +a[1]),
    "conjugate": lambda a: (+a[0], -a[1]),
    "rint": lambda a: (np.rint(a[0]), np.rint(a[1])),
    "maximum": lambda a, b: _chosen(_is_less_or_equal(b, a) | _is_nan(a), a, b),
    "minimum": lambda a, b: _chosen(_is_less_or_equal(a, b) | _is_nan(a), a, b),
    "fmax": lambda a, b: _chosen(_is_less_or_equal(b, a) | _is_nan(b), a, b),
    "fmin": lambda a, b: _chosen(_is_less_or_equal(a, b) | _is_nan(b), a, b),
}
for _family, _names in (
    (arithmetic, ("reciprocal", "square", "sign")),
    (elementary, ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt")),
    (elementary, ("sin", "cos", "tan", "sinh", "cosh", "tanh")),
    (inverse, ("arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh")),
):
    PAIRS.update((name, _of_parts(getattr(_family, name))) for name in _names)

# Of pairs; the result is real, or a mask.
REALS: dict[str, Callable[..., Any]] = {
    "absolute": lambda a: arithmetic.absolute(*a),
    "equal": _is_equal,
    "not_equal": lambda a, b: (a[0] != b[0]) | (a[1] != b[1]),
    "less": _is_less,
    "less_equal": _is_less_or_equal,
    "greater": lambda a, b: _is_less(b, a),
    "greater_equal": lambda a, b: _is_less_or_equal(b, a),
    "isnan": _is_nan,
    "isinf": lambda a: np.isinf(a[0]) | np.isinf(a[1]),
    "isfinite": lambda a: np.isfinite(a[0]) & np.isfinite(a[1]),
    "logical_and": lambda a, b: _is_true(a) & _is_true(b),
    "logical_or": lambda a, b: _is_true(a) | _is_true(b),
    "logical_xor": lambda a, b: _is_true(a) ^ _is_true(b),
    "logical_not": lambda a: (a[0] == 0) & (a[1] == 0),
}


def call(name: str, inputs: tuple[Any, ...], dtype: Any = None) -> Any:
    """The universal function `name` of operands of which one is complex, or of a complex dtype."""
    inputs = tuple(operand_of(x) for x in inputs)
    if name in _PRODUCTS:
        return _PRODUCTS[name](*inputs)
    if name == "**":
        inputs = inputs[0], as_operator_takes_it(inputs[1], inputs[0])
    pairs = operands(*inputs)
    if dtype is not None:
        wanted = real_dtype(dtype)
        pairs = [(cast(re, wanted), cast(im, wanted)) for re, im in pairs]
    elif name == "float_power":
        pairs = [(cast(re, np.float64), cast(im, np.float64)) for re, im in pairs]
    if name in REALS:
        return REALS[name](*pairs)
    function = operator_power if name == "**" else PAIRS.get(name)
    if function is None:
        raise _unsupported(name)
    return join_any(*function(*pairs))


def _unsupported(name: str) -> TypeError:
    return TypeError(
        f"np.{name} is not defined on complex numbers; apply it to z.real and z.imag apart"
    )


def finish(name: str, found: Any, out: Any) -> Any:
    """`found`, written into `out` where that can hold it."""
    if isinstance(out, tuple):
        (out,) = out
    if out is None or out is np._NoValue:
        return found
    if type(out) is ComplexVariable:
        out[...] = found
        return out
    if type(out) is np.ndarray and out.dtype == object:
        return fill_objects(out, found)
    if is_complex(found):
        what = "a real Variable" if isinstance(out, Variable) else "a plain array"
        why = (
            "cannot hold complex numbers"
            if isinstance(out, Variable)
            else "cannot hold the derivative of a Variable"
        )
        raise TypeError(
            f"np.{name}: out= is {what}, which {why}; take the result instead, z = np.{name}(...)"
        )
    if isinstance(out, Variable):
        out[...] = found
        return out
    if isinstance(found, Variable):
        raise TypeError(
            f"np.{name}: out= is a plain array, which cannot hold the derivative of a Variable; "
            f"take the result instead, x = np.{name}(...)"
        )
    np.copyto(out, found)
    return out


def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answers NumPy's `__array_ufunc__` where something is complex."""
    name = ufunc.__name__
    name = {"conj": "conjugate", "true_divide": "divide"}.get(name, name)
    if getattr(np, name, None) is not ufunc and name != "clip":
        if method == "__call__" and not kwargs and "scipy.special" in sys.modules:
            from tapegrad.scipy.ufuncs import registry

            if registry.takes_complex(ufunc):
                return registry.call(ufunc, inputs)
        raise TypeError(
            f"the universal function {name} is not NumPy's, and takes no complex Variables; call "
            "it on the plain value, tg.value(z)"
        )
    out = kwargs.pop("out", None)
    if method == "__call__":
        dtype, where = kwargs.pop("dtype", None), kwargs.pop("where", True)
        for harmless in ("order", "subok", "casting"):
            kwargs.pop(harmless, None)
        if kwargs:
            raise TypeError(
                f"np.{name}: {', '.join(kwargs)}= is not supported for complex Variables; leave it "
                "out"
            )
        if not any(map(is_complex, inputs)) and dtype is None:  # out= alone is complex
            return finish(name, ufunc(*inputs), out)
        found = call(name, inputs, dtype)
        if where is True:
            return finish(name, found, out)
        if out is None or type(out[0]) is not ComplexVariable:
            raise TypeError(
                f"np.{name}: where= leaves elements undefined; write "
                f"np.where(mask, np.{name}(...), other)"
            )
        out[0][...] = np.where(where, found, out[0])
        return out[0]
    if method == "outer":
        first, second = (as_numpys(operand_of(x)) for x in inputs)
        spread = np.reshape(first, np.shape(first) + (1,) * np.ndim(second))
        return finish(name, call(name, (spread, second)), out)
    if method == "reduce" and name in ("add", "multiply"):
        function: Any = np.sum if name == "add" else np.prod
        options = {"axis": inputs[1] if len(inputs) > 1 else 0, **kwargs}
        return finish(name, function(inputs[0], **options), out)
    if method == "accumulate" and name in ("add", "multiply"):
        function = np.cumsum if name == "add" else np.cumprod
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        return finish(name, function(inputs[0], axis, **kwargs), out)
    raise TypeError(
        f"np.{name}.{method} of complex Variables is not supported; write it with np.sum, "
        "np.prod, np.cumsum or a loop"
    )


def _matmul(a: Any, b: Any) -> Any:
    from tapegrad.complex.families.products import of_both

    return of_both(np.matmul, a, b)


def _product(name: str, conjugated: bool) -> Callable[[Any, Any], Any]:
    def product(a: Any, b: Any) -> Any:
        from tapegrad.complex.families.products import of_both

        return of_both(getattr(np, name), np.conjugate(a) if conjugated else a, b)

    return product


_PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": _matmul,
    "vecdot": _product("vecdot", True),
    "matvec": _product("matvec", False),
    "vecmat": _product("vecmat", True),
}
