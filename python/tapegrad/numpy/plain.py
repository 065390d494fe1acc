"""NumPy functions whose results are plain: tests, positions, shapes, texts, fresh arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply
from tapegrad.numpy.table import (
    NO_VALUE,
    cast,
    flag,
    free_shape,
    implements,
    lift,
    plain,
    recorded_on_data,
    reductions_on_data,
    shape_of,
    table,
)

# Constant almost everywhere, or about anything but the values.
PLAIN_FUNCTIONS: tuple[Any, ...] = (
    np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nanargmax, np.nanargmin,
    np.lexsort, np.searchsorted, np.digitize, np.nonzero, np.flatnonzero, np.count_nonzero,
    np.any, np.all, np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isin,
    np.iscomplex, np.isreal, np.iscomplexobj, np.isrealobj, np.isposinf, np.isneginf,
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type,
    np.array_repr, np.array_str, np.array2string, np.einsum_path,
    np.tril_indices_from, np.triu_indices_from, np.diag_indices_from,
    np.unravel_index, np.ravel_multi_index, np.linalg.matrix_rank,
)  # fmt: skip

# About shapes and dtypes alone: the values are not looked at.
TYPE_FUNCTIONS: tuple[Any, ...] = (
    np.iscomplexobj, np.isrealobj, np.shape, np.ndim, np.size, np.result_type, np.common_type,
    np.tril_indices_from, np.triu_indices_from, np.diag_indices_from,
)  # fmt: skip


def _on_values(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*map(plain, args), **{name: plain(x) for name, x in kwargs.items()})


for _function in PLAIN_FUNCTIONS:
    table[_function] = partial(_on_values, _function)


# Of those, what tells no length.
_NO_LENGTH = frozenset({np.iscomplexobj, np.isrealobj, np.ndim, np.result_type, np.common_type})


def stand_in(x: Any) -> Any:
    """`x` with an array of the same shape and dtype, and no content, for every Variable inside.

    Not to be handed to plain code that may read its lengths: see `free_shape`.
    """
    if isinstance(x, Variable):
        _core.lose_weakness(x)
        return np.broadcast_to(np.zeros((), x.dtype), free_shape(x)) if x.ndim else x.dtype.type(0)
    if isinstance(x, (list, tuple)):
        return type(x)(map(stand_in, x))
    return x


def _on_types(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if function not in _NO_LENGTH:
        _tell_lengths([*args, *kwargs.values()])
    return function(*map(stand_in, args), **{name: stand_in(x) for name, x in kwargs.items()})


def _tell_lengths(x: Any) -> None:
    """Notes that plain code learns the lengths of the Variables in `x`."""
    if isinstance(x, Variable):
        shape_of(x)
    elif isinstance(x, (list, tuple)):
        for item in x:
            _tell_lengths(item)


for _function in TYPE_FUNCTIONS:
    table[_function] = partial(_on_types, _function)
recorded_on_data.update(TYPE_FUNCTIONS)


def _mask(x: Any) -> Any:
    """A recorded mask of what is true in `x`, with at least one axis; None for plain `x`."""
    x = lift(x)
    if not isinstance(x, Variable) or not _core.tracing():
        return None
    mask = x if x.dtype == bool else apply("not_equal", (x, 0.0))
    return mask if mask.ndim else apply("reshape", (mask,), ((1,),))


def _counted(mask: Any, axis: Any, keepdims: bool) -> Any:
    return apply("sum", (apply("where", (mask, 1.0, 0.0)),), (axis, keepdims))


def _truth(
    function: Any, all_of: bool, a: Any, axis: Any, out: Any, keepdims: Any, where: Any
) -> Any:
    mask = _mask(a) if where is NO_VALUE and out is None else None
    if mask is None:
        options: dict[str, Any] = {} if where is NO_VALUE else {"where": plain(where)}
        return function(plain(a), axis, out, flag(keepdims), **options)
    if axis is not None and not np.ndim(stand_in(a)):
        axis = None
    missing = apply("logical_not", (mask,)) if all_of else mask
    return apply("equal" if all_of else "not_equal", (_counted(missing, axis, flag(keepdims)), 0.0))


@implements(np.any)
def any(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE
) -> Any:
    return _truth(np.any, False, a, axis, out, keepdims, where)


@implements(np.all)
def all(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE
) -> Any:
    return _truth(np.all, True, a, axis, out, keepdims, where)


# Of an older NumPy a count of all is a Python int, which takes the dtype of what it meets.
_COUNTS_HAVE_DTYPES = isinstance(np.count_nonzero(np.zeros(1)), np.integer)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    has_dtype = axis is not None or keepdims or _COUNTS_HAVE_DTYPES
    mask = _mask(a) if has_dtype and np.ndim(stand_in(a)) else None
    if mask is None:
        return np.count_nonzero(plain(a), axis, keepdims=keepdims)
    return apply("sum", (mask,), (axis, bool(keepdims)))


@implements(np.isposinf)
def isposinf(x: Any, out: Any = None) -> Any:
    return np.isposinf(plain(x), out) if not _core.tracing() else apply("equal", (lift(x), np.inf))


@implements(np.isneginf)
def isneginf(x: Any, out: Any = None) -> Any:
    return np.isneginf(plain(x), out) if not _core.tracing() else apply("equal", (lift(x), -np.inf))


@implements(np.isclose)
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False) -> Any:
    x, y = lift(a), lift(b)
    floats = [v for v in (x, y) if isinstance(v, Variable) and v.dtype.kind == "f"]
    if not _core.tracing() or not floats:
        return np.isclose(plain(x), plain(y), plain(rtol), plain(atol), equal_nan)
    near = np.less_equal(np.abs(x - y), atol + rtol * np.abs(y))
    found = (near & np.isfinite(y)) | np.equal(x, y)
    return found | (np.isnan(x) & np.isnan(y)) if equal_nan else found


@implements(np.allclose)
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False) -> bool:
    return bool(all(isclose(a, b, rtol, atol, equal_nan)))


recorded_on_data.add(np.count_nonzero)
reductions_on_data.update((np.sum, np.mean, np.max, np.min))
recorded_on_data.update(
    (np.any, np.all, np.where, np.reshape, np.ravel, np.transpose, np.broadcast_to, np.squeeze,
     np.expand_dims, np.select, np.clip, np.diff)
)  # fmt: skip


def _fresh(prototype: Any, array: Any, fill: Any, shape: Any) -> Any:
    """A new array like `prototype`, of `shape` where that is given.

    Beside a recorded one it is recorded too, so that Variables can be written into it. A leaf is
    a parameter of the user's, and what is made like it (a momentum) is a plain array.
    """
    recorded = isinstance(prototype, Variable) and not _core.is_leaf(prototype)
    if not recorded or array.dtype.char not in "fd" or not array.ndim or 0 in free_shape(prototype):
        _tell_lengths(prototype)
        return array
    if _core.tracing() and shape is None and np.ndim(fill) == 0:  # no array of this length
        return apply("where", (False, cast(prototype, array.dtype), array.dtype.type(fill)))
    anchor = prototype if array.shape == shape_of(prototype) else np.ravel(prototype)[0]
    return apply("where", (False, cast(anchor, array.dtype), array))


@implements(np.zeros_like)
def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(a, np.zeros_like(stand_in(a), dtype, shape=shape), 0, shape)


@implements(np.ones_like)
def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(a, np.ones_like(stand_in(a), dtype, shape=shape), 1, shape)


@implements(np.empty_like)
def empty_like(
    prototype: Any, /, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(prototype, np.zeros_like(stand_in(prototype), dtype, shape=shape), 0, shape)


@implements(np.full_like)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True,
    shape: Any = None, *, device: Any = None,
) -> Any:  # fmt: skip
    if isinstance(fill_value, Variable):
        blank = np.zeros_like(stand_in(a), dtype, shape=shape)
        return np.broadcast_to(cast(fill_value, blank.dtype), blank.shape)
    return _fresh(a, np.full_like(stand_in(a), fill_value, dtype, shape=shape), fill_value, shape)


@implements(np.real)
def real(val: Any) -> Any:
    return val


@implements(np.imag)
def imag(val: Any) -> Any:
    return np.zeros(val.shape, val.dtype)


@implements(np.shares_memory, np.may_share_memory)
def shares_memory(a: Any, b: Any, /, max_work: Any = None) -> bool:
    return a is b


@implements(np.ix_)
def ix_(*args: Any) -> Any:
    raise TypeError("np.ix_: indices are whole numbers; call it on plain arrays of them")


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if not isinstance(dst, Variable):
        raise TypeError(
            "np.copyto: the target is a plain array, which cannot hold the derivative of a "
            "Variable; make it one, dst = tg.Variable(dst)"
        )
    if where is True:
        dst[...] = src
    else:
        dst[...] = np.where(where, src, dst)


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: Any = False) -> None:
    if not isinstance(a, Variable):
        raise TypeError(
            "np.fill_diagonal: the target is a plain array, which cannot hold the derivative of a "
            "Variable; make it one, a = tg.Variable(a)"
        )
    if wrap or a.ndim < 2 or (len(set(a.shape)) != 1 and a.ndim > 2):
        raise ValueError(
            f"np.fill_diagonal: needs a matrix or equal axes, no wrap=True; the shape is {a.shape}"
        )
    index = np.arange(min(a.shape))
    a[(index,) * a.ndim] = val
