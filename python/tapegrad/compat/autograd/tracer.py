"""What is a Variable, its value, and functions that see values alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.compat.autograd.primitives import primitive, register_notrace
from tapegrad.compat.autograd.refusals import refuse, refusing
from tapegrad.complex.variable import ComplexVariable
from tapegrad.transforms.trace import value

__all__ = [
    "ArrayBox",
    "Box",
    "getval",
    "isbox",
    "notrace_primitive",
    "primitive",
    "register_notrace",
]

__getattr__ = refusing(__name__)


class _Variables(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return _tree.is_variable(instance)


class Box(metaclass=_Variables):
    """`isinstance(x, Box)`: whether `x` is a Variable."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Raises: tg.Variable makes one."""
        refuse("new_box", *args)

    @classmethod
    def register(cls, value_type: Any) -> None:
        """Raises: the values of a derivative are numbers, arrays and containers."""
        refuse("Box.register", value_type)


class ArrayBox(Box):
    """The same: numbers and arrays are the only ones."""


def isbox(x: object) -> bool:
    """Whether `x` is a Variable."""
    return _tree.is_variable(x)


def getval(x: Any) -> Any:
    """The plain value of a Variable, at every order; anything else as it is."""
    return value(x) if _tree.is_variable(x) else x


def notrace_primitive(f_raw: Callable[..., Any]) -> Callable[..., Any]:
    """`f_raw`, called with plain values: nothing is recorded, and its result is constant."""

    @wraps(f_raw)
    def plain(*args: Any, **kwargs: Any) -> Any:
        return f_raw(*map(getval, args), **kwargs)

    return plain


# What programs read of a box, once `isinstance` has told them that it is one.
for _kind in (Variable, ComplexVariable):
    _kind._value = property(getval, doc="The plain value.")  # type: ignore[union-attr]  # Autograd's name
