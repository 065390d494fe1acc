"""vmap, with JAX's settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.jax.arrays import plain, shown, wrap_tree
from tapegrad.compat.jax.functions.transforms import named
from tapegrad.compat.jax.refusals import refuse
from tapegrad.compat.jax.tree_util import tree_broadcast, tree_leaves, tree_map
from tapegrad.compat.jax.variables import call
from tapegrad.transforms.trace import name_of, warn_user
from tapegrad.transforms.transformed import Transformed

__all__ = ["chose_by_value", "vmap"]


_DIFFERENT = "the lanes take different branches"  # as tg.vmap says


class _Choices(threading.local):
    made = False  # a loop or choice of `lax` asked for a number that may differ between lanes


_choices = _Choices()


def chose_by_value() -> None:
    """Notes that a number was asked for its value, which may differ between lanes."""
    _choices.made = True


def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
) -> Callable[..., Any]:
    """`fun`, written for one lane, as a function of many: `tg.vmap`.

    Where a loop of `jax.lax` takes another way in each lane, the lanes are computed one by one; so
    they are where plain Python does, with a warning that names the line.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.vmap(jnp.dot, in_axes=(0, None))(jnp.eye(2), jnp.array([3.0, 4.0]))
    Array([3., 4.], dtype=float64)
    """
    if axis_name is not None or spmd_axis_name is not None:
        refuse("vmap(axis_name=...)")
    if isinstance(in_axes, list):  # as JAX has it: the axes are a tuple
        in_axes = tuple(in_axes)
    label = f"vmap of {name_of(fun)}"

    def over_lanes(*args: Any, **kwargs: Any) -> Any:
        n = _lanes(label, args, in_axes, kwargs)
        if n is None:
            if axis_size is None:
                raise ValueError(
                    f"{label}: no argument has lanes; name an axis in in_axes, or give axis_size="
                )
            return _repeated(wrap_tree(fun(*args, **kwargs)), out_axes, axis_size)
        if axis_size is not None and n != axis_size:
            raise ValueError(f"{label}: axis_size={axis_size}, and the arguments have {n} lanes")
        outer, _choices.made = _choices.made, False
        try:
            return wrap_tree(tg.vmap(named(_shown(fun), fun), in_axes, out_axes)(*args, **kwargs))
        except ValueError as error:  # one of the user's own comes again, lane by lane
            if not _choices.made and _DIFFERENT not in str(error):
                raise
            reason = "" if _choices.made else str(error)
        finally:
            _choices.made = _choices.made or outer
        found = _one_by_one(fun, n, args, in_axes, kwargs, out_axes)
        if reason:
            warn_user(f"{label}: computes the lanes one by one: {reason}")
        return found

    settings = {"in_axes": in_axes, "out_axes": out_axes, "axis_size": axis_size}
    return Transformed(vmap, fun, settings, over_lanes)


def _shown(fun: Callable[..., Any]) -> Callable[..., Any]:
    def inside(*args: Any, **kwargs: Any) -> Any:
        return plain(call(fun, shown(args), shown(kwargs)))

    return inside


class _Lane:
    """An axis that counts lanes, as a leaf of a tree of axes; None is one without."""

    def __init__(self, axis: Any) -> None:
        self.axis = axis


def _axes(tree: Any, axes: Any) -> Any:
    """A tree like `tree` of its axes."""
    marked = tree_map(_Lane, axes, is_leaf=lambda x: x is None)
    return tree_broadcast(marked, tree)


def _per_argument(args: tuple[Any, ...], in_axes: Any) -> tuple[Any, ...]:
    return in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)


def _lanes(label: str, args: Any, in_axes: Any, kwargs: dict[str, Any]) -> int | None:
    """How many lanes there are; None where no argument has an axis for them.

    Raises:
        ValueError: Two arguments have different numbers of them.
    """
    chosen = _per_argument(args, in_axes)
    if len(chosen) != len(args):
        raise ValueError(
            f"{label}: in_axes has {len(chosen)} entries and the call {len(args)} positional "
            "arguments; give one for each"
        )
    n = None
    for tree, axes in [*zip(args, chosen, strict=True), *((x, 0) for x in kwargs.values())]:
        lanes = tree_leaves(_axes(tree, axes))
        for x, lane in zip(tree_leaves(tree), lanes, strict=True):
            shape = np.shape(x)
            if lane.axis is None or not -len(shape) <= lane.axis < len(shape):
                continue  # tg.vmap says that there is no such axis
            if n is not None and shape[lane.axis] != n:
                raise ValueError(
                    f"{label}: an argument has {shape[lane.axis]} lanes along axis {lane.axis} of "
                    f"shape {shape}, and one before it has {n}; give the same number to all, or "
                    "None in in_axes for what is the same for every lane"
                )
            n = int(shape[lane.axis])
    return n


def _repeated(tree: Any, out_axes: Any, n: int) -> Any:
    def repeat(x: Any, lane: _Lane) -> Any:
        if lane.axis is None:
            return x
        wide = np.broadcast_to(plain(x), (n, *np.shape(x)))
        return np.moveaxis(wide, 0, lane.axis)

    return wrap_tree(tree_map(repeat, tree, _axes(tree, out_axes)))


def _one_by_one(
    fun: Callable[..., Any], n: int, args: Any, in_axes: Any, kwargs: Any, out_axes: Any
) -> Any:
    chosen = _per_argument(args, in_axes)
    axes = [_axes(tree, axes) for tree, axes in zip(args, chosen, strict=True)]
    named_axes = {name: _axes(x, 0) for name, x in kwargs.items()}

    def lane(k: int) -> Any:
        def take(x: Any, lane: _Lane) -> Any:
            return x if lane.axis is None else np.moveaxis(plain(x), lane.axis, 0)[k]

        own = [tree_map(take, tree, own) for tree, own in zip(args, axes, strict=True)]
        words = {name: tree_map(take, x, named_axes[name]) for name, x in kwargs.items()}
        return plain(call(fun, shown(own), shown(words)))

    results = [lane(k) for k in range(n)]

    def join(lane: _Lane, *xs: Any) -> Any:
        return xs[0] if lane.axis is None else np.stack(xs, lane.axis)

    return wrap_tree(tree_map(join, _axes(results[0], out_axes), *results))
