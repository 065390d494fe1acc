"""Classes that users register: containers for every function of tapegrad."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar

from tapegrad import _tree
from tapegrad.compat.jax.tree_util.structures import BUILTIN, KINDS, GetAttrKey, Kind, taken_apart

C = TypeVar("C", bound=type)


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
    if nodetype in KINDS or nodetype in BUILTIN:
        raise ValueError(f"register_pytree_node: {nodetype.__name__} is registered already")
    kind = KINDS[nodetype] = Kind(flatten_func, unflatten_func, flatten_with_keys_func)

    def apart(x: Any) -> tuple[list[tuple[str, Any]], Any]:
        keys, children, data = taken_apart(x, kind)
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
