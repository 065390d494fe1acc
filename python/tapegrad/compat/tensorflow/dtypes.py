"""Dtypes by TensorFlow's names: NumPy's own, with what programs ask of a `tf.DType`."""

from __future__ import annotations

from typing import Any

import numpy as np


class DType(str):
    """A name of a dtype, equal to itself and to NumPy's dtype.

    Python floats are float64, and so is 'float': the word says what Python means by it.
    """

    __slots__ = ()

    @property
    def as_numpy_dtype(self) -> type[Any]:
        """NumPy's type."""
        return np.dtype(str(self)).type

    @property
    def name(self) -> str:
        """The name."""
        return str(self)

    @property
    def base_dtype(self) -> DType:
        """The dtype itself: there are no references here."""
        return self

    @property
    def is_floating(self) -> bool:
        """Whether it has derivatives."""
        return np.dtype(str(self)).kind == "f"

    @property
    def is_integer(self) -> bool:
        """Whether it is of integers."""
        return np.dtype(str(self)).kind in "iu"

    @property
    def min(self) -> Any:
        """The least number."""
        kind = np.dtype(str(self))
        return np.finfo(kind).min if self.is_floating else np.iinfo(kind).min

    @property
    def max(self) -> Any:
        """The greatest number."""
        kind = np.dtype(str(self))
        return np.finfo(kind).max if self.is_floating else np.iinfo(kind).max

    def __eq__(self, other: object) -> bool:
        try:
            return bool(np.dtype(str(self)) == np.dtype(_numpy_name(other)))
        except (TypeError, NotImplementedError):
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"tf.{self}"


float64 = double = DType("float64")
float32 = DType("float32")
int8, int16, int32, int64 = (DType(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (DType(f"uint{n}") for n in (8, 16, 32, 64))
bool_ = DType("bool")
ALL = {
    d.name: d
    for d in (float64, float32, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool_)
}
_WORDS = {"float": "float64", "int": "int32", "double": "float64", "half": "float16"}


def _numpy_name(x: Any) -> Any:
    if x is float:
        return "float64"
    if x is int:
        return "int32"
    return _WORDS.get(x, str(x)) if isinstance(x, str) else x


def numpy_dtype(x: Any) -> np.dtype[Any]:
    """NumPy's dtype of a name, a type or a dtype."""
    try:
        found: np.dtype[Any] = np.dtype(_numpy_name(x))
    except TypeError:
        raise TypeError(f"{x!r} is no dtype; the names are {', '.join(sorted(ALL))}") from None
    if found.name not in ALL:
        raise TypeError(
            f"dtype {found.name} has no derivatives here; use tf.float32 or tf.float64 (of others "
            f"there are {', '.join(sorted(ALL))})"
        )
    return found


def as_dtype(x: Any) -> DType:
    """The `tf.DType` of a name, a type or a dtype."""
    return ALL[numpy_dtype(x).name]
