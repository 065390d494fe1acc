"""What the implementations of NumPy's functions share: arguments in, results out, lengths."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply
from tapegrad.transforms import trace

NO_VALUE: Any = np._NoValue  # what NumPy's signatures default to
# The numbers of cpp/tapegrad/base/dtype.h.
_INTEGERS = {
    np.dtype(name): number
    for number, name in enumerate(
        ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), start=1
    )
}
_FLOATS = {np.dtype(np.float32): 9, np.dtype(np.float64): 10}
LIFTED: dict[
    type, Callable[[Any], Any]
] = {}  # types that are not arrays: what makes arrays of them


def lift(x: Any) -> Any:
    """`x` as an input of an op: lists and object arrays that hold Variables are stacked."""
    if type(x) is Variable or (type(x) is np.ndarray and x.dtype.kind != "O"):
        return x
    if isinstance(x, (float, int, np.generic, Variable)):
        return x
    if isinstance(x, np.ndarray):
        return of_objects(x) if x.dtype == object else x
    if isinstance(x, (list, tuple)):
        items = [lift(item) for item in x]
        if any(isinstance(item, Variable) for item in items):
            return apply("stack", tuple(items), (0, True))
    make = LIFTED.get(type(x))
    return np.asarray(x) if make is None else make(x)


def joined_integers(items: Any) -> Variable | None:
    """A list that holds recorded whole numbers as one array of them.

    None where there is none in it, or anything but whole numbers of 64 bits.
    """
    if not _holds_recorded_integers(items):
        return None
    try:
        found: Variable = _stacked_integers(items)
    except TypeError:  # something else
        return None
    return found


def _holds_recorded_integers(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_holds_recorded_integers, x))
    return type(x) is Variable and x.dtype == np.int64


def _stacked_integers(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        items = [_stacked_integers(item) for item in x]
        if not items or any(np.shape(item) != np.shape(items[0]) for item in items):
            raise TypeError
        return apply("stack", tuple(items), (0,))
    if type(x) is Variable and x.dtype == np.int64:
        return _core.index_number(x)
    if isinstance(x, (int, np.int64)) and not isinstance(x, bool) and -(2**63) <= x < 2**63:
        return np.asarray(x, np.int64)
    raise TypeError


def of_objects(x: Any) -> Any:
    """Of an array of objects: that of its numbers, a Variable where some of them are."""
    found = trace.pack_array(x)
    if found is x and all(isinstance(item, (float, int, np.number)) for item in x.flat):
        return np.asarray(x.tolist()).reshape(x.shape)
    return found


def as_array(x: Any) -> Any:
    """`x` as an input of an op, where NumPy makes an array of it first: numbers have a dtype."""
    x = lift(x)
    if isinstance(x, Variable):
        _core.lose_weakness(x)
        return x
    return np.asarray(x) if type(x) in (float, int, bool) else x


def plain(x: Any) -> Any:
    """`x` with every Variable inside replaced by its value."""
    if isinstance(x, Variable):
        return _as_it_lies(_core.value(x), x)
    if type(x) is np.ndarray and x.dtype != object:
        return x
    if isinstance(x, list):
        return [plain(item) for item in x]
    if isinstance(x, tuple):
        return tuple(plain(item) for item in x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        return _core.value(trace.pack_array(x))
    return x


def _as_it_lies(found: Any, v: Any) -> Any:
    """The value, its axes in memory as those of NumPy's array: so lies what NumPy makes of it."""
    strides = _core.memory_strides(v) if type(found) is np.ndarray and found.ndim > 1 else None
    if strides is None:
        return found
    axes = sorted(range(found.ndim), key=lambda i: (-abs(strides[i]), i))
    back = sorted(range(found.ndim), key=axes.__getitem__)
    turned = found.transpose(axes)
    lengths, step = list(turned.shape), 1
    for i in reversed(axes):
        if found.shape[i] != 1 and strides[i] != step:  # a part of some array: there are gaps
            lengths[-1] *= 2
            gaps = np.empty(lengths, found.dtype)[..., ::2]
            gaps[...] = turned
            return gaps.transpose(back)
        step *= found.shape[i]
    return np.ascontiguousarray(turned).transpose(back)


def cast(x: Any, dtype: Any) -> Any:
    """`x` converted to a floating dtype; unchanged where dtype is None."""
    if dtype is None or dtype is NO_VALUE:
        return x
    wanted = np.dtype(dtype)
    if not isinstance(x, Variable):
        return np.asarray(x, wanted)
    if x.dtype == wanted:
        return x
    if wanted not in _FLOATS:
        plainly = f"tg.value(v).astype('{wanted}')"
        if not x.ndim:  # whose value is a Python number
            plainly = f"np.{wanted.type.__name__}(tg.value(v))"
        raise TypeError(
            f"dtype={wanted} would lose the derivative of {describe(x)}: use float64 or float32, "
            f"or convert the plain value, {plainly}"
        )
    return apply("cast", (x,), (_FLOATS[wanted],))


def astype_integer(x: Variable, dtype: Any) -> Any:
    """A recorded mask, or recorded integers, as integers of another dtype."""
    if dtype in _INTEGERS:
        return apply("int_positive", (x,), (_INTEGERS[dtype],))
    return np.asarray(x).astype(dtype)


def cut_to_integers(x: Variable, dtype: Any) -> Any:
    """Floating-point numbers as integers, which are constant almost everywhere."""
    if _core.tracing() and dtype in _INTEGERS and dtype != np.uint64:  # which is beyond int64
        return apply("to_integers", (x,), (_INTEGERS[dtype],))
    found = np.asarray(plain(x)).astype(dtype)
    return found if _core.stands_for_array(x) else found[()]


def as_mask(x: Any) -> Any:
    """`x` as a mask: recorded while a whole function is, else plain."""
    if type(x) is np.ndarray and x.dtype == bool:
        return x
    x = lift(x)
    if isinstance(x, Variable) and x.dtype != bool:
        x = x != 0  # plain, where nothing but derivatives is recorded
    if isinstance(x, (Variable, bool, np.bool_)):
        return x
    x = np.asarray(x)
    return x if x.dtype == bool else x != 0


def is_integer(x: Any) -> bool:
    """Whether `x` is recorded integers, which stay recorded as an index."""
    return isinstance(x, Variable) and x.dtype.kind in "iu"


def describe(x: Any) -> str:
    """Shape and dtype, for messages."""
    return f"a Variable of shape {tuple(x.shape)} and dtype {x.dtype}"


def finish(name: str, result: Any, out: Any, spreads: bool = False) -> Any:
    """`result`, a number where it has no axes, written into `out` where that is a Variable.

    `spreads`: whether `out` may be larger, as it may be of functions by element.
    """
    if out is None:
        return _core.to_number(result)
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if out is None or out is NO_VALUE:
        return _core.to_number(result)
    if isinstance(out, Variable):
        shape, wanted = free_shape(out), free_shape(result)
        if shape != wanted and (not spreads or len(shape) < len(wanted)):
            raise ValueError(
                f"{name}: out= has shape {shape} and the result {wanted}; pass an array of that "
                "shape, made in the differentiated function"
            )
        out[...] = result
        return out
    if isinstance(out, np.ndarray) and out.dtype == object:
        return fill_objects(out, result)
    if not isinstance(result, Variable):  # the exponents of np.frexp, say
        np.copyto(out, result, casting="same_kind")
        return out
    raise TypeError(
        f"{name}: out= is a plain array, which cannot hold the derivative of a Variable; take the "
        f"result instead, y = {name}(...), or pass a Variable as out="
    )


def fill_objects(out: Any, found: Any) -> Any:
    """An array of objects, filled with the elements of what was found."""
    if tuple(found.shape) != out.shape:
        raise ValueError(
            f"non-broadcastable output operand with shape {out.shape} doesn't match the "
            f"broadcast shape {tuple(found.shape)}"
        )
    for at in np.ndindex(*out.shape):
        out[at] = found[at]
    return out


def given(x: Any) -> bool:
    """Whether an optional argument was passed."""
    return x is not None and x is not NO_VALUE


def flag(x: Any) -> bool:
    """A keepdims argument."""
    if x is NO_VALUE or x is False:
        return False
    if isinstance(x, (int, np.bool_, np.integer)):
        return bool(x)
    raise TypeError(f"keepdims= is True or False, not {x!r}")


def where_mask(where: Any) -> Any:
    """The where= of a reduction, of which NumPy takes no other arrays than masks."""
    mask: Any = where if isinstance(where, Variable) else np.asarray(where)
    if mask.dtype != bool and not isinstance(where, int):
        raise TypeError(
            f"where= of a reduction must be a mask, True and False, and has dtype {mask.dtype}; "
            "write where=x > 0, say, or leave it out"
        )
    return as_mask(where)


def integer(what: str, x: Any) -> int:
    """An argument that counts or names a place; `what` names it in the complaint."""
    try:
        return operator.index(x)
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {x!r}") from None


def axis_of(name: str, axis: Any, ndim: int) -> int:
    """An axis counted from the front; AxisError, as NumPy's, where the array has none such."""
    index = np.lib.array_utils.normalize_axis_index
    return int(index(integer(f"{name}: axis", axis), ndim, name))


def number(what: str, x: Any) -> float:
    """An argument that is no part of what is differentiated."""
    if isinstance(x, Variable) and x.dtype.kind == "f" and not _core.is_blank(x):
        raise TypeError(
            f"{what} is {describe(x)}, whose derivative would be lost; give a plain number, "
            "tg.value(v) of the Variable v"
        )
    x = plain(x)
    try:
        return float(x)
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be one number, not {x!r}") from None


def integers(what: str, x: Any) -> tuple[int, ...]:
    """One such argument, or several."""
    if not np.iterable(x) or isinstance(x, str):
        return (integer(what, x),)
    return tuple([integer(what, i) for i in x])


def holds_for_these_lengths(x: Any) -> None:
    """Notes that what is being recorded depends on the lengths of the Variables in `x`.

    A program of it then serves no other lengths (see `tg.compile`).
    """
    if isinstance(x, Variable):
        if x.ndim and not _core.is_leaf(x):
            _core.read_length()
    elif isinstance(x, (list, tuple)):
        for item in x:
            holds_for_these_lengths(item)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an op's input, for any use: what is recorded holds for these lengths."""
    holds_for_these_lengths(x)
    return free_shape(x)


def free_shape(x: Any) -> tuple[int, ...]:
    """The shape, for what does the same with every length: a target shape, a comparison with 1.

    Choices, counts, errors and plain arrays that depend on a length need `shape_of`.
    """
    if isinstance(x, Variable):
        return _core.free_shape(x)
    return tuple(x.shape) if isinstance(x, (np.ndarray, np.generic)) else np.shape(x)


def stand_in(x: Any) -> Any:
    """`x` with an array of the same shape and dtype, and no content, for every Variable inside.

    Not to be handed to plain code that may read its lengths: see `free_shape`.
    """
    if isinstance(x, Variable):
        _core.lose_weakness(x)  # NumPy makes an array of it
        return np.broadcast_to(np.zeros((), x.dtype), free_shape(x)) if x.ndim else x.dtype.type(0)
    if isinstance(x, (list, tuple)):
        return type(x)(map(stand_in, x))
    return x


def ndim_of(x: Any) -> int:
    """How many axes an op's input has."""
    return x.ndim if isinstance(x, (Variable, np.ndarray, np.generic)) else np.ndim(x)


def floating_dtype(x: Any) -> Any:
    """The dtype that constants made beside `x` should have."""
    return x.dtype if isinstance(x, Variable) else np.asarray(x).dtype
