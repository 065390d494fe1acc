"""The array methods and properties of Variable: what the core does not write in C."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply, stands_for_array, stop_gradient, value
from tapegrad.numpy import selection, shapes, ufuncs
from tapegrad.numpy.attributes import attach_refusals
from tapegrad.numpy.operands import describe
from tapegrad.numpy.order import sort as sorted_along
from tapegrad.numpy.table import methods


def reshape(self: Variable, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    """Like numpy.ndarray.reshape: the shape as one tuple or as several numbers."""
    return shapes.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy=copy)


def flatten(self: Variable, order: Any = "C") -> Any:
    """A copy with one axis."""
    if order == "C":
        return shapes.copied(apply("ravel", (self,)))
    return copy(shapes.ravel(self, order))


def transpose(self: Variable, *axes: Any) -> Any:
    """Like numpy.ndarray.transpose: the axes as one tuple or as several numbers."""
    if not axes or axes == (None,):
        return shapes.transpose(self)
    return shapes.transpose(self, axes[0] if len(axes) == 1 and np.iterable(axes[0]) else axes)


def copy(self: Variable, order: Any = "C") -> Any:
    """A recorded copy, packed in C order: writing to it leaves the original alone."""
    if order != "C":
        order = shapes.resolved_order("v.copy", order, self)
        if order == "K":
            return shapes.copied(self)
        if order == "F":
            return shapes.transpose(copy(shapes.transpose(self)))
    if _core.memory_strides(self) is not None:
        # A copy would lie as its operand does; one axis lies in one way only.
        return shapes.reshape(shapes.copied(apply("reshape", (self,), ((-1,),))), self.shape)
    return shapes.copied(self)


def astype(
    self: Variable, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True,
    copy: Any = True,
) -> Any:  # fmt: skip
    """Converted to float64 or float32; integers and masks are constant almost everywhere."""
    if casting != "unsafe" and not np.can_cast(self.dtype, dtype, casting):
        raise TypeError(
            f"v.astype: cannot cast from {self.dtype} to {np.dtype(dtype)} according to the rule "
            f"{casting!r}"
        )
    found = shapes.astype(self, dtype, copy=copy)
    if order != "K" and isinstance(found, Variable) and found.ndim > 1:
        return found.copy(order)
    return found


def sort(
    self: Variable, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None,
    descending: Any = None,
) -> None:  # fmt: skip
    """Sorts in place."""
    self[...] = sorted_along(self, axis, kind, order, stable=stable, descending=descending)


def partition(
    self: Variable, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None
) -> None:
    """Sorts in place as far as the elements at `kth` stand where sorting puts them."""
    self[...] = np.partition(self, kth, axis, kind, order)


def argpartition(
    self: Variable, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None
) -> Any:
    """The positions that partition would take the elements from."""
    return np.argpartition(self, kth, axis, kind, order)


def compress(self: Variable, condition: Any, axis: Any = None, out: Any = None) -> Any:
    """The parts along an axis for which the condition holds."""
    return selection.compress(condition, self, axis, out)


def reversed_entries(self: Variable) -> Iterator[Any]:
    """The entries along the first axis, from the last one on."""
    if not stands_for_array(self):
        raise TypeError(f"reversed(v): {describe(self)} is a number, and has no entries")
    return (self[i] for i in range(len(self) - 1, -1, -1))


def fill(self: Variable, value: Any) -> None:
    """Sets every element. What a program computed as a number keeps its value, as NumPy's do."""
    if stands_for_array(self) or _core.is_leaf(self):
        self[...] = value


def tolist(self: Variable) -> Any:
    """Raises TypeError: a list of floats would lose the derivative."""
    if self.dtype.kind in "biu" or _core.is_blank(self):
        return np.asarray(self).tolist()
    raise TypeError(
        f"tolist() of {describe(self)} would lose the derivative; use list(v) for a list of "
        "Variables, or tg.value(v).tolist() where plain numbers are meant"
    )


def _whole_part(self: Variable, plain: Any, numpys: Any) -> int:
    """What NumPy's function leaves of a number: a program holds for all numbers with the same."""
    if self.ndim or self.dtype.kind != "f":
        found: int = plain(value(self))
        return found
    return int(numpys(self))


def floor(self: Variable) -> int:
    """math.floor(v): a plain int, constant almost everywhere."""
    return _whole_part(self, math.floor, np.floor)


def ceil(self: Variable) -> int:
    """math.ceil(v): a plain int, constant almost everywhere."""
    return _whole_part(self, math.ceil, np.ceil)


def trunc(self: Variable) -> int:
    """math.trunc(v): a plain int, constant almost everywhere."""
    return _whole_part(self, math.trunc, np.trunc)


def rounded(self: Variable, digits: int | None = None) -> Any:
    """Python's round(v): a plain int without digits, else a Variable."""
    if digits is None:
        return _whole_part(self, round, np.rint)
    _core.lose_weakness(self)
    return selection.round(self, digits)


def put(self: Variable, indices: Any, values: Any, mode: Any = "raise") -> None:
    """Writes values, repeated as needed, to positions among all elements."""
    from tapegrad.numpy import writes

    writes.put(self, indices, values, mode)


def flat(self: Variable) -> Any:
    """The elements one after the other."""
    from tapegrad.numpy.flat import FlatIterator

    return FlatIterator(self)


def set_flat(self: Variable, x: Any) -> None:
    """v.flat = x: the elements of x, repeated."""
    from tapegrad.numpy import flat as family

    family.set_flat(self, x)


def imag(self: Variable) -> Any:
    """Plain zeros: Variables are real."""
    from tapegrad.numpy import creation

    return creation.imag(self)


def set_real(self: Variable, x: Any) -> None:
    """v.real = x: all of a Variable is real."""
    self[...] = x


# Those whose arguments are not the function's, or that have none.
def view(self: Variable, dtype: Any = None, type: Any = None) -> Any:
    """The same elements; TypeError for another dtype, since a Variable does not show its bytes."""
    if isinstance(dtype, builtins.type) and issubclass(dtype, np.ndarray):
        dtype, type = None, dtype
    if (dtype is None or np.dtype(dtype) == self.dtype) and type in (None, np.ndarray):
        return self[...] if stands_for_array(self) else self
    if _core.is_blank(self):
        array = np.asarray(self)
        return array.view(dtype) if type is None else array.view(type)
    from tapegrad.numpy import refusals

    told = refusals.of_calling_library(f"it would lose the derivative of {describe(self)}")
    asked = dtype if type is None else type
    raise TypeError(
        told
        or f"v.view({asked!r}) of {describe(self)}: the bytes of a Variable are not shown; write "
        "v[...] for the same elements, v.astype(dtype) for another dtype"
    )


def conjugate(self: Variable) -> Any:
    """Itself, as of every real array."""
    return self


def detach(self: Variable) -> Any:
    """What the Variable holds, held constant: `tg.stop_gradient` of it."""
    return stop_gradient(self)


def zero_grad(self: Variable) -> None:
    """Forgets the gradient: `.grad` is None until the next `backward()`."""
    self.grad = None


OWN = (
    reshape, flatten, transpose, copy, view, astype, sort, partition, argpartition, compress, fill,
    put, tolist, detach, zero_grad,
)  # fmt: skip
_IN_PLACE = (sort, partition, fill, put)  # NumPy's functions of these names are others


def _unary(name: str) -> Any:
    op = ufuncs.ALIASES.get(name, name)

    def method(self: Variable) -> Any:
        return apply(op, (self,))

    method.__name__ = name
    method.__qualname__ = f"Variable.{name}"
    method.__doc__ = f"numpy.{name} of this Variable; NumPy calls it on arrays of Variables."
    return method


def _pair(name: str) -> Any:
    ufunc = ufuncs.NUMPYS[name]

    def method(self: Variable, other: Any, /) -> Any:
        return ufunc(self, other)

    method.__name__ = name
    method.__qualname__ = f"Variable.{name}"
    method.__doc__ = f"numpy.{name} of this and another; NumPy calls it on arrays of Variables."
    return method


def logical_xor(self: Variable, other: Any, /) -> bool:
    """Whether one of the two is zero and the other is not."""
    return bool(self) != bool(other)


def attach_methods(cls: type[Variable]) -> None:
    """Gives the core's Variable its methods and properties."""
    for name in ("conj", "conjugate"):
        setattr(cls, name, conjugate)
    for name in ufuncs.unary_names():
        if not hasattr(cls, name):
            setattr(cls, name, _unary(name))
    for name in ufuncs.PAIR_METHODS:
        setattr(cls, name, _pair(name))
    setattr(cls, logical_xor.__name__, logical_xor)  # NumPy asks elements of object arrays for it
    for name, registration in methods.items():
        setattr(cls, name, _core.method(registration.function, registration))
    for function in OWN:
        name = function.__name__
        same = None if function in _IN_PLACE else getattr(np, name, None)
        setattr(cls, name, _core.method(same, function))
    for name, function in (
        ("floor", floor), ("ceil", ceil), ("trunc", trunc), ("round", rounded),
        ("reversed", reversed_entries),
    ):  # fmt: skip
        setattr(cls, f"__{name}__", function)
    attach_refusals(cls)
    properties = {
        "T": (_core.method(np.transpose, shapes.transpose), "The transpose."),
        "mT": (lambda v: shapes.matrix_transpose(v), "The last two axes swapped."),
        "flat": (flat, "The elements one after the other."),
        "real": (lambda v: v, "The same: Variables are real."),
        "imag": (imag, "Plain zeros: Variables are real."),
        "itemsize": (lambda v: v.dtype.itemsize, "Bytes of an element."),
        "nbytes": (lambda v: v.dtype.itemsize * v.size, "Bytes of the elements."),
    }
    setters = {"flat": set_flat, "real": set_real}
    for name, (getter, doc) in properties.items():
        setattr(cls, name, property(getter, setters.get(name), doc=doc))
