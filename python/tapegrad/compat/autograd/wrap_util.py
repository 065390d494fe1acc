"""Operators on functions of one argument, made to take functions of several."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from tapegrad.compat.autograd.util import subvals

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["get_doc", "get_name", "named", "unary_to_nary", "wrap_nary_f", "wraps"]


def unary_to_nary(unary_operator: Callable[..., Any]) -> Callable[..., Any]:
    """Of `operator(f, x)`, the operator that takes `f` and positions and waits for arguments.

    `argnum` is a position, or a tuple of them: then `f` is taken as a function of that tuple.

    >>> from tapegrad.compat.autograd.wrap_util import unary_to_nary
    >>> at_twice = unary_to_nary(lambda f, x: f(2 * x))
    >>> at_twice(lambda a, b: a - b, 1)(1.0, 10.0)
    -19.0
    """

    @wraps(unary_operator)
    def nary_operator(
        fun: Callable[..., Any], argnum: Any = 0, *operator_args: Any, **operator_kwargs: Any
    ) -> Callable[..., Any]:
        if type(argnum) not in (int, tuple, list):
            raise TypeError(
                f"{get_name(unary_operator)}: argnum is {argnum!r}; give a position, as in "
                "argnum=0, or a tuple of them"
            )
        single = isinstance(argnum, int)

        @wrap_nary_f(fun, unary_operator, argnum)
        def nary_f(*args: Any, **kwargs: Any) -> Any:
            @wraps(fun)
            def unary_f(x: Any) -> Any:
                pairs = [(argnum, x)] if single else zip(argnum, x, strict=True)
                return fun(*subvals(args, pairs), **kwargs)

            x = args[argnum] if single else tuple(args[i] for i in argnum)
            return unary_operator(unary_f, x, *operator_args, **operator_kwargs)

        return nary_f

    return nary_operator


def wraps(
    fun: Any, namestr: str = "{fun}", docstr: str = "{doc}", **kwargs: Any
) -> Callable[[F], F]:
    """A decorator that gives a function a name and a text made of those of `fun`."""

    def give(f: F) -> F:
        with suppress(AttributeError, KeyError, ValueError):
            f.__name__ = namestr.format(fun=get_name(fun), **kwargs)
            f.__doc__ = docstr.format(fun=get_name(fun), doc=get_doc(fun), **kwargs)
        return f

    return give


def wrap_nary_f(fun: Any, op: Any, argnum: Any) -> Callable[[F], F]:
    """A decorator that names a function after the operator, what it is of and its positions."""
    return named(get_name(op), fun, argnum)


def named(op: str, fun: Any, argnum: Any) -> Callable[[F], F]:
    """The same for the name of an operator."""
    return wraps(
        fun,
        "{op}_of_{fun}_wrt_argnum_{argnum}",
        "    {op} of function {fun} with respect to argument number {argnum}. Takes the\n"
        "    arguments of {fun} and returns the {op}.\n",
        op=op,
        argnum=argnum,
    )


def get_name(f: Any) -> str:
    """The name of a function, for other functions' names."""
    return str(getattr(f, "__name__", "[unknown name]"))


def get_doc(f: Any) -> str:
    """The text of a function, '' where it has none."""
    return getattr(f, "__doc__", None) or ""
