"""Theano's variables: nodes with its attributes and methods, inputs, shared values, constants."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from tapegrad.graph import operations as ops
from tapegrad.graph import shapes
from tapegrad.graph.nodes import Graph, Node
from tapegrad.graph.plans import Store

_KINDS = {
    "float64", "float32", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "bool",
}  # fmt: skip


class Config:
    """Settings.

    `floatX` is the dtype of `T.vector` and its like; `optimizer` "None" leaves expressions as they
    were written.
    """

    floatX = "float64"  # noqa: N815 - Theano's name
    optimizer = "fast_run"
    mode = "Mode"
    compute_test_value = "off"
    on_unused_input = "raise"
    exception_verbosity = "low"
    device = "cpu"


config = Config()


class Type:
    """A dtype and a number of axes."""

    def __init__(self, dtype: str, ndim: int) -> None:
        self.dtype = dtype
        self.ndim = ndim

    def __call__(self, name: str | None = None) -> Any:
        return graph.node(ops.Placeholder(np.dtype(self.dtype), (None,) * self.ndim), name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and (self.dtype, self.ndim) == (other.dtype, other.ndim)

    def __hash__(self) -> int:
        return hash((self.dtype, self.ndim))

    def __repr__(self) -> str:
        words = {0: "scalar", 1: "vector", 2: "matrix"}
        return f"TensorType({self.dtype}, {words.get(self.ndim, f'{self.ndim}D')})"


def _binary(function: Callable[..., Any], cuts: bool = False) -> tuple[Any, Any]:
    def forward(self: Any, other: Any) -> Any:
        return apply(function, self, other, cuts=cuts)

    def reflected(self: Any, other: Any) -> Any:
        return apply(function, other, self, cuts=cuts)

    return forward, reflected


class TensorVariable(Node):
    """An expression. Its value is known when a function that gives it is called."""

    __add__, __radd__ = _binary(operator.add)
    __sub__, __rsub__ = _binary(operator.sub)
    __mul__, __rmul__ = _binary(operator.mul)
    __truediv__, __rtruediv__ = _binary(operator.truediv)
    __floordiv__, __rfloordiv__ = _binary(operator.floordiv)
    __mod__, __rmod__ = _binary(operator.mod)
    __pow__, __rpow__ = _binary(operator.pow)
    __matmul__, __rmatmul__ = _binary(np.dot)
    __and__, __rand__ = _binary(operator.and_, cuts=True)
    __or__, __ror__ = _binary(operator.or_, cuts=True)
    __xor__, __rxor__ = _binary(operator.xor, cuts=True)
    __lt__ = _binary(operator.lt, cuts=True)[0]
    __le__ = _binary(operator.le, cuts=True)[0]
    __gt__ = _binary(operator.gt, cuts=True)[0]
    __ge__ = _binary(operator.ge, cuts=True)[0]

    def __neg__(self) -> Any:
        return apply(operator.neg, self)

    def __abs__(self) -> Any:
        return apply(np.abs, self)

    def __invert__(self) -> Any:
        return apply(operator.invert, self, cuts=True)

    def __getitem__(self, where: Any) -> Any:
        return apply(operator.getitem, self, where)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's functions of elements work on expressions: `np.sin(x)`, `array * x`."""
        if method != "__call__" or kwargs:
            return NotImplemented
        return apply(ufunc, *inputs)

    def __array_function__(self, func: Any, _: Any, args: Any, kwargs: Any) -> Any:
        """So do its other functions: `np.sum(x, axis=0)`."""
        return apply(func, *args, **kwargs)

    def shown(self) -> str:
        """The name that was given, else one with a number."""
        return self.name or self.label

    @property
    def name(self) -> str | None:
        """The name that was given, or None."""
        return self.__dict__.get("given_name")

    @name.setter
    def name(self, value: str | None) -> None:
        self.__dict__["given_name"] = value

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        found, _ = shapes.static(self)
        return "float64" if found is None else found.name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        _, shape = shapes.static(self)
        if shape is None:
            raise TypeError(f"the number of axes of {self.described()} is not known")
        return len(shape)

    @property
    def type(self) -> Type:
        """The dtype and the number of axes."""
        return Type(self.dtype, self.ndim)

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """Which axes are of length 1."""
        _, shape = shapes.static(self)
        return tuple(n == 1 for n in shape or ())

    @property
    def owner(self) -> ops.Operation | None:
        """What computes it; None of inputs, shared values and constants."""
        kinds = (ops.Placeholder, ops.State, ops.Constant)
        return None if isinstance(self.operation, kinds) else self.operation

    def eval(self, inputs_to_values: Any = None) -> Any:
        """Its value, given those of inputs."""
        from tapegrad.compat.theano.function import function

        given = inputs_to_values or {}
        found = self.__dict__.setdefault("evaluated", {})
        keys = tuple(given)
        if keys not in found:
            found[keys] = function(list(keys), self, on_unused_input="ignore")
        return found[keys](*given.values())

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self.described()}, has no truth value before it is computed; T.switch(x, a, b) and "
            "ifelse(x, a, b) choose when it is"
        )

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(
            f"{self.described()}, can't be iterated over: its length is open; theano.scan and "
            "theano.map go over its elements"
        )

    def __len__(self) -> int:
        raise TypeError(f"the length of {self.described()}, is open; x.shape[0] is an expression")

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"{self.described()}, has no value: x.eval({{input: value}}), or call a theano.function"
        )

    __int__ = __index__ = __float__

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"{self.described()}, is an expression; compute it with x.eval() first")

    def __repr__(self) -> str:
        return self.name or f"{self.label}.0"

    __str__ = __repr__


class SharedVariable(TensorVariable):
    """A value that lasts from call to call, and that functions update."""

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """The value, a copy."""
        return np.asarray(store.get(self))

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Another value, of the same dtype and number of axes."""
        assert isinstance(self.operation, ops.State)
        store.set(self, checked(new_value, self.operation.dtype, self.operation.shape, self, True))

    @property
    def container(self) -> Any:
        """What holds the value: has `value`."""
        return _Container(self)


class _Container:
    def __init__(self, of: SharedVariable) -> None:
        self._of = of

    @property
    def value(self) -> Any:
        """The value."""
        return self._of.get_value()


graph = Graph(TensorVariable, keeps=False)
store = Store()


def _new_shared(_: Graph, operation: ops.Operation, name: str) -> SharedVariable:
    return SharedVariable(graph, operation, name)


def shared(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: Any = None,
    borrow: bool = False,
    **_: Any,
) -> SharedVariable:
    """A value that functions share. Lengths of its axes may change, their number may not."""
    if isinstance(value, Node):
        raise TypeError(
            f"shared: {value.described()}, is an expression; theano.shared(x) holds numeric values"
        )
    held = np.asarray(value)
    if held.dtype.name not in _KINDS:
        raise TypeError(f"shared: a value of dtype {held.dtype}; give floats or integers")
    made = _new_shared(
        graph,
        ops.State(held.dtype, (None,) * held.ndim, None),
        graph.unique_name(name or "shared"),
    )
    made.body = None
    made.name = name
    store.set(made, held)
    return made


def constant(x: Any, name: str | None = None, ndim: int | None = None, dtype: Any = None) -> Any:
    """An expression that is always the same."""
    held = np.asarray(x, dtype)
    if ndim is not None:
        held = held.reshape((1,) * (ndim - held.ndim) + held.shape)
    made = graph.node(ops.Constant(x if type(x) is float and dtype is None else held[()]), name)
    made.name = name
    return made


def as_tensor_variable(x: Any, name: str | None = None, ndim: int | None = None) -> Any:
    """An expression of an expression, a number, an array or a list."""
    if isinstance(x, Node):
        return x
    if isinstance(x, list | tuple) and any(True for _ in ops.nodes_of(x)):
        return apply(np.stack, list(x))
    return constant(x, name, ndim)


def operand(x: Any) -> Any:
    """An argument of a node: arrays as they are now."""
    if isinstance(x, np.ndarray):
        return graph.node(ops.Constant(x))
    return x


def apply(
    function: Callable[..., Any],
    *args: Any,
    cuts: bool = False,
    label: str = "",
    foreign: bool = False,
    **kwargs: Any,
) -> Any:
    """A node that applies a function."""
    given = tuple(operand(x) for x in args)
    operation = ops.Call(function, given, kwargs, cuts=cuts, label=label, foreign=foreign)
    return graph.node(operation)


def checked(
    value: Any, dtype: np.dtype[Any], shape: Any, node: Node, downcast: bool | None
) -> np.ndarray[Any, Any]:
    """A value for an input or a shared variable, or TypeError."""
    if isinstance(value, Node):
        raise TypeError(f"a value is expected for {node.described()}, not an expression")
    found = np.asarray(value)
    if found.dtype != dtype:
        same_kind = np.can_cast(found.dtype, dtype, "safe") or (
            not isinstance(value, np.ndarray | np.generic)
            and (dtype.kind == "f" or found.dtype.kind in "iub")
            and downcast is not False
        )
        if not same_kind and not downcast:
            raise TypeError(
                f"{node.described()}, is of {dtype}, to which a value of {found.dtype} would be "
                f"cut; pass np.asarray(x, {dtype.name!r}), or make the function with "
                "allow_input_downcast=True"
            )
        found = found.astype(dtype)
    if shape is not None and found.ndim != len(shape):
        raise TypeError(
            f"{node.described()}, has {len(shape)} axes, and the value's shape is {found.shape}"
        )
    return found
