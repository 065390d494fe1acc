"""The kinds of containers, the keys of their children, and structures made of them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapegrad import _tree


@dataclass(frozen=True)
class DictKey:
    """A key of a dict, in a path."""

    key: Hashable

    def __str__(self) -> str:
        return f"[{self.key!r}]"


@dataclass(frozen=True)
class SequenceKey:
    """An index of a tuple or list, in a path."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


@dataclass(frozen=True)
class GetAttrKey:
    """An attribute, in a path."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


@dataclass(frozen=True)
class FlattenedIndexKey:
    """The place of a child in a registered class, in a path."""

    key: int

    def __str__(self) -> str:
        return f"[<flat index {self.key}>]"


@dataclass(frozen=True)
class Kind:
    """A registered class: `apart(x)` gives children and data, with keys where they have some."""

    apart: Callable[[Any], tuple[Iterable[Any], Any]]
    together: Callable[[Any, Any], Any]
    with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]] | None = None


KINDS: dict[type, Kind] = {}


# Of Python's own containers.


def _dict_apart(x: Any) -> tuple[list[Any], list[Any], Any]:
    keys = sorted(x)
    return [DictKey(k) for k in keys], [x[k] for k in keys], tuple(keys)


def _ordered_apart(x: Any) -> tuple[list[Any], list[Any], Any]:
    return [DictKey(k) for k in x], list(x.values()), tuple(x)


def _default_apart(x: Any) -> tuple[list[Any], list[Any], Any]:
    keys, children, names = _dict_apart(x)
    return keys, children, (x.default_factory, names)


def _sequence_apart(x: Any) -> tuple[list[Any], list[Any], Any]:
    return [SequenceKey(i) for i in range(len(x))], list(x), None


BUILTIN: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    tuple: (_sequence_apart, lambda _, items: tuple(items)),
    list: (_sequence_apart, lambda _, items: list(items)),
    dict: (_dict_apart, lambda keys, items: dict(zip(keys, items, strict=True))),
    OrderedDict: (_ordered_apart, lambda k, items: OrderedDict(zip(k, items, strict=True))),
    defaultdict: (
        _default_apart,
        lambda data, items: defaultdict(data[0], zip(data[1], items, strict=True)),
    ),
}


def taken_apart(x: Any, kind: Kind) -> tuple[list[Any], list[Any], Any]:
    """Keys, children and data of an object of a registered class."""
    if kind.with_keys is not None:
        pairs, data = kind.with_keys(x)
        pairs = list(pairs)
        return [key for key, _ in pairs], [child for _, child in pairs], data
    children, data = kind.apart(x)
    children = list(children)
    return [FlattenedIndexKey(i) for i in range(len(children))], children, data


def node_of(x: Any) -> tuple[list[Any], list[Any], Any] | None:
    """Keys, children and data of a container; None of a leaf. None itself has no children."""
    kind = type(x)
    registered = KINDS.get(kind)
    if registered is not None:
        return taken_apart(x, registered)
    builtin = BUILTIN.get(kind)
    if builtin is not None:
        found: tuple[list[Any], list[Any], Any] = builtin[0](x)
        return found
    if x is None:
        return [], [], None
    if isinstance(x, tuple) and hasattr(kind, "_fields"):
        return [GetAttrKey(name) for name in kind._fields], list(x), None
    return None


class PyTreeDef:
    """The structure of a pytree: `treedef.unflatten(leaves)` makes one."""

    __slots__ = ("_children", "data", "kind", "num_leaves")

    def __init__(self, kind: Any, data: Any, children: Sequence[PyTreeDef]) -> None:
        self.kind = kind  # the class of the container; None stands for a leaf
        self.data = data
        self._children = tuple(children)
        self.num_leaves: int = 1 if kind is None else sum(c.num_leaves for c in self._children)

    @property
    def num_nodes(self) -> int:
        """Containers and leaves."""
        return 1 + sum(child.num_nodes for child in self._children)

    def children(self) -> list[PyTreeDef]:
        """The structures of the children."""
        return list(self._children)

    def node_data(self) -> tuple[Any, Any] | None:
        """The class and the data of the outermost container; None of a leaf."""
        return None if self.kind is None else (self.kind, self.data)

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree with these leaves."""
        given = list(leaves)
        if len(given) != self.num_leaves:
            raise ValueError(
                f"unflatten: {len(given)} leaves for a structure of {self.num_leaves}, {self}"
            )
        return self._made(iter(given))

    def _made(self, leaves: Any) -> Any:
        if self.kind is None:
            return next(leaves)
        if self.kind is type(None):
            return None
        items = [child._made(leaves) for child in self._children]
        if self.kind in KINDS:
            return KINDS[self.kind].together(self.data, tuple(items))
        if self.kind in BUILTIN:
            return BUILTIN[self.kind][1](self.data, items)
        return self.kind(*items)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """What stands in `tree` where this structure has leaves.

        Raises:
            ValueError: `tree` is built in another way.
        """
        found: list[Any] = []
        self._collect(tree, "", found)
        return found

    def _collect(self, tree: Any, path: str, found: list[Any]) -> None:
        if self.kind is None:
            found.append(tree)
            return
        node = node_of(tree)
        if node is None or type(tree) is not self.kind or not _same(node[2], self.data):
            raise ValueError(
                f"the trees differ: tree{path} is {_tree.describe(tree)}, and the first tree is "
                f"{self} there"
            )
        keys, children, _ = node
        if len(children) != len(self._children):
            raise ValueError(
                f"the trees differ: tree{path} has {len(children)} children, and the first tree "
                f"{len(self._children)}"
            )
        for structure, key, child in zip(self._children, keys, children, strict=True):
            structure._collect(child, f"{path}{key}", found)

    def compose(self, inner: PyTreeDef) -> PyTreeDef:
        """This structure with `inner` for each leaf."""
        if self.kind is None:
            return inner
        return PyTreeDef(self.kind, self.data, [c.compose(inner) for c in self._children])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PyTreeDef)
            and self.kind is other.kind
            and _same(self.data, other.data)
            and self._children == other._children
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.num_leaves, self._children))

    def __repr__(self) -> str:
        return f"PyTreeDef({self})"

    def __str__(self) -> str:
        parts = [str(child) for child in self._children]
        if self.kind is None:
            return "*"
        if self.kind is type(None):
            return "None"
        if self.kind is tuple:
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if self.kind is list:
            return f"[{', '.join(parts)}]"
        if self.kind is dict:
            pairs = zip(self.data, parts, strict=True)
            return "{" + ", ".join(f"{key!r}: {part}" for key, part in pairs) + "}"
        return f"CustomNode({self.kind.__name__}[{self.data}], [{', '.join(parts)}])"


def _same(a: Any, b: Any) -> bool:
    found: Any = a == b
    return bool(np.all(found))


LEAF = PyTreeDef(None, None, ())
