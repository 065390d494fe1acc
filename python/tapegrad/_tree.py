"""Containers: arguments and results may be any nesting of dict, list, tuple and dataclass.

Subclasses are kept (namedtuples and ordered dicts too), None is left alone, and classes may be
registered (`add_container`); everything else is a leaf. A leaf's path reads as the user would write
it: `argument 0['w'][2]`. A complex number or array is a container of its real and its imaginary
part: all leaves are real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from tapegrad._core import TreeMaker, Variable

Tree: TypeAlias = Any
Leaf: TypeAlias = Any

_COMMON_LEAVES = frozenset({float, int, np.float64, np.float32, Variable, str, bool})


def _is_leaf_at_once(tree: Tree) -> bool:
    """Whether it is a leaf, told from its type alone."""
    kind = type(tree)
    return kind in _COMMON_LEAVES or (kind is np.ndarray and tree.dtype.char not in "FD")


def is_complex(tree: Tree) -> bool:
    """Whether it is a complex number or array, plain or of Variables."""
    kind = type(tree)
    if kind is np.ndarray:
        return tree.dtype.char in "FD"
    return kind in _COMPLEX


_COMPLEX: set[type] = {complex, np.complex128, np.complex64}  # and that of complex Variables
_REAL = frozenset({float, int, np.float64, np.float32, np.ndarray, Variable})


def add_complex_type(kind: type) -> None:
    """Says which class stands for complex Variables."""
    _COMPLEX.add(kind)


# Registered classes: what takes an object apart, into parts with the texts that select them and
# whatever else there is to know, and what makes one of that and parts.
Apart: TypeAlias = Callable[[Any], tuple[list[tuple[str, Any]], Any]]
_REGISTERED: dict[type, tuple[Apart, Callable[[Any, list[Any]], Any]]] = {}


def add_container(kind: type, apart: Apart, together: Callable[[Any, list[Any]], Any]) -> None:
    """Makes objects of this class containers: `apart(x)` gives (parts, rest)."""
    _REGISTERED[kind] = apart, together


def rest(tree: Tree) -> tuple[Any, ...]:
    """What an object of a registered class is besides its parts; () of anything else."""
    known = _REGISTERED.get(type(tree))
    return () if known is None else (known[0](tree)[1],)


def is_variable(x: object) -> bool:
    """Whether it is a Variable, real or complex."""
    kind = type(x)
    return issubclass(kind, Variable) or (kind in _COMPLEX and kind.__name__ == "ComplexVariable")


def complex_of(re: Any, im: Any) -> Any:
    """The complex number or array of real parts; a Variable where one of them is one."""
    if type(re) is float and type(im) is float:
        return complex(re, im)
    from tapegrad.complex.parts import join_any

    return join_any(re, im)


def parts_of_complex(z: Any) -> tuple[Any, Any]:
    """Real and imaginary part; those of a Variable themselves, and not views of them."""
    return (z._re, z._im) if is_variable(z) else (z.real, z.imag)


def map_complex(f: Callable[[Any], Any], tree: Tree) -> Tree:
    """`tree` with `f` of each complex number or array in it."""
    if is_complex(tree):
        return f(tree)
    parts = None if tree is None or _is_leaf_at_once(tree) else children(tree)
    if not parts:
        return tree
    return rebuild(tree, [map_complex(f, part) for _, part in parts])


def has_complex(tree: Tree) -> bool:
    """Whether there is a complex number or array in it."""
    if is_complex(tree):
        return True
    parts = None if tree is None or _is_leaf_at_once(tree) else children(tree)
    return parts is not None and any(has_complex(part) for _, part in parts)


_PLACES = tuple(f"[{i}]" for i in range(64))  # the texts that select items


def _items(tree: list[Any] | tuple[Any, ...]) -> list[tuple[str, Tree]]:
    if len(tree) <= len(_PLACES):
        return list(zip(_PLACES, tree, strict=False))
    return [(f"[{i}]", item) for i, item in enumerate(tree)]


def children(tree: Tree) -> list[tuple[str, Tree]] | None:
    """The parts of a container, each with the text that selects it; None for a leaf."""
    if type(tree) is tuple or type(tree) is list:
        return _items(tree)
    if is_complex(tree):
        re, im = parts_of_complex(tree)
        return [(".real", re), (".imag", im)]
    known = _REGISTERED.get(type(tree))
    if known is not None:
        return known[0](tree)[0]
    if isinstance(tree, dict):
        return [(f"[{key!r}]", item) for key, item in tree.items()]
    if isinstance(tree, tuple):
        fields = getattr(tree, "_fields", None)
        if fields is not None:
            return [(f".{name}", item) for name, item in zip(fields, tree, strict=True)]
        return _items(tree)
    if isinstance(tree, list):
        return _items(tree)
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
    known = _REGISTERED.get(kind)
    if known is not None:
        return known[1](known[0](tree)[1], items)
    if isinstance(tree, tuple):
        copied = tuple.__new__(kind, items)
        if hasattr(tree, "__dict__"):
            copied.__dict__.update(tree.__dict__)
        return copied
    if is_complex(tree):
        return complex_of(*items)
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
    return _is_leaf_at_once(tree) or (tree is not None and children(tree) is None)


def leaves(tree: Tree, path: str = "") -> list[tuple[str, Leaf]]:
    """Every leaf with its path, in order."""
    if _is_leaf_at_once(tree):
        return [(path, tree)]
    found: list[tuple[str, Leaf]] = []
    _collect(tree, path, found)
    return found


def _collect(tree: Tree, path: str, found: list[tuple[str, Leaf]]) -> None:
    if _is_leaf_at_once(tree):
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
    if _is_leaf_at_once(tree):
        return next(values)
    if tree is None:
        return None
    parts = children(tree)
    if parts is None:
        return next(values)
    return rebuild(tree, [fill(part, values) for _, part in parts])


Part: TypeAlias = int | Callable[[Any], Any]  # the place of a value, or what it is made by


def maker(tree: Tree, parts: Iterator[Part]) -> Callable[[Any], Tree]:
    """A function that makes trees like `tree` of a list of values.

    Each leaf is the value at its part's place, or what its part gives of the list.
    """
    found = _maker(tree, parts)
    return itemgetter(found) if isinstance(found, int) else found


def _maker(tree: Tree, parts: Iterator[Part]) -> Part:
    if tree is None:
        return _nothing
    found = None if _is_leaf_at_once(tree) else children(tree)
    if found is None:
        return next(parts)
    makers = tuple([_maker(part, parts) for _, part in found])
    kind = type(tree)
    if kind is tuple or kind is list:
        return TreeMaker(kind, makers, ())
    if kind is dict:
        return TreeMaker(kind, makers, tuple(tree))
    items = TreeMaker(list, makers, ())
    return lambda x: rebuild(tree, items(x))


def _nothing(_: Any) -> None:
    return None


def match(
    tree: Tree, other: Tree, path: str, expected: str, label: str = ""
) -> list[tuple[str, Leaf]]:
    """The leaves of `other`, which must be built like `tree`; `label` says who asks.

    Raises:
        TypeError: The structures differ; the message names the path and says what was `expected`.
    """
    if _is_leaf_at_once(tree) and _is_leaf_at_once(other):
        return [(path, other)]
    found: list[tuple[str, Leaf]] = []
    _match(tree, other, path, expected, found, f"{label}: " if label else "")
    return found


def _match(
    tree: Tree, other: Tree, path: str, expected: str, found: list[tuple[str, Leaf]], who: str
) -> None:
    if tree is None:
        if other is not None:
            raise TypeError(f"{who}{path} is {describe(other)} where {expected} has None")
        return
    if is_complex(tree) and type(other) in _REAL and not is_complex(other):
        other = complex_of(other, 0.0 * other)
    parts = None if _is_leaf_at_once(tree) else children(tree)
    if parts is None:
        if not is_leaf(other):
            raise TypeError(
                f"{who}{path} is {describe(other)} where {expected} has {describe(tree)}"
            )
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
                f"{who}{path} is {describe(other)} where {expected} has {describe(tree)}; "
                "pass the same nesting of containers"
            )
    for (key, part), (_, other_part) in zip(parts, others, strict=True):
        _match(part, other_part, path + key, expected, found, who)


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
    if type(x).__name__ == "ComplexVariable":
        z: Any = x
        return f"a complex Variable of shape {tuple(z.shape)} and dtype {z.dtype}"
    if isinstance(x, (np.ndarray, Variable)):
        kind = "a Variable" if isinstance(x, Variable) else "an array"
        return f"{kind} of shape {tuple(x.shape)} and dtype {x.dtype}"
    if isinstance(x, (str, bool, int, float, complex, np.generic)):
        return f"{type(x).__name__} {x!r}"
    return f"an object of type {type(x).__name__}"
