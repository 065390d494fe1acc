"""The arguments of one call, taken apart once: leaves, structure, inputs and key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable, value

INPUT_KINDS = "?bBhHiIlLqQfd"  # dtype characters that programs take
_BY_VALUE = (int, str, bytes, type(None), type(Ellipsis), np.integer, np.bool_, np.dtype)
_FLOATS = (float, np.float64, np.float32)


class UnsupportedError(Exception):
    """An argument that no program takes; the message says what would do."""


class Arguments:
    """The arguments of a call, as leaves and structure.

    `structure` is the pair of positional and keyword arguments, `leaves` what stands in them, in
    order (None belongs to the structure), `inputs` the places of those leaves that a recording
    takes as its inputs.
    """

    __slots__ = ("inputs", "leaves", "structure")

    def __init__(
        self, structure: tuple[Any, Any], leaves: list[Any], inputs: Sequence[int]
    ) -> None:
        self.structure = structure
        self.leaves = leaves
        self.inputs = inputs

    def input_leaves(self) -> list[Any]:
        """The inputs, in order."""
        leaves = self.leaves
        return [leaves[k] for k in self.inputs]

    def filled(self, inputs: Iterable[Any]) -> tuple[Any, Any, list[Any]]:
        """Positional and keyword arguments with these inputs, and their leaves."""
        leaves = list(self.leaves)
        for k, x in zip(self.inputs, inputs, strict=True):
            leaves[k] = x
        args, kwargs = _tree.fill(self.structure, iter(leaves))
        return args, kwargs, leaves


class Call(Arguments):
    """The arguments of a call of a compiled function.

    `key` identifies the signature. `identities` are the arguments that count by identity, with the
    words that messages call them by. `has_variables` says whether Variables are among the
    arguments, which count like what they hold.

    Raises:
        UnsupportedError: An argument that no program takes.
    """

    __slots__ = ("_values", "has_variables", "identities", "key", "unsupported")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.structure = (args, kwargs)
        self.leaves: list[Any] = []
        places: list[int] = []
        self.inputs = places
        self.identities: list[tuple[str, Any]] = []
        self.has_variables = False
        self.unsupported = ""
        self._values: list[Any] | None = None
        parts: list[Any] = []
        try:
            for i, x in enumerate(args):
                self._read(x, f"argument {i}", parts, places)
            for name, x in kwargs.items():
                parts.append(name)
                self._read(x, f"argument {name!r}", parts, places)
        except UnsupportedError as error:
            self.unsupported = str(error)
        self.key = tuple(parts)

    @property
    def values(self) -> list[Any]:
        """The contents of the inputs: what a program gets."""
        found = self._values
        if found is None:
            found = self.input_leaves()
            if self.has_variables:
                found = [value(x) if isinstance(x, Variable) else x for x in found]
            self._values = found
        return found

    def has_floats(self) -> bool:
        """Whether Python floats are among the arguments."""
        return any(type(x) is float for x in self.leaves)

    def with_fixed_floats(self) -> tuple[tuple[float, ...], Call]:
        """The Python floats, and the call in which they are no inputs."""
        floats = tuple(x for x in self.values if type(x) is float)
        places = [k for k in self.inputs if type(self.leaves[k]) is not float]
        return floats, self._like(self.structure, self.leaves, places)

    def without_variables(self) -> Call:
        """The call with what its Variables hold."""
        args, kwargs, leaves = self.filled(self.values)
        return self._like((args, kwargs), leaves, self.inputs)

    def _like(self, structure: Any, leaves: list[Any], places: Sequence[int]) -> Call:
        found = object.__new__(Call)
        found.structure, found.leaves, found.inputs = structure, leaves, places
        found.identities, found.key = self.identities, self.key
        found.has_variables, found.unsupported, found._values = False, "", None
        return found

    def _read(self, x: Any, path: str, parts: list[Any], places: list[int]) -> None:
        kind = type(x)
        if kind in _FLOATS:
            parts.append(kind)
        elif kind is np.ndarray or kind is np.memmap:
            self._check_array(x, path)
            parts.append((x.shape, x.dtype))
        elif isinstance(x, Variable):
            self.has_variables = True
            held = value(x)
            parts.append((held.shape, held.dtype) if type(held) is np.ndarray else type(held))
        else:
            return self._read_other(x, path, parts, places)
        places.append(len(self.leaves))
        self.leaves.append(x)
        return None

    def _read_other(self, x: Any, path: str, parts: list[Any], places: list[int]) -> None:
        kind = type(x)
        children = None if x is None else _tree.children(x)
        if children is not None:
            parts.append((kind, len(children)))
            for key, item in children:
                parts.append(key)
                self._read(item, path + key, parts, places)
            return
        if isinstance(x, _BY_VALUE):
            parts.append((kind, x))
        elif isinstance(x, np.ndarray):
            raise UnsupportedError(
                f"{path} is a {kind.__name__}, whose behaviour is not NumPy's plain one; pass "
                "np.asarray of it"
            )
        elif isinstance(x, complex):
            raise UnsupportedError(
                f"{path} is complex; pass real and imaginary parts, each a float or an array"
            )
        elif isinstance(x, slice):
            parts.append((slice, _bound(x.start), _bound(x.stop), _bound(x.step)))
        else:
            parts.append((kind, x) if has_value(kind) else ("is", id(x)))
            self.identities.append((path, x))
        if x is not None:
            self.leaves.append(x)

    def _check_array(self, x: np.ndarray[Any, Any], path: str) -> None:
        """Raises where no program takes this array."""
        if x.dtype == object:
            self.has_variables = True  # it may hold some
        if x.dtype.char not in INPUT_KINDS or not x.dtype.isnative:
            raise UnsupportedError(
                f"{path} is {_tree.describe(x)}; programs take float64, float32, integers and "
                "bools of this machine's byte order (x.astype(float) converts)"
            )


def _bound(x: Any) -> Any:
    if x is None or isinstance(x, (int, np.integer)):
        return x
    raise UnsupportedError("a slice among the arguments has bounds that are not integers")


def has_value(kind: type) -> bool:
    """Whether objects of this type are equal by what they hold, and can't change."""
    equal: Any = kind.__eq__
    return kind.__hash__ is not None and equal is not object.__eq__


def without_integers(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key of a signature without the values of integers."""
    return tuple(
        part[0] if type(part) is tuple and len(part) == 2 and part[0] is int else part
        for part in key
    )
