"""What implementations of SciPy's functions share: operands, axes, slices along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._tree import is_variable
from tapegrad.numpy.operands import free_shape, lift


def array(x: Any) -> Any:
    """`x` as an array, plain or a Variable, real or complex."""
    if is_variable(x):
        return x
    x = lift(x)
    return x if is_variable(x) else np.asarray(x)


def floats(x: Any) -> Any:
    """The same in floating point: integers are taken as float64."""
    x = array(x)
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an operand."""
    return tuple(np.shape(x)) if is_variable(x) else free_shape(x)


def ndim_of(x: Any) -> int:
    """How many axes an operand has."""
    return len(shape_of(x))


def normal_axis(axis: Any, n: int) -> int:
    """An axis counted from the front; IndexError's own text where there is none."""
    return int(np.lib.array_utils.normalize_axis_index(axis, n))


def part(x: Any, axis: int, *limits: Any) -> Any:
    """`x` between limits of one axis, as a slice takes them."""
    return x[(slice(None),) * axis + (slice(*limits),)]


def along(x: Any, axis: int, n: int) -> Any:
    """A vector that lies along one of n axes."""
    return np.reshape(x, [-1 if i == axis else 1 for i in range(n)])


def same_dtype(*xs: Any) -> tuple[Any, ...]:
    """Operands in one floating dtype."""
    xs = tuple(floats(x) for x in xs)
    dtype = np.result_type(*(x.dtype for x in xs))
    return tuple(x if x.dtype == dtype else x.astype(dtype) for x in xs)


def padded(x: Any, widths: Any, mode: str, fill: Any = 0.0) -> Any:
    """NumPy's padding; `fill` is what stands in constant ones."""
    pad: Any = np.pad
    return pad(x, widths, mode, **({"constant_values": fill} if mode == "constant" else {}))
