"""How results lie in memory where NumPy's own code says it, rather than the operations used here.

That is to be seen in whether reshape and ravel give a view or a copy.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable, memory_strides
from tapegrad.numpy.operands import free_shape, ndim_of, shape_of


def packed(found: Any) -> Any:
    """In C order, whatever the operands lie in."""
    is_strided = isinstance(found, Variable) and memory_strides(found) is not None
    return found.copy() if is_strided else found


def axes_of(x: Any) -> tuple[int, ...]:
    """The axes from the outermost to the innermost."""
    strides = memory_strides(x) if isinstance(x, Variable) else np.asarray(x).strides
    if strides is None:
        return tuple(range(ndim_of(x)))
    return tuple(sorted(range(len(strides)), key=lambda i: (-abs(strides[i]), i)))


def lying_by(found: Any, axes: tuple[int, ...]) -> Any:
    """With these axes from the outermost to the innermost."""
    if not isinstance(found, Variable) or len(axes) < 2 or axes_of(found) == axes:
        return found
    if list(axes) == sorted(axes):
        return packed(found)
    back = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    return np.transpose(packed(np.transpose(found, axes)), back)


def lying_as(found: Any, a: Any) -> Any:
    """As `a` lies, NumPy's order "K"."""
    return lying_by(found, axes_of(a))


def small_like(x: Any) -> Any:
    """A small plain array that lies as `x` does, for NumPy's own function to show the order."""
    return small_array(axes_of(x), tuple(min(n, 2) for n in free_shape(x)))


def small_array(axes: tuple[int, ...], lengths: tuple[int, ...]) -> Any:
    """Zeros of these lengths, the axes from the outermost to the innermost."""
    back = sorted(range(len(axes)), key=axes.__getitem__)
    return np.zeros([lengths[i] for i in axes]).transpose(back)


@functools.lru_cache(4096)
def axes_of_einsum(
    subscripts: str, orders: tuple[Any, ...], lengths: tuple[Any, ...], optimize: bool
) -> tuple[int, ...]:
    """Of NumPy's result for small arrays that lie as these do."""
    small = map(small_array, orders, lengths)
    return axes_of(np.einsum(subscripts, *small, optimize=optimize))


def is_einsum_in_c_order(subscripts: str, lengths: tuple[tuple[int, ...], ...]) -> bool:
    """Whether NumPy's result lies so, of arrays in C order; also False where it complains.

    Each length is 0, 1, or 2 for all greater ones.
    """
    orders = tuple(tuple(range(len(shape))) for shape in lengths)
    try:
        axes = axes_of_einsum(subscripts, orders, lengths, False)
    except (ValueError, IndexError):
        return False
    return list(axes) == sorted(axes)


def lie_in_c_order(*xs: Any) -> bool:
    """Whether all of them do, as most arrays."""
    return all(list(axes) == sorted(axes) for axes in map(axes_of, xs))


def lying_as_new(found: Any, a: Any) -> Any:
    """In Fortran's order where `a` is packed in that and not in C order, else in C order."""
    n = ndim_of(found)
    return lying_by(found, tuple(range(n))[:: -1 if is_fortran(a) else 1])


def lying_as_reduced(found: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    """As a reduction of `a` over an axis, several, or None for all."""
    n = ndim_of(a)
    if axis is None or n < 2:
        return found
    reduced = np.lib.array_utils.normalize_axis_tuple(axis, n)
    order = [i for i in axes_of(a) if i not in reduced]
    if keepdims:
        return lying_by(found, (*reduced, *order))
    places = sorted(order)
    return lying_by(found, tuple(places.index(i) for i in order))


def lies_in(a: Any, order: str) -> bool:
    """Whether NumPy's array would be packed in C order, or ("F") in Fortran's."""
    if not isinstance(a, Variable):
        flags = np.asarray(a).flags
        return bool(flags.c_contiguous if order == "C" else flags.f_contiguous)
    strides = memory_strides(a)
    if strides is None and (order == "C" or ndim_of(a) < 2):
        return True
    shape = shape_of(a)
    if strides is None:
        return 0 in shape or sum(n != 1 for n in shape) < 2
    step, axes = 1, range(len(shape))
    for i in axes if order == "F" else reversed(axes):
        if shape[i] != 1 and strides[i] != step:
            return 0 in shape
        step *= shape[i]
    return True


def is_fortran(a: Any) -> bool:
    """Whether NumPy's array would be packed in Fortran order and not in C order."""
    return not lies_in(a, "C") and lies_in(a, "F")


def lying_in(a: Any, order: str | None, copy: Any) -> Any:
    """`a`, or a copy of it where that is asked for or it doesn't lie in memory in this order."""
    part = _tree.parts_of_complex(a)[0] if _tree.is_complex(a) and _tree.is_variable(a) else a
    if copy or (order in ("C", "F") and not lies_in(part, order)):
        return a.copy(order or "K")
    return a
