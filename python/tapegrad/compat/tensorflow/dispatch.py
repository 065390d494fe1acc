"""One definition of a function for graphs and for eager numbers.

`@op` takes a function of NumPy's level. Called with a node of a graph (or, while graphs are the
mode, with anything) it makes a node that applies the function; called with eager tensors it applies
it at once.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np

from tapegrad.graph.operations import Call, nodes_of


class _Mode(threading.local):
    """Whether functions that are given plain numbers make nodes, and what eager tensors are.

    What eager tensors are is put here by `v2`, which nothing loads before it is needed: `wrap`
    makes one of a value and of what it depends on, `unwrap` gives the value, `sources` what it
    depends on. The mode is a thread's own; `begins_eager` is that of new threads.
    """

    begins_eager = False
    eager_types: tuple[type[Any], ...] = ()
    wrap: Callable[..., Any]
    unwrap: Callable[[Any], Any]
    sources: Callable[[Any], frozenset[Any]]

    def __init__(self) -> None:
        self.eager = type(self).begins_eager

    def set_everywhere(self, eager: bool) -> None:
        """The mode of this thread, and of those that begin later."""
        type(self).begins_eager = self.eager = eager


Mode = _Mode()


def _leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, tuple | list):
        for e in x:
            yield from _leaves(e)
    elif isinstance(x, dict):
        yield from _leaves(tuple(x.values()))
    else:
        yield x


def is_eager(*args: Any) -> bool:
    """Whether a function of these arguments is computed at once."""
    if not Mode.eager_types or any(True for _ in nodes_of(args)):
        return False
    return Mode.eager or any(isinstance(x, Mode.eager_types) for x in _leaves(args))


def apply(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    *,
    label: str = "",
    name: str | None = None,
    cuts: bool = False,
    tensors: int = 1,
    foreign: bool = False,
) -> Any:
    """The function's value: a node, or an eager tensor.

    The first `tensors` arguments become tensors where they are lists or arrays.
    """
    kwargs = kwargs or {}
    if is_eager(args, kwargs):
        found = function(
            *[_array(_unwrapped(x)) if k < tensors else _unwrapped(x) for k, x in enumerate(args)],
            **{key: _unwrapped(x) for key, x in kwargs.items()},
        )
        sources: frozenset[Any] = frozenset()
        if not cuts:
            sources = sources.union(*map(Mode.sources, _leaves((args, kwargs))))
        return _wrapped(found, sources)
    from tapegrad.compat.tensorflow.tensors import graph_of, to_operand

    graph = graph_of((args, kwargs))
    given = tuple(to_operand(x, graph) if k < tensors else _fixed(x) for k, x in enumerate(args))
    fixed = {key: _fixed(x) for key, x in kwargs.items()}
    operation = Call(function, given, fixed, label=label, cuts=cuts, foreign=foreign)
    return graph.node(operation, name)


def _array(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return np.stack([_array(e) for e in x]) if any(map(_is_array, x)) else np.asarray(x)
    return x


def _is_array(x: Any) -> bool:
    return not isinstance(x, int | float | bool | str | np.generic)


def _fixed(x: Any) -> Any:
    """A plain array among the arguments of a node, as it is now."""
    return x.copy() if isinstance(x, np.ndarray) else x


def _unwrapped(x: Any) -> Any:
    if isinstance(x, tuple):
        return tuple(_unwrapped(e) for e in x)
    if isinstance(x, list):
        return [_unwrapped(e) for e in x]
    if isinstance(x, slice):
        return slice(_unwrapped(x.start), _unwrapped(x.stop), _unwrapped(x.step))
    return Mode.unwrap(x)


def _wrapped(x: Any, sources: frozenset[Any]) -> Any:
    if isinstance(x, tuple):
        return tuple(_wrapped(e, sources) for e in x)
    if isinstance(x, list):
        return [_wrapped(e, sources) for e in x]
    return Mode.wrap(x, sources)


def op(
    label: str = "", *, tensors: int = 1, cuts: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a function of NumPy's level one of tensors, with a `name` for its node."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        shown = label or function.__name__

        @wraps(function)
        def of_tensors(*args: Any, name: str | None = None, **kwargs: Any) -> Any:
            return apply(function, args, kwargs, label=shown, name=name, cuts=cuts, tensors=tensors)

        vars(of_tensors)["numeric"] = function  # by which graphs are saved
        return of_tensors

    return decorate


def _binary(function: Callable[..., Any], label: str, cuts: bool = False) -> tuple[Any, Any]:
    def forward(self: Any, other: Any) -> Any:
        return apply(function, (self, other), label=label, cuts=cuts, tensors=2)

    def reflected(self: Any, other: Any) -> Any:
        return apply(function, (other, self), label=label, cuts=cuts, tensors=2)

    return forward, reflected


class Operators:
    """Python's operators, for tensors of both kinds."""

    __add__, __radd__ = _binary(operator.add, "add")
    __sub__, __rsub__ = _binary(operator.sub, "sub")
    __mul__, __rmul__ = _binary(operator.mul, "mul")
    __truediv__, __rtruediv__ = _binary(operator.truediv, "truediv")
    __floordiv__, __rfloordiv__ = _binary(operator.floordiv, "floordiv")
    __mod__, __rmod__ = _binary(operator.mod, "mod")
    __pow__, __rpow__ = _binary(operator.pow, "pow")
    __matmul__, __rmatmul__ = _binary(operator.matmul, "MatMul")
    __and__, __rand__ = _binary(np.logical_and, "LogicalAnd", cuts=True)
    __or__, __ror__ = _binary(np.logical_or, "LogicalOr", cuts=True)
    __xor__, __rxor__ = _binary(np.logical_xor, "LogicalXor", cuts=True)
    __lt__ = _binary(operator.lt, "Less", cuts=True)[0]
    __le__ = _binary(operator.le, "LessEqual", cuts=True)[0]
    __gt__ = _binary(operator.gt, "Greater", cuts=True)[0]
    __ge__ = _binary(operator.ge, "GreaterEqual", cuts=True)[0]

    def __neg__(self) -> Any:
        return apply(operator.neg, (self,), label="Neg")

    def __abs__(self) -> Any:
        return apply(np.abs, (self,), label="Abs")

    def __invert__(self) -> Any:
        return apply(np.logical_not, (self,), label="LogicalNot", cuts=True)

    def __getitem__(self, where: Any) -> Any:
        return apply(operator.getitem, (self, where), label="strided_slice")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's functions of elements work on tensors: `np.sin(x)`, `array * x`."""
        if method != "__call__" or kwargs:
            return NotImplemented
        return apply(ufunc, inputs, label=ufunc.__name__, tensors=len(inputs))

    def __array_function__(self, func: Any, _: Any, args: Any, kwargs: Any) -> Any:
        """So do its other functions: `np.sum(x, axis=0)`."""
        return apply(func, args, kwargs, tensors=0)
