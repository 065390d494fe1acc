"""What identifies a call: how its arguments are nested, which are inputs, and what is fixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable, value

INPUT_KINDS = "?bBhHiIlLqQfd"  # dtype characters that programs take
_BY_VALUE = (int, str, bytes, type(None), type(Ellipsis), np.integer, np.bool_, np.dtype)
_FLOATS = (float, np.float64, np.float32)


class InlineError(Exception):
    """The call is best left to the function itself: a Variable is among its arguments."""


class UnsupportedError(Exception):
    """An argument that no program takes; the message says what would do."""


class Signature:
    """The key of a call, its inputs in order, and the objects that are fixed by identity."""

    __slots__ = ("fixed", "inputs", "key")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.inputs: list[Any] = []
        self.fixed: list[tuple[str, Any]] = []
        parts: list[Any] = []
        for i, x in enumerate(args):
            self._read(x, f"argument {i}", parts)
        for name in sorted(kwargs):
            parts.append(name)
            self._read(kwargs[name], f"argument {name!r}", parts)
        self.key = tuple(parts)

    def _read(self, x: Any, path: str, parts: list[Any]) -> None:
        kind = type(x)
        if kind in _FLOATS:
            parts.append(kind)
            self.inputs.append(x)
        elif kind is np.ndarray or kind is np.memmap:
            check_array(x, path)
            parts.append((x.shape, x.dtype))
            self.inputs.append(x)
        elif isinstance(x, Variable):
            raise InlineError
        elif isinstance(x, np.ndarray):
            raise UnsupportedError(
                f"{path} is a {kind.__name__}, whose behaviour is not NumPy's plain one; pass "
                "np.asarray of it"
            )
        elif isinstance(x, _BY_VALUE):
            parts.append((kind, x))
        else:
            self._read_other(x, path, parts)

    def _read_other(self, x: Any, path: str, parts: list[Any]) -> None:
        if isinstance(x, complex):
            raise UnsupportedError(
                f"{path} is complex; pass real and imaginary parts, each a float or an array"
            )
        if isinstance(x, slice):
            parts.append((slice, _hashable(x.start), _hashable(x.stop), _hashable(x.step)))
            return
        children = _tree.children(x)
        if children is None:
            if has_value(type(x)):
                parts.append((type(x), x))
            else:
                parts.append(("is", id(x)))
            self.fixed.append((path, x))
            return
        parts.append((type(x), len(children)))
        for key, item in children:
            parts.append(key)
            self._read(item, path + key, parts)


def _hashable(x: Any) -> Any:
    if x is None or isinstance(x, (int, np.integer)):
        return x
    raise UnsupportedError("a slice among the arguments has bounds that are no whole numbers")


def check_array(x: np.ndarray[Any, Any], path: str) -> None:
    """Raises where no program takes this array."""
    if x.dtype == object:
        raise InlineError  # it may hold Variables
    if x.dtype.char not in INPUT_KINDS or not x.dtype.isnative:
        raise UnsupportedError(
            f"{path} is {_tree.describe(x)}; programs take float64, float32, integers and bools "
            "of this machine's byte order (x.astype(float) converts)"
        )


def has_value(kind: type) -> bool:
    """Whether objects of this type are equal by what they hold, and can't change."""
    equal: Any = kind.__eq__
    return kind.__hash__ is not None and equal is not object.__eq__


def plain_arguments(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with the contents of Variables in their place."""
    found = [value(x) if isinstance(x, Variable) else x for _, x in _tree.leaves((args, kwargs))]
    plain: tuple[tuple[Any, ...], dict[str, Any]] = _tree.fill((args, kwargs), iter(found))
    return plain


def is_input(x: Any, floats: bool = True) -> bool:
    """Whether a leaf is an input of programs; `floats`: Python's floats too."""
    kind = type(x)
    if kind is float:
        return floats
    return kind in _FLOATS or kind is np.ndarray or kind is np.memmap or isinstance(x, Variable)


def loosen(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key without the values of whole numbers."""
    return tuple(
        part[0] if type(part) is tuple and len(part) == 2 and part[0] is int else part
        for part in key
    )


def replace_inputs(
    args: tuple[Any, ...], kwargs: dict[str, Any], make: Callable[[Any], Any], floats: bool
) -> tuple[tuple[Any, ...], dict[str, Any], list[Any]]:
    """The arguments with every input replaced by `make` of it; all their new leaves, in order."""
    names = sorted(kwargs)
    tree = (args, [kwargs[name] for name in names])
    found = [make(x) if is_input(x, floats) else x for _, x in _tree.leaves(tree)]
    new_args, values = _tree.fill(tree, iter(found))
    return new_args, dict(zip(names, values, strict=True)), found


def same_leaves(args: Any, kwargs: dict[str, Any], before: list[Any]) -> bool:
    """Whether the containers among the arguments still hold what they held."""
    now = _tree.leaves((args, [kwargs[name] for name in sorted(kwargs)]))
    return len(now) == len(before) and all(
        x is old for (_, x), old in zip(now, before, strict=True)
    )


def inputs_of(args: Any, kwargs: dict[str, Any], floats: bool) -> list[Any]:
    """The inputs among the arguments, in order."""
    leaves = _tree.leaves((args, [kwargs[name] for name in sorted(kwargs)]))
    return [x for _, x in leaves if is_input(x, floats)]
