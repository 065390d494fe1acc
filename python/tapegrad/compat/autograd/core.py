"""make_vjp and make_jvp of functions of one argument, and the rules of primitives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad.compat.autograd.primitives import (
    JVPNode,
    VJPNode,
    def_linear,
    defjvp,
    defjvp_argnum,
    defjvp_argnums,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    primitive_jvps,
    primitive_vjps,
    primitive_with_deprecation_warnings,
)
from tapegrad.compat.autograd.refusals import refusing
from tapegrad.compat.autograd.vspaces import VSpace, vspace
from tapegrad.transforms.gradients import vjp
from tapegrad.transforms.jacobians import jvp

__all__ = [
    "JVPNode",
    "VJPNode",
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "make_jvp",
    "make_vjp",
    "primitive",
    "primitive_jvps",
    "primitive_vjps",
    "primitive_with_deprecation_warnings",
    "vspace",
]

primitive = primitive_with_deprecation_warnings

__getattr__ = refusing(__name__)


def make_vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """The pullback of `fun` at `x`, and the value.

    >>> from tapegrad.compat.autograd.core import make_vjp
    >>> pullback, value = make_vjp(lambda x: x**2, 3.0)
    >>> pullback(1.0), value
    (6.0, 9.0)
    """
    value, pullback = vjp(fun, x)
    return lambda g: pullback(g)[0], value


def make_jvp(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """A function of directions: the value of `fun` at `x`, and its derivative in the direction.

    >>> from tapegrad.compat.autograd.core import make_jvp
    >>> make_jvp(lambda x: x**2, 3.0)(1.0)
    (9.0, 6.0)
    """
    return lambda g: jvp(fun, (x,), (g,))
