"""Universal functions where the core's fast path hands over.

That is: keyword arguments, methods (`np.add.reduce`), several outputs, no derivative.
"""

from __future__ import annotations

import operator
import sys
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply
from tapegrad._tree import is_array
from tapegrad.numpy import linear_algebra, reductions, remedies
from tapegrad.numpy.accumulation import add_at
from tapegrad.numpy.operands import (
    NO_VALUE,
    as_array,
    cast,
    finish,
    free_shape,
    given,
    lift,
    ndim_of,
    plain,
    stand_in,
)
from tapegrad.numpy.rebinding import as_changed, check_rebinding, is_statement
from tapegrad.numpy.table import (
    ALL,
    PLAIN,
    RECORD,
    Facts,
    Registration,
    are_recorded_data,
    is_data,
    on_plain_values,
    table,
)

_OPS = frozenset(_core.op_names())

# Not dir(np): its lazy submodules are slow to import.
NUMPYS: dict[str, Any] = {name: f for name, f in vars(np).items() if isinstance(f, np.ufunc)}

# Results are bools, or integers: the same on plain values.
PREDICATES = frozenset(
    {
        "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
        "logical_and", "logical_or", "logical_xor", "logical_not",
        "isnan", "isinf", "isfinite", "signbit",
    }
)  # fmt: skip

ALIASES = {"deg2rad": "radians", "rad2deg": "degrees", "conj": "conjugate"}

_IN_PLACE = {
    "add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/=", "floor_divide": "//=",
    "remainder": "%=", "power": "**=", "matmul": "@=", "bitwise_and": "&=", "bitwise_or": "|=",
    "bitwise_xor": "^=",
}  # fmt: skip

_CLIP = getattr(getattr(np, "_core", None), "umath", np).clip

_REDUCTIONS: dict[str, Any] = {
    "add": reductions.sum, "multiply": reductions.prod, "maximum": reductions.max,
    "minimum": reductions.min,
}  # fmt: skip
_ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}


def array_ufunc(
    v: Any, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Answers NumPy's `__array_ufunc__` for Variables."""
    name = ufunc.__name__
    if method == "__call__":
        return _call(ufunc, name, inputs, kwargs)
    if method == "outer":
        first, second = (as_array(x) for x in inputs)
        spread = np.reshape(first, free_shape(first) + (1,) * ndim_of(second))
        return _call(ufunc, name, (spread, second), kwargs)
    if method == "reduce":
        return _reduce(name, inputs[0], **kwargs)
    if method == "accumulate" and name in _ACCUMULATIONS:
        return _accumulate(name, inputs[0], **kwargs)
    remedy = "write it with the function itself, item by item or with np.cumsum, np.cumprod"
    if method == "at" and name in ("add", "subtract"):
        return add_at(name, *inputs)
    if method == "at":
        remedy = f"make the target a Variable and write y[i] = np.{name}(y[i], ...), index by index"
    elif method == "reduceat":
        remedy = "np.sum over slices, or differences of np.cumsum, give the same"
    raise TypeError(f"np.{name}.{method} has no derivative in tapegrad; {remedy}")


def _call(ufunc: Any, name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    out, rebound = _split_out(name, inputs, kwargs)
    found = _computed(ufunc, name, inputs, kwargs, out)
    return found if rebound is None else as_changed(_IN_PLACE[name], found, rebound)


def _computed(
    ufunc: Any, name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any], out: Any
) -> Any:
    dtype = kwargs.pop("dtype", None)
    where = kwargs.pop("where", True)
    for ignored in ("casting", "order", "subok"):
        kwargs.pop(ignored, None)
    if where is not True:
        raise TypeError(
            f"np.{name}: where= leaves elements undefined; write "
            f"np.where(mask, np.{name}(...), other)"
        )
    if name in ("matmul", "vecdot", "matvec", "vecmat"):
        return finish(f"np.{name}", _product(name, inputs, kwargs), out)
    if kwargs:
        raise TypeError(
            f"np.{name}: {', '.join(kwargs)}= is not supported for Variables; leave it out"
        )
    registration = table.get(ufunc)
    if registration is None and _is_op_of_its_name(ufunc, name):
        operands = tuple(cast(lift(x), dtype) for x in inputs)
        return finish(f"scipy.special.{name}", apply(name, operands), out)
    if registration is None and ufunc is _CLIP:  # of the method of a plain array
        return finish("np.clip", table[np.clip](*(cast(lift(x), dtype) for x in inputs)), out)
    if registration is None:
        code = remedies.SPECIAL.get(name, "it with NumPy functions")
        raise TypeError(
            f"the universal function {name} is not NumPy's, and has no derivative in tapegrad; "
            f"write {code}, or where none is needed call it on the plain value, tg.value(v)"
        )
    operands = tuple(lift(x) for x in inputs)
    if out is not None and name in PREDICATES:
        found = on_plain_values(ufunc, operands, {})
        if is_array(out):
            out[...] = found
            return out
    else:
        found = registration(*operands, **({} if dtype is None else {"dtype": dtype}))
    if ufunc.nout == 1:
        return finish(f"np.{name}", found, out)
    if out is None:
        return found
    return tuple(finish(f"np.{name}", x, y) for x, y in zip(found, out, strict=True))


def _is_op_of_its_name(ufunc: Any, name: str) -> bool:
    """Whether a function of scipy.special, which is asked only where it was imported, is an op."""
    special = sys.modules.get("scipy.special")
    return name in _OPS and getattr(special, name, None) is ufunc


_COMPARISONS = {
    "equal": (operator.eq, operator.eq), "not_equal": (operator.ne, operator.ne),
    "less": (operator.lt, operator.gt), "less_equal": (operator.le, operator.ge),
    "greater": (operator.gt, operator.lt), "greater_equal": (operator.ge, operator.le),
}  # fmt: skip

_LOGIC = {
    "bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor",
    "invert": "logical_not",
}  # fmt: skip


def _predicate(name: str, *operands: Any, dtype: Any = None) -> Any:
    """A recorded mask."""
    if not all(
        isinstance(x, (Variable, float, int)) or np.asarray(x).dtype.kind in "biuf"
        for x in operands
    ):
        return NotImplemented
    if name not in _COMPARISONS or not is_data(operands):
        return apply(name, operands)
    # The operator of the one that is a Variable: the core compares integers.
    compare, reflected = _COMPARISONS[name]
    a, b = operands
    return compare(a, b) if isinstance(a, Variable) else reflected(b, a)


def _logic(name: str, *operands: Any, dtype: Any = None) -> Any:
    """Of bits: recorded where they are those of masks."""
    if not is_data(operands):
        raise _no_derivative(name)
    if dtype is None and all(np.asarray(stand_in(x)).dtype.kind == "b" for x in operands):
        return apply(_LOGIC[name], operands)
    return NotImplemented


def _single(name: str, *operands: Any, dtype: Any = None) -> Any:
    operands = tuple(cast(x, dtype) for x in operands)
    name = ALIASES.get(name, name)
    if name == "float_power":
        return apply("power", tuple(cast(x, np.float64) for x in operands))
    if name not in _OPS:
        raise _no_derivative(name)
    return apply(name, operands)


def _no_derivative(name: str) -> TypeError:
    if name == "isnat":
        return TypeError("np.isnat: it is defined on dates; write np.isnan(v)")
    first = "np.asarray(tg.value(v), int)"
    arguments = first if NUMPYS[name].nin == 1 else f"{first}, {first.replace('(v', '(w')}"
    return TypeError(
        f"np.{name} has no derivative in tapegrad: it is defined on integers, masks or texts; "
        f"where none is needed, call it on plain integers, np.{name}({arguments})"
    )


def _pair(name: str, *operands: Any, dtype: Any = None) -> tuple[Any, Any]:
    if name == "divmod":
        options = {} if dtype is None else {"dtype": dtype}
        return np.floor_divide(*operands, **options), np.remainder(*operands, **options)
    operands = tuple(cast(x, dtype) for x in operands)
    if name == "modf":
        return apply("modf_frac", operands), apply("trunc", operands)
    return apply("frexp_mantissa", operands), np.frexp(plain(operands[0]))[1]


def _register(ufunc: Any) -> None:
    name = ufunc.__name__
    implementation: Any = _single
    on_data = PLAIN
    if name in PREDICATES:
        implementation, on_data = _predicate, RECORD
    elif name in _LOGIC:
        implementation, on_data = _logic, RECORD
    elif ufunc.nout == 2:
        implementation, on_data = _pair, RECORD if name == "divmod" else PLAIN
    table[ufunc] = Registration(
        ufunc, partial(implementation, name), Facts(ALL), on_data, name in PREDICATES
    )


for _ufunc in NUMPYS.values():
    _register(_ufunc)


def _product(name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    axis = kwargs.pop("axis", -1)
    if kwargs.get("axes") == [(-2, -1)] * 3:  # y @= v says so
        del kwargs["axes"]
    if kwargs or (axis != -1 and name != "vecdot"):
        raise TypeError(
            f"np.{name}: axes= and keepdims= are not supported for Variables; move the axes with "
            "np.moveaxis first"
        )
    if name == "vecdot":
        return linear_algebra.vecdot(*inputs, axis=axis)
    return apply(name, tuple(lift(x) for x in inputs))


def _split_out(name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Takes `out` from the keywords; of `y += v` on a plain array `y`, None and that array."""
    out = kwargs.pop("out", None)
    if not isinstance(out, tuple) or len(out) != 1:
        return out, None
    (out,) = out
    if not is_array(out) or out is not inputs[0] or name not in _IN_PLACE:
        return out, None
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    if not is_statement(frame):
        return out, None
    check_rebinding(_IN_PLACE[name], inputs, frame)
    return None, out  # Python rebinds y to the Variable that is returned


def _reduce(
    name: str, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
    keepdims: Any = False, initial: Any = NO_VALUE, where: Any = True,
) -> Any:  # fmt: skip
    array = lift(array)
    if name in ("logical_and", "logical_or") and where is True and not given(initial):
        truth: Any = np.all if name == "logical_and" else np.any
        return truth(array, axis, None, keepdims)
    if name in PREDICATES or are_recorded_data(array):
        options = {"initial": initial} if given(initial) else {}
        reduce: Any = getattr(np, name).reduce
        return reduce(
            plain(array), axis, dtype, None, bool(keepdims), where=plain(where), **options
        )
    array = cast(array, dtype)
    if name == "logaddexp" and not given(initial) and where is True:
        return finish(
            "np.logaddexp.reduce", apply("logsumexp", (array,), (axis, bool(keepdims))), out
        )
    reduction = _REDUCTIONS.get(name)
    if reduction is None:
        raise TypeError(
            f"np.{name}.reduce has no derivative in tapegrad; those of add, multiply, maximum, "
            "minimum and logaddexp have"
        )
    if initial is None:
        initial = NO_VALUE
    return reduction(array, axis, out=out, keepdims=keepdims, initial=initial, where=where)


def _accumulate(name: str, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    if are_recorded_data(array):
        return getattr(np, name).accumulate(plain(array), axis, dtype)
    array = lift(array)
    if not ndim_of(array):
        raise TypeError(f"np.{name}.accumulate: there is nothing to accumulate in a scalar")
    found = apply(_ACCUMULATIONS[name], (cast(array, dtype),), (operator.index(axis),))
    return finish(f"np.{name}.accumulate", found, out)


def unary_names() -> list[str]:
    """The ufuncs of one argument that have a derivative: a Variable's methods of the same name.

    NumPy calls them where an object array holds Variables: np.cos(np.array([v, w])).
    """
    names = {name for name, f in NUMPYS.items() if f.nin == 1 and f.nout == 1}
    return sorted(n for n in names if ALIASES.get(n, n) in _OPS and n not in PREDICATES)
