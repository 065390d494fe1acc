"""Shapes of tensors, of which lengths may be open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NoReturn


class Dimension(int):
    """A length, with TensorFlow 1's `value`."""

    @property
    def value(self) -> int:
        """The length."""
        return int(self)


def _length(n: Any) -> int | None:
    return None if n is None or getattr(n, "value", n) is None else int(n)


class TensorShape:
    """The lengths of a tensor's axes: None where one is open; of unknown rank, all are."""

    def __init__(self, dims: Any) -> None:
        self.lengths: tuple[int | None, ...] | None = None
        if isinstance(dims, TensorShape):
            self.lengths = dims.lengths
        elif dims is not None:
            found = dims if isinstance(dims, list | tuple) else (dims,)
            self.lengths = tuple(_length(n) for n in found)

    @property
    def ndims(self) -> int | None:
        """The number of axes."""
        return None if self.lengths is None else len(self.lengths)

    rank = ndims

    @property
    def dims(self) -> list[Any] | None:
        """The lengths, each with a `value`."""
        return None if self.lengths is None else list(self)

    def as_list(self) -> list[int | None]:
        """The lengths."""
        if self.lengths is None:
            raise ValueError(
                "as_list(): a TensorShape of unknown rank has no lengths; tf.shape(x) is them "
                "as a tensor"
            )
        return list(self.lengths)

    def is_fully_defined(self) -> bool:
        """Whether every length is known."""
        return self.lengths is not None and None not in self.lengths

    def num_elements(self) -> int | None:
        """The product of the lengths."""
        if not self.is_fully_defined():
            return None
        return math.prod(n for n in self.lengths or () if n is not None)

    def __iter__(self) -> Iterator[Any]:
        if self.lengths is None:
            raise ValueError("a TensorShape of unknown rank has no lengths to iterate over")
        return iter([_OPEN if n is None else Dimension(n) for n in self.lengths])

    def __getitem__(self, k: Any) -> Any:
        found = list(self)[k]
        return TensorShape([x.value for x in found]) if isinstance(k, slice) else found

    def __len__(self) -> int:
        if self.lengths is None:
            raise ValueError("a TensorShape of unknown rank has no length")
        return len(self.lengths)

    def __bool__(self) -> bool:
        return self.lengths is not None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorShape):
            return bool(self.lengths == other.lengths)
        if isinstance(other, list | tuple):
            return bool(self.lengths == TensorShape(other).lengths)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.lengths)

    def __repr__(self) -> str:
        return f"TensorShape({None if self.lengths is None else list(self.lengths)})"

    def __str__(self) -> str:
        if self.lengths is None:
            return "<unknown>"
        inner = ", ".join("?" if n is None else str(n) for n in self.lengths)
        return f"({inner}{',' if len(self.lengths) == 1 else ''})"


class _Open:
    """A length that is not known."""

    value = None

    def __int__(self) -> NoReturn:
        raise TypeError(
            "this length is open until the graph is run: tf.shape(x)[k] is it as a tensor"
        )

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, _Open)

    def __hash__(self) -> int:
        return hash(None)

    def __repr__(self) -> str:
        return "Dimension(None)"

    def __str__(self) -> str:
        return "?"


_OPEN = _Open()
