"""The arguments of one call, taken apart once: leaves, structure, inputs and key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable, value

INPUT_KINDS = "?bBhHiIlLqQfd"  # dtype characters that programs take
_BY_VALUE = (int, str, bytes, type(None), type(Ellipsis), np.integer, np.bool_, np.dtype)
NUMBERS = (int, np.integer)
_LARGE = 2**31  # from here on arithmetic of a few numbers may need more than 64 bits
_FLOATS = (float, np.float64, np.float32)


class _UnsupportedLeafError(Exception):
    """An argument that no program takes; the message goes on after the argument's name."""


class Arguments:
    """The arguments of a call, as leaves and structure.

    `structure` is the pair of positional and keyword arguments, `leaves` what stands in them, in
    order (None belongs to the structure), `inputs` the places of those leaves that a recording
    takes as its inputs.
    """

    inputs: Sequence[int]

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

    `key` identifies the signature. `values` are the contents of the inputs: what a program gets.
    `has_variables` says whether Variables are among the arguments, which count like what they hold;
    `unsupported`, if not empty, why no program takes them.
    """

    has_variables = False
    unsupported = ""  # what is wrong with an argument, and what would do

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.structure = (args, kwargs)
        self.leaves: list[Any] = []
        self.inputs: list[int] = []
        self.values: list[Any] = []
        self._identities: list[int] = []
        parts: list[Any] = []
        try:
            for x in args:
                self._read(x, parts)
            for name, x in kwargs.items():
                parts.append(name)
                self._read(x, parts)
        except _UnsupportedLeafError as error:
            self.unsupported = f"{self._path(len(self.leaves))} {error}"
        self.key = tuple(parts)

    def is_flat(self) -> bool:
        """Whether each argument is itself an input, and none a container or a fixed value."""
        args, kwargs = self.structure
        return len(self.inputs) == len(args) + len(kwargs) == len(self.key) - len(kwargs)

    def identities(self) -> list[tuple[str, Any]]:
        """The arguments that count by identity, with the words that messages call them by."""
        return [(self._path(k), self.leaves[k]) for k in self._identities]

    def _path(self, leaf: int) -> str:
        args, kwargs = self.structure
        found = [pair for i, x in enumerate(args) for pair in _tree.leaves(x, f"argument {i}")]
        for name, x in kwargs.items():
            found += _tree.leaves(x, f"argument {name!r}")
        return found[leaf][0] if leaf < len(found) else "an argument"

    def has_free_numbers(self) -> bool:
        """Whether whole numbers are among the inputs."""
        return any(isinstance(x, NUMBERS) for x in self.input_leaves())

    def has_floats(self) -> bool:
        """Whether Python floats are among the arguments."""
        return any(type(x) is float for x in self.leaves)

    def takes_numbers(self) -> bool:
        """Whether there are numbers among the arguments that are no inputs of programs."""
        inputs = set(self.inputs)
        return any(
            isinstance(x, (int, float, np.number)) and k not in inputs
            for k, x in enumerate(self.leaves)
        )

    def with_fixed_floats(self) -> tuple[tuple[str, ...], Call]:
        """The Python floats as texts (-0.0 is not 0.0), and the call in which they are fixed."""
        floats = tuple(x.hex() for x in self.values if type(x) is float)
        places = [k for k in self.inputs if type(self.leaves[k]) is not float]
        return floats, self._like(self.structure, self.leaves, places)

    def of_any_number(self) -> Call | None:
        """The call in which whole numbers are inputs; None where there are none, or a large one."""
        places = [k for k, x in enumerate(self.leaves) if isinstance(x, NUMBERS)]
        places = [k for k in places if type(self.leaves[k]) is not bool]
        if not places or not all(abs(int(self.leaves[k])) < _LARGE for k in places):
            return None
        found = self._like(self.structure, self.leaves, sorted([*self.inputs, *places]))
        found.key = tuple(map(_without_number, self.key))
        return found

    def without_variables(self) -> Call:
        """The call with what its Variables hold."""
        args, kwargs, leaves = self.filled(self.values)
        return self._like((args, kwargs), leaves, self.inputs)

    def _like(self, structure: Any, leaves: list[Any], places: list[int]) -> Call:
        found = object.__new__(Call)
        found.structure, found.leaves, found.inputs = structure, leaves, places
        found.values = [np.int64(x) if type(x) is int else x for x in found.input_leaves()]
        found._identities, found.key = self._identities, self.key
        return found

    def _read(self, x: Any, parts: list[Any]) -> None:
        kind, held = type(x), x
        if kind in _FLOATS:
            parts.append(kind)
        elif (kind is np.ndarray and x.dtype.kind != "c") or kind is np.memmap:
            self._check_array(x)
            parts.append((x.shape, x.dtype))
        elif isinstance(x, Variable):
            self.has_variables = True
            held = value(x)
            parts.append((held.shape, held.dtype) if type(held) is np.ndarray else type(held))
        else:
            return self._read_other(x, kind, parts)
        self.inputs.append(len(self.leaves))
        self.leaves.append(x)
        self.values.append(held)
        return None

    def _read_other(self, x: Any, kind: Any, parts: list[Any]) -> None:
        if x is None:  # no leaf
            return parts.append((kind, x))
        if kind is not int:
            children = _tree.children(x)
            if children is not None:
                parts.append((kind, len(children), *self._rest(x)))
                for key, item in children:
                    parts.append(key)
                    self._read(item, parts)
                return None
        parts.append(self._part_of_leaf(x, kind))
        self.leaves.append(x)
        return None

    def _rest(self, x: Any) -> tuple[Any, ...]:
        """What an object of a registered class is besides its parts, which must have a value."""
        found = _tree.rest(x)
        try:
            hash(found)
        except TypeError:
            raise _UnsupportedLeafError(
                f"holds a {type(x).__name__} whose fixed part {found[0]!r} has no hash, by which "
                "programs are told apart; make it of numbers, strings and tuples"
            ) from None
        return tuple(map(_with_type, found))

    def _part_of_leaf(self, x: Any, kind: Any) -> Any:
        if isinstance(x, _BY_VALUE):
            return kind, x
        if isinstance(x, np.ndarray):
            raise _UnsupportedLeafError(
                f"is a {kind.__name__}, whose behaviour is not NumPy's plain one; pass np.asarray "
                "of it"
            )
        if isinstance(x, slice):
            return slice, _bound(x.start), _bound(x.stop), _bound(x.step)
        self._identities.append(len(self.leaves))
        return (kind, x) if has_value(kind) else ("is", id(x))

    def _check_array(self, x: np.ndarray[Any, Any]) -> None:
        """Raises where no program takes this array."""
        if x.dtype.char in INPUT_KINDS and x.dtype.isnative:
            return
        if x.dtype == object:
            self.has_variables = True  # it may hold some
        raise _UnsupportedLeafError(
            f"is {_tree.describe(x)}; programs take float64, float32, integers and bools of this "
            "machine's byte order (x.astype(float) converts)"
        )


def _with_type(x: Any) -> Any:
    """`x` with its type, and those of what it holds: 1, 1.0 and True are three things."""
    return type(x), tuple(map(_with_type, x)) if isinstance(x, tuple) else x


def _bound(x: Any) -> Any:
    if x is None or isinstance(x, (int, np.integer)):
        return x
    raise _UnsupportedLeafError("is a slice with bounds that are not integers")


# Where Python's own types are at home whose objects are equal by what they hold, and can't change.
_OF_VALUES = frozenset(
    {"fractions", "decimal", "datetime", "zoneinfo", "uuid", "pathlib", "ipaddress", "builtins"}
)


def has_value(kind: type) -> bool:
    """Whether objects of this type are equal by what they hold, and can't change.

    That a class defines `==` and a hash is no promise: its objects may hold lists or arrays. So
    only types of Python itself count (fractions, dates, paths ...).
    """
    equal: Any = kind.__eq__
    is_pythons = kind.__module__.partition(".")[0].lstrip("_") in _OF_VALUES
    is_value = kind.__hash__ is not None and equal is not object.__eq__
    return is_pythons and is_value and kind is not memoryview


def _without_number(part: Any) -> Any:
    if type(part) is not tuple or len(part) != 2 or not isinstance(part[0], type):
        return part
    is_number = issubclass(part[0], NUMBERS) and part[0] is not bool
    return part[0] if is_number else part


def without_integers(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key of a signature without the values of integers."""
    return tuple(
        part[0] if type(part) is tuple and len(part) == 2 and part[0] is int else part
        for part in key
    )
