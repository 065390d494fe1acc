"""Arrays of objects in NumPy's functions: those that show or change them, and complex elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.numpy.families import registration_of
from tapegrad.numpy.operands import fill_objects
from tapegrad.transforms.trace import pack_array

# NumPy's names of parameters whose lists are of arrays, not of the numbers of one.
_OF_ARRAYS = frozenset({"arrays", "tup", "condlist", "choicelist", "choices", "keys"})


def of_complex(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a call in which something is complex."""
    from tapegrad.complex import functions, ufuncs

    if isinstance(function, np.ufunc):
        out = args[function.nin :] or kwargs.pop("out", None)
        args, kwargs = _as_pairs(function, args[: function.nin], kwargs)
        if out is not None and out is not ...:
            kwargs["out"] = out if isinstance(out, tuple) else (out,)
        return ufuncs.array_ufunc(function, "__call__", args, kwargs)
    if function is np.nan_to_num and is_in_place(args, kwargs):
        found = of_complex(function, args[:1], {**kwargs, "copy": True})
        return fill_objects(args[0], found)
    args, kwargs = _as_pairs(function, args, kwargs)
    return functions.array_function(function, args, kwargs)


def is_in_place(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call of np.nan_to_num changes an array of objects."""
    return are_objects(args[0]) and not kwargs.get("copy", len(args) < 2 or args[1])


def are_objects(x: Any) -> bool:
    return type(x) is np.ndarray and x.dtype == object


def sees_memory(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the result shows an array of objects, or the call writes into one.

    NumPy does that with objects as with numbers: what it makes is no Variable, but an array of the
    same Variables, in which writes show.
    """
    if not args or not any(are_objects(x) for x in args):
        return False
    if function is np.einsum:
        return len(args) == 2 and are_objects(args[1])
    if function is np.meshgrid:
        return not kwargs.get("copy", True)
    if not are_objects(args[0]) and function is not np.broadcast_arrays:
        return False
    if function is np.empty_like:
        return True
    if function is np.diag:
        return bool(args[0].ndim == 2)
    found = registration_of(function)
    if found is None or not (found.facts.view or found.module.endswith(".writes")):
        return False
    # What NumPy takes for the real part of an array of objects is the array.
    return function not in (np.real, np.real_if_close) or not _core.holds_complex(args[0])


def _as_pairs(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, complex Variables for arrays of objects and for lists of numbers."""
    implementation = getattr(registration_of(function), "implementation", None)
    code = getattr(implementation, "__code__", None)
    names = () if code is None else code.co_varnames[: code.co_argcount]

    def pair(x: Any, is_of_arrays: bool) -> Any:
        if are_objects(x):
            return pack_array(x)
        if type(x) in (list, tuple) and _core.holds_complex(x):
            items = [pair(item, is_of_arrays and function is np.block) for item in x]
            return items if is_of_arrays else np.stack(items)
        return x

    given = [pair(x, not _OF_ARRAYS.isdisjoint(names[i : i + 1])) for i, x in enumerate(args)]
    named = {
        name: x if name == "out" else pair(x, name in _OF_ARRAYS) for name, x in kwargs.items()
    }
    return tuple(given), named
