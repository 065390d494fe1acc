"""A complex number or array as a pair of real ones, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply
from tapegrad.numpy.operands import cast

Pair = tuple[Any, Any]

_REAL = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}


def real_dtype(dtype: Any) -> Any:
    """The dtype of the parts."""
    found = _REAL.get(np.dtype(dtype).newbyteorder("="))
    if found is None:
        raise TypeError(
            f"dtype {np.dtype(dtype)} is not supported; tapegrad works with complex128 and "
            "complex64: convert it first, z.astype(complex)"
        )
    return found


def is_pair(x: Any) -> bool:
    """Whether `x` is a complex Variable."""
    return type(x) is ComplexVariable


def is_complex(x: Any) -> bool:
    """Whether `x` is one, or a plain complex number or array."""
    kind = type(x)
    if kind is ComplexVariable or kind is complex:
        return True
    if kind in (Variable, float, int):
        return False
    dtype = getattr(x, "dtype", None)
    return dtype is not None and getattr(dtype, "kind", "") == "c"


def _as_variable(x: Any, beside: Any) -> Any:
    """A constant as a Variable, of the dtype that it has beside another part."""
    if type(x) in (int, float) and isinstance(beside, Variable):
        x = beside.dtype.type(x)
    array = np.asarray(x)
    if array.dtype.char not in "fd":
        array = array.astype(np.float64)
    if isinstance(beside, Variable) and _core.is_blank(beside):
        return _core.blank(np.array(np.broadcast_to(array, beside.shape), array.dtype))
    if not _core.tracing():
        return _core.constant(array)
    # A program reads the array itself, beside what it computes.
    return apply("where", (False, cast(beside, array.dtype), array))


def split(x: Any) -> Pair:
    """Real and imaginary part; the latter is the number 0.0 for what is real."""
    if type(x) is ComplexVariable:
        return x._re, x._im
    if is_complex(x):
        if isinstance(x, np.ndarray):
            real_dtype(x.dtype)
        return x.real, x.imag
    return x, 0.0


def both_parts(x: Any) -> Pair:
    """Real and imaginary part as arrays of one shape, plain where `x` is."""
    x = operand_of(x)
    return split(x) if is_complex(x) else (x, np.zeros_like(x))


def _are_alike(re: Variable, im: Variable) -> bool:
    dtype = re.dtype
    if dtype != im.dtype or dtype.kind != "f":
        return False
    return _core.free_shape(re) == _core.free_shape(im)


def join(re: Any, im: Any) -> Any:
    """The complex Variable of these parts, which get a common shape and dtype."""
    if type(re) is Variable and type(im) is Variable and _are_alike(re, im):  # most results
        return ComplexVariable(re, im)
    if not isinstance(re, Variable):
        re = _as_variable(re, im)
    if not isinstance(im, Variable):
        im = _as_variable(im, re)
    if not isinstance(re, Variable):  # numbers, of which a program keeps no copy
        return plain_pair(re, im)
    if re.dtype != im.dtype or re.dtype.kind != "f":
        wanted = np.result_type(re.dtype, im.dtype, 1.0)
        re, im = cast(re, wanted), cast(im, wanted)
    shape, other = _core.free_shape(re), _core.free_shape(im)
    if shape != other:
        shape = np.broadcast_shapes(shape, other)
        re, im = (
            x if _core.free_shape(x) == shape else np.positive(np.broadcast_to(x, shape))
            for x in (re, im)
        )
    return ComplexVariable(re, im)


def blank(array: Any) -> Any:
    """A complex array that counts as plain until a Variable is written to it; see blanks.py."""
    return ComplexVariable(_core.blank(array.real), _core.blank(array.imag))


def join_any(re: Any, im: Any) -> Any:
    """The same, but a plain complex number or array where both parts are plain."""
    if isinstance(re, Variable) or isinstance(im, Variable):
        return join(re, im)
    return plain_pair(re, im)


def as_pair(x: Any) -> Any:
    """`x` as a complex Variable."""
    return x if type(x) is ComplexVariable else join(*split(x))


def _is_weak(x: Any) -> bool:
    return x.__class__ is float


def _kind_of(x: Any) -> Any:
    """What NumPy's promotion asks of an operand: a dtype, or a Python number."""
    if type(x) in (int, float, complex, bool):
        return x
    if type(x) is ComplexVariable:
        kind: Any = x.__class__
        return 1j if kind is complex else x.dtype
    if isinstance(x, Variable):
        return 1.0 if _is_weak(x) else x.dtype
    return x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype


def as_numpys(x: Any) -> Any:
    """A number of Python's as the array that a function makes of it, which has a dtype."""
    if type(x) in (int, float, complex, bool):
        return np.asarray(x)
    return ComplexVariable(x._re, x._im) if type(x) is ComplexVariable and x._python else x


def operands(*xs: Any) -> list[Pair]:
    """The pairs of operands, all parts in the precision that NumPy computes in."""
    pairs = [split(x) for x in xs]
    if len(xs) == 1 and type(xs[0]) is ComplexVariable:
        return pairs
    if not _core.tracing() and all(map(_is_double, xs)):  # most calls
        return pairs
    kinds = [_kind_of(x) for x in xs]
    if all(type(kind) in (int, float, complex, bool) for kind in kinds):
        return pairs
    wanted = real_dtype(np.result_type(*kinds, 1j))
    return [(_in(re, wanted), _in(im, wanted)) for re, im in pairs]


def _is_double(x: Any) -> bool:
    """Whether it is computed with in float64 beside what is, without a conversion."""
    kind = type(x)
    if kind is ComplexVariable:
        return bool(x._re.dtype.char == "d")
    if kind in (complex, float):
        return True
    return (kind is Variable or kind is np.ndarray) and x.dtype.char in "dD"


def _in(x: Any, wanted: Any) -> Any:
    if isinstance(x, Variable):
        return cast(x, wanted)
    if type(x) in (int, float, bool):
        return wanted.type(x)
    return x if x.dtype == wanted else x.astype(wanted)


def operand_of(x: Any) -> Any:
    """A list as an array; anything else as it is."""
    if type(x) is range:
        return np.asarray(x)
    if issubclass(type(x), (list, tuple)):  # isinstance asks a complex Variable for its class
        return np.stack([operand_of(item) for item in x]) if _has_variables(x) else np.asarray(x)
    return x


def _has_variables(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_has_variables, x))
    return isinstance(x, Variable) or type(x) is ComplexVariable


from tapegrad.complex.variable import ComplexVariable, plain_pair  # noqa: E402 - the two need each other
