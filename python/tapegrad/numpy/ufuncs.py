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
from tapegrad.numpy.families import table
from tapegrad.numpy.operands import (
    as_array,
    as_mask,
    cast,
    fill_objects,
    finish,
    free_shape,
    lift,
    ndim_of,
    plain,
    stand_in,
)
from tapegrad.numpy.table import (
    ALL,
    PLAIN,
    RECORD,
    Facts,
    Registration,
    are_recorded_data,
    as_blanks,
    is_data,
    on_plain_values,
    overrides,
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


def array_ufunc(
    v: Any, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Answers NumPy's `__array_ufunc__` for Variables."""
    if overrides(map(type, inputs), "__array_ufunc__"):
        return NotImplemented
    name = ufunc.__name__
    if method == "__call__":
        return _call(ufunc, name, inputs, kwargs)
    if method == "outer":
        first, second = (as_array(x) for x in inputs)
        spread = np.reshape(first, free_shape(first) + (1,) * ndim_of(second))
        return _call(ufunc, name, (spread, second), kwargs)
    if method == "at":
        from tapegrad.numpy.accumulation import at

        return at(ufunc, *inputs)
    if name in PREDICATES or name in _LOGIC or are_recorded_data(inputs):
        return _method_on_plain_values(ufunc, method, inputs, kwargs)
    from tapegrad.numpy import folds

    fold = getattr(folds, method)
    out = kwargs.get("out")
    if isinstance(out, tuple):
        kwargs["out"] = out[0]
    return fold(ufunc, *inputs, **kwargs)


def _method_on_plain_values(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Of tests, masks and integers, whose results are plain."""
    out = kwargs.pop("out", None)
    out = out[0] if isinstance(out, tuple) else out
    options = {name: plain(x) for name, x in kwargs.items()}
    array = lift(inputs[0])
    name = ufunc.__name__
    if method == "reduce" and name in ("logical_and", "logical_or") and kwargs.keys() <= {
        "axis", "keepdims"
    }:  # fmt: skip
        truth: Any = np.all if name == "logical_and" else np.any
        found = truth(array, options.get("axis", 0), None, options.get("keepdims", False))
    elif name in _LOGIC and not is_data(array):
        raise _no_derivative(name)
    else:
        found = getattr(ufunc, method)(plain(array), *map(plain, inputs[1:]), **options)
    if out is None:
        return found
    out[...] = found
    return out


def _call(ufunc: Any, name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    out, rebound = _split_out(name, inputs, kwargs)
    found = _computed(ufunc, name, inputs, kwargs, out)
    if rebound is None:
        return found
    from tapegrad.numpy.rebinding import as_changed

    return as_changed(_IN_PLACE[name], found, rebound)


def _computed(
    ufunc: Any, name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any], out: Any
) -> Any:
    dtype = kwargs.pop("dtype", None)
    where = kwargs.pop("where", True)
    order = kwargs.pop("order", "K")
    kwargs.pop("subok", None)
    _check_casting(name, inputs, dtype, kwargs.pop("casting", "same_kind"))
    if where is not True:
        return _chosen(ufunc, name, inputs, {**kwargs, "dtype": dtype}, out, where)
    if order not in ("K", None) and out is None and any(ndim_of(lift(x)) > 1 for x in inputs):
        found = _computed(ufunc, name, inputs, {**kwargs, "dtype": dtype}, None)
        return tuple(x.copy(order) for x in found) if ufunc.nout > 1 else found.copy(order)
    if name in _CORE:
        inputs = tuple(cast(lift(x), dtype) for x in inputs)
        return finish(f"np.{name}", _product(name, inputs, kwargs), out, spreads=True)
    if kwargs:
        raise TypeError(
            f"np.{name}: {', '.join(kwargs)}= is not supported for Variables; leave it out"
        )
    registration = table.get(ufunc)
    if registration is None and _is_scipys(ufunc):
        from tapegrad.scipy.ufuncs.registry import answer

        return answer(ufunc, tuple(cast(lift(x), dtype) for x in inputs), out)
    if registration is None and ufunc is _CLIP:  # of the method of a plain array
        return finish("np.clip", table[np.clip](*(cast(lift(x), dtype) for x in inputs)), out, True)
    if registration is None and set("".join(ufunc.types)) <= set("O->"):  # of np.frompyfunc
        return finish(name, _of_elements(ufunc, inputs), out, spreads=True)
    if registration is None and _core.are_blanks(inputs):
        return as_blanks(ufunc(*map(plain, inputs)))
    if registration is None:
        raise TypeError(
            f"the universal function {name} is not NumPy's, and has no derivative in tapegrad; "
            f"write it with NumPy functions, or where none is needed call it on the plain value, "
            "tg.value(v)"
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
        return finish(f"np.{name}", found, out, spreads=True)
    if out is None:
        return found
    return tuple(finish(f"np.{name}", x, y, True) for x, y in zip(found, out, strict=True))


def _of_elements(ufunc: Any, inputs: tuple[Any, ...]) -> Any:
    """A function of objects, called with the elements."""
    arrays = [lift(x) for x in inputs]
    found = ufunc(
        *(
            fill_objects(np.empty(x.shape, object), x) if isinstance(x, Variable) else x
            for x in arrays
        )
    )
    return tuple(map(lift, found)) if isinstance(found, tuple) else lift(found)


def _check_casting(name: str, inputs: tuple[Any, ...], dtype: Any, casting: Any) -> None:
    """Raises where NumPy may not convert an input to the dtype that is computed in."""
    if casting in ("same_kind", "unsafe"):
        return
    arrays = [stand_in(lift(x)) for x in inputs]
    wanted = np.result_type(*arrays) if dtype is None else np.dtype(dtype)
    for x in arrays:
        if hasattr(x, "dtype") and not np.can_cast(x.dtype, wanted, casting):
            raise TypeError(
                f"Cannot cast ufunc '{name}' input from {x.dtype} to {wanted} with casting rule "
                f"{casting!r}"
            )


def _chosen(
    ufunc: Any, name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any], out: Any, where: Any
) -> Any:
    """With a mask: what it leaves out stays what it is in `out`."""
    outs = out if isinstance(out, tuple) else (out,) * ufunc.nout
    if any(x is None for x in outs):
        raise TypeError(
            f"np.{name}: where= leaves elements undefined; write "
            f"np.where(mask, np.{name}(...), other)"
        )
    found = _computed(ufunc, name, inputs, kwargs, None)
    results = found if isinstance(found, tuple) else (found,)
    mask = as_mask(where)
    for target, result in zip(outs, results, strict=True):
        if isinstance(target, Variable):
            target[...] = np.where(mask, result, target)
        elif isinstance(result, Variable):
            finish(f"np.{name}", result, target, spreads=True)
        else:
            np.copyto(target, result, where=plain(mask))
    return outs[0] if ufunc.nout == 1 else outs


def _is_scipys(ufunc: Any) -> bool:
    """Whether a function is one of scipy.special, which is asked only where it was imported."""
    if "scipy.special" not in sys.modules:
        return False
    from tapegrad.scipy.ufuncs.registry import is_known

    return is_known(ufunc)


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


_FACTS = Facts(ALL)


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
        ufunc, partial(implementation, name), _FACTS, on_data, name in PREDICATES
    )


for _ufunc in NUMPYS.values():
    _register(_ufunc)


# How many axes of each input, and of the result, belong to a product.
_CORE = {
    "matmul": (2, 2, 2), "vecdot": (1, 1, 0), "matvec": (2, 1, 1), "vecmat": (1, 2, 1)
}  # fmt: skip


def _product(name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    axis, axes = kwargs.pop("axis", None), kwargs.pop("axes", None)
    keepdims = kwargs.pop("keepdims", False)
    if kwargs:
        raise TypeError(
            f"np.{name}: {', '.join(kwargs)}= is not supported for Variables; leave it out"
        )
    if name != "vecdot" and (axis is not None or keepdims):
        raise TypeError(f"np.{name}: axis= and keepdims= are for np.vecdot alone; use axes=")
    if axis is not None and axes is not None:
        raise TypeError(f"np.{name}: cannot specify both 'axis' and 'axes'")
    places = [() if axis is None else (axis,)] * 2 + [()]
    if axes is not None:
        given_axes = [x if isinstance(x, tuple) else (x,) for x in axes]
        if len(given_axes) == 2 and not _CORE[name][2]:
            given_axes.append(())
        if len(given_axes) != 3:
            raise ValueError(
                f"np.{name}: axes= should be a list with an entry for all 3 inputs and outputs"
            )
        places = given_axes
    first, second = (
        np.moveaxis(x, at, range(-len(at), 0)) if at else x
        for x, at in zip(inputs, places[:2], strict=True)
    )
    found = apply(name, (first, second), (-1,) if name == "vecdot" else ())
    at = places[2]
    if keepdims:
        kept = at or (-1 if not places[0] else places[0][0])
        return np.expand_dims(found, kept)
    return np.moveaxis(found, range(-len(at), 0), at) if at else found


def _split_out(name: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Takes `out` from the keywords; of `y += v` on a plain array `y`, None and that array."""
    out = kwargs.pop("out", None)
    if not isinstance(out, tuple) or len(out) != 1:
        return out, None
    (out,) = out
    if not is_array(out) or out is not inputs[0] or name not in _IN_PLACE or out.dtype == object:
        return out, None
    from tapegrad.numpy.rebinding import check_rebinding, is_statement

    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    if not is_statement(frame):
        return out, None
    check_rebinding(_IN_PLACE[name], inputs, frame)
    return None, out  # Python rebinds y to the Variable that is returned


# Of two arguments, those of which NumPy asks an element of an object array as a method.
PAIR_METHODS = ("arctan2", "fmod", "hypot")


def unary_names() -> list[str]:
    """The ufuncs of one argument that have a derivative: a Variable's methods of the same name.

    NumPy calls them where an object array holds Variables: np.cos(np.array([v, w])).
    """
    names = {name for name, f in NUMPYS.items() if f.nin == 1 and f.nout == 1}
    return sorted(n for n in names if ALIASES.get(n, n) in _OPS and n not in PREDICATES)
