"""Lists and arrays of objects that hold Variables, where NumPy looks at neither.

NumPy asks the arguments of a call whether they override it, and a list of Variables can't answer.
The core looks into the lists before NumPy does (bindings/numpy_functions/entries.cpp) and asks
here. `np.r_`, `np.c_`, `np.mgrid` and `np.ogrid`, which take what stands between brackets, are seen
to in the same way, and so is what `np.vectorize` makes of its function's results.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, to_array
from tapegrad._tree import is_array, is_variable
from tapegrad.numpy.families import registration_of
from tapegrad.numpy.operands import (
    as_array,
    cast,
    fill_objects,
    floating_dtype,
    free_shape,
    lift,
    ndim_of,
)
from tapegrad.numpy.table import array_function

# NumPy asks the items of what is joined: of those that are called most, the lists need no look.
_ASKS_ITEMS = (np.concatenate, np.stack)
_COMPLEX = (complex, np.complexfloating)
_NUMBERS = (int, float, complex, np.generic)
_LIBRARIES = ("numpy", "scipy", "tapegrad")
_STANDS_FOR_THE_USER = "tapegrad.transforms.blanks"  # whose functions are called in NumPy's place


def called(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a call with a Variable inside a list; NotImplemented leaves it to NumPy.

    So are the calls that NumPy's own code makes: that of np.var, say, goes on in place in arrays of
    objects, which is right for all but the functions of one argument: NumPy asks the elements for
    methods, which numbers among them have not.
    """
    from tapegrad.numpy.objects import is_in_place, of_complex, sees_memory

    if sees_memory(function, args, kwargs):
        return NotImplemented
    caller = str(sys._getframe(1).f_globals.get("__name__", ""))
    is_library = caller.partition(".")[0] in _LIBRARIES and caller != _STANDS_FOR_THE_USER
    is_complex = _core.holds_complex((args, kwargs))
    if isinstance(function, np.ufunc):
        out = args[function.nin :] or kwargs.get("out")
        outs = out if isinstance(out, tuple) else (out,)
        has_array = any(is_array(x) for x in outs)
        if is_complex and not (is_library and has_array):
            return of_complex(function, args, kwargs)
        if not has_array:
            return NotImplemented if is_library else function(*map(_as_one, args), **kwargs)
        if is_complex or function.nin > 1 or len(outs) > 1 or outs[0].dtype != object:
            return NotImplemented
        kwargs.pop("out", None)
        return fill_objects(outs[0], function(_as_one(args[0]), **kwargs))
    if is_complex:
        return of_complex(function, args, kwargs)
    # Of objects NumPy has no linear algebra.
    is_left = is_library and function.__module__ != "numpy.linalg"
    if is_left or registration_of(function) is None:
        return NotImplemented
    if function is np.nan_to_num and is_in_place(args, kwargs):
        found = array_function(function, (Variable,), args[:1], {**kwargs, "copy": True})
        return fill_objects(args[0], found)
    return array_function(function, (Variable,), args, kwargs)


def _as_one(x: Any) -> Any:
    """One array of a sequence; numbers stay numbers, whose dtype is weak."""
    return lift(x) if isinstance(x, (list, tuple, np.ndarray)) else x


def install() -> None:
    """Lets the core look at the arguments of NumPy's functions before NumPy does."""
    _core.set_sequence_hook(called)
    dispatched = type(np.sum)
    for module in (np, np.linalg, np.fft, np.emath):
        for function in vars(module).values():
            if isinstance(function, (np.ufunc, dispatched)):
                _core.take_entry(function, "joined" if function in _ASKS_ITEMS else "hidden")
    for own, made in ((np.r_, _joined), (np.c_, _joined), (np.mgrid, _grid), (np.ogrid, _grid)):
        cls: Any = type(own)
        cls.__getitem__ = _brackets(cls.__getitem__, made)
    vectorize: Any = np.vectorize
    vectorize.__call__ = _vectorized(vectorize.__call__)


class _Result:
    """What a function of np.vectorize gave, which NumPy takes for an object of no type it knows."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x


def _vectorized(original: Any) -> Any:
    """What calls of np.vectorize do: its own code, which holds the results as objects till the end.

    Plain arrays, which it makes of them where `otypes=` or the first result says so, take no
    Variables.
    """

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        kinds, function = self.otypes, self.pyfunc
        may_record = _core.in_blank_block() or any(map(is_variable, (*args, *kwargs.values())))
        is_usual = type(self) is np.vectorize and callable(function)
        if not is_usual or not (kinds or may_record):
            return original(self, *args, **kwargs)
        if self.signature is not None:
            of_arrays = np.vectorize(
                lambda *xs, **named: function(*map(_as_one_of_objects, xs), **named), kinds,
                excluded=self.excluded, cache=self.cache, signature=self.signature,
            )  # fmt: skip
            return original(of_arrays, *args, **kwargs)

        first: list[Any] = []  # whose dtypes NumPy takes; it calls the function with objects after

        def held(*xs: Any, **named: Any) -> Any:
            found = function(*xs, **named)
            first.extend(() if first else found if isinstance(found, tuple) else (found,))
            return tuple(map(_Result, found)) if isinstance(found, tuple) else _Result(found)

        of_objects = np.vectorize(
            held, "O" * len(kinds) if kinds else None, excluded=self.excluded, cache=self.cache
        )
        found = original(of_objects, *args, **kwargs)
        kinds = kinds or [(x if is_variable(x) else np.asarray(x)).dtype for x in first]
        if isinstance(found, tuple):
            return tuple(map(_of_kind, found, kinds))
        return _of_kind(found, kinds[0])

    return call


def _as_one_of_objects(x: Any) -> Any:
    return lift(x) if isinstance(x, np.ndarray) and x.dtype == object else x


def _of_kind(results: Any, kind: Any) -> Any:
    """Results as one array of this dtype: recorded where one of them is."""
    found = np.empty_like(results)
    for i, result in enumerate(results.flat):
        found.flat[i] = result.x if type(result) is _Result else result
    if np.dtype(kind).kind == "O" or not any(map(is_variable, found.flat)):
        return np.asanyarray(found, dtype=kind)
    return to_array(lift(found)).astype(kind)


def _brackets(original: Any, made: Any) -> Any:
    """What np.r_[...] does: its own code, or ours where a Variable is among the items."""

    @functools.wraps(original)
    def getitem(self: Any, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        return made(self, key) if any(map(_holds, items)) else original(self, key)

    return getitem


def _holds(item: Any) -> bool:
    if isinstance(item, slice):
        return any(isinstance(x, Variable) for x in (item.start, item.stop, item.step))
    if isinstance(item, (list, tuple)):
        return any(map(_holds, item))
    return is_variable(item)


def _joined(joiner: Any, key: Any) -> Any:
    """The items joined, with the axes that the first of them, a text, may ask for."""
    items = key if isinstance(key, tuple) else (key,)
    axis, least, place = joiner.axis, joiner.ndmin, joiner.trans1d
    if isinstance(items[0], str):
        axis, least, place = _directive(items[0], axis, least, place)
        items = items[1:]
    parts, dtypes = [], []
    for item in items:
        if isinstance(item, slice):
            part = _spaced(item)
            added = max(least - 1, 0)
            part = np.reshape(part, (1,) * added + (-1,))
            if added and place != -1:
                part = np.swapaxes(part, -1, place)
        else:
            part = _as_item(item)
            n = ndim_of(part)
            added = max(least - n, 0)
            part = np.reshape(part, (1,) * added + free_shape(part))
            if added and place != -1:
                before = place + added + 1 if place < 0 else place
                axes = list(range(least))
                part = np.transpose(part, axes[:before] + axes[added:] + axes[before:added])
        parts.append(part)
        is_number = isinstance(item, _NUMBERS) and not is_variable(item)
        dtypes.append(item if is_number else _dtype_of_part(part))
    wanted = np.result_type(*dtypes)
    if wanted.kind == "c":
        return np.concatenate([np.astype(x, wanted) for x in parts], axis)
    return np.concatenate([cast(x, wanted) for x in parts], axis)


def _as_item(item: Any) -> Any:
    if type(item) in (list, tuple) and _core.holds_complex(item):
        return np.stack(item)
    return np.asarray(item) if type(item) is complex else item if _is_pair(item) else as_array(item)


def _is_pair(x: Any) -> bool:
    """Whether it is a complex Variable."""
    return is_variable(x) and not isinstance(x, Variable)


def _dtype_of_part(part: Any) -> Any:
    dtype = getattr(part, "dtype", None)
    return dtype if dtype is not None and dtype.kind == "c" else floating_dtype(part)


def _directive(text: str, axis: int, least: int, place: int) -> tuple[int, int, int]:
    """Axis, least number of axes, and where the axes of an item come, from "0,2,0" or a part."""
    try:
        numbers = [int(x) for x in text.split(",")]
    except ValueError:
        raise ValueError(
            f"np.r_: the directive {text!r} makes a matrix or is unknown; write numbers, as in "
            "np.r_['0,2', v, w], for Variables"
        ) from None
    axis, least, place = (*numbers, *(axis, least, place)[len(numbers) :])[:3]
    return axis, least, place


def _spaced(part: slice) -> Any:
    """The numbers of start:stop:step; of a complex step, so many from start to stop."""
    start, stop, step = _ends(part)
    if isinstance(step, _COMPLEX):
        magnitude: Any = abs(step)
        n, dtype = int(magnitude), _dtype_of(part)
        step = (stop - start) / max(n - 1, 1)
    else:
        dtype = np.arange(_zero(start), _zero(stop), _zero(step) + 1).dtype
        n = max(int(np.ceil((stop - start) / step)), 0)
    return start + step * np.arange(n, dtype=dtype)


def _ends(part: slice) -> tuple[Any, Any, Any]:
    return (
        0 if part.start is None else part.start,
        part.stop,
        1 if part.step is None else part.step,
    )


def _zero(x: Any) -> Any:
    """A plain zero of its type."""
    return x.dtype.type(0) if isinstance(x, Variable) else x * 0


def _dtype_of(*parts: slice) -> Any:
    """The dtype in which NumPy computes a grid: Python's numbers adapt to the others."""
    ends: list[Any] = [x for part in parts for x in _ends(part)]
    plain: list[Any] = [abs(x) if isinstance(x, _COMPLEX) else x for x in ends]
    return np.result_type(0, *map(_zero, plain))


def _grid(grid: Any, key: Any) -> Any:
    """np.mgrid[...] and np.ogrid[...]: a line, or lines that cross."""
    if not isinstance(key, tuple):
        return _spaced(key)
    dtype = _dtype_of(*key)
    n = len(key)
    lines = [
        np.reshape(cast(_spaced(part), dtype), (1,) * k + (-1,) + (1,) * (n - 1 - k))
        for k, part in enumerate(key)
    ]
    if grid.sparse:
        return tuple(lines)
    return np.stack(np.broadcast_arrays(*lines))
