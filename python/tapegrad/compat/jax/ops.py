"""jax.ops: what belongs to one segment, put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.jax.arrays import frozen, plain

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def _gathered(name: str, data: Any, ids: Any, number: int | None, start: float) -> tuple[Any, Any]:
    """An array of segments to begin with, and the places of `data` in it."""
    ids = plain(ids)
    if number is None:
        number = int(np.max(ids)) + 1 if np.size(ids) else 0
    if np.shape(ids) != np.shape(data)[: np.ndim(ids)]:
        raise ValueError(
            f"jax.ops.{name}: segment_ids has shape {np.shape(ids)}, and data {np.shape(data)}; "
            "give one for each row"
        )
    dtype = np.result_type(data)
    if dtype.kind in "iu" and np.isinf(start):
        start = np.iinfo(dtype).min if start < 0 else np.iinfo(dtype).max
    empty = np.full((number, *np.shape(data)[np.ndim(ids) :]), start, dtype)
    return frozen(empty), ids


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, **s: Any) -> Any:
    """Sums of the rows with the same number.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.ops.segment_sum(jnp.array([1.0, 2.0, 3.0]), jnp.array([0, 1, 0]), 3)
    Array([4., 2., 0.], dtype=float64)
    """
    empty, ids = _gathered("segment_sum", data, segment_ids, num_segments, 0.0)
    return empty.at[ids].add(plain(data))


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, **s: Any) -> Any:
    """Products of the rows with the same number."""
    empty, ids = _gathered("segment_prod", data, segment_ids, num_segments, 1.0)
    return empty.at[ids].multiply(plain(data))


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, **s: Any) -> Any:
    """The largest of the rows with the same number; minus infinity where there is none."""
    empty, ids = _gathered("segment_max", data, segment_ids, num_segments, -np.inf)
    return empty.at[ids].max(plain(data))


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, **s: Any) -> Any:
    """The smallest of the rows with the same number; infinity where there is none."""
    empty, ids = _gathered("segment_min", data, segment_ids, num_segments, np.inf)
    return empty.at[ids].min(plain(data))
