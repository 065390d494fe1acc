"""Arguments and results of a function that JAX's transforms differentiate, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.compat.jax.arrays import plain, shown, wrap_tree
from tapegrad.compat.jax.variables import call
from tapegrad.transforms.trace import positions

Function = Callable[..., Any]
float0 = np.dtype([("float0", "V")])  # of the cotangents of integers, which hold nothing


class Given:
    """The arguments of a call: those that are differentiated, and what is left of integers."""

    def __init__(self, args: tuple[Any, ...], places: list[int], single: bool) -> None:
        self.args = args
        self.places = places
        self.single = single
        self.integers: dict[int, tuple[Any, list[Any]]] = {}  # what isn't differentiated, by place

    def kept(self) -> list[Any]:
        """What is differentiated: an argument, or of one with integers the list of its floats."""
        found = []
        for k, i in enumerate(self.places):
            tree = plain(self.args[i])
            if k in self.integers:
                tree = [x for _, x in _tree.leaves(tree) if not _is_integer(x)]
                if not tree:
                    continue
            found.append(tree)
        return found

    def call(self, fun: Function, chosen: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What `fun` gives of these arguments, in the places of those that are differentiated."""
        args, rest = list(self.args), iter(chosen)
        for k, i in enumerate(self.places):
            if k not in self.integers:
                args[i] = shown(next(rest))
                continue
            leaves = [x for _, x in _tree.leaves(args[i])]
            floats = iter(next(rest) if any(not _is_integer(x) for x in leaves) else ())
            merged = [x if _is_integer(x) else next(floats) for x in leaves]
            args[i] = _tree.fill(args[i], iter(merged))
        return call(fun, args, kwargs)

    def gradients(self, found: list[Any]) -> Any:
        """Trees like the arguments of what was found, and of nothing for integers."""
        rest = iter(found)
        trees = []
        for k, i in enumerate(self.places):
            if k not in self.integers:
                trees.append(wrap_tree(next(rest)))
                continue
            leaves = [x for _, x in _tree.leaves(self.args[i])]
            floats = iter(next(rest) if any(not _is_integer(x) for x in leaves) else ())
            merged = [
                np.zeros(np.shape(x), float0) if _is_integer(x) else wrap_tree(next(floats))
                for x in leaves
            ]
            trees.append(_tree.fill(self.args[i], iter(merged)))
        return trees[0] if self.single else tuple(trees)


def entered(
    label: str, args: tuple[Any, ...], argnums: Any, holomorphic: bool, allow_int: bool
) -> Given:
    """The arguments of a call; raises TypeError where JAX refuses one."""
    places, single = positions(label, argnums, args)
    given = Given(args, places, single)
    for k, i in enumerate(places):
        found = _tree.leaves(args[i], f"argument {i}")
        integers = [(path, x) for path, x in found if _is_integer(x)]
        if integers and not allow_int:
            path, x = integers[0]
            raise TypeError(
                f"{label}: {path} is {_tree.describe(x)}: integers and flags have no derivative; "
                "pass floats (2.0, x.astype(float)), choose other arguments by argnums=, or call "
                "jax.grad(..., allow_int=True)"
            )
        if integers:
            given.integers[k] = args[i], [x for _, x in integers]
        if holomorphic and not _tree.has_complex(plain(args[i])):
            raise TypeError(
                f"{label}: holomorphic=True is for complex arguments, and argument {i} is "
                f"{_tree.describe(args[i])}; pass it as complex (x + 0j), or leave it out"
            )
    return given


def _is_integer(x: Any) -> bool:
    if isinstance(x, (bool, int)):
        return True
    return getattr(getattr(x, "dtype", None), "kind", "f") in "biu"


def value_and_aux(label: str, has_aux: bool, out: Any) -> tuple[Any, Any]:
    """The result, and with `has_aux` what comes beside it."""
    if not has_aux:
        return out, None
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(
            f"{label}: with has_aux=True the function returns the pair (value, aux), and it "
            f"returned {_tree.describe(out)}"
        )
    return out[0], out[1]


def scalar(label: str, value: Any, holomorphic: bool) -> Any:
    """The result as a gradient is made from it; raises TypeError where JAX does."""
    shape = np.shape(value) if _tree.is_leaf(value) or _tree.is_complex(value) else None
    if shape:
        raise TypeError(
            f"{label}: a gradient is of functions whose result is one number, and this one has "
            f"shape {shape}; return jnp.sum(...) of it, or call jax.jacrev or jax.jacfwd"
        )
    if holomorphic:
        if not _tree.is_complex(value):
            raise TypeError(
                f"{label}: holomorphic=True is for complex results, and this one is "
                f"{_tree.describe(value)}; leave it out"
            )
        return value.real
    if _tree.is_complex(value):
        raise TypeError(
            f"{label}: the result is complex, {_tree.describe(value)}; return a real number of it, "
            "or give holomorphic=True if the function is holomorphic"
        )
    if _is_integer(value):
        raise TypeError(
            f"{label}: the result is {_tree.describe(value)}, and integers have no derivative; "
            "return a float"
        )
    return plain(value)
