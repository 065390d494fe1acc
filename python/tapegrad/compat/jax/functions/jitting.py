"""jit, which is tg.compile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import update_wrapper
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad.compat.jax.arrays import plain, shown, wrap_tree
from tapegrad.compat.jax.functions.transforms import named
from tapegrad.compat.jax.refusals import refuse
from tapegrad.compat.jax.variables import call
from tapegrad.transforms.trace import name_of

__all__ = ["disable_jit", "jit"]

_disabled = [0]


@contextmanager
def disable_jit(disable: bool = True) -> Iterator[None]:
    """A block in which functions under `jit` run as plain Python."""
    _disabled[0] += bool(disable)
    try:
        yield
    finally:
        _disabled[0] -= bool(disable)


def jit(
    fun: Any = None,
    /,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    **settings: Any,
) -> Any:
    """`fun`, compiled by `tg.compile`; a decorator too.

    Static arguments are fixed: each of their values is a program of its own. Settings that say
    how XLA shall compile (`donate_argnums`, `inline`, `backend` ...) change nothing.

    >>> from functools import partial
    >>> from tapegrad.compat import jax
    >>> @partial(jax.jit, static_argnums=1)
    ... def power(x, n):
    ...     for _ in range(n - 1):
    ...         x = x * x
    ...     return x
    >>> power(3.0, 2)
    Array(9., dtype=float64)
    """
    unknown = settings.keys() - _SETTINGS
    if unknown:
        raise TypeError(f"jit: there is no setting {', '.join(sorted(unknown))}")
    numbers = _listed(static_argnums, int)
    names = _listed(static_argnames, str)
    if fun is None:
        return lambda f: Jitted(f, numbers, names)
    if not callable(fun):
        raise TypeError(f"jit: {_tree.describe(fun)} is not a function; call jax.jit(f)(x)")
    return Jitted(fun, numbers, names)


_SETTINGS = frozenset(
    {
        "donate_argnums", "donate_argnames", "keep_unused", "device", "backend", "inline",
        "compiler_options", "in_shardings", "out_shardings",
    }
)  # fmt: skip


def _listed(given: Any, kind: type) -> tuple[Any, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, kind) else tuple(given)


# The compiled functions of each, by the values of its static arguments: beside the object, of which
# a program that calls it counts what changes.
_programs: WeakKeyDictionary[Jitted, dict[Any, Any]] = WeakKeyDictionary()


class Jitted:
    """A function under `jit`."""

    def __init__(
        self, fun: Callable[..., Any], numbers: tuple[int, ...], names: tuple[str, ...]
    ) -> None:
        update_wrapper(self, fun)
        self.fun = fun
        self.numbers, self.names = _both(fun, numbers, names)
        _programs[self] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _disabled[0]:
            return self.fun(*args, **kwargs)
        fixed = {i % len(args): args[i] for i in self.numbers if -len(args) <= i < len(args)}
        given = [_input(x) for i, x in enumerate(args) if i not in fixed]
        words = {name: kwargs[name] for name in self.names if name in kwargs}
        inputs = {name: _input(x) for name, x in kwargs.items() if name not in words}
        return wrap_tree(self._program(fixed, words)(*given, **inputs))

    def _program(self, fixed: dict[int, Any], words: dict[str, Any]) -> Any:
        key = (
            tuple((i, type(x), x) for i, x in fixed.items()),
            tuple((name, type(x), x) for name, x in sorted(words.items())),
        )
        compiled = _programs[self]
        try:
            found = compiled.get(key)
        except TypeError:
            raise ValueError(
                f"jit of {name_of(self.fun)}: a static argument has no hash, {key[0] + key[1]!r}; "
                "give a number, a string or a tuple of them, or leave it out of the static ones"
            ) from None
        if found is None:
            found = compiled[key] = tg.compile(_with(self.fun, fixed, words))
        return found

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        from types import MethodType

        return MethodType(self, instance)

    def clear_cache(self) -> None:
        """Forgets what was compiled."""
        _programs[self].clear()

    def inspect(self) -> list[Any]:
        """What `tg.compile` says of each program: its signatures, and why one runs plainly."""
        return [compiled.inspect() for compiled in _programs[self].values()]

    def __getattr__(self, name: str) -> Any:
        if name in ("lower", "trace", "eval_shape"):
            refuse(f"jit.{name}")
        raise AttributeError(f"a function under jit has no attribute {name!r}")


def _both(
    fun: Callable[..., Any], numbers: tuple[int, ...], names: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The static arguments by position and by name, whichever way they were named."""
    from inspect import Parameter, signature

    if not (numbers or names):
        return (), ()
    try:
        parameters = list(signature(fun).parameters.values())
    except (TypeError, ValueError):
        return numbers, names
    by_place = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    places = [p.name for p in parameters if p.kind in by_place]
    unknown = set(names) - {p.name for p in parameters}
    takes_any = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)
    if unknown and not takes_any:
        raise ValueError(
            f"jit of {name_of(fun)}: static_argnames names {', '.join(sorted(unknown))}, and its "
            f"arguments are {', '.join(p.name for p in parameters)}"
        )
    named_too = {places[i] for i in numbers if -len(places) <= i < len(places)}
    placed_too = {i for i, name in enumerate(places) if name in names}
    return tuple(sorted({*numbers, *placed_too})), tuple(sorted({*names, *named_too}))


def _input(tree: Any) -> Any:
    """An argument as programs take it: numbers of Python's, also whole ones, are inputs."""
    leaves = [_array(x) for _, x in _tree.leaves(tree)]
    return _tree.fill(tree, iter(leaves))


def _array(x: Any) -> Any:
    kind = type(x)
    if kind is int or kind is bool or isinstance(x, (np.integer, np.bool_)):
        return np.asarray(x)
    return plain(x)


def _with(fun: Callable[..., Any], fixed: dict[int, Any], words: dict[str, Any]) -> Any:
    """`fun` with its static arguments in their places."""

    def inside(*inputs: Any, **named_inputs: Any) -> Any:
        given = list(shown(inputs))
        for i in sorted(fixed):
            given.insert(i, fixed[i])
        return plain(call(fun, given, {**shown(named_inputs), **words}))

    return named(inside, fun)
