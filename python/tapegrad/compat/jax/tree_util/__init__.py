"""Pytrees: nestings of tuples, lists, dicts, None and registered classes, taken apart and made.

As in JAX, dicts are taken in the order of their sorted keys, and a dataclass is a leaf unless it
is registered. A registered class is a container for every function of tapegrad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tapegrad.compat.jax.tree_util.registering import (
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
)
from tapegrad.compat.jax.tree_util.structures import (
    LEAF,
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    PyTreeDef,
    SequenceKey,
    node_of,
)

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "Partial",
    "PyTreeDef",
    "SequenceKey",
    "all_leaves",
    "keystr",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "tree_all",
    "tree_broadcast",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]

_IsLeaf = Callable[[Any], bool] | None


def _flatten(
    tree: Any, is_leaf: _IsLeaf, path: tuple[Any, ...], found: list[tuple[tuple[Any, ...], Any]]
) -> PyTreeDef:
    node = None if is_leaf is not None and is_leaf(tree) else node_of(tree)
    if node is None:
        found.append((path, tree))
        return LEAF
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
