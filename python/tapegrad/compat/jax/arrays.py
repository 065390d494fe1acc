"""JAX's arrays: NumPy's, which nobody writes to, with `x.at[i].set(v)`.

Outside of transforms an array is an `Array`, also one without axes; inside it is a Variable, of
which `variables.py` tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.complex.variable import ComplexVariable

__all__ = ["Array", "At", "plain", "shown", "wrap", "wrap_tree"]

_NUMBERS = (float, int, complex, np.generic)


class _Arrays(type):
    """`isinstance(x, Array)` holds for Variables too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return type.__instancecheck__(cls, instance) or _tree.is_variable(instance)


class Array(np.ndarray, metaclass=_Arrays):
    """An array that is not written to: `x.at[i].set(v)` makes a changed one.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> jnp.zeros(3).at[1].set(5.0)
    Array([0., 5., 0.], dtype=float64)
    """

    @property
    def at(self) -> At:
        """Changed copies: `x.at[i].set(v)`, `.add(v)` and so on."""
        return At(self)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        # NumPy's functions get and give arrays of NumPy's own, which some of them write to.
        return func(*plain(args), **plain(kwargs))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return frozen(array)

    def __getitem__(self, index: Any) -> Any:
        if _holds_variable(index):
            return at_places(tg.Variable(np.asarray(self)), index)
        return wrap(np.ndarray.__getitem__(self, index))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(no_writes("x", index))

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self), separator=", ", prefix="Array(")
        if self.size == 0 and self.ndim > 1:
            shown = f"[], shape={self.shape}"
        return f"Array({shown}, dtype={self.dtype})"

    def __round__(self, digits: int = 0) -> Any:
        return np.round(self, digits)

    def sort(self, axis: int = -1, **settings: Any) -> Any:  # type: ignore[override]  # gives a copy as JAX does
        """A sorted copy."""
        return wrap(np.sort(np.asarray(self), axis, **settings))

    def block_until_ready(self) -> Array:
        """The array itself: nothing is ever pending."""
        return self

    @property
    def weak_type(self) -> bool:
        """False: only Python's own numbers give way to the dtype of others."""
        return False


def _refused(name: str) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"x.{name}(...) would write to an array, and JAX's are never written to; "
            "x.at[index].set(values) makes a changed one"
        )

    return refuse


for _name in ("fill", "itemset", "partition", "put", "resize", "setfield"):
    setattr(Array, _name, _refused(_name))


def _method(name: str) -> Any:
    def call_method(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = getattr(np.asarray(self), name)(*plain(args), **plain(kwargs))
        return tuple(map(wrap, found)) if isinstance(found, tuple) else wrap(found)

    call_method.__name__ = call_method.__qualname__ = name
    return call_method


# Some of NumPy's methods give plain arrays or numbers of a class of their own.
for _name in (
    "all", "any", "argmax", "argmin", "argsort", "astype", "choose", "clip", "compress", "conj",
    "conjugate", "copy", "cumprod", "cumsum", "diagonal", "flatten", "max", "mean", "min",
    "nonzero", "prod", "ravel", "repeat", "reshape", "round", "searchsorted", "squeeze", "std",
    "sum", "swapaxes", "take", "trace", "transpose", "var",
):  # fmt: skip
    setattr(Array, _name, _method(_name))
Array.dot = lambda self, b: wrap(np.dot(np.asarray(self), plain(b)))  # type: ignore[method-assign, assignment]  # also of Variables

IN_PLACE = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
    "lshift", "rshift",
)  # fmt: skip


def rebinding(name: str) -> Callable[[Any, Any], Any]:
    """`x += y` as `x = x + y`: other names of the array keep what they had."""
    import operator

    operation: Callable[[Any, Any], Any] = getattr(
        operator, f"{name}_" if name in ("and", "or") else name
    )

    def rebind(self: Any, other: Any) -> Any:
        return operation(self, other)

    return rebind


for _name in IN_PLACE:
    setattr(Array, f"__i{_name}__", rebinding(_name))


def no_writes(name: str, index: Any) -> str:
    where = "..." if isinstance(index, (slice, tuple)) else repr(index)
    return (
        f"{name}[{where}] = v: JAX's arrays are never written to; write "
        f"{name} = {name}.at[{where}].set(v)"
    )


# x.at[i].set(v).


class At:
    """`x.at`."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, index: Any) -> Place:
        return Place(self.array, index)


class Place:
    """`x.at[index]`: each method gives a copy of the array that differs there."""

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any) -> None:
        self.array = array
        self.index = index

    def set(self, values: Any, **settings: Any) -> Any:
        """With `values` there."""
        changed = self._copy(values, settings)
        changed[self.index] = values
        return wrap(changed)

    def add(self, values: Any, **settings: Any) -> Any:
        """With `values` added, as often as an element is named."""
        return self._accumulated(np.add, values, settings)

    def subtract(self, values: Any, **settings: Any) -> Any:
        """With `values` subtracted, as often as an element is named."""
        return self._accumulated(np.subtract, values, settings)

    def multiply(self, values: Any, **settings: Any) -> Any:
        """With `values` multiplied in."""
        return self._accumulated(np.multiply, values, settings)

    mul = multiply

    def divide(self, values: Any, **settings: Any) -> Any:
        """Divided by `values`."""
        return self._accumulated(np.divide, values, settings)

    def power(self, values: Any, **settings: Any) -> Any:
        """Raised to the power of `values`."""
        return self._accumulated(np.power, values, settings)

    def min(self, values: Any, **settings: Any) -> Any:
        """With the smaller of what is there and `values`."""
        return self._accumulated(np.minimum, values, settings)

    def max(self, values: Any, **settings: Any) -> Any:
        """With the larger of what is there and `values`."""
        return self._accumulated(np.maximum, values, settings)

    def apply(self, function: Callable[[Any], Any], **settings: Any) -> Any:
        """With `function` of what is there."""
        return self.set(function(self.array[self.index]), **settings)

    def get(self, **settings: Any) -> Any:
        """What is there."""
        self._check(settings)
        return self.array[self.index]

    def _accumulated(self, ufunc: Any, values: Any, settings: dict[str, Any]) -> Any:
        changed = self._copy(values, settings)
        if is_basic(self.index):
            changed[self.index] = ufunc(changed[self.index], values)
        else:
            ufunc.at(changed, self.index, values)
        return wrap(changed)

    def _copy(self, values: Any, settings: dict[str, Any]) -> Any:
        self._check(settings)
        if _tree.is_variable(self.array):
            return self.array.copy()
        copied = np.array(self.array)
        if not (_tree.is_variable(values) or _holds_variable(self.index)):
            return copied
        if copied.dtype.kind not in "fc":
            if not _tree.is_variable(values) or values.dtype.kind not in "fc":
                return copied
            raise TypeError(
                f"x.at[...]: x has dtype {copied.dtype}, which would lose the derivative of the "
                f"values, {_tree.describe(values)}; make x of floats: x.astype(float)"
            )
        return tg.Variable(copied)

    def _check(self, settings: dict[str, Any]) -> None:
        mode = settings.pop("mode", None)
        for name in ("indices_are_sorted", "unique_indices", "wrap_negative_indices"):
            settings.pop(name, None)
        if settings.pop("fill_value", None) is not None or mode not in (
            None, "promise_in_bounds",
        ):  # fmt: skip
            raise NotImplementedError(
                f"x.at[...]: mode={mode!r} is not there: an index outside the array raises "
                "IndexError; write jnp.clip(i, 0, len(x) - 1), or jnp.where(i < len(x), ..., fill)"
            )
        if settings:
            raise TypeError(f"x.at[...]: there is no setting {', '.join(settings)}")


def is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or isinstance(part, (slice, int, np.integer))
        for part in parts
    )


def _holds_variable(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(map(_tree.is_variable, parts))


def _is_number(part: Any) -> bool:
    return type(part) is Variable and part.ndim == 0


def _takes_one_axis(part: Any) -> bool:
    return is_basic(part) or _is_number(part)


def at_places(x: Any, index: Any) -> Any:
    """A Variable at an index in which recorded numbers may stand.

    A row x[i] is a view in NumPy, so tapegrad asks which one it is; JAX's arrays have no views, and
    of each lane or step it may be another one.
    """
    parts = index if isinstance(index, tuple) else (index,)
    if not (any(map(_is_number, parts)) and all(map(_takes_one_axis, parts))):
        return x[index]
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if taken == x.ndim and not any(isinstance(part, slice) for part in parts):
        return x[parts]  # one number, which is no view
    full: list[Any] = []
    for part in parts:
        full += [slice(None)] * (x.ndim - taken) if part is Ellipsis else [part]
    x = x[tuple(slice(None) if _is_number(part) else part for part in full)]
    axis = 0
    for part in full:
        before = (slice(None),) * axis
        if _is_number(part):
            x = x[(*before, part.reshape(1))][(*before, 0)]
        elif part is None or isinstance(part, slice):
            axis += 1
    return x


# Making arrays, and taking them off.


def wrap(x: Any) -> Any:
    """An array or number as an `Array`; anything else, Variables too, as it is."""
    kind = type(x)
    if kind is Array or kind is Variable or kind is ComplexVariable:
        return x
    if kind is np.ndarray:
        return frozen(x) if x.dtype != object else x
    return frozen(np.asarray(x)) if isinstance(x, _NUMBERS) else x


def frozen(x: Any) -> Any:
    """An array of NumPy's as one that is not written to; the memory is the same."""
    found = x.view(Array)
    found.setflags(write=False)  # of what np.asarray makes of it too
    return found


def wrap_tree(tree: Any) -> Any:
    """`tree` with its leaves as they come out of a transform."""
    return _mapped(wrap, tree)


def shown(tree: Any) -> Any:
    """`tree` as the user's function gets it: arrays with `at`, numbers as they are."""
    return _mapped(lambda x: frozen(x) if type(x) is np.ndarray else x, tree)


def plain(tree: Any) -> Any:
    """`tree` as tapegrad takes it: NumPy's own arrays, and its numbers where there are no axes."""
    return _mapped(_plain, tree)


def _plain(x: Any) -> Any:
    if type(x) is not Array:
        return x
    return np.asarray(x) if x.ndim else np.asarray(x)[()]


_LEAVES = (Array, np.ndarray, Variable, ComplexVariable)


def _mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    if type(tree) in _LEAVES or tree is None:
        return f(tree)
    parts = None if isinstance(tree, _NUMBERS) else _tree.children(tree)
    if parts is None:
        return f(tree)
    if not parts:
        return tree
    found = [_mapped(f, part) for _, part in parts]
    if all(new is old for new, (_, old) in zip(found, parts, strict=True)):
        return tree
    return _tree.rebuild(tree, found)
