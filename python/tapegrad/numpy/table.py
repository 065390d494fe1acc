"""Which implementation answers which NumPy function, and what the implementations share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable, apply
from tapegrad.transforms import trace

F = TypeVar("F", bound=Callable[..., Any])

table: dict[Any, Callable[..., Any]] = {}

NO_VALUE: Any = np._NoValue  # what NumPy's signatures default to
_DTYPE_NUMBERS = {np.dtype(np.float32): 9, np.dtype(np.float64): 10}  # of cpp/tapegrad/base/dtype.h


def implements(*functions: Any) -> Callable[[F], F]:
    """Registers the decorated function as what `functions` do with Variables."""

    def register(f: F) -> F:
        for function in functions:
            table[function] = f
        return f

    return register


def array_function(
    func: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Answers NumPy's `__array_function__` for Variables."""
    implementation = table.get(func)
    if (
        _core.tracing()
        and func not in recorded_on_data
        and not (func in reductions_on_data and is_plain_call(args[1:], kwargs))
        and on_data_alone((args, kwargs))
    ):
        return func(*plain(args), **{name: plain(x) for name, x in kwargs.items()})
    if implementation is not None:
        return implementation(*args, **kwargs)
    raise TypeError(_refusal(name_of(func)))


# What is recorded of masks and whole numbers too, while a whole function is: see tg.compile.
recorded_on_data: set[Any] = set()
reductions_on_data: set[Any] = set()  # where nothing but the axis is said: is_plain_call


def is_plain_call(options: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a reduction is told nothing but its axis, and to keep it."""
    return len(options) <= 1 and kwargs.keys() <= {"axis", "keepdims"}


def on_data_alone(x: Any) -> bool:
    """Whether there are Variables in `x`, and all of them hold flags or whole numbers."""
    found = _variables(x)
    return bool(found) and all(v.dtype.kind in "biu" for v in found)


def are_positions(x: Any) -> bool:
    """Whether `x` is a recorded array of whole numbers, which stays recorded as an index."""
    return isinstance(x, Variable) and x.dtype.kind in "iu" and _core.tracing()


def _variables(x: Any) -> list[Any]:
    if isinstance(x, Variable):
        return [x]
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)):
        return [v for item in x for v in _variables(item)]
    return []


def name_of(func: Any) -> str:
    """The name under which users know a NumPy function."""
    module = getattr(func, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{getattr(func, '__name__', func)}"


def _refusal(name: str) -> str:
    import difflib

    known = sorted({name_of(func) for func in table})
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.75)
    hint = f" (differentiable and near in name: {', '.join(near)})" if near else ""
    return (
        f"{name} has no derivative in tapegrad{hint}; where none is needed, call it on the plain "
        "value, tg.value(v), else write it with other NumPy functions"
    )


def lift(x: Any) -> Any:
    """`x` as an input of an op: lists and object arrays that hold Variables are stacked."""
    if type(x) is Variable or isinstance(x, (float, int, np.generic, Variable)):
        return x
    if isinstance(x, np.ndarray):
        return trace.pack_array(x) if x.dtype == object else x
    if isinstance(x, (list, tuple)):
        items = [lift(item) for item in x]
        if any(isinstance(item, Variable) for item in items):
            return apply("stack", tuple(items), (0,))
    return np.asarray(x)


def plain(x: Any) -> Any:
    """`x` with every Variable inside replaced by its value."""
    if isinstance(x, Variable):
        return _core.value(x)
    if type(x) is np.ndarray and x.dtype != object:
        return x
    if isinstance(x, list):
        return [plain(item) for item in x]
    if isinstance(x, tuple):
        return tuple(plain(item) for item in x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        return _core.value(trace.pack_array(x))
    return x


def cast(x: Any, dtype: Any) -> Any:
    """`x` converted to a floating dtype; unchanged where dtype is None."""
    if dtype is None or dtype is NO_VALUE:
        return x
    wanted = np.dtype(dtype)
    if not isinstance(x, Variable):
        return np.asarray(x, wanted)
    if x.dtype == wanted:
        return x
    if wanted not in _DTYPE_NUMBERS:
        raise TypeError(
            f"dtype={wanted} would lose the derivative of {describe(x)}: use float64 or float32, "
            f"or convert the plain value, tg.value(v).astype('{wanted}')"
        )
    return apply("cast", (x,), (_DTYPE_NUMBERS[wanted],))


_WHOLE_NUMBERS = {
    np.dtype(name): number
    for number, name in enumerate(
        ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), start=1
    )
}  # of the same file


def astype_whole(x: Variable, dtype: Any) -> Any:
    """Recorded flags or whole numbers as whole numbers of another dtype."""
    if dtype in _WHOLE_NUMBERS:
        return apply("int_positive", (x,), (_WHOLE_NUMBERS[dtype],))
    return np.asarray(x).astype(dtype)


def describe(x: Any) -> str:
    """Shape and dtype, for messages."""
    return f"a Variable of shape {tuple(x.shape)} and dtype {x.dtype}"


def finish(name: str, result: Any, out: Any) -> Any:
    """`result`, written into `out` where that is a Variable."""
    if out is None:
        return result
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if out is None or out is NO_VALUE:
        return result
    if isinstance(out, Variable):
        out[...] = result
        return out
    raise TypeError(
        f"{name}: out= is a plain array, which cannot hold the derivative of a Variable; take the "
        f"result instead, y = {name}(...), or pass a Variable as out="
    )


def given(x: Any) -> bool:
    """Whether an optional argument was passed."""
    return x is not None and x is not NO_VALUE


def flag(x: Any) -> bool:
    """A keepdims argument."""
    return x is not NO_VALUE and bool(x)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an op's input, for any use: a program then holds for these lengths alone."""
    return tuple(x.shape) if isinstance(x, (Variable, np.ndarray, np.generic)) else np.shape(x)


def free_shape(x: Any) -> tuple[int, ...]:
    """The shape, for what does the same with every length: a target shape, a comparison with 1.

    Not for choices, counts, errors or plain arrays that depend on a length: see tg.compile.
    """
    return _core.free_shape(x) if isinstance(x, Variable) else shape_of(x)


def ndim_of(x: Any) -> int:
    """How many axes an op's input has."""
    return len(free_shape(x))


def floating_dtype(x: Any) -> Any:
    """The dtype that constants made beside `x` should have."""
    return x.dtype if isinstance(x, Variable) else np.asarray(x).dtype
