"""One registration for each NumPy function: what it does with Variables, and what follows.

`@implements(np.name, ...)` says everything that the package knows about a function, once:

- the implementation, which has NumPy's signature, and the method of Variable that is the same;
- `values`: from how many of its leading arguments the values of its result come, `only_shape`
  where it looks at shapes alone, `view` where the result shows the argument's memory. The
  analysis that `tg.compile` makes of captured arrays asks for these facts (`facts_of`);
- `on_data`: what is done where all Variables in the arguments hold masks or integers, which
  happens only while a whole function is recorded (see below);
- `in_core=op(name, parameter=kind, ...)`: how the core turns the usual calls into an operation
  without calling the implementation (the kinds: bindings/numpy_functions/array_function.cpp),
  named in the order of the operation's inputs and attributes; with `gives_array` a result of no
  axes is an array, as the implementation makes it.

*Masks and integers.* Their values are plain, unless a whole function is being recorded: then
they are Variables too, so that a program computes them anew at each replay. `on_data` is RECORD
where the implementation records such calls, PLAIN where NumPy computes the result of the plain
values, which makes a guard of them, or the names of the only parameters with which it records.
A function with `plain_unless_recording` gives such results itself (np.argmax, np.any): its
implementation is called only while a whole function is recorded. An implementation that cannot
record a call returns NotImplemented, and NumPy computes the result of the plain values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.numpy.families import name_of, register, registration_of, table, whole_table
from tapegrad.numpy.operands import plain

if TYPE_CHECKING:  # slow to import
    from inspect import Signature

F = TypeVar("F", bound=Callable[..., Any])

RECORD = "record"
PLAIN = "plain"
ALL = sys.maxsize  # every positional argument is an array


class Facts(NamedTuple):
    """What the result of a function depends on, and where it lies."""

    values: int = 0  # so many leading arguments are arrays, whose values its own come from
    only_shape: bool = False  # it depends on shapes and dtypes alone
    view: bool = False  # it shows the memory of the first argument


class Registration:
    """What one NumPy function does with Variables; called with its arguments, it does that."""

    def __init__(
        self,
        function: Any,
        implementation: Callable[..., Any] | None,
        facts: Facts,
        on_data: str | frozenset[str] = PLAIN,
        plain_unless_recording: bool = False,
        method: str = "",
        module: str = "",
        eager: Callable[..., Any] | None = None,
        asks_where: bool = False,
    ) -> None:
        self.function = function
        self.eager = eager or implementation  # what is called where nothing is recorded
        self.module = module  # that registers it
        self.implementation: Any = implementation  # None: NumPy's result of the plain values
        self.facts = facts
        self.on_data = on_data
        self.plain_unless_recording = plain_unless_recording
        self.is_direct = implementation is not None and not plain_unless_recording
        # Neither views of its arguments, nor writes to them, nor told where they lie.
        self.makes_new = not (facts.view or asks_where or module.endswith("writes"))
        if method:
            self.__name__ = method
            self.__qualname__ = f"Variable.{method}"
            self.__doc__ = f"Like numpy.ndarray.{method}."

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of a call with Variables among its arguments."""
        implementation = self.implementation
        if _core.tracing():
            if (
                self.on_data != RECORD
                and is_data((args, kwargs))
                and not self._records(args, kwargs)
            ):
                implementation = None
        elif self.plain_unless_recording:
            implementation = None
        if implementation is not None:
            found = implementation(*args, **kwargs)
            if found is not NotImplemented:
                return found
        return on_plain_values(self.function, args, kwargs)

    def _records(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        """Whether these data are recorded: only parameters that `on_data` names are given."""
        names = self.on_data
        return not isinstance(names, str) and len(args) <= 2 and kwargs.keys() <= names

    def __repr__(self) -> str:
        return f"<what {name_of(self.function)} does with Variables>"

    @property
    def __signature__(self) -> Signature:
        """Of the method: that of the implementation, with the Variable for the array."""
        from inspect import Parameter, Signature, signature

        rest = (
            list(signature(self.implementation).parameters.values()) if self.implementation else []
        )
        return Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *rest[1:]])


methods: dict[str, Registration] = {}

# Of functions that NumPy hands to nobody else.
_FACTS: dict[Any, Facts] = {
    np.array: Facts(1), np.asarray: Facts(1, view=True)
}  # fmt: skip


def _numpys_own(function: Any) -> Any:
    """NumPy's function where another stands in its place, in a block of `transforms/blanks.py`."""
    return getattr(function, "replaces", function)


def implements(
    *functions: Any,
    values: int = 0,
    only_shape: bool = False,
    view: bool = False,
    method: str = "",
    on_data: str | Iterable[str] = PLAIN,
    plain_unless_recording: bool = False,
    in_core: tuple[str, Mapping[str, str]] | None = None,
    gives_array: bool = False,
    eager: Callable[..., Any] | None = None,
    asks_where: bool = False,
) -> Callable[[F], F]:
    """Registers the decorated function as what `functions` do with Variables.

    `eager` does the same while no whole function is recorded; `asks_where`: it is told where in
    memory its arguments lie.
    """
    module = sys._getframe(1).f_globals["__name__"]

    def decorate(f: F) -> F:
        facts = Facts(values, only_shape, view)
        data = on_data if isinstance(on_data, str) else frozenset(on_data)
        for function in map(_numpys_own, functions):
            made = Registration(
                function, f, facts, data, plain_unless_recording, method, module, eager, asks_where
            )
            register(function, made)
            if method:
                methods.setdefault(method, made)
            if in_core is not None:
                _core.set_form(function, in_core[0], *_form(f, in_core[1]), gives_array)
            if plain_unless_recording:
                names = f.__code__.co_varnames[: f.__code__.co_argcount]
                _core.set_plain(function, names.index("out") if "out" in names else -1, method)
        return f

    return decorate


def op(name: str, **kinds: str) -> tuple[str, Mapping[str, str]]:
    """Of which op the usual calls are, and which kinds of parameters become its arguments."""
    return name, kinds


def plain_results(*functions: Any, method: str = "") -> None:
    """Registers functions whose results are NumPy's own of the plain values."""
    module = sys._getframe(1).f_globals["__name__"]
    for function in map(_numpys_own, functions):
        made = Registration(function, None, Facts(), method=method, module=module)
        register(function, made)
        _core.set_plain(function, -1, method)
        if method:
            methods[method] = made


def facts_of(function: Any) -> Facts | None:
    """What is known of a NumPy function; None for functions that are not registered."""
    if isinstance(function, np.ufunc):  # of whatever library
        return Facts(ALL)
    try:
        found = registration_of(function)
    except TypeError:  # nothing that can be looked up
        return None
    return found.facts if found else _FACTS.get(function)


def facts_of_method(name: str) -> Facts | None:
    """The same of an array's method."""
    found = methods.get(name)
    return found.facts if found else None


def _form(
    f: Any, kinds: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Any, ...], tuple[int, ...]]:
    """Names, kinds and defaults of an implementation's parameters, and the order of the op's."""
    code = f.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    defaults = dict(
        zip(names[: code.co_argcount][::-1], (f.__defaults__ or ())[::-1], strict=False)
    )
    defaults.update(f.__kwdefaults__ or {})
    rest = {name: "unset" if x is None else "never" for name, x in defaults.items()}
    order = [names.index(name) for name in kinds]
    order += [i for i in range(len(names)) if i not in order]
    return (
        names,
        tuple(kinds.get(name) or rest[name] for name in names),
        tuple(map(defaults.get, names)),
        tuple(order),
    )


_KNOWN = frozenset((Variable, np.ndarray, np.float64, float, int, complex, bool))


def overrides(kinds: Iterable[type], protocol: str) -> bool:
    """Whether a class of others says what NumPy's functions do with it: it is asked after us."""
    for kind in kinds:
        if kind in _KNOWN or kind.__module__.startswith("tapegrad"):
            continue
        answer = getattr(kind, protocol, None)
        if answer is None or answer is getattr(np.ndarray, protocol):
            continue
        if not issubclass(kind, Variable):
            return True
    return False


def array_function(
    func: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Answers NumPy's `__array_function__` for Variables."""
    if overrides(types, "__array_function__"):
        return NotImplemented
    registration = table.get(func) or registration_of(func)
    if registration is not None:
        if registration.makes_new and _core.are_blanks((args, kwargs)):
            return as_blanks(on_plain_values(func, args, kwargs))
        if registration.is_direct and not _core.tracing():  # spares most calls a frame
            found = registration.implementation(*args, **kwargs)
            if found is not NotImplemented:
                return found
        return registration(*args, **kwargs)
    if are_recorded_data((args, kwargs)):
        return on_plain_values(func, args, kwargs)
    if _core.are_blanks((args, kwargs)):
        return as_blanks(on_plain_values(func, args, kwargs))
    raise TypeError(_refusal(name_of(func)))


def on_plain_values(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """NumPy's own result; a program that is being recorded gets a guard of what is read."""
    out = _out_of(function, args, kwargs)
    if out is not None:
        return _into(out, function, args, kwargs)
    return function(*map(plain, args), **{name: plain(x) for name, x in kwargs.items()})


def _out_of(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The Variable that is given as out=, if one is."""
    found = kwargs.get("out")
    if found is None and len(args) > 1 and function in table and isinstance(args[-1], Variable):
        from inspect import signature

        implementation = table[function].implementation
        names = list(signature(implementation).parameters) if implementation else []
        found = args[-1] if names[len(args) - 1 : len(args)] == ["out"] else None
    return found if isinstance(found, Variable) else None


def _into(out: Any, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """NumPy's result, written into a Variable: the same as into an array of its dtype."""
    keeps_some = kwargs.get("where", True) is not True
    space = np.array(plain(out)) if keeps_some else np.empty(out.shape, out.dtype)
    if args and args[-1] is out:
        args = args[:-1]
    given = {name: plain(x) for name, x in kwargs.items() if name != "out"}
    function(*map(plain, args), **given, out=space)
    out[...] = space
    return out


def is_data(x: Any) -> bool:
    """Whether there are Variables in `x`, and all of them hold masks or integers."""
    found = _variables(x)
    return bool(found) and all(v.dtype.kind in "biu" for v in found)


def are_recorded_data(x: Any) -> bool:
    """The same; quick where no whole function is being recorded, since there are none then."""
    return _core.tracing() and is_data(x)


def as_blanks(found: Any) -> Any:
    """What plain NumPy made of blanks: arrays of floats take Variables too."""
    if type(found) is np.ndarray:
        return _core.blank(found) if found.dtype.char in "fd" else found
    if type(found) in (tuple, list):
        return type(found)(as_blanks(x) for x in found)
    if isinstance(found, tuple) and hasattr(found, "_fields"):
        return type(found)(*(as_blanks(x) for x in found))
    return found


def _variables(x: Any) -> list[Any]:
    if isinstance(x, Variable):
        return [x]
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)):
        return [v for item in x for v in _variables(item)]
    return []


def _refusal(name: str) -> str:
    import difflib

    plain_value = "where no derivative is needed, call it on the plain value, tg.value(v)"
    # Names of few letters are near to too many: what is close in length and letters alone counts.
    known = sorted({name_of(func) for func in whole_table()})
    bare = {x.rpartition(".")[2]: x for x in reversed(known)}
    near = difflib.get_close_matches(name.rpartition(".")[2], bare, n=3, cutoff=0.85)
    found = ", ".join(bare[x] for x in near)
    hint = f" (differentiable and near in name: {found})" if near else ""
    return (
        f"{name} has no derivative in tapegrad{hint}; {plain_value}, else write it with other "
        "NumPy functions"
    )
