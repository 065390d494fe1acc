"""Rules of one's own, memory, and calls of the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad.compat.jax.arrays import plain, shown, wrap_tree
from tapegrad.compat.jax.functions.transforms import named
from tapegrad.compat.jax.tree_util import tree_leaves
from tapegrad.compat.jax.variables import call
from tapegrad.transforms.trace import name_of

__all__ = ["checkpoint", "custom_jvp", "custom_vjp", "pure_callback", "remat"]

Function = Callable[..., Any]


class _Custom:
    """A function with a rule of its own, over one of tapegrad's."""

    def __init__(self, fun: Function, nondiff_argnums: Sequence[int] = ()) -> None:
        if not callable(fun):
            raise TypeError(
                f"{type(self).__name__}: {_tree.describe(fun)} is not a function; write "
                f"@jax.{type(self).__name__} above one"
            )
        update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = tuple(nondiff_argnums)
        self._has_rule = False
        self._own: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What `fun` gives, with a derivative by the rule."""
        if not self._has_rule:
            raise AttributeError(
                f"{name_of(self.fun)} has no rule yet; call {name_of(self.fun)}."
                f"{'defvjp(fwd, bwd)' if isinstance(self, custom_vjp) else 'defjvp(rule)'}"
            )
        args, kwargs = _by_position(self.fun, args, kwargs)
        return wrap_tree(self._own(*plain(args), **plain(kwargs)))

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        from types import MethodType

        return MethodType(self, instance)


def _by_position(fun: Function, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Arguments by position, those by name and defaults too: rules know them in this order."""
    from inspect import signature

    try:
        bound = signature(fun).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return args, kwargs
    bound.apply_defaults()
    return bound.args, bound.kwargs


def _inside(fun: Function) -> Function:
    """`fun`, which gets arrays with `at` and gives NumPy's own."""

    def inside(*args: Any, **kwargs: Any) -> Any:
        return plain(call(fun, shown(args), shown(kwargs)))

    return named(inside, fun)


class custom_vjp(_Custom):  # noqa: N801 - JAX's name
    """`fun` with a reverse rule: `fun.defvjp(fwd, bwd)`, as `tg.custom_vjp`.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> @jax.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (jnp.clip(g, -1.0, 1.0),))
    >>> jax.grad(lambda x: 5.0 * clipped(x))(2.0)
    Array(1., dtype=float64)
    """

    def __init__(self, fun: Function, nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(fun, nondiff_argnums)
        self._own = tg.custom_vjp(_inside(fun), self.nondiff_argnums)

    def defvjp(
        self, fwd: Function, bwd: Function, symbolic_zeros: bool = False, **settings: Any
    ) -> None:
        """`fwd(*args)` gives (result, kept); `bwd(*nondiff, kept, g)` a tuple of cotangents."""
        if symbolic_zeros:
            raise NotImplementedError(
                f"{name_of(self.fun)}.defvjp: symbolic_zeros=True is not there; the rule gets "
                "zeros where nothing flows, and the rule may return None for zero"
            )
        self._own.defvjp(_inside(fwd), _inside(bwd))
        self._has_rule = True


class custom_jvp(_Custom):  # noqa: N801 - JAX's name
    """`fun` with a tangent rule: `fun.defjvp(rule)`, as `tg.custom_jvp`.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> @jax.custom_jvp
    ... def softplus(x):
    ...     return jnp.logaddexp(x, 0.0)
    >>> softplus.defjvps(lambda t, y, x: t / (1.0 + jnp.exp(-x)))
    >>> jax.grad(softplus)(0.0)
    Array(0.5, dtype=float64)
    """

    def __init__(self, fun: Function, nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(fun, nondiff_argnums)
        self._own = tg.custom_jvp(_inside(fun), self.nondiff_argnums)

    def defjvp(self, rule: Function, symbolic_zeros: bool = False) -> Function:
        """`rule(*nondiff, primals, tangents)` gives (result, tangent of the result)."""
        if symbolic_zeros:
            raise NotImplementedError(
                f"{name_of(self.fun)}.defjvp: symbolic_zeros=True is not there; tangents of what "
                "is not differentiated are zeros"
            )
        self._own.defjvp(_inside(rule))
        self._has_rule = True
        return rule

    def defjvps(self, *rules: Function | None) -> None:
        """A rule for each argument: `rules[k](t, ans, *args)`; None where it is zero."""

        def rule(primals: Any, tangents: Any) -> Any:
            ans = self(*primals)
            parts = [
                f(t, ans, *primals) for f, t in zip(rules, tangents, strict=True) if f is not None
            ]
            return ans, sum(parts[1:], parts[0]) if parts else 0.0 * ans

        self.defjvp(rule)


def checkpoint(
    fun: Any = None,
    *,
    prevent_cse: bool = True,
    policy: Any = None,
    static_argnums: int | Sequence[int] = (),
    concrete: bool = False,
) -> Any:
    """`fun`, of whose inside nothing is kept for the reverse sweep: `tg.checkpoint`."""
    if policy is not None:
        raise NotImplementedError(
            "checkpoint: policy= is not there: of the inside nothing is kept; put jax.checkpoint "
            "around the parts that shall be computed again"
        )
    if fun is None:
        return lambda f: checkpoint(f, static_argnums=static_argnums)
    own = tg.checkpoint(_inside(fun))

    def again(*args: Any, **kwargs: Any) -> Any:
        return wrap_tree(own(*plain(args), **plain(kwargs)))

    return update_wrapper(again, fun)


remat = checkpoint


def pure_callback(callback: Function, result_shape_dtypes: Any, *args: Any, **settings: Any) -> Any:
    """What a function of plain arrays gives; it has no derivative, and programs call it anew."""
    for name in ("sharding", "vmap_method", "vectorized"):
        settings.pop(name, None)
    return wrap_tree(_host(callback, result_shape_dtypes, settings, *plain(args)))


@tg.notrace_primitive
def _host(callback: Function, like: Any, settings: dict[str, Any], *args: Any) -> Any:
    found = callback(*shown(args), **settings)
    pairs = zip(_tree.leaves(found), tree_leaves(like), strict=True)
    leaves = [np.asarray(x, expected.dtype)[()] for (_, x), expected in pairs]
    return _tree.fill(found, iter(leaves))
