"""NumPy's other functions where an argument is complex: dispatch.

A function that moves elements, or is linear in them, acts on both parts alike: it is called twice.
The first kind is known from the registration of the real function (numpy/table.py): it records
masks and integers too, or gives a view. The rest is registered here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _core, _tree
from tapegrad._core import Variable
from tapegrad.complex.parts import is_complex, join_any, real_dtype, split
from tapegrad.complex.ufuncs import finish
from tapegrad.complex.variable import ComplexVariable
from tapegrad.numpy.families import name_of, registration_of
from tapegrad.numpy.table import ALL, RECORD, Registration
from tapegrad.transforms import blanks

own: dict[Any, Callable[..., Any]] = {}  # what single functions do
linear: dict[Any, tuple[int, ...]] = {}  # the places of the arguments in which it is linear

# Parameters that hold elements too, after the leading ones.
_ELEMENTS = frozenset(
    {"initial", "prepend", "append", "to_end", "to_begin", "constant_values", "end_values"}
)
_NAMED = [(name,) for name in _ELEMENTS]
# Whose results have the dtype of the first argument.
_OF_THE_FIRST = (
    np.sum, np.prod, np.max, np.amax, np.min, np.amin, np.insert, np.pad, np.ediff1d,
)  # fmt: skip


def _numpys(function: Any) -> Any:
    """The function itself: inside tg.patch_numpy() another stands in its place."""
    name = getattr(function, "__name__", "")
    return blanks.original(name) if function is getattr(np, name, None) else function


def on_complex(*functions: Any) -> Callable[[Any], Any]:
    """Registers the decorated function as what `functions` do with complex numbers."""

    def register(f: Any) -> Any:
        for function in functions:
            own[_numpys(function)] = f
        return f

    return register


def both_alike(function: Any) -> Any:
    """The places of arguments of which the function treats both parts alike; None for others."""
    if function in linear:
        return linear[function]
    found = registration_of(function)
    if found is None or isinstance(function, np.ufunc) or not _moves(found):
        return None
    return range(found.facts.values)


def _moves(x: Registration) -> bool:
    """Whether the elements of the result are those of the arguments, whatever their type."""
    return bool(x.facts.values and x.is_direct and (x.on_data == RECORD or x.facts.view))


def array_function(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answers NumPy's `__array_function__` where something is complex."""
    args, kwargs = _by_name(func, args, kwargs)
    if func in _OF_THE_FIRST and args and not _has_complex(args[0]):
        _check_real(func, args[1:], kwargs)
    out = kwargs.pop("out", None)
    implementation = own.get(func)
    if implementation is not None:
        found = implementation(*args, **kwargs)
    else:
        places = both_alike(func)
        if places is None:
            if all(map(_is_plain, _variables_in((args, kwargs)))):
                return func(*_as_plain(args), **_as_plain(kwargs))
            raise TypeError(_refusal(func))
        found = by_parts(func, places, args, kwargs)
    return found if out is None else finish(name_of(func).removeprefix("np."), found, out)


def _by_name(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments, from dtype= or out= on by name, in a dict that NumPy does not hold."""
    if len(args) < 2:  # the first is what the function is about
        return args, dict(kwargs)
    names = () if func is np.astype else _names_of(func)  # which takes dtype by its place alone
    first = min((names.index(x) for x in ("dtype", "out") if x in names), default=len(args))
    return args[:first], {**dict(zip(names[first:], args[first:], strict=False)), **kwargs}


def _check_real(func: Any, others: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Beside an array of real numbers, whose dtype the result has, NumPy drops imaginary parts."""
    given = [*others, *(x for name, x in kwargs.items() if name not in ("dtype", "out"))]
    if any(map(_has_complex, given)) and kwargs.get("dtype") is None:
        raise TypeError(
            f"{name_of(func)}: what goes into a real array is complex, and its imaginary part "
            "would be dropped; write x.astype(complex) in place of the array x, or z.real"
        )


def by_parts(
    func: Callable[..., Any], places: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """`func` of the real parts and of the imaginary parts, joined."""
    dtype = kwargs.get("dtype")
    if dtype is not None and dtype is not np._NoValue:
        if np.dtype(dtype).kind != "c":
            raise TypeError(
                f"{name_of(func)}: dtype={np.dtype(dtype)} would drop the imaginary part; give "
                "dtype=complex, or z.real in place of z"
            )
        kwargs = {**kwargs, "dtype": real_dtype(dtype)}
    names = _names_of(func)
    elements = _ELEMENTS.union(name for i, name in enumerate(names) if i in places)
    found = []
    for part in (_real, _imag):
        given = [
            part(x) if i in places or names[i : i + 1] in _NAMED else _checked(func, x)
            for i, x in enumerate(args)
        ]
        named = {k: part(x) if k in elements else _checked(func, x) for k, x in kwargs.items()}
        found.append(func(*given, **named))
    kind = type(found[0])
    if ALL - 1 in places and kind in (tuple, list):  # one of each argument, in its own dtype
        return kind(
            _joined(re, im) if is_complex(x) else re for x, re, im in zip(args, *found, strict=True)
        )
    return _joined(*found)


def _names_of(func: Any) -> tuple[str, ...]:
    code = getattr(getattr(registration_of(func), "implementation", None), "__code__", None)
    return () if code is None else code.co_varnames[: code.co_argcount]


def _checked(func: Any, x: Any) -> Any:
    """An argument that holds no elements."""
    if _has_complex(x):
        raise TypeError(
            f"{name_of(func)}: an argument beside the elements is complex; give a real one, "
            "z.real or np.abs(z)"
        )
    return x


def _has_complex(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_has_complex, x))
    return is_complex(x) and not isinstance(x, type)


def _real(x: Any) -> Any:
    if type(x) in (list, tuple):
        return type(x)(map(_real, x))
    return split(x)[0] if is_complex(x) else x


def _imag(x: Any) -> Any:
    if type(x) in (list, tuple):
        return type(x)(map(_imag, x))
    if is_complex(x):
        return split(x)[1]
    if isinstance(x, Variable) and not x.ndim:
        return x.dtype.type(0)
    if isinstance(x, (Variable, np.ndarray)):
        return np.zeros_like(x)
    if isinstance(x, (np.generic, bool)):
        return type(x)(0)  # in its own dtype
    return 0.0 if isinstance(x, (int, float)) else x


def _joined(re: Any, im: Any) -> Any:
    if isinstance(re, (tuple, list)):
        return type(re)(map(_joined, re, im))
    return join_any(re, im)


def _variables_in(x: Any) -> list[Any]:
    if _tree.is_variable(x):
        return [x]
    if isinstance(x, dict):
        x = list(x.values())
    return [v for item in x for v in _variables_in(item)] if isinstance(x, (list, tuple)) else []


def _is_plain(v: Any) -> bool:
    """Whether no Variable was written to it: a creation function made it."""
    return bool(v.is_plain if type(v) is ComplexVariable else _core.is_blank(v))


def _as_plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {name: _as_plain(item) for name, item in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(map(_as_plain, x))
    return x.value if type(x) is ComplexVariable else _core.value(x)


def _refusal(func: Any) -> str:
    name = name_of(func)
    if registration_of(func) is not None:
        return (
            f"{name} of complex Variables is not supported; write it with other functions (the "
            "list: docs/complex_functions.md), or where no derivative is needed call it on the "
            "plain value, tg.value(z)"
        )
    return (
        f"{name} has no derivative in tapegrad; where none is needed, call it on the plain value, "
        "tg.value(z)"
    )


def register_linear(*functions: Any, places: tuple[int, ...] = (0,)) -> None:
    """Registers functions that are linear in the arguments at these places."""
    for function in functions:
        linear[_numpys(function)] = places


from tapegrad.complex import families  # noqa: E402, F401 - they register functions

__all__ = ["ComplexVariable", "array_function", "both_alike", "by_parts", "on_complex"]
