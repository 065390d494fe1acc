"""One registration for each function of SciPy that has a derivative here.

`@derives(scipy.linalg.solve, ...)` stands above the implementation, which has SciPy's signature.
What it makes calls SciPy's own function where no argument holds a Variable, and the implementation
otherwise. Said once, and read by docs/scipy.md and by the refusals of SciPy's own functions:

- `refused`: parameters of which only the default works, each with what to write instead. A key
  "mode='raw'" refuses this value alone;
- `complex_too`: whether the implementation takes complex Variables;
- `functions`: parameters that are functions of the user's, which may read Variables themselves.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tapegrad._core import Variable
from tapegrad._tree import is_variable

_NONE: Mapping[str, str] = MappingProxyType({})
_MISSING: Any = object()


class Function(NamedTuple):
    """What is registered of a function of SciPy."""

    name: str
    function: Any
    implementation: Callable[..., Any]
    refused: Mapping[str, str]
    complex_too: bool


FUNCTIONS: dict[str, Function] = {}


def derives(
    function: Any,
    *,
    name: str = "",
    refused: Mapping[str, str] = _NONE,
    complex_too: bool = False,
    functions: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers the decorated function as SciPy's function of Variables."""
    name = name or f"{public_module(function)}.{function.__name__}"

    def decorate(implementation: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS[name] = Function(name, function, implementation, refused, complex_too)
        checks = [_check_of(implementation, key, remedy) for key, remedy in refused.items()]
        reads = _reads_of(implementation, name, functions)

        def call(*args: Any, **kwargs: Any) -> Any:
            given = holds_variable(args) or (kwargs and holds_variable(kwargs))
            if not given and not (functions and reads(args, kwargs)):
                return function(*args, **kwargs)
            for check in checks:
                check(name, args, kwargs)
            if not complex_too:
                refuse_complex(name, (args, kwargs))
            return implementation(*args, **kwargs)

        call.__doc__ = f"`{name}`, which takes Variables too: SciPy's documentation holds."
        call.__name__, call.__qualname__ = implementation.__name__, implementation.__qualname__
        call.__module__ = implementation.__module__
        vars(call)["__wrapped__"] = implementation  # whose signature is shown
        return call

    return decorate


def with_parameters_of(
    function: Callable[..., Any], implementation: Callable[..., Any]
) -> Callable[..., Any]:
    """`implementation`, called as SciPy's function is, whose parameters differ by version.

    It gets those that it names, by keyword, or all where it takes any.
    """
    parameters = signature(function)
    own = signature(implementation).parameters.values()
    names = {p.name for p in own}
    takes_all = any(p.kind is Parameter.VAR_KEYWORD for p in own)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = parameters.bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        return implementation(**{k: x for k, x in given.items() if takes_all or k in names})

    call.__name__, call.__qualname__ = implementation.__name__, implementation.__qualname__
    call.__module__ = implementation.__module__
    vars(call)["__signature__"] = parameters
    return call


def public_module(function: Any) -> str:
    """The module under which users know a function that a private one defines."""
    parts = [part for part in function.__module__.split(".") if not part.startswith("_")]
    while len(parts) > 2:
        module = sys.modules.get(".".join(parts))
        if getattr(module, function.__name__, None) is function:
            break
        parts.pop()
    return ".".join(parts)


def holds_variable(x: Any) -> bool:
    """Whether there is a Variable in a nesting of arguments."""
    kind = type(x)
    if kind is Variable:
        return True
    if kind is tuple or kind is list:
        return any(map(holds_variable, x))
    if kind is dict:
        return any(map(holds_variable, x.values()))
    if kind is np.ndarray:
        return x.dtype == object and any(map(holds_variable, x.flat))
    if isinstance(x, (list, tuple)):
        return any(map(holds_variable, x))
    return is_variable(x) or getattr(kind, "_holds_variables", False)


def refuse_complex(name: str, x: Any) -> None:
    """Raises where a complex Variable is among the arguments of a function of real ones."""
    if isinstance(x, (list, tuple)):
        for item in x:
            refuse_complex(name, item)
    elif isinstance(x, dict):
        refuse_complex(name, list(x.values()))
    elif is_variable(x) and not isinstance(x, Variable):
        raise TypeError(
            f"{name}: complex Variables have no derivative in this function; compute with z.real "
            "and z.imag apart, or call it on the plain value, tg.value(z)"
        )


def _check_of(
    implementation: Callable[..., Any], key: str, remedy: str
) -> Callable[[str, tuple[Any, ...], dict[str, Any]], None]:
    """What raises where a refused parameter is given."""
    parameter, equals, text = key.partition("=")
    parameters = signature(implementation).parameters
    default = parameters[parameter].default
    place = list(parameters).index(parameter)
    by_place = parameters[parameter].kind is not Parameter.KEYWORD_ONLY
    wrong = ast.literal_eval(text) if equals else _MISSING

    def check(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = kwargs.get(parameter, default)
        if by_place and place < len(args):
            given = args[place]
        if given is default if not equals else not _same(given, wrong):
            return
        if not equals and _same(given, default):
            return
        refuse(name, f"{parameter}={_short(given)}", remedy)

    return check


def _reads_of(
    implementation: Callable[..., Any], name: str, functions: tuple[str, ...]
) -> Callable[[tuple[Any, ...], dict[str, Any]], bool]:
    """Whether one of the functions among the arguments reads Variables from outside."""
    places = [(list(signature(implementation).parameters).index(f), f) for f in functions]

    def reads(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        from tapegrad.scipy.closures import Closure

        given = [args[k] if k < len(args) else kwargs.get(f) for k, f in places]
        return Closure(name, tuple(given)).reads_variables

    return reads


def _same(x: Any, y: Any) -> bool:
    return type(x) is type(y) and not isinstance(x, np.ndarray) and bool(x == y)


def _short(x: Any) -> str:
    text = " ".join(repr(x).split())
    return text if len(text) <= 60 else f"<{type(x).__name__}>"


def refuse(name: str, what: str, remedy: str) -> NoReturn:
    """Raises TypeError: a call of this function has no derivative."""
    raise TypeError(f"{name}: {what} has no derivative; {remedy}")


def others_of(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module here: what is not in it is SciPy's own."""

    def find(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(module), name)

    return find


def remedy_of(name: str) -> str:
    """What to call instead of SciPy's own function, as refusals name it; "" where nothing is."""
    parts = name.split(".")
    if parts[0] != "scipy" or len(parts) < 3:
        return ""
    try:  # where one of the functions is, all are registered
        import_module(f"tapegrad.scipy.{parts[1]}")
    except ImportError:
        return ""
    inner = f"scipy.{parts[1]}."
    known = [x for x in FUNCTIONS if x.startswith(inner) and x.rpartition(".")[2] == parts[-1]]
    if len(known) > 1:  # a method of many
        return f"call .{parts[-1]} of what tapegrad.scipy.{parts[1]} has under the same name"
    return f"call tapegrad.{known[0]}, which takes the same arguments" if known else ""
