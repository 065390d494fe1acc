"""jax.flatten_util: a pytree as one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad.compat.jax.arrays import plain, wrap
from tapegrad.compat.jax.tree_util import tree_flatten

__all__ = ["ravel_pytree"]


def ravel_pytree(pytree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All leaves in one vector, and the function that makes the tree of such a vector.

    >>> from tapegrad.compat import jax
    >>> vector, unravel = jax.flatten_util.ravel_pytree({"b": 3.0, "a": jax.numpy.ones(2)})
    >>> vector
    Array([1., 1., 3.], dtype=float64)
    >>> unravel(2 * vector)
    {'a': Array([2., 2.], dtype=float64), 'b': Array(6., dtype=float64)}
    """
    leaves, structure = tree_flatten(pytree)
    shapes = [np.shape(x) for x in leaves]
    dtypes = [np.result_type(x) for x in leaves]
    bounds = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    flat = [np.reshape(plain(x), -1) for x in leaves]
    vector = wrap(np.concatenate(flat) if flat else np.zeros(0))
    joined = np.result_type(*dtypes) if dtypes else np.dtype(float)

    def unravel(vector: Any) -> Any:
        if np.shape(vector) != (bounds[-1],):
            raise TypeError(
                f"unravel: the vector has shape {np.shape(vector)}, and the tree {bounds[-1]} "
                "elements"
            )
        vector = plain(vector)
        parts = []
        for k, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True)):
            part = np.reshape(vector[bounds[k] : bounds[k + 1]], shape)
            parts.append(wrap(part if dtype == joined else part.astype(dtype)))
        return structure.unflatten(parts)

    return vector, unravel
