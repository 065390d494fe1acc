"""The array methods of complex Variables."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np

from tapegrad.complex.functions import array_function
from tapegrad.complex.parts import operand_of, split
from tapegrad.complex.ufuncs import PAIRS, call
from tapegrad.complex.variable import ComplexVariable, as_pythons, describe
from tapegrad.numpy.attributes import ATTRIBUTES
from tapegrad.numpy.refusals import of_calling_library
from tapegrad.numpy.table import methods


def reshape(self: ComplexVariable, *shape: Any, **kwargs: Any) -> Any:
    """Like numpy.ndarray.reshape."""
    return ComplexVariable(self._re.reshape(*shape, **kwargs), self._im.reshape(*shape, **kwargs))


def transpose(self: ComplexVariable, *axes: Any) -> Any:
    """Like numpy.ndarray.transpose."""
    return ComplexVariable(self._re.transpose(*axes), self._im.transpose(*axes))


def flatten(self: ComplexVariable, order: Any = "C") -> Any:
    """A copy with one axis."""
    return ComplexVariable(self._re.flatten(order), self._im.flatten(order))


def copy(self: ComplexVariable, order: Any = "C") -> Any:
    """A recorded copy: writing to it leaves the original alone."""
    return ComplexVariable(self._re.copy(order), self._im.copy(order))


def astype(self: ComplexVariable, dtype: Any, order: Any = "K", casting: Any = "unsafe",
           subok: Any = True, copy: Any = True) -> Any:  # fmt: skip
    """Converted to complex128 or complex64; TypeError for a real dtype."""
    if casting != "unsafe" and not np.can_cast(self.dtype, dtype, casting):
        raise TypeError(
            f"z.astype: cannot cast from {self.dtype} to {np.dtype(dtype)} according to the rule "
            f"{casting!r}"
        )
    return array_function(np.astype, (self, dtype), {"copy": copy})


def conjugate(self: ComplexVariable) -> Any:
    """X - iy."""
    return as_pythons(call("conjugate", (self,)), self)


def sort(self: ComplexVariable, axis: Any = -1, kind: Any = None, order: Any = None) -> None:
    """Sorts in place: by real parts, then by imaginary parts."""
    self[...] = np.sort(self, axis, kind, order)


def fill(self: ComplexVariable, value: Any) -> None:
    """Sets every element."""
    self[...] = value


def put(self: ComplexVariable, indices: Any, values: Any, mode: Any = "raise") -> None:
    """Writes values, repeated as needed, to positions among all elements."""
    array_function(np.put, (self, indices, values, mode), {})


class _Flat:
    """The elements one after the other, to read and to write."""

    __hash__ = None  # type: ignore[assignment]  # as of every array

    def __init__(self, z: ComplexVariable) -> None:
        self._z = z
        self._re, self._im = z.real.flat, z.imag.flat

    @property
    def base(self) -> ComplexVariable:
        """The complex Variable whose elements these are."""
        return self._z

    @property
    def index(self) -> int:
        """How many elements next() has given."""
        return int(self._re.index)

    @property
    def coords(self) -> tuple[int, ...]:
        """Where the next element stands."""
        return tuple(self._re.coords)

    def copy(self) -> Any:
        """The elements as an array of one axis."""
        return ComplexVariable(self._re.copy(), self._im.copy())

    def __len__(self) -> int:
        return len(self._re)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return ComplexVariable(next(self._re), next(self._im))

    def __getitem__(self, key: Any) -> Any:
        return ComplexVariable(self._re[key], self._im[key])

    def __setitem__(self, key: Any, x: Any) -> None:
        self._re[key], self._im[key] = split(operand_of(x))

    def __eq__(self, other: Any) -> Any:
        return self.copy() == (other.copy() if isinstance(other, _Flat) else other)

    def __ne__(self, other: Any) -> Any:
        return self.copy() != (other.copy() if isinstance(other, _Flat) else other)


def _set_flat(z: ComplexVariable, x: Any) -> None:
    z.real.flat, z.imag.flat = split(operand_of(x))


def view(self: ComplexVariable, dtype: Any = None, type: Any = None) -> Any:
    """The same elements; TypeError for another dtype."""
    if isinstance(dtype, builtins.type) and issubclass(dtype, np.ndarray):
        dtype, type = None, dtype
    if (dtype is None or np.dtype(dtype) == self.dtype) and type in (None, np.ndarray):
        return self[...]
    told = of_calling_library(f"it would lose the derivative of {describe(self)}")
    asked = dtype if type is None else type
    raise TypeError(
        told
        or f"z.view({asked!r}) of {describe(self)}: the bytes of a Variable are not shown; write "
        "np.stack((z.real, z.imag), -1) for the parts as pairs of floats"
    )


def _of_function(name: str, function: Any) -> Any:
    def method(self: ComplexVariable, *args: Any, **kwargs: Any) -> Any:
        return array_function(function, (self, *args), kwargs)

    method.__name__ = name
    method.__doc__ = f"Like numpy.ndarray.{name}."
    return method


def _of_ufunc(name: str) -> Any:
    def method(self: ComplexVariable) -> Any:
        return call(name, (self,))

    method.__name__ = name
    method.__doc__ = f"numpy.{name} of this Variable; NumPy calls it on arrays of Variables."
    return method


class _Refused:
    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, z: Any, owner: Any = None) -> Any:
        if z is None:
            return self
        if z.is_plain:
            return getattr(z.value, self.name)
        call, why, _ = ATTRIBUTES[self.name]
        raise AttributeError(
            f"z.{self.name}{call} of {describe(z)}: {why}; write np.asarray(tg.value(z)) for an "
            "array that has it"
        )


def attach_methods(cls: type[ComplexVariable]) -> None:
    """Gives the class its methods."""
    for name, registration in methods.items():
        setattr(cls, name, _of_function(name, registration.function))
    for name in PAIRS:
        if getattr(np, name).nin == 1 and name not in methods:
            setattr(cls, name, _of_ufunc(name))
    for function in (reshape, transpose, flatten, copy, astype, conjugate, sort, fill, put, view):
        setattr(cls, function.__name__, function)
    cls.flat = property(_Flat, _set_flat)  # type: ignore[attr-defined]  # as the next
    cls.conj = conjugate  # type: ignore[attr-defined]  # a name that is added here
    for name in ATTRIBUTES:
        if not hasattr(cls, name):
            setattr(cls, name, _Refused(name))


attach_methods(ComplexVariable)
