"""Choosing elements: where, clip, take, triangles and diagonals."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply, to_array, to_number
from tapegrad.numpy.operands import (
    NO_VALUE,
    as_array,
    as_mask,
    cast,
    finish,
    floating_dtype,
    free_shape,
    given,
    holds_for_these_lengths,
    integer,
    is_integer,
    lift,
    ndim_of,
    number,
    plain,
    shape_of,
)
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.table import RECORD, implements, is_data, op


@implements(
    np.where, values=3, on_data=RECORD,
    in_core=op("where", condition="mask", x="operand", y="operand"), gives_array=True,
)  # fmt: skip
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None and y is None:
        return NotImplemented
    if x is None or y is None:
        raise ValueError("np.where: give both x and y, or neither")
    mask = as_mask(condition)
    if _is_floating(x) or _is_floating(y):
        return to_array(apply("where", (mask, lift(x), lift(y))))
    if _are_masks(x, y):
        return (mask & lift(x)) | (np.logical_not(mask) & lift(y))
    if _are_integers(x, y):
        return y + (x - y) * mask  # exact, as integers wrap around
    return to_array(apply("where", (mask, lift(x), lift(y))))


def _is_floating(x: Any) -> bool:
    return type(x) is float or (type(x) is Variable and x.dtype.kind == "f")


def _are_masks(*arrays: Any) -> bool:
    return all(isinstance(x, bool) or (hasattr(x, "dtype") and x.dtype == bool) for x in arrays)


def _are_integers(*arrays: Any) -> bool:
    """Whether these are integers and masks, of dtypes that have an integer one in common."""
    dtypes = [x.dtype for x in arrays if isinstance(x, (Variable, np.ndarray, np.generic))]
    if any(d.kind not in "biu" for d in dtypes) or (dtypes and np.result_type(*dtypes).kind == "f"):
        return False
    return all(hasattr(x, "dtype") or isinstance(x, int) for x in arrays)


@implements(
    np.clip, values=3, method="clip", on_data=RECORD,
    in_core=op("clip", a="variable", a_min="operand", a_max="operand"),
)  # fmt: skip
def clip(
    a: Any, a_min: Any = NO_VALUE, a_max: Any = NO_VALUE, out: Any = None, *,
    min: Any = NO_VALUE, max: Any = NO_VALUE, **kwargs: Any,
) -> Any:  # fmt: skip
    dtype, mask = kwargs.pop("dtype", None), kwargs.pop("where", True)
    order = kwargs.pop("order", "K")
    for about_memory in ("casting", "subok"):
        kwargs.pop(about_memory, None)
    if kwargs:
        raise TypeError(
            f"np.clip: {', '.join(kwargs)}= is not supported for Variables; leave it out"
        )
    if mask is not True and out is None:
        raise TypeError(
            "np.clip: where= leaves elements undefined; write np.where(mask, np.clip(...), other)"
        )
    low = a_min if min is NO_VALUE else min
    high = a_max if max is NO_VALUE else max
    a, low, high = cast(_with_dtype(a), dtype), _bound(low, dtype), _bound(high, dtype)
    if low is None and high is None:
        found = np.positive(a)
    elif low is None:
        found = np.minimum(a, high)
    elif high is None:
        found = np.maximum(a, low)
    elif is_data(a):
        found = np.minimum(np.maximum(a, low), high)
    else:
        found = apply("clip", (a, low, high))
    if mask is not True and isinstance(out, Variable):
        found = where(as_mask(mask), found, out)
    if out is None and order not in ("K", None) and ndim_of(found) > 1:
        found = found.copy("C" if order == "A" else order)
    return finish("np.clip", found, out, spreads=True)


def _with_dtype(x: Any) -> Any:
    """`x`, a number of Python's as the one of NumPy's that the function makes of it."""
    x = lift(x)
    if type(x) in (int, float, bool):
        return np.asarray(x)
    return np.positive(x) if _core.is_weak(x) else x


def _bound(x: Any, dtype: Any) -> Any:
    return cast(lift(x), dtype) if given(x) else None


def _along(a: Any, axis: int, indices: Any) -> Any:
    if not ndim_of(a) and axis in (0, -1):  # NumPy takes a number for an array of one element
        a = reshape(a, (1,))
    key: list[Any] = [slice(None)] * ndim_of(a)
    key[axis] = indices
    return a[tuple(key)]


@implements(np.take, values=1, method="take", on_data=RECORD)
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    usual = type(a) is Variable and type(indices) is np.ndarray and indices.dtype.kind in "iu"
    if usual and axis is out is None and mode == "raise" and a.ndim == 1 and indices.ndim:
        return a[indices]
    from tapegrad.numpy.layout import packed

    a = lift(a)
    recorded = mode == "raise" and isinstance(a, Variable) and is_integer(indices)
    if isinstance(indices, Variable) and indices.dtype.kind == "f":
        from tapegrad.numpy.remedies import LIBRARIES

        raise TypeError(f"np.take: positions are integers; {LIBRARIES['np.take']}")
    if not recorded:
        indices = plain(indices)
    if not isinstance(a, Variable):
        return np.take(a, indices, axis, mode=mode)
    if axis is None:
        a, axis = reshape(a, (-1,)), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, max(ndim_of(a), 1))
    if mode == "wrap":
        indices = np.mod(indices, shape_of(a)[axis])
    elif mode == "clip":
        indices = np.clip(indices, 0, shape_of(a)[axis] - 1)
    elif mode != "raise":
        raise ValueError(f"np.take: mode is 'raise', 'wrap' or 'clip', not {mode!r}")
    if not recorded and not isinstance(indices, int):
        indices = np.asarray(indices)
        if indices.dtype.kind not in "iu" and indices.size == 0:
            indices = indices.astype(np.intp)
    found = _along(a, axis, indices)
    # What a single position takes is no view here, and what several take is packed in C order.
    found = found.copy() if ndim_of(indices) == 0 and ndim_of(found) else packed(found)
    return finish("np.take", found, out)


@implements(np.take_along_axis, values=1, on_data=RECORD)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    arr = lift(arr)
    if not is_integer(indices):
        indices = np.asarray(plain(indices))
    if axis is None:
        arr, indices, axis = reshape(arr, (-1,)), reshape(indices, (-1,)), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, ndim_of(arr))
    return apply("take_along_axis", (arr, indices), (axis,))


@implements(np.compress)
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    return finish("np.compress", take(a, np.flatnonzero(plain(condition)), axis), out)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    return take(reshape(arr, (-1,)), np.flatnonzero(plain(condition)))


@implements(np.select, values=2, on_data=RECORD)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    from tapegrad.numpy.layout import packed

    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"np.select: {len(condlist)} conditions and {len(choicelist)} choices; give as many of "
            "one as of the other, at least one"
        )
    found = lift(default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        found = where(condition, choice, found)
    return packed(found)


@implements(np.choose, method="choose")
def choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    from tapegrad.numpy.layout import packed

    index, parts = np.asarray(plain(a)), [lift(x) for x in choices]
    shape = np.broadcast_shapes(index.shape, *(shape_of(x) for x in parts))
    # NumPy says here what is wrong with an index.
    index = np.choose(np.broadcast_to(index, shape), np.arange(len(parts)), mode=mode)
    found = np.copy(np.broadcast_to(parts[0], shape))
    for i, part in enumerate(parts[1:], 1):
        found = where(index == i, part, found)
    return finish("np.choose", packed(found), out)


@implements(np.tril, values=1)
def tril(m: Any, k: Any = 0) -> Any:
    from tapegrad.numpy.layout import lie_in_c_order, lying_as, packed, small_like

    m = _plane(m)
    found = apply("tril", (m,), (integer("np.tril: k", k),))
    return packed(found) if lie_in_c_order(m) else lying_as(found, np.tril(small_like(m)))


@implements(np.triu, values=1)
def triu(m: Any, k: Any = 0) -> Any:
    from tapegrad.numpy.layout import lie_in_c_order, lying_as, packed, small_like

    m = _plane(m)
    found = apply("triu", (m,), (integer("np.triu: k", k),))
    return packed(found) if lie_in_c_order(m) else lying_as(found, np.triu(small_like(m)))


def _plane(m: Any) -> Any:
    m = lift(m)
    shape = free_shape(m)  # NumPy repeats a vector as the rows of a square
    return np.broadcast_to(m, (*shape, *shape)) if len(shape) == 1 else m


@implements(np.diag, values=1)
def diag(v: Any, k: Any = 0) -> Any:
    v, k = lift(v), integer("np.diag: k", k)
    shape = free_shape(v)
    if len(shape) == 2:
        return np.diagonal(v, k)
    if len(shape) != 1:
        raise ValueError(f"np.diag: needs one axis or two, and the array has shape {shape}")
    n = shape[0] + abs(k)
    return apply("diagonal_scatter", (v,), ((n, n), k, 0, 1))


@implements(np.diagflat, values=1)
def diagflat(v: Any, k: Any = 0) -> Any:
    return diag(reshape(v, (-1,)), k)


@implements(np.delete, values=1, on_data=RECORD)
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    from tapegrad.numpy.layout import lying_as_new

    arr = lift(arr)
    if axis is None:
        arr, axis = reshape(arr, (-1,)), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, ndim_of(arr))
    if type(obj) is int:
        return lying_as_new(_without(arr, obj, axis), arr)
    kept = np.delete(np.arange(shape_of(arr)[axis]), plain(obj))
    return lying_as_new(_along(arr, axis, kept), arr)


def _without(arr: Any, at: int, axis: int) -> Any:
    """The pieces before and after, so that programs serve other lengths too."""
    n = free_shape(arr)[axis]
    if not -n <= at < n:
        holds_for_these_lengths(arr)
        raise IndexError(f"np.delete: index {at} is out of bounds for axis {axis} with size {n}")
    parts = [slice(None, at)] if at else []
    if at != -1:
        parts.append(slice(at + 1, None))
    return np.concatenate([_along(arr, axis, part) for part in parts], axis)


# A mask says where in np.insert; before NumPy 2.2 it is taken for zeros and ones, with a warning.
_TAKES_MASKS = tuple(map(int, np.__version__.split(".")[:2])) >= (2, 2)


def _places_of_new(obj: Any, n: int) -> Any:
    """The positions before which np.insert puts what is new, without axes where it is one."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(n))
    places = np.asarray(obj)
    if places.dtype.kind == "b" and _TAKES_MASKS:
        return np.flatnonzero(places)
    return places if places.size else places.astype(np.intp)


@implements(np.insert, values=1)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    from tapegrad.numpy.layout import lying_as_new

    arr, values = lift(arr), lift(values)
    if axis is None:
        arr, axis = reshape(arr, (-1,)), 0
    shape = shape_of(arr)
    axis = np.lib.array_utils.normalize_axis_index(axis, len(shape))
    n = shape[axis]
    places = _places_of_new(plain(obj), n)
    count = places.size
    if count == 1:  # all values go there, however many they are
        own = shape_of(values)
        values = np.reshape(values, (1,) * (len(shape) - len(own)) + own)
        values = np.moveaxis(values, 0, axis) if not places.ndim else values
        count = shape_of(values)[axis]
    spread = list(shape)
    spread[axis] = count
    # Old and new one after the other, then in the order in which they stand.
    joined = np.concatenate([arr, cast(np.broadcast_to(values, spread), arr.dtype)], axis)
    order = np.insert(np.arange(n), places, n + np.arange(count))
    return lying_as_new(_along(joined, axis, order), arr)


def _filling(name: str, fill: Any, x: Any) -> Any:
    """What stands in place of such elements of `x`: a number, or an array of its shape."""
    if not np.ndim(fill) and not isinstance(fill, Variable):
        return number(f"np.nan_to_num: {name}", fill)
    return cast(np.broadcast_to(lift(fill), free_shape(x)), floating_dtype(x))


@implements(np.nan_to_num, values=1)
def nan_to_num(
    x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    x = lift(x)
    limits = np.finfo(floating_dtype(x))
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    found = apply("where", (np.isnan(x), _filling("nan", nan, x), x))
    found = apply("where", (np.isposinf(x), _filling("posinf", high, x), found))
    found = apply("where", (np.isneginf(x), _filling("neginf", low, x), found))
    if not copy and isinstance(x, Variable) and not np.isscalar(x):
        x[...] = found
        return x
    return found


@implements(np.round, np.around, values=1, method="round")
def round(a: Any, decimals: Any = 0, out: Any = None) -> Any:
    a, decimals = lift(a), integer("np.round: decimals", decimals)
    if not decimals:
        return finish("np.round", np.rint(a), out, spreads=True)
    if decimals > 0:
        found = np.rint(a * 10.0**decimals) / 10.0**decimals
    else:
        found = np.rint(a / 10.0**-decimals) * 10.0**-decimals
    if ndim_of(found) > 1:
        from tapegrad.numpy.layout import lying_as_new

        found = lying_as_new(found, a)
    return finish("np.round", found, out, spreads=True)


@implements(np.fix, values=1)
def fix(x: Any, out: Any = None) -> Any:
    return finish("np.fix", np.trunc(lift(x)), out, spreads=True)


@implements(np.sinc, values=1)
def sinc(x: Any) -> Any:
    x = lift(x)
    at_zero = x == 0
    y = np.pi * np.where(at_zero, 1.0, x)
    # Near zero the quotient is right, and at zero its series, 1 - (pi x)^2 / 6, to second order.
    return to_number(np.where(at_zero, 1.0 - np.square(np.pi * x) / 6.0, np.sin(y) / y))


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    if isinstance(x, np.poly1d):  # the polynomial of a polynomial
        return functools.reduce(lambda found, c: found * x + c, lift(p), 0)
    p, x = lift(p), as_array(x)
    if not ndim_of(p):
        raise TypeError(f"np.polyval: p is a vector of coefficients, not {p!r}; write [{p!r}]")
    found: Any = x * 0.0
    for i in range(shape_of(p)[0]):
        found = found * x + p[i]
    return found


@implements(np.vander, values=1)
def vander(x: Any, N: Any = None, increasing: Any = False) -> Any:
    x = lift(x)
    if ndim_of(x) != 1:
        raise ValueError(f"np.vander: x must be one-dimensional, got shape {shape_of(x)}")
    x = cast(x, np.promote_types(floating_dtype(x), int))
    n = shape_of(x)[0] if N is None else integer("np.vander: N", N)
    columns = [np.ones_like(x)]  # also where x is not finite
    for _ in range(n - 1):
        columns.append(columns[-1] * x)
    columns = columns[:n]
    return np.stack(columns if increasing else columns[::-1], axis=-1)
