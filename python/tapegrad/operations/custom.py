"""Rules of one's own in JAX's form: custom_vjp and custom_jvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, overload

from tapegrad.operations.primitive import Primitive
from tapegrad.operations.rules import ForwardAndBackward, PrimalsAndTangents

P = ParamSpec("P")
R = TypeVar("R")


class CustomVjp(Primitive[P, R]):
    """A primitive with JAX's pair of rules: see `custom_vjp`."""

    _maker = "custom_vjp"

    def __init__(self, f: Callable[P, R], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(f)
        self.nondiff_argnums = tuple(nondiff_argnums)

    def defvjp(  # type: ignore[override]  # the form of JAX
        self, fwd: Callable[P, tuple[R, Any]], bwd: Callable[..., Any]
    ) -> None:
        """`fwd(*args)` gives (result, kept); `bwd(*nondiff, kept, g)` a tuple of adjoints."""
        for name, rule in (("fwd", fwd), ("bwd", bwd)):
            if not callable(rule):
                raise TypeError(f"{self.name}.defvjp: {name} is {rule!r}; give a function")
        self._reverse = ForwardAndBackward(fwd, bwd, self.nondiff_argnums, self.name)

    def _first_call(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], keep: bool
    ) -> tuple[Any, Any]:
        rule = self._reverse
        if not isinstance(rule, ForwardAndBackward) or not keep:
            return self.fun(*args, **kwargs), None
        out, kept = rule.first_call(args, kwargs)
        return out, (kept,)


class CustomJvp(Primitive[P, R]):
    """A primitive with JAX's tangent rule: see `custom_jvp`."""

    _maker = "custom_jvp"

    def __init__(self, f: Callable[P, R], nondiff_argnums: Sequence[int] = ()) -> None:
        super().__init__(f)
        self.nondiff_argnums = tuple(nondiff_argnums)

    def defjvp(self, rule: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:  # type: ignore[override]  # the form of JAX
        """`rule(*nondiff, primals, tangents)` gives (result, tangent of the result).

        Returns the rule: it may be used as a decorator.
        """
        if not callable(rule):
            raise TypeError(f"{self.name}.defjvp: the rule is {rule!r}; give a function")
        self._tangent = PrimalsAndTangents(rule, self.nondiff_argnums, self.name)
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """A rule for each argument: `rules[k](t, ans, *args)`; None where it is zero."""
        super().defjvp(*rules)


@overload
def custom_vjp(f: Callable[P, R], nondiff_argnums: Sequence[int] = ()) -> CustomVjp[P, R]: ...
@overload
def custom_vjp(
    f: None = None, nondiff_argnums: Sequence[int] = ()
) -> Callable[[Callable[P, R]], CustomVjp[P, R]]: ...
def custom_vjp(f: Any = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """`f` with a reverse rule of its own, in the form of JAX's `custom_vjp`.

    `f.defvjp(fwd, bwd)`: `fwd` takes the arguments of `f` and returns the pair (result, kept);
    `bwd(kept, g)` returns a tuple with the adjoint of each argument. The arguments of
    `nondiff_argnums` have no derivative, and come first in the call of `bwd`. Like a `primitive`,
    `f` and `fwd` are called on plain values; where the sweep is differentiated further, `fwd` and
    `bwd` run on Variables. A tangent sweep takes the transpose of the rule.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> @tg.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (np.clip(g, -1.0, 1.0),))
    >>> tg.grad(lambda x: 5.0 * clipped(x))(2.0)
    1.0
    """

    def decorated(f: Callable[..., Any]) -> CustomVjp[..., Any]:
        return CustomVjp(f, nondiff_argnums)

    return decorated if f is None else decorated(f)


@overload
def custom_jvp(f: Callable[P, R], nondiff_argnums: Sequence[int] = ()) -> CustomJvp[P, R]: ...
@overload
def custom_jvp(
    f: None = None, nondiff_argnums: Sequence[int] = ()
) -> Callable[[Callable[P, R]], CustomJvp[P, R]]: ...
def custom_jvp(f: Any = None, nondiff_argnums: Sequence[int] = ()) -> Any:
    """`f` with a tangent rule of its own, in the form of JAX's `custom_jvp`.

    `f.defjvp(rule)`: `rule(primals, tangents)` returns the pair (result, tangent of the result),
    where `primals` and `tangents` are tuples with an entry for each argument. The arguments of
    `nondiff_argnums` have no derivative, and come first in the call of the rule. A reverse sweep
    takes the transpose of the rule, which must be written in NumPy and linear in the tangents.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> @tg.custom_jvp
    ... def log1pexp(x):
    ...     return np.logaddexp(0.0, x)
    >>> @log1pexp.defjvp
    ... def rule(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return log1pexp(x), t / (1.0 + np.exp(-x))
    >>> tg.grad(log1pexp)(0.0)
    0.5
    """

    def decorated(f: Callable[..., Any]) -> CustomJvp[..., Any]:
        return CustomJvp(f, nondiff_argnums)

    return decorated if f is None else decorated(f)
