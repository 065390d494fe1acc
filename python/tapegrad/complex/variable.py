"""The complex Variable: a pair of real Variables that looks like a NumPy array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Variable, apply
from tapegrad._tree import is_variable
from tapegrad.numpy.refusals import array_refusal, asked_by_objects_code
from tapegrad.numpy.table import overrides

_COMPLEX_OF = {"f": np.dtype(np.complex64), "d": np.dtype(np.complex128)}
_FOREIGN = (int, float, complex, bool, np.ndarray, np.generic, list, tuple, range)


class ComplexVariable:
    """A complex number or array that is differentiated: two real Variables of one shape and dtype.

    `tg.Variable(1 + 2j)` makes one, and so does every operation of Variables and complex numbers.
    It has the operators, methods and attributes of an array of complex128 or complex64. `z.real`
    and `z.imag` are views: writing to them writes to `z`. It is no `tg.Variable`, which is real.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> z = tg.Variable(np.array([3 + 4j, 1j]))
    >>> loss = np.sum(np.abs(z) ** 2)
    >>> loss.backward()
    >>> z.grad
    array([6.-8.j, 0.-2.j])
    """

    __slots__ = ("__weakref__", "_im", "_python", "_re")
    __array_priority__ = 1000.0

    def __init__(self, re: Any, im: Any) -> None:
        self._re = re
        self._im = im
        self._python = False  # a number of Python's in the function itself, 1j * x of a float x

    # What the program would see without a record.
    @property
    def __class__(self) -> Any:
        """numpy.ndarray, or the number's type."""
        kind = self._re.__class__
        if kind is np.ndarray:
            return kind
        return complex if kind is float or self._python else self.dtype.type

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError("the class of a complex Variable does not change")

    @property
    def real(self) -> Any:
        """The real part, a Variable; writing to it writes here."""
        return _core.as_float(self._re) if self._python else apply("part_of_pair", (self._re,))

    @real.setter
    def real(self, x: Any) -> None:
        self._re[...] = x

    @property
    def imag(self) -> Any:
        """The imaginary part, a Variable; writing to it writes here."""
        return _core.as_float(self._im) if self._python else apply("part_of_pair", (self._im,))

    @imag.setter
    def imag(self, x: Any) -> None:
        self._im[...] = x

    @property
    def value(self) -> Any:
        """The plain value: a complex number, or an array."""
        re, im = _core.value(self._re), _core.value(self._im)
        if type(re) is float:
            return complex(re, im)
        return plain_pair(re, im)

    @value.setter
    def value(self, x: Any) -> None:
        """Gives a leaf a new content of the same shape."""
        if is_variable(x):
            raise TypeError(
                "z.value = x: got a Variable, whose derivative would be lost; use z[...] = x, or "
                "z.value = tg.value(x)"
            )
        x = np.asarray(x)
        if x.shape != tuple(self.shape):
            raise ValueError(
                f"z.value = x: the Variable has shape {tuple(self.shape)}, the value {x.shape}; "
                "assign z[...] = x to broadcast"
            )
        self._re.value, self._im.value = x.real, x.imag

    @property
    def grad(self) -> Any:
        """What backward() accumulated: df/dx - i df/dy of a real f; None before."""
        re, im = self._re.grad, self._im.grad
        if re is None and im is None:
            return None
        re, im = (0.0 * self.dtype.type().real if g is None else g for g in (re, im))
        shape = np.broadcast_shapes(np.shape(re), np.shape(im))
        found = plain_pair(np.broadcast_to(re, shape), np.broadcast_to(0.0 - im, shape))
        return found if shape else complex(found)

    @grad.setter
    def grad(self, g: Any) -> None:
        if g is None:
            self._re.grad = self._im.grad = None
        else:
            self._re.grad, self._im.grad = np.real(g), 0.0 - np.imag(g)

    def backward(self, seed: Any = None, free: bool = False) -> None:
        """Raises TypeError: only a real number has a gradient."""
        raise TypeError(
            "backward() of a complex Variable: a gradient is made from one real number; call it on "
            "z.real, np.abs(z)**2 or another real function of z"
        )

    dtype = property(
        lambda self: _COMPLEX_OF[self._re.dtype.char], doc="numpy.complex128 or numpy.complex64."
    )
    shape = property(lambda self: self._re.shape, doc="Lengths of the axes.")
    ndim = property(lambda self: self._re.ndim, doc="Number of axes.")
    size = property(lambda self: self._re.size, doc="Number of elements.")
    itemsize = property(lambda self: self.dtype.itemsize, doc="Bytes of an element.")
    nbytes = property(lambda self: self.dtype.itemsize * self.size, doc="Bytes of the elements.")
    T = property(lambda self: self.transpose(), doc="The transpose, a view.")
    mT = property(  # noqa: N815 - NumPy's name
        lambda self: ComplexVariable(self._re.mT, self._im.mT), doc="The last two axes swapped."
    )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from tapegrad.complex.dispatch import array_ufunc

        if overrides(map(type, inputs), "__array_ufunc__"):
            return NotImplemented
        return array_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tapegrad.complex.dispatch import array_function

        if overrides(types, "__array_function__"):
            return NotImplemented
        return array_function(func, args, kwargs)

    @property
    def is_plain(self) -> bool:
        """Whether no Variable was written to it: NumPy's creation functions made it."""
        return _core.is_blank(self._re) and _core.is_blank(self._im)

    @property
    def __array__(self) -> Any:
        """Refuses conversion of arrays, which would lose the derivative."""
        if self.is_plain:
            return self._plain_array
        if not self.ndim:
            raise AttributeError("__array__")
        return self._refuse_array

    def _plain_array(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.value, dtype)

    def _refuse_array(self, dtype: Any = None, copy: Any = None) -> Any:
        if (dtype is not None and np.dtype(dtype) == object) or asked_by_objects_code():
            found = np.empty(self.shape, object)
            for i in np.ndindex(self.shape):
                found[i] = self[i]
            return found
        raise TypeError(array_refusal(describe(self)))

    # Elements.

    def __getitem__(self, key: Any) -> Any:
        re, im = self._re[key], self._im[key]
        if isinstance(re, Variable) and isinstance(im, Variable):
            return ComplexVariable(re, im)
        from tapegrad.complex.parts import join_any

        return join_any(re, im)  # an element of a blank

    def __setitem__(self, key: Any, x: Any) -> None:
        from tapegrad.complex.parts import is_complex, operand_of

        x = operand_of(x)
        if not is_complex(x):
            re, im = x, 0.0
        elif type(x) is ComplexVariable:
            re, im = x._re, x._im
            if re is self._re or im is self._im:  # z[...] = z
                re, im = np.positive(re), np.positive(im)
        else:
            re, im = x.real, x.imag
        self._re[key], self._im[key] = re, im

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a complex Variable of shape (): it is a scalar")
        return len(self._re)

    def __iter__(self) -> Iterator[ComplexVariable]:
        if not self.ndim:
            raise TypeError("iteration over a complex Variable of shape (): it is a scalar")
        return map(self.__getitem__, range(len(self._re)))

    def __contains__(self, x: Any) -> bool:
        if not self.ndim:
            raise TypeError("x in z: a complex Variable of shape () holds no elements")
        return bool(np.any(self == x))

    # Conversions.

    def __bool__(self) -> bool:
        return bool((self._re != 0) | (self._im != 0))

    def __complex__(self) -> complex:
        raise TypeError(self._loses("complex(z)"))

    def __float__(self) -> float:
        raise TypeError(self._loses("float(z)", "z.real, or np.abs(z)"))

    def __int__(self) -> int:
        raise TypeError(self._loses("int(z)", "int(z.real)"))

    def _loses(self, call: str, remedy: str = "z itself, or an element z[i]") -> str:
        return (
            f"{call} would lose the derivative of {describe(self)}; use {remedy}, or tg.value(z) "
            "where the derivative is not needed"
        )

    def item(self, *args: Any) -> Any:
        """Raises: a plain number would lose the derivative."""
        if self.is_plain:
            return self.value.item(*args)
        raise TypeError(self._loses("z.item()"))

    def tolist(self) -> Any:
        """Raises: a list of plain numbers would lose the derivative."""
        if self.is_plain:
            return self.value.tolist()
        raise TypeError(self._loses("z.tolist()", "list(z)"))

    def __repr__(self) -> str:
        if self.is_plain:
            return repr(self.value)
        if self.ndim:
            text = np.array2string(self.value, separator=", ", prefix="ComplexVariable(")
        else:
            text = repr(complex(self.value))
        more = ", dtype=complex64" if self.dtype == np.complex64 else ""
        return f"ComplexVariable({text}{more})"

    def __str__(self) -> str:
        return str(self.value) if self.is_plain else repr(self)

    def __format__(self, spec: str) -> str:
        if spec and self.ndim:
            raise TypeError("format: an array takes no format; format each element, f'{z[i]:.3f}'")
        return format(complex(self.value), spec) if spec else repr(self)

    def __copy__(self) -> ComplexVariable:
        made = ComplexVariable(self._re.__copy__(), self._im.__copy__())
        made._python = self._python
        return made

    def __deepcopy__(self, memo: Any) -> ComplexVariable:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return ComplexVariable, (self._re, self._im)

    __hash__ = object.__hash__


def plain_pair(re: Any, im: Any) -> Any:
    """The plain complex array, or NumPy number, of plain parts."""
    re, im = np.asarray(re), np.asarray(im)
    found = np.empty(re.shape, np.result_type(re, im, np.complex64))
    found.real, found.imag = re, im
    return found if found.ndim else found[()]


def describe(z: Any) -> str:
    """Shape and dtype, for messages."""
    return f"a complex Variable of shape {tuple(_core.free_shape(z._re))} and dtype {z.dtype}"


def _is_pythons(x: Any) -> bool:
    """Whether it is a number of Python's in the function itself."""
    if type(x) is ComplexVariable or type(x) is Variable:
        kind: Any = x.__class__
        return kind is complex or kind is float
    return type(x) in (int, float, bool, complex)


def as_pythons(found: Any, a: Any, b: Any = 0) -> Any:
    """What an operator gave: of Python's numbers again one of them, whose precision is weak.

    So is what a complex number of Python's makes of a numpy.float64 on its right, which is a
    float; on the left, that is NumPy's and makes a numpy.complex128.
    """
    is_left = _is_pythons(a) and a.__class__ is complex
    if _is_pythons(b) or (is_left and b.__class__ is np.float64):
        if type(found) is ComplexVariable and _is_pythons(a):
            found = ComplexVariable(_core.to_number(found._re), _core.to_number(found._im))
            found._python = True
        elif type(found) is Variable and _is_pythons(a):  # of abs(z)
            return _core.as_float(found)
    return found


def _knows(x: Any) -> bool:
    return type(x) in (ComplexVariable, Variable) or isinstance(x, _FOREIGN)


def _operator(name: str) -> tuple[Any, Any, Any]:
    """What stands for `+`, reflected and in place."""

    def apply(self: ComplexVariable, other: Any) -> Any:
        from tapegrad.complex.ufuncs import call

        if not _knows(other):
            return NotImplemented
        return as_pythons(call(name, (self, other)), self, other)

    def reflected(self: ComplexVariable, other: Any) -> Any:
        from tapegrad.complex.ufuncs import call

        if not _knows(other):
            return NotImplemented
        return as_pythons(call(name, (other, self)), other, self)

    def in_place(self: ComplexVariable, other: Any) -> Any:
        found = apply(self, other)
        if found is NotImplemented or not self.ndim:
            return found
        self[...] = found
        return self

    return apply, reflected, in_place


_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "**",
    "matmul": "matmul", "floordiv": "floor_divide", "mod": "remainder",
}  # fmt: skip
for _name, _ufunc in _BINARY.items():
    for _prefix, _function in zip(("", "r", "i"), _operator(_ufunc), strict=True):
        setattr(ComplexVariable, f"__{_prefix}{_name}__", _function)

for _name, _ufunc in {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
    "ne": "not_equal",
}.items():  # fmt: skip
    setattr(ComplexVariable, f"__{_name}__", _operator(_ufunc)[0])


def _unary(name: str) -> Any:
    def apply(self: ComplexVariable) -> Any:
        from tapegrad.complex.ufuncs import call

        return as_pythons(call(name, (self,)), self)

    apply.__name__ = name
    apply.__doc__ = f"numpy.{name} of this Variable."
    return apply


for _name in ("negative", "positive", "absolute"):
    setattr(ComplexVariable, f"__{_name[:3]}__", _unary(_name))

_core.set_complex_type(ComplexVariable)
_tree.add_complex_type(ComplexVariable)
