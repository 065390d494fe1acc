"""Slices at computed places, selections and sorted parts of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.compat.jax.arrays import frozen, plain, wrap

__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "index_in_dim",
    "slice",
    "slice_in_dim",
    "top_k",
]


def _start(i: Any, length: int, size: int) -> Any:
    """A first index as JAX takes it: negative ones from the end, then moved until all fits."""
    if isinstance(i, Variable):
        return np.clip(np.where(i < 0, i + length, i), 0, length - size)
    i = int(i)
    return min(max(i + length if i < 0 else i, 0), length - size)


def _places(start: Any, size: int) -> Any:
    return start + np.arange(size) if isinstance(start, Variable) else np.s_[start : start + size]


def _index(name: str, x: Any, starts: Any, sizes: Any) -> tuple[Any, ...]:
    shape = np.shape(x)
    starts = list(starts) if isinstance(starts, (tuple, list)) else [plain(s) for s in starts]
    if not len(shape) == len(starts) == len(sizes):
        raise TypeError(
            f"lax.{name}: {len(starts)} starts and {len(sizes)} sizes for shape {shape}; give one "
            "of each for every axis"
        )
    if any(size > n for size, n in zip(sizes, shape, strict=True)):
        raise TypeError(f"lax.{name}: sizes {tuple(sizes)} exceed shape {shape}")
    found = [
        _places(_start(i, n, size), size) for i, n, size in zip(starts, shape, sizes, strict=True)
    ]
    if any(isinstance(place, Variable) for place in found):
        full = [p if isinstance(p, Variable) else np.arange(p.start, p.stop) for p in found]
        return tuple(
            p.reshape([-1 if k == i else 1 for k in range(len(full))]) for i, p in enumerate(full)
        )
    return tuple(found)


def _array(x: Any) -> Any:
    return x if isinstance(x, Variable) or _tree.is_variable(x) else frozen(np.asarray(x))


def dynamic_slice(operand: Any, start_indices: Any, slice_sizes: Any) -> Any:
    """The part of these sizes that starts there, moved inside where it would stick out.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.lax.dynamic_slice(jnp.arange(5.0), (4,), (2,))
    Array([3., 4.], dtype=float64)
    """
    operand = _array(operand)
    return wrap(operand[_index("dynamic_slice", operand, start_indices, slice_sizes)])


def dynamic_update_slice(operand: Any, update: Any, start_indices: Any) -> Any:
    """The array with `update` at these places, moved inside where it would stick out."""
    operand = _array(operand)
    index = _index("dynamic_update_slice", operand, start_indices, np.shape(update))
    changed: Any = operand
    return changed.at[index].set(update)


def dynamic_slice_in_dim(operand: Any, start_index: Any, slice_size: int, axis: int = 0) -> Any:
    """The same along one axis."""
    starts, sizes = _along(operand, axis, start_index, slice_size)
    return dynamic_slice(operand, starts, sizes)


def dynamic_index_in_dim(operand: Any, index: Any, axis: int = 0, keepdims: bool = True) -> Any:
    """One position along an axis."""
    found = dynamic_slice_in_dim(operand, index, 1, axis)
    return found if keepdims else wrap(np.squeeze(plain(found), axis))


def dynamic_update_slice_in_dim(operand: Any, update: Any, start_index: Any, axis: int) -> Any:
    """The array with `update` along one axis from there on."""
    starts, _ = _along(operand, axis, start_index, 0)
    return dynamic_update_slice(operand, update, starts)


def dynamic_update_index_in_dim(operand: Any, update: Any, index: Any, axis: int) -> Any:
    """The array with `update` at one position along an axis."""
    if np.ndim(update) != np.ndim(operand):
        update = np.expand_dims(plain(update), axis)
    return dynamic_update_slice_in_dim(operand, update, index, axis)


def _along(operand: Any, axis: int, start: Any, size: int) -> tuple[list[Any], list[int]]:
    starts: list[Any] = [0] * np.ndim(operand)
    sizes = list(np.shape(operand))
    starts[axis], sizes[axis] = start, size
    return starts, sizes


def slice(operand: Any, start_indices: Any, limit_indices: Any, strides: Any = None) -> Any:
    """`operand[start:limit:stride, ...]`."""
    steps = [1] * np.ndim(operand) if strides is None else strides
    parts = zip(start_indices, limit_indices, steps, strict=True)
    return wrap(_array(operand)[tuple(np.s_[a:b:c] for a, b, c in parts)])


def slice_in_dim(
    operand: Any, start_index: Any, limit_index: Any, stride: int = 1, axis: int = 0
) -> Any:
    """The same along one axis."""
    index: list[Any] = [np.s_[:]] * np.ndim(operand)
    index[axis] = np.s_[start_index:limit_index:stride]
    return wrap(_array(operand)[tuple(index)])


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """One position along an axis, which is known."""
    found = np.take(plain(operand), [index], axis)
    return wrap(found if keepdims else np.squeeze(found, axis))


def top_k(operand: Any, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """The k largest along an axis, largest first, and where they are."""
    rows = np.moveaxis(_array(operand), axis, -1)
    n = np.shape(rows)[-1]
    # Of equal numbers the first comes first: sorted the other way round, and turned.
    places = n - 1 - np.argsort(rows[..., ::-1], axis=-1, kind="stable")[..., ::-1][..., :k]
    found = np.take_along_axis(plain(rows), plain(places), axis=-1)
    return wrap(np.moveaxis(found, -1, axis)), wrap(np.moveaxis(places, -1, axis))
