"""Loops and choices: plain Python where numbers are known, a computed choice where they are not.

A number is known unless a function is being recorded for many values of it: in a program, in the
step of a loop, in a lane. There `cond` and `switch` compute all branches and choose among results.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index as as_index
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.compat.jax.arrays import plain, shown, wrap_tree
from tapegrad.compat.jax.functions.batching import chose_by_value
from tapegrad.compat.jax.functions.transforms import named
from tapegrad.compat.jax.tree_util import tree_flatten, tree_leaves, tree_map, tree_structure
from tapegrad.compat.jax.variables import call

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "while_loop",
]

Function = Callable[..., Any]
_NOTHING = object()


def cond(
    pred: Any,
    true_fun: Function,
    false_fun: Function,
    *operands: Any,
    operand: Any = _NOTHING,
    linear: Any = None,
) -> Any:
    """`true_fun(*operands)` where `pred` holds, else `false_fun(*operands)`.

    >>> from tapegrad.compat import jax
    >>> jax.grad(lambda x: jax.lax.cond(x > 1.0, lambda x: x**2, lambda x: 3.0 * x, x))(2.0)
    Array(4., dtype=float64)
    """
    if operand is not _NOTHING:
        operands = (operand,)
    for f in (true_fun, false_fun):
        if not callable(f):
            raise TypeError(
                f"lax.cond: {_tree.describe(f)} is not a function; call "
                "lax.cond(pred, true_fun, false_fun, *operands)"
            )
    if np.shape(pred):
        raise TypeError(
            f"lax.cond: pred has shape {np.shape(pred)} and must be one flag; jnp.where(pred, a, "
            "b) chooses element by element, jax.vmap lane by lane"
        )
    if not isinstance(pred, Variable):
        return (true_fun if pred else false_fun)(*operands)
    return _chosen("lax.cond", pred, true_fun(*operands), false_fun(*operands))


def _chosen(name: str, pred: Any, yes: Any, no: Any) -> Any:
    """Leaf by leaf, what a flag chooses of two results."""
    if tree_structure(yes) != tree_structure(no):
        raise TypeError(
            f"{name}: the branches return {tree_structure(yes)} and {tree_structure(no)}; return "
            "the same nesting"
        )
    return tree_map(lambda a, b: _where(name, pred, a, b), yes, no)


def _where(name: str, pred: Any, a: Any, b: Any) -> Any:
    if np.shape(a) != np.shape(b):
        raise TypeError(
            f"{name}: the branches return shapes {np.shape(a)} and {np.shape(b)}; return the same"
        )
    return a if a is b else np.where(pred, plain(a), plain(b))


def switch(
    index: Any, branches: Any, *operands: Any, operand: Any = _NOTHING, linear: Any = None
) -> Any:
    """`branches[index](*operands)`; an index outside means the first or the last.

    >>> from tapegrad.compat import jax
    >>> jax.lax.switch(5, [lambda x: x, lambda x: -x], 2.0)
    -2.0
    """
    if operand is not _NOTHING:
        operands = (operand,)
    if not branches:
        raise ValueError("lax.switch: no branches; give a list of functions")
    if not isinstance(index, Variable):
        return branches[min(max(as_index(index), 0), len(branches) - 1)](*operands)
    chosen = branches[-1](*operands)
    for k in range(len(branches) - 2, -1, -1):
        chosen = _chosen("lax.switch", index <= k, branches[k](*operands), chosen)
    return chosen


def while_loop(cond_fun: Function, body_fun: Function, init_val: Any) -> Any:
    """`value = body_fun(value)` as long as `cond_fun(value)` holds; reverse sweeps go through it.

    >>> from tapegrad.compat import jax
    >>> jax.lax.while_loop(lambda x: x < 100.0, lambda x: x * x, 3.0)
    Array(6561., dtype=float64)
    """
    value = shown(init_val)
    while _holds(cond_fun(value)):
        value = _like("lax.while_loop", body_fun(value), value)
    return wrap_tree(value)


def _holds(flag: Any) -> bool:
    if isinstance(flag, Variable):
        chose_by_value()
    return bool(flag)


def fori_loop(
    lower: Any, upper: Any, body_fun: Function, init_val: Any, *, unroll: Any = None
) -> Any:
    """`value = body_fun(i, value)` for each i from `lower` on, below `upper`.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.lax.fori_loop(0, 3, lambda i, x: x.at[i].set(i * 10.0), jnp.zeros(3))
    Array([ 0., 10., 20.], dtype=float64)
    """
    if isinstance(lower, Variable) or isinstance(upper, Variable):
        chose_by_value()
    value = shown(init_val)
    for i in range(int(lower), int(upper)):
        value = _like("lax.fori_loop", body_fun(i, value), value)
    return wrap_tree(value)


def _like(name: str, after: Any, before: Any) -> Any:
    """What a body returned; raises TypeError where it is built in another way than its argument."""
    if tree_structure(after) != tree_structure(before):
        raise TypeError(
            f"{name}: the body returned {tree_structure(after)} and got {tree_structure(before)}; "
            "it returns what it gets, changed"
        )
    for x, y in zip(tree_leaves(after), tree_leaves(before), strict=True):
        if not isinstance(x, Variable) and np.asarray(x).dtype.kind not in "biufc":
            raise TypeError(
                f"{name}: the body returned {x!r} and got {y!r}; the value stays a number"
            )
        if np.shape(x) != np.shape(y):
            raise TypeError(
                f"{name}: the body returned shape {np.shape(x)} and got {np.shape(y)}; the value "
                "keeps its shape"
            )
    return shown(after)


def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
    _split_transpose: bool = False,
) -> Any:
    """The loop `carry, y = f(carry, x)`: the last carry, and the ys stacked. It is `tg.scan`.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.lax.scan(lambda c, x: (c + x, c * x), 0.0, jnp.array([1.0, 2.0, 3.0]))
    (Array(6., dtype=float64), Array([0., 2., 9.], dtype=float64))
    """

    def step(carry: Any, x: Any) -> Any:
        return plain(call(f, (shown(carry), shown(x)), {}))

    return wrap_tree(
        tg.scan(named(step, f), plain(init), plain(xs), length=length, reverse=reverse)
    )


def map(f: Function, xs: Any, *, batch_size: int | None = None) -> Any:
    """`f` of each element along the first axis, one after another, stacked.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.lax.map(lambda x: x**2, jnp.arange(3.0))
    Array([0., 1., 4.], dtype=float64)
    """

    def step(carry: Any, x: Any) -> Any:
        return carry, f(x)

    return scan(named(step, f), None, xs)[1]


def associative_scan(fn: Function, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The results of an associative function of all first elements, then all first two ...

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> jax.lax.associative_scan(jnp.multiply, jnp.array([1.0, 2.0, 3.0, 4.0]))
    Array([ 1.,  2.,  6., 24.], dtype=float64)
    """
    leaves, structure = tree_flatten(elems)
    rows = [np.moveaxis(plain(x), axis, 0) for x in leaves]
    if len({len(x) for x in rows}) != 1:
        raise ValueError(
            f"lax.associative_scan: the arrays have lengths {[len(x) for x in rows]} along axis "
            f"{axis}; give arrays of one length"
        )
    rows = [x[::-1] for x in rows] if reverse else rows
    # Doubling: after k rounds each element holds the product of up to 2**k up to it.
    n, width = len(rows[0]), 1
    while width < n:
        before = structure.unflatten(shown([x[:-width] for x in rows]))
        here = structure.unflatten(shown([x[width:] for x in rows]))
        joined = [plain(x) for x in structure.flatten_up_to(fn(before, here))]
        rows = [np.concatenate([x[:width], y]) for x, y in zip(rows, joined, strict=True)]
        width *= 2
    rows = [x[::-1] for x in rows] if reverse else rows
    return wrap_tree(structure.unflatten([np.moveaxis(x, 0, axis) for x in rows]))
