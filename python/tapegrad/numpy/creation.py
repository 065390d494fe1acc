"""Arrays made like others."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply, overlap
from tapegrad.numpy.layout import lie_in_c_order, lying_as
from tapegrad.numpy.operands import (
    cast,
    floating_dtype,
    free_shape,
    holds_for_these_lengths,
    lift,
    ndim_of,
    shape_of,
    stand_in,
)
from tapegrad.numpy.table import RECORD, implements


def _fresh(prototype: Any, array: Any, fill: Any, shape: Any) -> Any:
    """A new array like `prototype`, of `shape` where that is given.

    Beside a recorded one it is recorded too, so that Variables can be written into it. A leaf is
    a parameter of the user's, and what is made like it (a momentum) is a plain array.
    """
    recorded = isinstance(prototype, Variable) and not _core.is_leaf(prototype)
    if not recorded or array.dtype.char not in "fd" or not array.ndim or 0 in free_shape(prototype):
        holds_for_these_lengths(prototype)
        return array
    if shape is None and np.ndim(fill) == 0:  # no array of this length
        return apply("where", (False, cast(prototype, array.dtype), array.dtype.type(fill)))
    anchor = prototype if array.shape == shape_of(prototype) else np.ravel(prototype)[0]
    return apply("where", (False, cast(anchor, array.dtype), array))


def _made_like(make: Any, like: Any, a: Any, dtype: Any, order: Any, shape: Any) -> Any:
    """`make(shape, dtype)`, or in another order or shape NumPy's `like` of what stands for `a`."""
    if type(a) is not Variable or order != "K" or shape is not None:
        return like(stand_in(a), dtype, order, shape=shape)
    _core.lose_weakness(a)  # NumPy makes an array of it
    return make(free_shape(a), a.dtype if dtype is None else dtype)


@implements(np.zeros_like, only_shape=True)
def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(a, _made_like(np.zeros, np.zeros_like, a, dtype, order, shape), 0, shape)


@implements(np.ones_like, only_shape=True)
def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(a, _made_like(np.ones, np.ones_like, a, dtype, order, shape), 1, shape)


@implements(np.empty_like, only_shape=True)
def empty_like(
    prototype: Any, /, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    made = _made_like(np.zeros, np.zeros_like, prototype, dtype, order, shape)
    return _fresh(prototype, made, 0, shape)


@implements(np.full_like, values=2)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True,
    shape: Any = None, *, device: Any = None,
) -> Any:  # fmt: skip
    if isinstance(fill_value, Variable):
        blank = np.zeros_like(stand_in(a), dtype, order, shape=shape)
        found = np.copy(np.broadcast_to(cast(fill_value, blank.dtype), blank.shape))
        if order != "K" or lie_in_c_order(a) or found.shape != np.shape(a):
            return found
        return lying_as(found, a)
    made = _made_like(
        lambda shape, dtype: np.full(shape, fill_value, dtype),
        lambda like, dtype, order, shape: np.full_like(like, fill_value, dtype, order, shape=shape),
        a, dtype, order, shape,
    )  # fmt: skip
    found = _fresh(a, made, fill_value, shape)
    if order != "K" or shape is not None or np.ndim(fill_value) == 0 or lie_in_c_order(a):
        return found
    return lying_as(found, a)


@implements(np.real, values=1, view=True, on_data=RECORD)
def real(val: Any) -> Any:
    return lift(val)


@implements(np.imag, only_shape=True)
def imag(val: Any) -> Any:
    val = lift(val)
    zeros = np.zeros(val.shape, val.dtype)
    return zeros if isinstance(val, np.ndarray) else zeros[()]


@implements(np.shares_memory, np.may_share_memory, asks_where=True)
def shares_memory(a: Any, b: Any, /, max_work: Any = None) -> bool:
    return overlap(a, b)


@implements(np.ix_, view=True, on_data=RECORD)
def ix_(*args: Any) -> Any:
    found = []
    for k, x in enumerate(args):
        x = lift(x)
        if ndim_of(x) != 1:
            raise ValueError("Cross index must be 1 dimensional")
        if floating_dtype(x).kind == "b":
            x = np.flatnonzero(x)
        elif not shape_of(x)[0]:
            x = np.zeros(0, np.intp)
        found.append(np.reshape(x, (1,) * k + (-1,) + (1,) * (len(args) - 1 - k)))
    return tuple(found)
