"""v.flat: the elements of a Variable in order, read and written as by NumPy's iterator."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad._core import Variable, as_float, is_blank, to_number
from tapegrad.numpy.operands import LIFTED, describe, is_integer, lift, plain, shape_of
from tapegrad.numpy.refusals import array_refusal
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.writes import write_at


class FlatIterator:
    """Like numpy.flatiter, of a Variable: what is assigned shows in it."""

    def __init__(self, base: Variable) -> None:
        self._base = base
        self._index = 0
        self._shape: tuple[int, ...] | None = None

    def _known_shape(self) -> tuple[int, ...]:
        if self._shape is None:
            self._shape = shape_of(self._base)
        return self._shape

    @property
    def base(self) -> Variable:
        """The Variable whose elements these are."""
        return self._base

    @property
    def index(self) -> int:
        """How many elements next() has given."""
        return self._index

    @property
    def coords(self) -> tuple[int, ...]:
        """Where in the Variable the next element stands."""
        shape = self._known_shape()
        found = []
        rest = self._index
        for i in range(len(shape) - 1, -1, -1):
            rest, at = divmod(rest, shape[i]) if i else (0, rest)
            found.append(at)
        return tuple(reversed(found))

    def copy(self) -> Any:
        """The elements as an array of one axis."""
        return self._base.copy().reshape(-1)

    def __len__(self) -> int:
        return math.prod(self._known_shape())

    def __iter__(self) -> FlatIterator:
        return self

    def __next__(self) -> Any:
        if self._index >= len(self):
            raise StopIteration
        found = self._base[self.coords]
        self._index += 1
        return found

    def __getitem__(self, key: Any) -> Any:
        found = reshape(self._base, (-1,))[_checked(key)]
        return found.copy() if np.ndim(found) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        key, value = _checked(key), lift(value)
        if key == () if isinstance(key, tuple) else False:
            raise IndexError("Assigning to a flat iterator with a 0-D index is not supported")
        if isinstance(key, (int, np.integer)) and np.ndim(value):
            raise ValueError("Error setting single item of array.")
        if is_integer(key):
            write_at(self._base, key.reshape(-1), value)
            return
        at = np.arange(len(self))[plain(key)]
        write_at(self._base, np.reshape(at, -1), value)

    def __eq__(self, other: Any) -> Any:
        return self.copy() == _copied(other)

    def __ne__(self, other: Any) -> Any:
        return self.copy() != _copied(other)

    def __lt__(self, other: Any) -> Any:
        return self.copy() < _copied(other)

    def __le__(self, other: Any) -> Any:
        return self.copy() <= _copied(other)

    def __gt__(self, other: Any) -> Any:
        return self.copy() > _copied(other)

    def __ge__(self, other: Any) -> Any:
        return self.copy() >= _copied(other)

    __hash__ = None  # type: ignore[assignment]  # as of every array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(array_refusal(describe(self._base)))

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        return function(*_copied(args), **_copied(kwargs))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*_copied(inputs), **_copied(kwargs))


LIFTED[FlatIterator] = FlatIterator.copy


def _checked(key: Any) -> Any:
    """A key of one axis."""
    if isinstance(key, tuple) and len(key) > 1:
        raise IndexError(
            "too many indices for flat iterator: flat iterator is 1-dimensional, but "
            f"{len(key)} were indexed"
        )
    if isinstance(key, tuple) and key:
        (key,) = key
    if key is None or isinstance(key, (bool, np.bool_, float)):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`) and integer or boolean arrays are valid "
            "indices"
        )
    if isinstance(key, (slice, tuple, Variable)) or key is ...:
        return key
    array = np.asarray(plain(key))
    if array.dtype == bool and array.ndim > 1:
        raise IndexError(
            "too many indices for flat iterator: flat iterator is 1-dimensional, but "
            f"{array.ndim} were indexed"
        )
    if not array.ndim:
        return operator.index(array[()])
    return array if array.size else array.astype(np.intp)


def _copied(x: Any) -> Any:
    """With an array in place of each iterator."""
    if isinstance(x, FlatIterator):
        return x.copy()
    if type(x) in (list, tuple):
        return type(x)(map(_copied, x))
    if type(x) is dict:
        return {name: _copied(item) for name, item in x.items()}
    return x


def set_flat(v: Variable, x: Any) -> None:
    """v.flat = x: the elements of x, repeated."""
    write_at(v, np.arange(math.prod(shape_of(v))), lift(x))


def item(v: Variable, *at: Any) -> Any:
    """v.item(): the element where Python has a float, still differentiated."""
    if v.dtype.kind != "f" or is_blank(v):
        return np.asarray(v).item(*at)
    shape = shape_of(v)
    n = math.prod(shape)
    if not at:
        if n != 1:
            raise ValueError(
                f"v.item(): {describe(v)} has {n} elements, and one becomes a number; name it, as "
                "in v.item(0) or v.item(i, j)"
            )
        at = (0,)
    if len(at) == 1 and isinstance(at[0], tuple):
        at = at[0]
    elif len(at) == 1:
        place = operator.index(at[0])
        if not -n <= place < n:
            raise IndexError(f"index {place} is out of bounds for size {n}")
        at = tuple(map(int, np.unravel_index(place % n, shape)))
    if len(at) != len(shape):
        raise ValueError(
            f"v.item: {len(at)} positions for {describe(v)}; give {len(shape)}, or one"
        )
    element = to_number(v[at] if shape else v)
    return as_float(element.astype(np.float64) if element.dtype != np.float64 else element)
