"""The functions of jax.numpy that are not NumPy's own."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.compat.jax.arrays import Array, at_places, plain, wrap
from tapegrad.compat.jax.variables import size
from tapegrad.transforms import blanks

__all__ = [
    "abs",
    "absolute",
    "apply_over_axes",
    "arange",
    "array",
    "asarray",
    "astype",
    "clip",
    "concat",
    "copy",
    "empty",
    "empty_like",
    "fill_diagonal",
    "full",
    "full_like",
    "histogram",
    "ones",
    "ones_like",
    "permute_dims",
    "put_along_axis",
    "stack",
    "take",
    "vectorize",
    "where",
    "zeros",
    "zeros_like",
]

Shape = int | Sequence[int]
_zeros, _ones, _full = map(blanks.original, ("zeros", "ones", "full"))
_joining = blanks.stand_in("array", lambda _: True)


def _of(shape: Any) -> Any:
    return tuple(int(n) for n in shape) if np.ndim(shape) else int(shape)


def zeros(shape: Any, dtype: Any = None, **settings: Any) -> Any:
    """An array of zeros."""
    return wrap(_zeros(_of(shape), dtype or float))


empty = zeros


def ones(shape: Any, dtype: Any = None, **settings: Any) -> Any:
    """An array of ones."""
    return wrap(_ones(_of(shape), dtype or float))


def full(shape: Any, fill_value: Any, dtype: Any = None, **settings: Any) -> Any:
    """An array of one number."""
    if _tree.is_variable(fill_value):
        wide = np.broadcast_to(fill_value, _of(shape))
        return wide if dtype is None else wide.astype(dtype)
    return wrap(_full(_of(shape), plain(fill_value), dtype))


def _dtype_of(a: Any, dtype: Any) -> Any:
    return np.result_type(a) if dtype is None else dtype


def zeros_like(a: Any, dtype: Any = None, shape: Any = None, **settings: Any) -> Any:
    """Zeros of the shape and dtype of `a`."""
    return zeros(np.shape(a) if shape is None else shape, _dtype_of(a, dtype))


empty_like = zeros_like


def ones_like(a: Any, dtype: Any = None, shape: Any = None, **settings: Any) -> Any:
    """Ones of the shape and dtype of `a`."""
    return ones(np.shape(a) if shape is None else shape, _dtype_of(a, dtype))


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, **settings: Any
) -> Any:
    """One number in the shape and dtype of `a`."""
    return full(np.shape(a) if shape is None else shape, fill_value, _dtype_of(a, dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None, **s: Any) -> Any:
    """Numbers in steps."""
    bounds = [plain(x) for x in (start, stop, step) if x is not None]
    return wrap(blanks.original("arange")(*bounds, dtype=dtype))


def array(
    object: Any, dtype: Any = None, copy: Any = True, order: Any = "K", ndmin: int = 0, **s: Any
) -> Any:
    """An array of numbers, lists and Variables.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.grad(lambda x: jnp.sum(jnp.array([x, x**2])))(3.0)
    Array(7., dtype=float64)
    """
    given = plain(object)
    if _tree.is_variable(given):
        found = given.copy() if dtype is None else given.astype(dtype)
        return found if found.ndim >= ndmin else np.array(found, ndmin=ndmin)
    if isinstance(given, (list, tuple)) and _holds_variables(given):
        joined = _joining(given, dtype) if dtype is not None else _joining(given)
        return joined if _tree.is_variable(joined) else _stacked(given)
    found = blanks.original("array")(given, dtype=dtype, ndmin=ndmin)
    if found.dtype.kind not in "biufc":
        raise TypeError(
            f"jnp.array: a value of type {type(object).__name__} and dtype {found.dtype} is no "
            "array of numbers; convert it first, float(text)"
        )
    return wrap(found)


def _stacked(given: Any) -> Any:
    if isinstance(given, (list, tuple)):
        return np.stack([_stacked(item) for item in given])
    return given


def _holds_variables(given: Any) -> bool:
    if isinstance(given, (list, tuple)):
        return any(map(_holds_variables, given))
    return _tree.is_variable(given)


def asarray(a: Any, dtype: Any = None, order: Any = None, **settings: Any) -> Any:
    """An array; one of JAX's as it is."""
    if (type(a) is Array or isinstance(a, Variable)) and dtype in (None, a.dtype):
        return a
    return array(a, dtype)


def copy(a: Any, order: Any = None) -> Any:
    """A copy."""
    return array(a)


def astype(x: Any, dtype: Any, **settings: Any) -> Any:
    """In another dtype."""
    return wrap(x.astype(dtype))


def where(
    condition: Any, x: Any = None, y: Any = None, *, size: Any = None, fill_value: Any = None
) -> Any:
    """Element by element `x` where the condition holds, else `y`."""
    if size is not None:
        raise NotImplementedError(
            "jnp.where: size= is not there: without x and y, the result is as long as it is"
        )
    if (x is None) != (y is None):
        raise ValueError("jnp.where: give both x and y, or neither of them")
    if x is None:
        return tuple(map(wrap, np.where(condition)))
    return wrap(np.where(plain(condition), plain(x), plain(y)))


def clip(
    arr: Any = None, /, min: Any = None, max: Any = None, *, a: Any = None, a_min: Any = None,
    a_max: Any = None,
) -> Any:  # fmt: skip
    """Between two bounds, each of which may be None."""
    x = a if arr is None else arr
    low = a_min if min is None else min
    high = a_max if max is None else max
    x = plain(x)
    if low is not None:  # at a bound the derivative is shared, as that of the maximum is
        x = np.maximum(x, plain(low))
    return wrap(x if high is None else np.minimum(x, plain(high)))


def abs(x: Any, /) -> Any:
    """The size of a number, whose derivative at 0 is 1."""
    return wrap(builtins.abs(plain(x)) if not isinstance(x, Variable) else size(x))


absolute = abs


def stack(arrays: Any, axis: int = 0, out: Any = None, dtype: Any = None) -> Any:
    """Arrays joined along a new axis; an array of them too."""
    found = np.stack([plain(x) for x in arrays], axis)
    return wrap(found if dtype is None else found.astype(dtype))


def concat(arrays: Any, /, *, axis: int = 0) -> Any:
    """Arrays joined along an axis."""
    return wrap(np.concatenate([plain(x) for x in arrays], axis))


def permute_dims(a: Any, /, axes: Any) -> Any:
    """With its axes in another order."""
    return wrap(np.transpose(a, axes))


def take(a: Any, indices: Any, axis: int | None = None, **settings: Any) -> Any:
    """Elements along an axis, of an array in one row without it."""
    if isinstance(indices, Variable) and not indices.ndim:
        x: Any = np.ravel(plain(a)) if axis is None else plain(a)
        x = x if _tree.is_variable(x) else tg.Variable(np.asarray(x))
        return at_places(x, (slice(None),) * ((axis or 0) % np.ndim(x)) + (indices,))
    return wrap(np.take(plain(a), plain(indices), axis))


def histogram(a: Any, bins: Any = 10, range: Any = None, **settings: Any) -> tuple[Any, Any]:
    """Counts, as floats, and the edges of the bins."""
    counts, edges = np.histogram(plain(a), plain(bins), range, **settings)
    return wrap(np.asarray(counts, float)), wrap(edges)


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Any:
    """The array with `val` on its diagonal: as in JAX, with inplace=False alone."""
    if inplace or wrap:
        raise NotImplementedError(
            "jnp.fill_diagonal: arrays are never written to; call it with inplace=False and take "
            "the result"
        )
    places = np.arange(min(np.shape(a)))
    return asarray(a).at[(places,) * np.ndim(a)].set(val)


def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: Any = None, inplace: bool = True, **settings: Any
) -> Any:
    """The array with `values` at places along an axis: as in JAX, with inplace=False alone."""
    if inplace:
        raise NotImplementedError(
            "jnp.put_along_axis: arrays are never written to; call it with inplace=False and take "
            "the result"
        )
    index: list[Any] = list(np.ogrid[tuple(map(slice, np.shape(indices)))])
    index[axis] = indices
    return asarray(arr).at[tuple(index)].set(values)


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """`func(a, axis)` along one axis after another."""
    for axis in np.atleast_1d(axes):
        found = func(a, int(axis))
        a = found if np.ndim(found) == np.ndim(a) else np.expand_dims(plain(found), int(axis))
    return wrap(a)


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = frozenset(), signature: str | None = None
) -> Any:
    """`pyfunc` of numbers as a function of arrays, by broadcasting and `jax.vmap`.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> jnp.vectorize(lambda x, y: x + y)(jnp.arange(2.0), jnp.array([[1.0], [2.0]]))
    Array([[1., 2.],
           [2., 3.]], dtype=float64)
    """
    from tapegrad.compat.jax.functions.batching import vmap

    if excluded or signature is not None:
        raise NotImplementedError(
            "jnp.vectorize: excluded= and signature= are not there; jax.vmap(f, in_axes=...) maps "
            "over the axes that it is told"
        )

    def over_elements(*args: Any) -> Any:
        wide = np.broadcast_arrays(*map(plain, args))
        shape = np.shape(wide[0])
        if not shape:
            return pyfunc(*args)
        found = vmap(pyfunc)(*(np.reshape(x, -1) for x in wide))
        return wrap(np.reshape(found, shape))

    return over_elements
