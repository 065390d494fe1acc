"""A call whose arguments are moved, as a function from vectors to vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad._tree import Tree
from tapegrad.transforms.jacobians import of_rows
from tapegrad.transforms.trace import Argnum, check_leaf, conjugated, name_of, positions

Vector = np.ndarray[Any, np.dtype[Any]]
_MOST_NUMBERS = 2**22  # in the points of one call of a function of batches

_REAL = frozenset({float, np.float64})
_COMPLEX = _REAL | {complex, np.complex128}


class Problem:
    """`f(*args, **kwargs)` in the arguments `argnum`.

    `x` holds their numbers, real and imaginary parts one by one. `out` is the result there, and
    `value` its numbers. With `batch`, `f` takes the moved arguments, and gives its result, with
    one more axis in front.
    """

    def __init__(
        self,
        transform: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnum: Argnum,
        has_aux: bool = False,
        batch: bool = False,
    ) -> None:
        self.label = f"numerical.{transform}({name_of(f)})"
        self.f, self.args, self.kwargs = f, args, kwargs
        self.has_aux, self.batch = has_aux, batch
        self.argnums, self.single = positions(self.label, argnum, args)
        self.chosen = [args[i] for i in self.argnums]
        self.leaves: list[Any] = []
        for i in self.argnums:
            for path, x in _tree.leaves(args[i], f"argument {i}"):
                self.leaves.append(_checked(self.label, x, path))
        self.shapes = [np.shape(x) for x in self.leaves]
        flat = [np.asarray(x, np.float64).ravel() for x in self.leaves]
        self.x = np.concatenate(flat) if flat else np.zeros(0)
        self.is_complex = any(_tree.has_complex(tree) for tree in self.chosen)
        alone = self.single and not has_aux and _tree.is_leaf(self.chosen[0])
        first = self.leaves[0] if alone else None
        self._is_plain = alone and (isinstance(first, (np.ndarray, float)))
        self._before = args[: self.argnums[0]] if alone else ()
        self._after = args[self.argnums[0] + 1 :] if alone else ()
        self.aux: Any = None
        self.out = self._at_x()
        self.has_complex = self.is_complex or _tree.has_complex(self.out)
        found = _tree.leaves(self.out, "the result")
        self.out_shapes = [np.shape(y) for _, y in found]
        self.value = self._numbers(found)
        single = any(getattr(y, "dtype", None) == np.float32 for _, y in found)
        self.eps = float(np.finfo(np.float32 if single else np.float64).eps)

    def _at_x(self) -> Tree:
        points = np.stack([self.x]) if self.batch else self.x
        out = self._call(points)
        if self.has_aux:
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise TypeError(
                    f"{self.label}: with has_aux=True the function returns the pair (value, aux), "
                    f"and it returned {_tree.describe(out)}"
                )
            out, self.aux = out
        if not self.batch:
            return out
        rows = [self._row(path, y, 1)[0] for path, y in _tree.leaves(out, "the result")]
        return _tree.fill(out, iter([y[()] if np.ndim(y) == 0 else y for y in rows]))

    def _row(self, path: str, y: Any, n: int) -> Any:
        if np.ndim(y) == 0 or np.shape(y)[0] != n:
            raise ValueError(
                f"{self.label}: {path} has shape {np.shape(y)} for {n} points; with batch=True the "
                "function gives one result for each, along the first axis (leave batch out for a "
                "function of one point)"
            )
        return y

    def _call(self, points: Vector) -> Any:
        """The function at a point, or at the rows of many: on arrays that nobody else has."""
        args = list(self.args)
        parts = iter(self._parts(points))
        for i in self.argnums:
            args[i] = _tree.fill(args[i], parts)
        return self.f(*args, **self.kwargs)

    def _parts(self, points: Vector) -> Iterator[Any]:
        start = 0
        for x, shape in zip(self.leaves, self.shapes, strict=True):
            stop = start + int(np.prod(shape))
            part = points[..., start:stop].reshape(points.shape[:-1] + shape).copy()
            yield part if isinstance(x, np.ndarray) or part.ndim else part.item()
            start = stop

    def _numbers(self, found: list[tuple[str, Any]], n: int = -1) -> Vector:
        """The leaves of a result as one vector; of n results, as rows."""
        parts = []
        for path, y in found:
            if isinstance(y, Variable) or not isinstance(
                y, (np.ndarray, np.generic, float, int, complex)
            ):
                raise TypeError(
                    f"{self.label}: {path} is {_tree.describe(y)}; differences are of plain "
                    "numbers and arrays: return some, or call the exact transform, tg."
                    + self.label.removeprefix("numerical.")
                )
            array = np.asarray(y)
            parts.append(array.reshape(-1) if n < 0 else self._row(path, array, n).reshape(n, -1))
        if not parts:
            raise TypeError(f"{self.label}: the function returned None; is the return missing?")
        return np.concatenate(parts, axis=-1).astype(complex if _any_complex(parts) else float)

    def at(self, points: Vector) -> Vector:
        """The numbers of the result at each row of `points`."""
        if self.batch:
            rows = max(1, _MOST_NUMBERS // max(1, points.shape[1]))
            starts = range(0, len(points), rows)
            return np.concatenate([self._batch(points[k : k + rows]) for k in starts])
        return np.stack([self._one(point) for point in points])

    def _batch(self, points: Vector) -> Vector:
        return self._numbers(self._leaves(points), len(points))

    def _one(self, point: Vector) -> Vector:
        if self._is_plain:  # one array or number, and one number comes back: the usual case
            x = point.reshape(self.shapes[0]).copy()
            out = self.f(*self._before, x if x.ndim else x.item(), *self._after, **self.kwargs)
            kinds = _COMPLEX if np.iscomplexobj(point) else _REAL
            if type(out) in kinds and len(self.value) == 1:
                return np.array([out])
            numbers = self._numbers(self._found(out, point))
        else:
            numbers = self._numbers(self._leaves(point))
        if numbers.shape != self.value.shape:
            raise ValueError(
                f"{self.label}: the function returned {len(numbers)} numbers beside a point where "
                f"it returned {len(self.value)}; its result must keep its shape"
            )
        return numbers

    def _leaves(self, points: Vector) -> list[tuple[str, Any]]:
        return self._found(self._call(points), points)

    def _found(self, out: Any, points: Vector) -> list[tuple[str, Any]]:
        value = out[0] if self.has_aux else out
        # At complex points the results are complex: those are their numbers.
        whole = np.iscomplexobj(points)
        return _whole(value, "the result") if whole else _tree.leaves(value, "the result")

    # What comes out.

    def arguments(self, numbers: Vector, shape: tuple[int, ...] = ()) -> list[Any]:
        """Trees like the arguments, of arrays `shape` + shape, from columns of `numbers`."""
        parts, start = [], 0
        for x, own in zip(self.leaves, self.shapes, strict=True):
            stop = start + int(np.prod(own))
            part = numbers[..., start:stop].reshape(shape + own)
            part = part.astype(getattr(x, "dtype", np.float64))
            parts.append(part if part.ndim else part.item())
            start = stop
        rest = iter(parts)
        return [_tree.fill(tree, rest) for tree in self.chosen]

    def gradient(self, numbers: Vector) -> Any:
        """The gradient, of complex arguments as tapegrad writes it."""
        trees = [_tree.map_complex(conjugated, tree) for tree in self.arguments(numbers)]
        return trees[0] if self.single else tuple(trees)

    def jacobian(self, numbers: Vector) -> Any:
        """A tree like the result whose leaves are trees like the arguments."""
        rows, start = [], 0
        for shape in self.out_shapes:
            stop = start + int(np.prod(shape))
            trees = self.arguments(numbers[start:stop], shape)
            rows.append(trees[0] if self.single else tuple(trees))
            start = stop
        return of_rows(self.out, iter(rows))

    def hessian(self, numbers: Vector) -> Any:
        """The same for trees of trees, from an array (outputs, inputs, inputs)."""
        rows, start = [], 0
        for shape in self.out_shapes:
            stop = start + int(np.prod(shape))
            block = numbers[start:stop]
            columns, first = [], 0
            for own in self.shapes:
                last = first + int(np.prod(own))
                inner = self.arguments(block[:, first:last], shape + own)
                columns.append(inner[0] if self.single else tuple(inner))
                first = last
            rest = iter(columns)
            trees = [_tree.fill(tree, rest) for tree in self.chosen]
            rows.append(trees[0] if self.single else tuple(trees))
            start = stop
        return _tree.fill(self.out, iter(rows))

    def like_result(self, numbers: Vector) -> Any:
        """A tree like the result."""
        parts, start = [], 0
        for shape in self.out_shapes:
            stop = start + int(np.prod(shape))
            part = numbers[start:stop].reshape(shape)
            parts.append(part if shape else part.item())
            start = stop
        return _tree.fill(self.out, iter(parts))


def _whole(tree: Tree, path: str) -> list[tuple[str, Any]]:
    """The leaves, of which a complex number or array is one."""
    if tree is None or _tree.is_complex(tree) or _tree.is_leaf(tree):
        return [] if tree is None else [(path, tree)]
    parts = _tree.children(tree) or []
    return [leaf for key, part in parts for leaf in _whole(part, path + key)]


def _any_complex(parts: list[Any]) -> bool:
    return any(part.dtype.kind == "c" for part in parts)


def _checked(label: str, x: Any, path: str) -> Any:
    """A leaf that can be moved."""
    if isinstance(x, Variable):
        raise TypeError(
            f"{label}: {path} is {_tree.describe(x)}; differences are of plain numbers: pass "
            "tg.value(x), or call the exact transform, tg." + label.removeprefix("numerical.")
        )
    return check_leaf(label, x, path)
