"""What is asked of values and machines: shapes, devices, whether something is being recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad.compat.jax.arrays import plain, wrap_tree
from tapegrad.compat.jax.refusals import refusing
from tapegrad.compat.jax.tree_util import tree_map
from tapegrad.transforms.trace import value

__getattr__ = refusing(__name__, "core.")


class _Variables(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return _tree.is_variable(instance)


class Tracer(metaclass=_Variables):
    """`isinstance(x, Tracer)`: whether `x` is a Variable."""


@dataclass(frozen=True)
class ShapeDtypeStruct:
    """A shape and a dtype."""

    shape: tuple[int, ...]
    dtype: Any

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return int(np.prod(self.shape))


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Shapes and dtypes of what `fun` gives, which is called with ones.

    >>> from tapegrad.compat import jax
    >>> jax.eval_shape(lambda x: x @ x.T, jax.numpy.ones((3, 2)))
    ShapeDtypeStruct(shape=(3, 3), dtype=dtype('float64'))
    """

    def one(x: Any) -> Any:
        known = hasattr(x, "shape") and hasattr(x, "dtype")
        return np.ones(x.shape, x.dtype) if known else x

    def told(x: Any) -> Any:
        return ShapeDtypeStruct(tuple(np.shape(x)), np.result_type(x))

    given = wrap_tree(tree_map(one, args)), wrap_tree(tree_map(one, kwargs))
    return tree_map(told, fun(*given[0], **given[1]))


def block_until_ready(x: Any) -> Any:
    """`x`: nothing is ever pending."""
    return x


def device_put(x: Any, device: Any = None, **settings: Any) -> Any:
    """`x` as arrays: there is one device."""
    return wrap_tree(x)


def device_get(x: Any) -> Any:
    """`x` as NumPy's own arrays."""
    return plain(value(x))


def devices(backend: Any = None) -> list[str]:
    """The one device."""
    return ["cpu:0"]


def default_backend() -> str:
    """The CPU."""
    return "cpu"


def named_call(fun: Callable[..., Any], *, name: str | None = None) -> Callable[..., Any]:
    """`fun` itself."""
    return fun


@contextmanager
def named_scope(name: str) -> Iterator[None]:
    """A block with a name, which nothing shows."""
    yield
