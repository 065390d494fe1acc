"""The derivative of a primitive by differences, for those who ask for it by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._tree import Tree
from tapegrad.operations.operands import holds_variable, is_input
from tapegrad.operations.rules import OfAll

Args = tuple[Any, ...]
Kwargs = dict[str, Any]


class Numerical(OfAll):
    """A reverse rule by central differences of plain values, of first order alone.

    Each element x moves by eps**(1/3) * max(|x|, 1) in the precision of its array, which balances
    the error of truncation against that of rounding (Press et al., Numerical Recipes, section 5.7):
    the error is about 1e-10 of the function's scale in float64, 1e-5 in float32. Each element of an
    argument costs two calls.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self.name = name

    def __call__(
        self, argnums: Sequence[int], ans: Any, args: Args, kwargs: Kwargs, g: Any, kept: Any
    ) -> Sequence[Tree]:
        """The adjoints of these arguments."""
        if holds_variable([*args, kwargs]):
            raise TypeError(
                f"{self.name}: its derivative is by differences (derivative='numerical'), which "
                "are of first order alone; for higher orders define its rules with defvjp or "
                "defjvp, written in NumPy"
            )
        if holds_variable([g]):  # a sweep that is transposed: linear in g
            return [self._transposable(i, args, kwargs, g) for i in argnums]
        return [self._adjoint(i, args, kwargs, g) for i in argnums]

    def _adjoint(self, argnum: int, args: Args, kwargs: Kwargs, g: Tree) -> Tree:
        rows = self._rises(argnum, args, kwargs)
        # What flows back to x + iy is df/dx - i df/dy, so seeds are conjugated on the way.
        seeds = [np.asarray(x) for _, x in _tree.leaves(_tree.map_complex(np.conj, g))]
        return self._like(argnum, args, lambda k, index: _inner(seeds, rows[k, index]))

    def _transposable(self, argnum: int, args: Args, kwargs: Kwargs, g: Tree) -> Tree:
        rows = self._rises(argnum, args, kwargs)
        seeds = [x for _, x in _tree.leaves(g)]
        leaves = [x for _, x in _tree.leaves(args[argnum])]
        found: list[Any] = []
        for k, x in enumerate(leaves):
            if not _moves(x):
                found.append(None)
                continue
            parts = [_inner(seeds, rows[k, index]) for index in np.ndindex(np.shape(x))]
            found.append(np.stack(parts).reshape(np.shape(x)) if np.ndim(x) else parts[0])
        return _tree.fill(args[argnum], iter(found))

    def _like(self, argnum: int, args: Args, at: Callable[[int, Any], Any]) -> Tree:
        found: list[Any] = []
        for k, (_, x) in enumerate(_tree.leaves(args[argnum])):
            if not _moves(x):
                found.append(None)
                continue
            slopes = np.zeros(np.shape(x))
            for index in np.ndindex(slopes.shape):
                slopes[index] = at(k, index)
            found.append(slopes)
        return _tree.map_complex(np.conj, _tree.fill(args[argnum], iter(found)))

    def _rises(self, argnum: int, args: Args, kwargs: Kwargs) -> dict[Any, list[Any]]:
        """The slope of every leaf of the result in each element of an argument."""
        leaves = [x for _, x in _tree.leaves(args[argnum])]
        found: dict[Any, list[Any]] = {}
        for k, x in enumerate(leaves):
            if not _moves(x):
                continue
            for index in np.ndindex(np.shape(x)):
                above, below = _moved(x, index, 1), _moved(x, index, -1)
                width = float(np.asarray(above)[index]) - float(np.asarray(below)[index])
                ups = self._values(argnum, args, kwargs, [*leaves[:k], above, *leaves[k + 1 :]])
                downs = self._values(argnum, args, kwargs, [*leaves[:k], below, *leaves[k + 1 :]])
                found[k, index] = [
                    (np.asarray(a, float) - np.asarray(b, float)) / width
                    for a, b in zip(ups, downs, strict=True)
                ]
        return found

    def _values(self, argnum: int, args: Args, kwargs: Kwargs, leaves: list[Any]) -> list[Any]:
        given = _tree.fill(args[argnum], iter(leaves))
        out = self.function(*args[:argnum], given, *args[argnum + 1 :], **kwargs)
        return [x for _, x in _tree.leaves(out)]


def _moves(x: Any) -> bool:
    return is_input(x) and np.asarray(x).dtype.kind == "f"


def _moved(x: Any, index: Any, sign: int) -> Any:
    moved = np.array(x)
    step = float(np.cbrt(np.finfo(moved.dtype).eps)) * max(abs(float(moved[index])), 1.0)
    moved[index] += sign * step
    return moved if isinstance(x, np.ndarray) else type(x)(moved)


def _inner(seeds: Sequence[Any], slopes: Sequence[Any]) -> Any:
    total: Any = 0.0
    for seed, slope in zip(seeds, slopes, strict=True):
        total = total + np.sum(seed * slope)
    return total
