"""Containers: arguments and results may be any nesting of dict, list, tuple and dataclass.

Subclasses are kept (namedtuples and ordered dicts too), None is left alone, everything else is a
leaf. A leaf's path reads as the user would write it: `argument 0['w'][2]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from tapegrad._core import Variable

Tree: TypeAlias = Any
Leaf: TypeAlias = Any

_COMMON_LEAVES = frozenset({float, int, np.ndarray, np.float64, np.float32, Variable, str, bool})


def children(tree: Tree) -> list[tuple[str, Tree]] | None:
    """The parts of a container, each with the text that selects it; None for a leaf."""
    if isinstance(tree, dict):
        return [(f"[{key!r}]", item) for key, item in tree.items()]
    if isinstance(tree, tuple):
        fields = getattr(tree, "_fields", None)
        if fields is not None:
            return [(f".{name}", item) for name, item in zip(fields, tree, strict=True)]
        return [(f"[{i}]", item) for i, item in enumerate(tree)]
    if isinstance(tree, list):
        return [(f"[{i}]", item) for i, item in enumerate(tree)]
    fields = getattr(type(tree), "__dataclass_fields__", None)
    if fields is not None:
        return [(f".{name}", getattr(tree, name)) for name in fields if hasattr(tree, name)]
    return None


def rebuild(tree: Tree, items: list[Tree]) -> Tree:
    """A container like `tree` that holds `items`, in the order of `children(tree)`."""
    kind = type(tree)
    if kind is list:
        return items
    if kind is tuple:
        return tuple(items)
    if kind is dict:
        return dict(zip(tree, items, strict=True))
    if isinstance(tree, tuple):
        copied = tuple.__new__(kind, items)
        if hasattr(tree, "__dict__"):
            copied.__dict__.update(tree.__dict__)
        return copied
    import copy

    copied = copy.copy(tree)
    if isinstance(tree, dict):
        for key, item in zip(tree, items, strict=True):
            dict.__setitem__(copied, key, item)
    elif isinstance(tree, list):
        list.__setitem__(copied, slice(None), items)
    else:
        names = [name for name in tree.__dataclass_fields__ if hasattr(tree, name)]
        for name, item in zip(names, items, strict=True):
            object.__setattr__(copied, name, item)  # frozen ones too
    return copied


def is_leaf(tree: Tree) -> bool:
    """Whether there is nothing inside; None is not a leaf."""
    return type(tree) in _COMMON_LEAVES or (tree is not None and children(tree) is None)


def leaves(tree: Tree, path: str = "") -> list[tuple[str, Leaf]]:
    """Every leaf with its path, in order."""
    found: list[tuple[str, Leaf]] = []
    _collect(tree, path, found)
    return found


def _collect(tree: Tree, path: str, found: list[tuple[str, Leaf]]) -> None:
    if type(tree) in _COMMON_LEAVES:
        found.append((path, tree))
    elif tree is not None:
        parts = children(tree)
        if parts is None:
            found.append((path, tree))
        else:
            for key, part in parts:
                _collect(part, path + key, found)


def fill(tree: Tree, values: Iterator[Leaf]) -> Tree:
    """A tree like `tree` whose leaves come from `values`, in order."""
    if type(tree) in _COMMON_LEAVES:
        return next(values)
    if tree is None:
        return None
    parts = children(tree)
    if parts is None:
        return next(values)
    return rebuild(tree, [fill(part, values) for _, part in parts])


def maker(tree: Tree, parts: Iterator[Callable[[Any], Leaf]]) -> Callable[[Any], Tree]:
    """A function that makes trees like `tree`: each leaf is what its part gives of the argument."""
    if tree is None:
        return _nothing
    found = None if type(tree) in _COMMON_LEAVES else children(tree)
    if found is None:
        return next(parts)
    makers = [maker(part, parts) for _, part in found]
    if type(tree) is tuple:
        return lambda x: tuple([make(x) for make in makers])
    if type(tree) is list:
        return lambda x: [make(x) for make in makers]
    if type(tree) is dict:
        pairs = tuple(zip(tree, makers, strict=True))
        return lambda x: {key: make(x) for key, make in pairs}
    return lambda x: rebuild(tree, [make(x) for make in makers])


def _nothing(_: Any) -> None:
    return None


def match(tree: Tree, other: Tree, path: str, expected: str) -> list[tuple[str, Leaf]]:
    """The leaves of `other`, which must be built like `tree`.

    Raises:
        TypeError: The structures differ; the message names the path and says what was `expected`.
    """
    found: list[tuple[str, Leaf]] = []
    _match(tree, other, path, expected, found)
    return found


def _match(
    tree: Tree, other: Tree, path: str, expected: str, found: list[tuple[str, Leaf]]
) -> None:
    if tree is None:
        if other is not None:
            raise TypeError(f"{path} is {describe(other)} where {expected} has None")
        return
    parts = None if type(tree) in _COMMON_LEAVES else children(tree)
    if parts is None:
        if not is_leaf(other):
            raise TypeError(f"{path} is {describe(other)} where {expected} has {describe(tree)}")
        found.append((path, other))
        return
    others = children(other) if other is not None else None
    if others is None or [key for key, _ in parts] != [key for key, _ in others]:
        # A dict may list its keys in another order.
        if others is not None and {key for key, _ in parts} == {key for key, _ in others}:
            by_key = dict(others)
            others = [(key, by_key[key]) for key, _ in parts]
        else:
            raise TypeError(
                f"{path} is {describe(other)} where {expected} has {describe(tree)}; "
                "pass the same nesting of containers"
            )
    for (key, part), (_, other_part) in zip(parts, others, strict=True):
        _match(part, other_part, path + key, expected, found)


def is_array(x: object) -> bool:
    """Whether `x` is a NumPy array: isinstance takes an array Variable for one."""
    return issubclass(type(x), np.ndarray)


def describe(x: object) -> str:
    """What `x` is, in a few words, for error messages."""
    if x is None:
        return "None"
    if isinstance(x, dict):
        return f"a {type(x).__name__} with keys {list(x)!r}"
    if isinstance(x, (list, tuple)):
        return f"a {type(x).__name__} of length {len(x)}"
    if isinstance(x, (np.ndarray, Variable)):
        kind = "a Variable" if isinstance(x, Variable) else "an array"
        return f"{kind} of shape {tuple(x.shape)} and dtype {x.dtype}"
    if isinstance(x, (str, bool, int, float, np.generic)):
        return f"{type(x).__name__} {x!r}"
    return f"an object of type {type(x).__name__}"
