"""The names that this folder's modules give: functions of the namespace, methods of tensors."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from tapegrad.compat.torch.core.writes import check_writable, in_place_of, write

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[str, Any] = {}
METHODS: dict[str, Any] = {}


def register(
    name: str, f: Any, *, function: bool = True, method: bool = True, in_place: bool = False
) -> None:
    """Makes `f` the function and method `name`, and `name_` its form in place."""
    if function:
        FUNCTIONS[name] = f
    if method:
        METHODS[name] = f
    if in_place:
        METHODS[f"{name}_"] = in_place_of(f"{name}_", f)
        if function:
            FUNCTIONS[f"{name}_"] = METHODS[f"{name}_"]


def with_out(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, as a function of the namespace: `out=` takes its result."""

    @wraps(f)
    def function(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        made = f(*args, **kwargs)
        if out is None:
            return made
        check_writable(out, "out=")
        return write(out, made, f"{f.__name__}_")

    return function


def named(name: str, *fields: str) -> Any:
    """PyTorch's kind of result with several parts."""
    return namedtuple(name, fields)


def values_and_indices(name: str) -> Any:
    """A result of two parts."""
    return named(name, "values", "indices")


def public(
    *names: str, function: bool = True, method: bool = True, in_place: bool = False
) -> Callable[[F], F]:
    """`register` as a decorator, by default under the function's own name."""

    def decorated(f: F) -> F:
        for name in names or (f.__name__,):
            register(name, f, function=function, method=method, in_place=in_place)
        return f

    return decorated


def method_for(t: type) -> Callable[[F], F]:
    """A method, or a property, of the class alone."""

    def decorated(f: F) -> F:
        setattr(t, f.__name__, f)
        return f

    return decorated
