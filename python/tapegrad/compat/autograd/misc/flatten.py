"""Nested containers of arrays as one array, and back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np

from tapegrad import _tree

__all__ = ["flatten", "flatten_func"]


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All numbers of a nesting as one array, and the function that leads back.

    Dicts are taken in the order of their sorted keys. Both ways are differentiated.

    >>> from tapegrad.compat.autograd.misc import flatten
    >>> flat, unflatten = flatten({"b": [1.0, 2.0], "a": 3.0})
    >>> flat
    array([3., 1., 2.])
    >>> unflatten(10 * flat)
    {'b': [10.0, 20.0], 'a': 30.0}
    """
    leaves = _leaves(value)
    shapes = [tuple(np.shape(leaf)) for leaf in leaves]
    ends = list(accumulate(int(np.prod(shape)) for shape in shapes))
    flat = np.concatenate([np.ravel(leaf) for leaf in leaves]) if leaves else np.array([])
    places = list(zip([0, *ends], ends, shapes, map(_kind_of, leaves), strict=False))

    def unflatten(x: Any) -> Any:
        parts = iter([kind(x[i:j].reshape(shape)) for i, j, shape, kind in places])
        return _filled(value, parts)

    return flat, unflatten


def flatten_func(
    func: Callable[..., Any], example: Any
) -> tuple[Callable[..., Any], Callable[[Any], Any], Any]:
    """`func` as a function of flat arrays, the function that leads back, and the flat example."""
    flat, unflatten = flatten(example)
    return lambda x, *args: flatten(func(unflatten(x), *args))[0], unflatten, flat


def _kind_of(leaf: Any) -> Callable[[Any], Any]:
    """What makes of a part what its leaf was: real or complex, a number or an array."""
    is_real, is_number = not np.iscomplexobj(leaf), np.ndim(leaf) == 0
    is_float = type(leaf) is float

    def like_leaf(part: Any) -> Any:
        if is_real and np.iscomplexobj(part):
            part = np.real(part)
        if is_float and not _tree.is_variable(part):
            return float(part)
        return part[()] if is_number else part

    return like_leaf


def _children(tree: Any) -> list[Any] | None:
    if _tree.is_complex(tree):
        return None
    if isinstance(tree, dict):
        return [tree[key] for key in sorted(tree)]
    found = _tree.children(tree)
    return None if found is None else [part for _, part in found]


def _leaves(tree: Any) -> list[Any]:
    parts = _children(tree)
    return [tree] if parts is None else [leaf for part in parts for leaf in _leaves(part)]


def _filled(tree: Any, values: Any) -> Any:
    parts = _children(tree)
    if parts is None:
        return next(values)
    items = [_filled(part, values) for part in parts]
    if isinstance(tree, dict):
        by_key = dict(zip(sorted(tree), items, strict=True))
        items = [by_key[key] for key in tree]
    return _tree.rebuild(tree, items)
