"""NumPy functions whose results are plain: tests, positions, shapes, texts, fresh arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply
from tapegrad._surface.table import cast, implements, plain, table

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


def _on_values(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*map(plain, args), **{name: plain(x) for name, x in kwargs.items()})


for _function in PLAIN_FUNCTIONS:
    table[_function] = partial(_on_values, _function)


def _fresh(prototype: Any, array: Any) -> Any:
    """A new array like `prototype`.

    Beside a recorded one it is recorded too, so that Variables can be written into it. A leaf is
    a parameter of the user's, and what is made like it (a momentum) is a plain array.
    """
    recorded = isinstance(prototype, Variable) and not _core.is_leaf(prototype)
    if not recorded or array.dtype.char not in "fd" or not array.ndim or not prototype.size:
        return array
    anchor = prototype if array.shape == prototype.shape else np.ravel(prototype)[0]
    return apply("where", (False, cast(anchor, array.dtype), array))


@implements(np.zeros_like)
def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(a, np.zeros_like(plain(a), dtype, shape=shape))


@implements(np.ones_like)
def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(a, np.ones_like(plain(a), dtype, shape=shape))


@implements(np.empty_like)
def empty_like(
    prototype: Any, /, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    return _fresh(prototype, np.zeros_like(plain(prototype), dtype, shape=shape))


@implements(np.full_like)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True,
    shape: Any = None, *, device: Any = None,
) -> Any:  # fmt: skip
    if isinstance(fill_value, Variable):
        blank = np.zeros_like(plain(a), dtype, shape=shape)
        return np.broadcast_to(cast(fill_value, blank.dtype), blank.shape)
    return _fresh(a, np.full_like(plain(a), fill_value, dtype, shape=shape))


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
