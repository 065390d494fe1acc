"""Primitives: Python functions that are called as they are, with derivative rules of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import update_wrapper
from types import MethodType
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from tapegrad import _core, _tree
from tapegrad.operations.application import Application
from tapegrad.operations.derivatives import Differentiated, parameters_of
from tapegrad.operations.differences import Numerical
from tapegrad.operations.operands import holds_variable, plain
from tapegrad.operations.rules import (
    JvpByArgument,
    JvpOfAll,
    JvpOfEach,
    VjpByArgument,
    VjpOfAll,
    VjpOfEach,
    Zero,
)
from tapegrad.transforms.trace import check_callable, name_of
from tapegrad.transforms.transformed import name_in_module

P = ParamSpec("P")
R = TypeVar("R")
Maker = Callable[..., Callable[[Any], Any]]


class Primitive(Differentiated, Generic[P, R]):
    """A function that is one operation: see `primitive`.

    Attributes:
        fun: The function itself.
    """

    _maker = "primitive"  # who makes it, for complaints
    _unwatched = True  # every replay of a compiled function calls it: nothing in it need be watched

    def __init__(self, f: Callable[P, R], *, vectorized: bool = False) -> None:
        check_callable(self._maker, f, f"tg.{self._maker}(f)")
        self.fun: Callable[P, R] = f
        self.name = name_of(f)
        self._vectorized = vectorized
        update_wrapper(self, f)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """`fun(*args, **kwargs)`, recorded where a Variable is among the arguments."""
        if not _core.tracing():
            for x in args:
                if type(x) is not float and holds_variable(x):
                    break
            else:
                if not kwargs or not holds_variable(kwargs):
                    return self.fun(*args, **kwargs)
        given, named = self._by_position(args, kwargs)
        if isinstance(self._reverse, Zero) and not _core.tracing():
            return self.fun(*plain(given), **plain(named))
        found: R = Application(self, given, named).apply()
        return found

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.name}>"

    def __reduce__(self) -> Any:
        return name_in_module(self) or object.__reduce_ex__(self, 2)

    # What users say of it.

    def defvjp(self, *makers: Maker | None, argnums: Sequence[int] | None = None) -> None:
        """Says how cotangents are pulled back, argument by argument.

        `makers[k](ans, *args, **kwargs)` gives the function that takes the cotangent `g`, built
        like the result, to the adjoint of argument k (of argument `argnums[k]`), built like that.
        None: the derivative is zero.

        >>> import numpy as np
        >>> import tapegrad as tg
        >>> @tg.primitive
        ... def scaled(x, k):
        ...     return k * x
        >>> scaled.defvjp(lambda ans, x, k: lambda g: k * g, lambda ans, x, k: lambda g: x * g)
        >>> tg.grad(scaled, argnum=(0, 1))(2.0, 3.0)
        (3.0, 2.0)
        """
        _check_rules(f"{self.name}.defvjp", makers, "a function or None", ())
        rule = self._reverse if isinstance(self._reverse, VjpByArgument) else VjpByArgument()
        for i, maker in zip(_argnums(self.name, "defvjp", makers, argnums), makers, strict=True):
            rule.makers[i] = maker
        self._reverse = rule

    def defvjp_argnum(self, maker: Maker) -> None:
        """The same by one function: `maker(argnum, ans, args, kwargs)(g)`."""
        self._reverse = VjpOfEach(maker)

    def defvjp_argnums(self, maker: Callable[..., Callable[[Any], Sequence[Any]]]) -> None:
        """The same for all wanted arguments at once: `maker(argnums, ans, args, kwargs)(g)`."""
        self._reverse = VjpOfAll(maker)

    def defjvp(
        self,
        *rules: Callable[..., Any] | Literal["same"] | None,
        argnums: Sequence[int] | None = None,
    ) -> None:
        """Says how tangents are pushed forward, argument by argument.

        `rules[k](g, ans, *args, **kwargs)` is the tangent of the result that the tangent `g` of
        argument k makes; 'same' says that the function is linear in it, None that the derivative is
        zero.
        """
        _check_rules(f"{self.name}.defjvp", rules, "a function, 'same' or None", ("same",))
        rule = self._tangent if isinstance(self._tangent, JvpByArgument) else JvpByArgument(self)
        for i, each in zip(_argnums(self.name, "defjvp", rules, argnums), rules, strict=True):
            rule.makers[i] = each
        self._tangent = rule

    def defjvp_argnum(self, rule: Callable[..., Any]) -> None:
        """The same by one function: `rule(argnum, g, ans, args, kwargs)`."""
        self._tangent = JvpOfEach(rule)

    def defjvp_argnums(self, rule: Callable[..., Any]) -> None:
        """The same for all moved arguments at once: `rule(argnums, gs, ans, args, kwargs)`."""
        self._tangent = JvpOfAll(rule)

    def def_linear(self) -> None:
        """Says that the function is linear in each argument by itself."""
        parameters = list(parameters_of(self.fun).values())
        n = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        same: list[Literal["same"]] = ["same"] * n
        self.defjvp(*same)

    def defvmap(self, rule: Callable[..., Any]) -> None:
        """Says how `tg.vmap` applies it to all lanes at once; else it is called for each.

        `rule(n, has_lanes, *args)` gets the arguments, those of `has_lanes` (built like the
        arguments) with a leading axis of n lanes, and gives the pair of the result and what says of
        each of its leaves whether it has that axis.
        """
        self._lane_rule = rule

    # What applications ask.

    def _by_position(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments; those by keyword that hold a Variable by position, where that can be."""
        if not kwargs or not holds_variable(kwargs):
            return args, kwargs
        try:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
        except (TypeError, ValueError):  # the function says what is wrong, or has no signature
            return args, kwargs
        bound.apply_defaults()
        return bound.args, bound.kwargs


def _argnums(
    name: str, method: str, rules: Sequence[Any], argnums: Sequence[int] | None
) -> Sequence[int]:
    found = range(len(rules)) if argnums is None else argnums
    if len(found) != len(rules):
        raise ValueError(
            f"{name}.{method}: {len(rules)} rules and argnums={tuple(found)}; give one for each"
        )
    return found


def _check_rules(label: str, rules: Sequence[Any], what: str, words: Sequence[str]) -> None:
    if not rules:
        raise TypeError(f"{label}: give a rule for each argument: {what}")
    for k, rule in enumerate(rules):
        if rule is not None and not callable(rule) and rule not in words:
            raise TypeError(f"{label}: rule {k} is {_tree.describe(rule)}; give {what}")


@overload
def primitive(f: Callable[P, R]) -> Primitive[P, R]: ...
@overload
def primitive(
    f: Callable[P, R],
    *,
    derivative: Literal["rules", "numerical"] = "rules",
    vectorized: bool = False,
) -> Primitive[P, R]: ...
@overload
def primitive(
    f: None = None,
    *,
    derivative: Literal["rules", "numerical"] = "rules",
    vectorized: bool = False,
) -> Callable[[Callable[P, R]], Primitive[P, R]]: ...
def primitive(
    f: Any = None,
    *,
    derivative: Literal["rules", "numerical"] = "rules",
    vectorized: bool = False,
) -> Any:
    """`f` as one operation: it is called on plain numbers and arrays, whatever it does with them.

    How it is differentiated is said with `defvjp` (for a reverse sweep) or `defjvp` (for a tangent
    sweep), in the form of Autograd's functions of these names. One of them is enough where rules
    are written in NumPy: the other follows by transposition, and derivatives of higher order go
    through what the rules do. Works as a decorator.

    With `derivative="numerical"` no rule is needed: first derivatives are central differences,
    right to about 1e-10 of the function's scale, at two calls for each element of an argument.
    `vectorized=True` says that `f` takes arguments with one more leading axis, the same of all, and
    gives results with that axis: `tg.vmap` then calls it once, and not for every lane.

    Arguments and results may be any nesting of dict, list, tuple and dataclass. A compiled function
    calls `f` again at each replay, in the program's order; shapes and dtypes of its results must
    follow from those of its arguments. The arrays that `f` gets can't be written to.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> @tg.primitive
    ... def norm(x):
    ...     return np.linalg.norm(x)
    >>> norm.defvjp(lambda ans, x: lambda g: g * x / ans)
    >>> tg.grad(norm)(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    if derivative not in ("rules", "numerical"):
        raise ValueError(
            f"primitive: derivative={derivative!r}; it is 'rules' (defvjp, defjvp) or 'numerical'"
        )

    def decorated(f: Callable[..., Any]) -> Primitive[..., Any]:
        made: Primitive[..., Any] = Primitive(f, vectorized=vectorized)
        if derivative == "numerical":
            made._reverse = Numerical(f, made.name)
        return made

    return decorated if f is None else decorated(f)


def notrace_primitive(f: Callable[P, R]) -> Primitive[P, R]:
    """`f` as a function whose derivative is zero: it gives plain results of plain values.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> steps = tg.notrace_primitive(lambda x: np.floor(x))
    >>> tg.grad(lambda x: x * steps(x))(2.5)
    2.0
    """
    check_callable("notrace_primitive", f, "tg.notrace_primitive(f)")
    made = Primitive(f)
    made._reverse = Zero()
    return made
