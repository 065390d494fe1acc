"""The rules of a primitive by functions, as Autograd has them: `defvjp(f, ...)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from tapegrad import _tree
from tapegrad.operations.primitive import Primitive


def defvjp(
    f: Primitive[..., Any],
    *makers: Callable[..., Callable[[Any], Any]] | None,
    argnums: Sequence[int] | None = None,
) -> None:
    """Says how cotangents are pulled back through a primitive: see `Primitive.defvjp`.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> cube = tg.primitive(lambda x: x**3)
    >>> tg.defvjp(cube, lambda ans, x: lambda g: 3.0 * x**2 * g)
    >>> tg.grad(tg.grad(cube))(2.0)
    12.0
    """
    _checked("defvjp", f).defvjp(*makers, argnums=argnums)


def defvjp_argnum(f: Primitive[..., Any], maker: Callable[..., Callable[[Any], Any]]) -> None:
    """The same by one function: `maker(argnum, ans, args, kwargs)(g)`.

    >>> import tapegrad as tg
    >>> product = tg.primitive(lambda x, y: x * y)
    >>> tg.defvjp_argnum(product, lambda i, ans, args, kwargs: lambda g: g * args[1 - i])
    >>> tg.grad(product, argnum=(0, 1))(2.0, 3.0)
    (3.0, 2.0)
    """
    _checked("defvjp_argnum", f).defvjp_argnum(maker)


def defvjp_argnums(
    f: Primitive[..., Any], maker: Callable[..., Callable[[Any], Sequence[Any]]]
) -> None:
    """The same for all wanted arguments at once: `maker(argnums, ans, args, kwargs)(g)`.

    >>> import tapegrad as tg
    >>> product = tg.primitive(lambda x, y: x * y)
    >>> def maker(argnums, ans, args, kwargs):
    ...     return lambda g: [g * args[1 - i] for i in argnums]
    >>> tg.defvjp_argnums(product, maker)
    >>> tg.grad(product, argnum=(0, 1))(2.0, 3.0)
    (3.0, 2.0)
    """
    _checked("defvjp_argnums", f).defvjp_argnums(maker)


def defjvp(
    f: Primitive[..., Any],
    *rules: Callable[..., Any] | Literal["same"] | None,
    argnums: Sequence[int] | None = None,
) -> None:
    """Says how tangents are pushed forward through a primitive: see `Primitive.defjvp`.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> cube = tg.primitive(lambda x: x**3)
    >>> tg.defjvp(cube, lambda g, ans, x: 3.0 * x**2 * g)
    >>> tg.jvp(cube, (2.0,), (1.0,))
    (8.0, 12.0)
    """
    _checked("defjvp", f).defjvp(*rules, argnums=argnums)


def defjvp_argnum(f: Primitive[..., Any], rule: Callable[..., Any]) -> None:
    """The same by one function: `rule(argnum, g, ans, args, kwargs)`.

    >>> import tapegrad as tg
    >>> product = tg.primitive(lambda x, y: x * y)
    >>> tg.defjvp_argnum(product, lambda i, g, ans, args, kwargs: g * args[1 - i])
    >>> tg.jvp(product, (2.0, 3.0), (1.0, 10.0))
    (6.0, 23.0)
    """
    _checked("defjvp_argnum", f).defjvp_argnum(rule)


def defjvp_argnums(f: Primitive[..., Any], rule: Callable[..., Any]) -> None:
    """The same for all moved arguments at once: `rule(argnums, gs, ans, args, kwargs)`.

    >>> import tapegrad as tg
    >>> product = tg.primitive(lambda x, y: x * y)
    >>> def rule(argnums, gs, ans, args, kwargs):
    ...     return sum(g * args[1 - i] for i, g in zip(argnums, gs))
    >>> tg.defjvp_argnums(product, rule)
    >>> tg.jvp(product, (2.0, 3.0), (1.0, 10.0))
    (6.0, 23.0)
    """
    _checked("defjvp_argnums", f).defjvp_argnums(rule)


def def_linear(f: Primitive[..., Any]) -> None:
    """Says that a primitive is linear in each argument by itself.

    >>> import tapegrad as tg
    >>> double = tg.primitive(lambda x: x + x)
    >>> tg.def_linear(double)
    >>> tg.grad(double)(3.0)
    2.0
    """
    _checked("def_linear", f).def_linear()


def _checked(label: str, f: Any) -> Primitive[..., Any]:
    if isinstance(f, Primitive):
        return f
    raise TypeError(
        f"{label}: {_tree.describe(f)} is no primitive; decorate the function with @tg.primitive, "
        f"and call tg.{label} with that"
    )
