"""Pytrees: nestings of tuples, lists, dicts, None and registered classes, taken apart and made.

As in JAX, dicts are taken in the order of their sorted keys, and a dataclass is a leaf unless it
is registered. A registered class is a container for every function of tapegrad.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, TypeVar

import numpy as np

from tapegrad import _tree

C = TypeVar("C", bound=type)
_IsLeaf = Callable[[Any], bool] | None


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
class _Kind:
    """A registered class: `apart(x)` gives children and data, with keys where they have some."""

    apart: Callable[[Any], tuple[Iterable[Any], Any]]
    together: Callable[[Any, Any], Any]
    with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]] | None = None


_kinds: dict[type, _Kind] = {}


def register_pytree_node(
    nodetype: C,
    flatten_func: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]] | None = None,
) -> None:
    """Makes objects of a class containers: `flatten_func(x)` gives (children, data).

    Raises:
        ValueError: The class is registered already.
    """
    if nodetype in _kinds or nodetype in _BUILTIN:
        raise ValueError(f"register_pytree_node: {nodetype.__name__} is registered already")
    kind = _kinds[nodetype] = _Kind(flatten_func, unflatten_func, flatten_with_keys_func)

    def apart(x: Any) -> tuple[list[tuple[str, Any]], Any]:
        keys, children, data = _taken_apart(x, kind)
        return [(str(key), child) for key, child in zip(keys, children, strict=True)], data

    _tree.add_container(nodetype, apart, lambda data, items: unflatten_func(data, tuple(items)))


def register_pytree_node_class(cls: C) -> C:
    """The same for a class with the methods `tree_flatten` and `tree_unflatten`: a decorator.

    >>> from tapegrad.compat import jax
    >>> @jax.tree_util.register_pytree_node_class
    ... class Point:
    ...     def __init__(self, x, y):
    ...         self.x, self.y = x, y
    ...     def tree_flatten(self):
    ...         return (self.x, self.y), None
    ...     @classmethod
    ...     def tree_unflatten(cls, data, children):
    ...         return cls(*children)
    >>> g = jax.grad(lambda p: p.x * p.y**2)(Point(2.0, 3.0))
    >>> g.x, g.y
    (Array(9., dtype=float64), Array(12., dtype=float64))
    """
    made: Any = cls
    register_pytree_node(cls, lambda x: x.tree_flatten(), made.tree_unflatten)
    return cls


def register_pytree_with_keys(
    nodetype: C,
    flatten_with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Any]] | None = None,
) -> None:
    """The same of a class whose children have keys, by which paths call them."""

    def without_keys(x: Any) -> tuple[Iterable[Any], Any]:
        pairs, data = flatten_with_keys(x)
        return [child for _, child in pairs], data

    register_pytree_node(nodetype, flatten_func or without_keys, unflatten_func, flatten_with_keys)


def register_pytree_with_keys_class(cls: C) -> C:
    """The same for a class with `tree_flatten_with_keys` and `tree_unflatten`: a decorator."""
    made: Any = cls
    register_pytree_with_keys(
        cls,
        lambda x: x.tree_flatten_with_keys(),
        made.tree_unflatten,
        (lambda x: x.tree_flatten()) if hasattr(cls, "tree_flatten") else None,
    )
    return cls


def register_dataclass(
    nodetype: Any = None,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> Any:
    """Registers a dataclass: its data fields are children, its meta fields data.

    Without lists, fields of metadata `static=True` are data. Works as a decorator.
    """
    if nodetype is None:
        return partial(
            register_dataclass, data_fields=data_fields, meta_fields=meta_fields,
            drop_fields=drop_fields,
        )  # fmt: skip
    own = [f for f in fields(nodetype) if f.init and f.name not in drop_fields]
    if (data_fields is None) != (meta_fields is None):
        raise TypeError("register_dataclass: give both data_fields and meta_fields, or neither")
    if data_fields is None or meta_fields is None:
        data_fields = [f.name for f in own if not f.metadata.get("static", False)]
        meta_fields = [f.name for f in own if f.metadata.get("static", False)]
    if {f.name for f in own} != {*data_fields, *meta_fields}:
        raise ValueError(
            f"register_dataclass: the fields of {nodetype.__name__} are "
            f"{sorted(f.name for f in own)}, and data_fields={list(data_fields)!r}, "
            f"meta_fields={list(meta_fields)!r} are others; each field belongs to one of them"
        )
    data, meta = tuple(data_fields), tuple(meta_fields)

    def with_keys(x: Any) -> tuple[Iterable[tuple[Any, Any]], Any]:
        pairs = [(GetAttrKey(name), getattr(x, name)) for name in data]
        return pairs, tuple(getattr(x, name) for name in meta)

    def together(values: Any, children: Any) -> Any:
        named = dict(zip(data, children, strict=True)) | dict(zip(meta, values, strict=True))
        return nodetype(**named)

    register_pytree_with_keys(nodetype, with_keys, together)
    return nodetype


def register_static(cls: C) -> C:
    """Makes objects of a class containers of nothing, which differ by `==`: a decorator."""
    register_pytree_node(cls, lambda x: ((), x), lambda x, _: x)
    return cls


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


_BUILTIN: dict[type, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    tuple: (_sequence_apart, lambda _, items: tuple(items)),
    list: (_sequence_apart, lambda _, items: list(items)),
    dict: (_dict_apart, lambda keys, items: dict(zip(keys, items, strict=True))),
    OrderedDict: (_ordered_apart, lambda k, items: OrderedDict(zip(k, items, strict=True))),
    defaultdict: (
        _default_apart,
        lambda data, items: defaultdict(data[0], zip(data[1], items, strict=True)),
    ),
}


def _taken_apart(x: Any, kind: _Kind) -> tuple[list[Any], list[Any], Any]:
    if kind.with_keys is not None:
        pairs, data = kind.with_keys(x)
        pairs = list(pairs)
        return [key for key, _ in pairs], [child for _, child in pairs], data
    children, data = kind.apart(x)
    children = list(children)
    return [FlattenedIndexKey(i) for i in range(len(children))], children, data


def _node(x: Any) -> tuple[list[Any], list[Any], Any] | None:
    """Keys, children and data of a container; None of a leaf. None itself has no children."""
    kind = type(x)
    registered = _kinds.get(kind)
    if registered is not None:
        return _taken_apart(x, registered)
    builtin = _BUILTIN.get(kind)
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
        if self.kind in _kinds:
            return _kinds[self.kind].together(self.data, tuple(items))
        if self.kind in _BUILTIN:
            return _BUILTIN[self.kind][1](self.data, items)
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
        node = _node(tree)
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


_LEAF = PyTreeDef(None, None, ())


def _flatten(
    tree: Any, is_leaf: _IsLeaf, path: tuple[Any, ...], found: list[tuple[tuple[Any, ...], Any]]
) -> PyTreeDef:
    node = None if is_leaf is not None and is_leaf(tree) else _node(tree)
    if node is None:
        found.append((path, tree))
        return _LEAF
    keys, children, data = node
    pairs = zip(keys, children, strict=True)
    inner = [_flatten(child, is_leaf, (*path, key), found) for key, child in pairs]
    return PyTreeDef(type(tree), data, inner)


def tree_flatten_with_path(tree: Any, is_leaf: _IsLeaf = None) -> tuple[list[Any], PyTreeDef]:
    """Pairs of path and leaf, and the structure."""
    found: list[tuple[tuple[Any, ...], Any]] = []
    return found, _flatten(tree, is_leaf, (), found)


def tree_flatten(tree: Any, is_leaf: _IsLeaf = None) -> tuple[list[Any], PyTreeDef]:
    """The leaves, and the structure, of which `tree_unflatten` makes the tree.

    >>> from tapegrad.compat import jax
    >>> leaves, structure = jax.tree_util.tree_flatten({"b": (1, 2), "a": None})
    >>> leaves, structure
    ([1, 2], PyTreeDef({'a': None, 'b': (*, *)}))
    """
    pairs, structure = tree_flatten_with_path(tree, is_leaf)
    return [leaf for _, leaf in pairs], structure


def tree_unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The tree of this structure with these leaves."""
    return treedef.unflatten(leaves)


def tree_leaves(tree: Any, is_leaf: _IsLeaf = None) -> list[Any]:
    """The leaves, in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_leaves_with_path(tree: Any, is_leaf: _IsLeaf = None) -> list[Any]:
    """Pairs of path and leaf."""
    return tree_flatten_with_path(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: _IsLeaf = None) -> PyTreeDef:
    """The structure."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: _IsLeaf = None) -> Any:
    """A tree like the first one, of `f` of the leaves of all of them.

    >>> from tapegrad.compat import jax
    >>> jax.tree.map(lambda w, g: w - 0.5 * g, {"w": 1.0, "b": 2.0}, {"w": 2.0, "b": 4.0})
    {'b': 0.0, 'w': 0.0}
    """
    leaves, structure = tree_flatten(tree, is_leaf)
    others = [structure.flatten_up_to(other) for other in rest]
    return structure.unflatten(f(*xs) for xs in zip(leaves, *others, strict=True))


def tree_map_with_path(
    f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: _IsLeaf = None
) -> Any:
    """The same with the path of a leaf before it."""
    pairs, structure = tree_flatten_with_path(tree, is_leaf)
    others = [structure.flatten_up_to(other) for other in rest]
    found = zip(pairs, *others, strict=True)
    return structure.unflatten(f(path, x, *xs) for (path, x), *xs in found)


_NOTHING = object()


def tree_reduce(
    function: Callable[[Any, Any], Any],
    tree: Any,
    initializer: Any = _NOTHING,
    is_leaf: _IsLeaf = None,
) -> Any:
    """What `function` makes of the leaves, two by two from the first on."""
    from functools import reduce

    start = () if initializer is _NOTHING else (initializer,)
    return reduce(function, tree_leaves(tree, is_leaf), *start)


def tree_all(tree: Any, *, is_leaf: _IsLeaf = None) -> bool:
    """Whether all leaves are true."""
    return all(tree_leaves(tree, is_leaf))


def tree_transpose(outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, tree: Any) -> Any:
    """A tree of trees, with the inner structure outside."""
    parts = outer_treedef.flatten_up_to(tree)
    inner = tree_structure(parts[0]) if inner_treedef is None else inner_treedef
    columns = zip(*(inner.flatten_up_to(part) for part in parts), strict=True)
    return inner.unflatten(outer_treedef.unflatten(column) for column in columns)


def tree_broadcast(prefix: Any, full: Any, is_leaf: _IsLeaf = None) -> Any:
    """A tree like `full`, each leaf what `prefix` has there or above it."""
    leaves, structure = tree_flatten(prefix, is_leaf)
    parts = structure.flatten_up_to(full)
    pairs = zip(leaves, parts, strict=True)
    return structure.unflatten(tree_map(lambda _, x=x: x, part) for x, part in pairs)


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether it is the structure of a leaf."""
    return treedef.num_nodes == 1 and treedef.num_leaves == 1


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of the children."""
    return treedef.children()


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees."""
    return PyTreeDef(tuple, None, list(treedefs))


def all_leaves(iterable: Iterable[Any], is_leaf: _IsLeaf = None) -> bool:
    """Whether none of them is a container."""
    return all(treedef_is_leaf(tree_structure(x, is_leaf)) for x in iterable)


def keystr(keys: Iterable[Any], *, simple: bool = False, separator: str = "") -> str:
    """A path as text."""
    if not simple:
        return separator.join(map(str, keys))
    parts = [getattr(key, "key", getattr(key, "idx", getattr(key, "name", key))) for key in keys]
    return separator.join(map(str, parts))


class Partial(partial):  # type: ignore[type-arg]  # as functools.partial, of any function
    """functools.partial as a pytree: its arguments are children."""


register_pytree_node(
    Partial,
    lambda x: ((x.args, x.keywords), x.func),
    lambda func, parts: Partial(func, *parts[0], **parts[1]),
)
