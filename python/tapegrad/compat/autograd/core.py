"""make_vjp and make_jvp of functions of one argument, and the rules of primitives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable
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


def numpy_numbers(found: Any) -> Any:
    """Numbers as NumPy's scalars, which have a shape and a dtype: so Autograd returns them."""
    if isinstance(found, (np.ndarray, Variable)):
        return found
    if type(found) is float:
        return np.float64(found)
    leaves = [x for _, x in _tree.leaves(found)]
    if not any(type(x) is float for x in leaves):
        return found
    return _tree.fill(found, iter([np.float64(x) if type(x) is float else x for x in leaves]))


def floats(argument: Any) -> Any:
    """Arrays of integers or masks in an argument as floats: Autograd differentiates by them."""

    def is_whole(x: Any) -> bool:
        return type(x) is np.ndarray and x.dtype.kind in "iub"

    if is_whole(argument):
        return argument.astype(np.float64)
    if _tree.is_leaf(argument):
        return argument
    leaves = [x for _, x in _tree.leaves(argument)]
    if not any(map(is_whole, leaves)):
        return argument
    return _tree.fill(argument, iter(map(floats, leaves)))


def make_vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """The pullback of `fun` at `x`, and the value.

    >>> from tapegrad.compat.autograd.core import make_vjp
    >>> pullback, value = make_vjp(lambda x: x**2, 3.0)
    >>> pullback(1.0), value
    (np.float64(6.0), np.float64(9.0))
    """
    value, pullback = vjp(fun, floats(x))
    return lambda g: numpy_numbers(pullback(floats(g))[0]), numpy_numbers(value)


def make_jvp(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """A function of directions: the value of `fun` at `x`, and its derivative in the direction.

    >>> from tapegrad.compat.autograd.core import make_jvp
    >>> make_jvp(lambda x: x**2, 3.0)(1.0)
    (np.float64(9.0), np.float64(6.0))
    """
    return lambda g: numpy_numbers(jvp(fun, (floats(x),), (floats(g),)))
