"""NumPy functions whose results are plain: tests, positions, counts, shapes, texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapegrad._core import Variable, apply
from tapegrad.numpy.operands import NO_VALUE, flag, holds_for_these_lengths, lift, stand_in
from tapegrad.numpy.table import RECORD, implements, plain_results

# No facts are stated of them: plain numbers, bools and texts that follow from a captured array
# could be taken for the program's own.
plain_results(
    np.argpartition, np.argwhere, np.nanargmax, np.nanargmin, np.lexsort, np.flatnonzero, np.isin,
    np.array_equal, np.array_equiv, np.iscomplex, np.isreal, np.can_cast, np.min_scalar_type,
    np.array_repr, np.array_str, np.array2string, np.linalg.matrix_rank,
)  # fmt: skip
plain_results(np.nonzero, method="nonzero")
if hasattr(np, "in1d"):  # before NumPy 2.4
    plain_results(np.in1d)


def _on_types(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """NumPy's own result of arrays without content."""
    return function(*map(stand_in, args), **{name: stand_in(x) for name, x in kwargs.items()})


def _on_lengths(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The same, of functions that tell lengths."""
    holds_for_these_lengths([*args, *kwargs.values()])
    return _on_types(function, *args, **kwargs)


def _on_attributes(own: Callable[..., Any], x: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's own code, which makes an array of a list."""
    return own(stand_in(x) if isinstance(x, (list, tuple)) else x, *args, **kwargs)


_OF_ATTRIBUTES = (np.shape, np.ndim, np.size, np.iscomplexobj)


def _types_alone(*functions: Any, of: Callable[..., Any]) -> None:
    for function in functions:
        # NumPy's own code asks for attributes alone, which Variables have.
        own = getattr(function, "_implementation", None) if function in _OF_ATTRIBUTES else None
        own = None if own is None else partial(_on_attributes, own)
        implements(function, only_shape=True, on_data=RECORD, eager=own)(partial(of, function))


_types_alone(np.iscomplexobj, np.isrealobj, np.ndim, np.result_type, np.common_type, of=_on_types)
_types_alone(
    np.shape, np.size, np.tril_indices_from, np.triu_indices_from, np.diag_indices_from,
    np.einsum_path, of=_on_lengths,
)  # fmt: skip


def _mask(x: Any) -> Any:
    """A recorded mask of what is true in `x`, with at least one axis; None for plain `x`."""
    x = lift(x)
    if not isinstance(x, Variable):
        return None
    mask = x if x.dtype == bool else apply("not_equal", (x, 0.0))
    return mask if mask.ndim else apply("reshape", (mask,), ((1,),))


def _counted(mask: Any, axis: Any, keepdims: bool) -> Any:
    return apply("sum", (apply("where", (mask, 1.0, 0.0)),), (axis, keepdims))


def _truth(all_of: bool, a: Any, axis: Any, out: Any, keepdims: Any, where: Any) -> Any:
    mask = _mask(a) if where is NO_VALUE and out is None else None
    if mask is None:
        return NotImplemented
    if not np.ndim(stand_in(a)):
        if isinstance(axis, tuple) and axis:
            return NotImplemented  # which raises
        axis, keepdims = None, False
    missing = apply("logical_not", (mask,)) if all_of else mask
    return apply("equal" if all_of else "not_equal", (_counted(missing, axis, flag(keepdims)), 0.0))


@implements(np.any, method="any", on_data=RECORD, plain_unless_recording=True)
def any(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE
) -> Any:
    return _truth(False, a, axis, out, keepdims, where)


@implements(np.all, method="all", on_data=RECORD, plain_unless_recording=True)
def all(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = NO_VALUE, *, where: Any = NO_VALUE
) -> Any:
    return _truth(True, a, axis, out, keepdims, where)


# Of an older NumPy a count of all is a Python int, which takes the dtype of what it meets.
_COUNTS_HAVE_DTYPES = isinstance(np.count_nonzero(np.zeros(1)), np.integer)


@implements(np.count_nonzero, on_data=RECORD, plain_unless_recording=True)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    has_dtype = axis is not None or keepdims or _COUNTS_HAVE_DTYPES
    mask = _mask(a) if has_dtype and np.ndim(stand_in(a)) else None
    if mask is None:
        return NotImplemented
    return apply("sum", (mask,), (axis, flag(keepdims)))


@implements(np.isposinf, values=1, plain_unless_recording=True)
def isposinf(x: Any, out: Any = None) -> Any:
    if out is not None:
        return NotImplemented
    x = lift(x)
    return np.isinf(x) & (x > 0)


@implements(np.isneginf, values=1, plain_unless_recording=True)
def isneginf(x: Any, out: Any = None) -> Any:
    if out is not None:
        return NotImplemented
    x = lift(x)
    return np.isinf(x) & (x < 0)


@implements(np.isclose, values=4, plain_unless_recording=True)
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False) -> Any:
    x, y = lift(a), lift(b)
    if not [v for v in (x, y) if isinstance(v, Variable) and v.dtype.kind == "f"]:
        return NotImplemented
    near = np.less_equal(np.abs(x - y), atol + rtol * np.abs(y))
    found = (near & np.isfinite(y)) | np.equal(x, y)
    return found | (np.isnan(x) & np.isnan(y)) if equal_nan else found


@implements(np.allclose, plain_unless_recording=True)
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: Any = False) -> Any:
    near = isclose(a, b, rtol, atol, equal_nan)
    return near if near is NotImplemented else bool(np.all(near))
