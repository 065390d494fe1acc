"""reduce, accumulate and reduceat of every universal function of two arguments.

Those that have an operation of their own (sums, products, extremes) use it; of all others the
function itself is applied to one part of the array after the other.
"""

from __future__ import annotations

import math
import operator
from itertools import pairwise
from typing import Any

import numpy as np

from tapegrad._core import Variable, apply
from tapegrad.numpy import reductions
from tapegrad.numpy.operands import (
    NO_VALUE,
    cast,
    finish,
    flag,
    given,
    lift,
    plain,
    shape_of,
    where_mask,
)
from tapegrad.numpy.shapes import moveaxis, reshape, transpose


def reduce(
    ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
    keepdims: Any = False, initial: Any = NO_VALUE, where: Any = True,
) -> Any:  # fmt: skip
    name = ufunc.__name__
    array = _operand(name, array, dtype)
    if name == "logaddexp" and not given(initial) and where is True:
        found = apply("logsumexp", (array,), (axis, flag(keepdims)))
    elif name in reductions.REDUCTIONS:
        initial = NO_VALUE if initial is None else initial
        reduced = getattr(reductions, reductions.REDUCTIONS[name].__name__)
        return reduced(array, axis, out=out, keepdims=keepdims, initial=initial, where=where)
    else:
        found = _folded(ufunc, array, axis, flag(keepdims), initial, where)
    return finish(f"np.{name}.reduce", found, out)


def _folded(ufunc: Any, array: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    name = ufunc.__name__
    _check_pairs(ufunc, "reduce")
    shape = shape_of(array)
    axes = _axes(axis, len(shape))
    if len(axes) > 1 and not _is_reorderable(ufunc):
        raise ValueError(
            f"reduction operation '{name}' is not reorderable, so at most one axis may be specified"
        )
    rest = [i for i in range(len(shape)) if i not in axes]
    left = tuple(shape[i] for i in rest)
    count = math.prod(shape[i] for i in axes)

    def parts(x: Any) -> Any:
        return reshape(transpose(x, (*axes, *rest)), (count, *left))

    items = parts(array)
    mask = None if where is True else parts(np.broadcast_to(where_mask(where), shape))
    found: Any = np.broadcast_to(cast(lift(initial), array.dtype), left) if given(initial) else None
    if found is None and (mask is not None or not count or name == "hypot"):
        if ufunc.identity is None:
            raise ValueError(
                f"reduction operation '{name}' does not have an identity, so to use a where mask "
                "one has to specify 'initial'"
                if mask is not None
                else f"zero-size array to reduction operation {name} which has no identity"
            )
        found = np.full(left, ufunc.identity, array.dtype)
    for k in range(count):
        if found is None:
            found = np.positive(items[k])
        elif mask is None:
            found = ufunc(found, items[k])
        else:
            found = np.where(mask[k], ufunc(found, items[k]), found)
    if not isinstance(found, Variable):  # of no parts
        found = np.positive(found)
    if keepdims:
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
        found = reshape(found, kept)
    return found


def _axes(axis: Any, n: int) -> tuple[int, ...]:
    if axis is None or (not n and axis in (0, -1)):
        return tuple(range(n))
    return tuple(np.lib.array_utils.normalize_axis_tuple(axis, n))


def _is_reorderable(ufunc: Any) -> bool:
    """Whether NumPy takes several axes: it is asked with one element."""
    try:
        ufunc.reduce(np.ones((1, 1)), axis=(0, 1))
    except ValueError:
        return False
    except TypeError:  # of no floats: said by the first call
        return True
    return True


def _check_pairs(ufunc: Any, method: str) -> None:
    if ufunc.nin != 2:
        raise ValueError(f"{method} only supported for binary functions")
    if ufunc.nout != 1:
        raise ValueError(f"{method} only supported for functions returning a single value")


def _operand(name: str, array: Any, dtype: Any) -> Any:
    return cast(lift(array), np.float64 if name == "float_power" else dtype)


def accumulate(ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    name = ufunc.__name__
    _check_pairs(ufunc, "accumulate")
    array = _operand(name, array, dtype)
    shape = shape_of(array)
    if not shape:
        raise TypeError("cannot accumulate on a scalar")
    if name in reductions.ACCUMULATIONS:
        found = apply(reductions.ACCUMULATIONS[name].__name__, (array,), (operator.index(axis),))
    else:
        axis = np.lib.array_utils.normalize_axis_index(axis, len(shape))
        items = moveaxis(array, axis, 0)
        parts = [items[k] for k in range(shape[axis])]
        for k in range(1, len(parts)):
            parts[k] = ufunc(parts[k - 1], parts[k])
        found = moveaxis(np.stack(parts), 0, axis) if parts else np.positive(array)
    return finish(f"np.{name}.accumulate", found, out)


def reduceat(
    ufunc: Any, array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None
) -> Any:
    name = ufunc.__name__
    _check_pairs(ufunc, "reduceat")
    array = _operand(name, array, dtype)
    shape = shape_of(array)
    if not shape:
        raise TypeError("cannot reduceat on a scalar")
    axis = np.lib.array_utils.normalize_axis_index(axis, len(shape))
    starts = [operator.index(i) for i in np.asarray(plain(indices)).tolist()]
    n = shape[axis]
    for i in starts:
        if not 0 <= i < n:
            raise IndexError(f"index {i} out-of-bounds in {name}.reduceat [0, {n})")
    items = moveaxis(array, axis, 0)
    parts = []
    for start, stop in pairwise([*starts, n]):
        part = items[start : stop if stop > start else start + 1]
        # Of one element it is that, where reduce() of hypot takes the absolute value.
        parts.append(part[0] if len(part) == 1 else reduce(ufunc, part, 0))
    found = moveaxis(np.stack(parts), 0, axis) if parts else np.positive(items[:0])
    return finish(f"np.{name}.reduceat", found, out)
