"""The array methods and properties of Variable: what the core does not write in C."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply, value
from tapegrad.numpy import linear_algebra, order, plain, reductions, selection, shapes, ufuncs
from tapegrad.numpy.order import sort as sorted_along
from tapegrad.numpy.table import astype_whole, describe, is_plain_call, on_data_alone, table
from tapegrad.numpy.table import plain as plain_value

# NumPy's method of this name takes the arguments of the function, the array first.
_SAME = {
    "sum": reductions.sum, "mean": reductions.mean, "prod": reductions.prod,
    "max": reductions.max, "min": reductions.min, "var": reductions.var, "std": reductions.std,
    "cumsum": reductions.cumsum, "cumprod": reductions.cumprod,
    "dot": linear_algebra.dot, "trace": linear_algebra.trace, "diagonal": linear_algebra.diagonal,
    "swapaxes": shapes.swapaxes, "squeeze": shapes.squeeze, "ravel": shapes.ravel,
    "repeat": shapes.repeat, "clip": selection.clip, "round": selection.round,
    "take": selection.take, "choose": selection.choose,
    "argmax": order.argmax, "argmin": order.argmin,
    "argsort": order.argsort, "any": table[np.any], "all": table[np.all],
    "nonzero": table[np.nonzero], "searchsorted": order.searchsorted,
}  # fmt: skip

# Of masks and whole numbers too, in a function that is being recorded.
_RECORDED = frozenset(
    {"any", "all", "squeeze", "ravel", "swapaxes", "argmax", "argmin", "argsort", "searchsorted",
     "take", "clip"}
)  # fmt: skip
_REDUCTIONS = frozenset({"sum", "mean", "max", "min"})


def reshape(self: Variable, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    """Like numpy.ndarray.reshape: the shape as one tuple or as several numbers."""
    return shapes.reshape(self, shape[0] if len(shape) == 1 else shape, order)


def flatten(self: Variable, order: Any = "C") -> Any:
    """A copy with one axis."""
    return copy(shapes.reshape(self, (-1,), order))


def transpose(self: Variable, *axes: Any) -> Any:
    """Like numpy.ndarray.transpose: the axes as one tuple or as several numbers."""
    if not axes or axes == (None,):
        return shapes.transpose(self)
    return shapes.transpose(self, axes[0] if len(axes) == 1 and np.iterable(axes[0]) else axes)


def copy(self: Variable, order: Any = "C") -> Any:
    """A recorded copy: writing to it leaves the original alone."""
    if self.dtype.kind in "iu":
        return np.positive(self)
    if self.dtype.kind == "b":
        return apply("logical_or", (self, self))
    return apply("positive", (self,))


def astype(
    self: Variable, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True,
    copy: Any = True,
) -> Any:  # fmt: skip
    """Converted to float64 or float32; other dtypes have no derivative and raise TypeError."""
    if _core.tracing() and np.dtype(dtype).kind not in "f":  # plain, with a guard: see tg.compile
        if np.dtype(dtype) == bool:
            return self if self.dtype == bool else apply("not_equal", (self, 0.0))
        if self.dtype.kind in "biu":
            return astype_whole(self, np.dtype(dtype))
    return shapes.astype(self, dtype)


def sort(self: Variable, axis: Any = -1, kind: Any = None, order: Any = None) -> None:
    """Sorts in place."""
    self[...] = sorted_along(self, axis)


def fill(self: Variable, value: Any) -> None:
    """Sets every element."""
    self[...] = value


def tolist(self: Variable) -> Any:
    """Raises TypeError: a list of floats would lose the derivative."""
    if self.dtype.kind in "biu":
        return np.asarray(self).tolist()
    raise TypeError(
        f"tolist() of {describe(self)} would lose the derivative; use list(v) for a list of "
        "Variables, or tg.value(v).tolist() where plain numbers are meant"
    )


def floor(self: Variable) -> int:
    """math.floor(v): a plain int, constant almost everywhere."""
    found: int = math.floor(value(self))
    return found


def ceil(self: Variable) -> int:
    """math.ceil(v): a plain int, constant almost everywhere."""
    found: int = math.ceil(value(self))
    return found


def trunc(self: Variable) -> int:
    """math.trunc(v): a plain int, constant almost everywhere."""
    found: int = math.trunc(value(self))
    return found


def rounded(self: Variable, digits: int | None = None) -> Any:
    """Python's round(v): a plain int without digits, else a Variable."""
    if digits is None:
        return round(value(self))
    _core.lose_weakness(self)
    return selection.round(self, digits)


def _method(name: str, function: Any) -> Any:
    def is_recorded(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        return name in _RECORDED or (name in _REDUCTIONS and is_plain_call(args, kwargs))

    def method(self: Variable, *args: Any, **kwargs: Any) -> Any:
        if _core.tracing() and not is_recorded(args, kwargs) and on_data_alone(self):
            return getattr(plain_value(self), name)(*args, **kwargs)
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"Variable.{name}"
    method.__doc__ = f"Like numpy.ndarray.{name}."
    return method


def _unary(name: str) -> Any:
    op = ufuncs.ALIASES.get(name, name)

    def method(self: Variable) -> Any:
        return apply(op, (self,))

    method.__name__ = name
    method.__qualname__ = f"Variable.{name}"
    method.__doc__ = f"numpy.{name} of this Variable; NumPy calls it on arrays of Variables."
    return method


def attach_methods(cls: type[Variable]) -> None:
    """Gives the core's Variable its methods and properties."""
    for name in ufuncs.unary_names():
        if not hasattr(cls, name):
            setattr(cls, name, _unary(name))
    for name, function in _SAME.items():
        setattr(cls, name, _core.method(name, _method(name, function)))
    for function in (reshape, flatten, transpose, copy, astype, sort, fill, tolist):
        setattr(cls, function.__name__, _core.method(function.__name__, function))
    for name, function in (("floor", floor), ("ceil", ceil), ("trunc", trunc), ("round", rounded)):
        setattr(cls, f"__{name}__", function)
    properties = {
        "T": (_core.method("transpose", shapes.transpose), "The transpose."),
        "mT": (lambda v: shapes.matrix_transpose(v), "The last two axes swapped."),
        "real": (lambda v: v, "The same: Variables are real."),
        "imag": (lambda v: plain.imag(v), "Plain zeros: Variables are real."),
        "itemsize": (lambda v: v.dtype.itemsize, "Bytes of an element."),
        "nbytes": (lambda v: v.dtype.itemsize * v.size, "Bytes of the elements."),
    }
    for name, (getter, doc) in properties.items():
        setattr(cls, name, property(getter, doc=doc))
