"""Tensors of graphs: nodes with TensorFlow's attributes, placeholders, constants, the graph."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from tapegrad.compat.tensorflow.dispatch import Mode, Operators, is_eager
from tapegrad.compat.tensorflow.dtypes import DType, as_dtype, numpy_dtype
from tapegrad.compat.tensorflow.lengths import TensorShape
from tapegrad.graph import operations as ops
from tapegrad.graph import shapes
from tapegrad.graph.nodes import Graph as Nodes
from tapegrad.graph.nodes import Node


class Tensor(Operators, Node):
    """A node with TensorFlow's attributes. Its value is known when a session runs it."""

    @property
    def name(self) -> str:
        """The name, with the number of the output that TensorFlow adds."""
        return f"{self.label}:0"

    @property
    def op(self) -> Operation:
        """What makes the tensor: has `name`, without a number, and `type`."""
        return Operation(self)

    @property
    def dtype(self) -> DType:
        """The dtype of its values."""
        found, _ = shapes.static(self)
        return as_dtype(np.float64 if found is None else found)

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape before the graph is run."""
        return TensorShape(shapes.static(self)[1])

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Says the shape of a placeholder that was made without."""
        if isinstance(self.operation, ops.Placeholder):
            self.operation.shape = TensorShape(shape).lengths
            for node in self.graph.nodes:
                node.samples.clear()

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Its value in a session, by default the one that is open."""
        from tapegrad.compat.tensorflow.session import default_session

        return (session or default_session("eval()")).run(self, feed_dict)

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Runs it, for what it does to variables."""
        self.eval(feed_dict, session)

    def consumers(self) -> list[Tensor]:
        """The nodes that read it."""
        return [n for n in self.graph.nodes if isinstance(n, Tensor) and self in n.inputs]

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self.label!r} has no truth value while the graph is made; tf.cond(x, f, g) chooses "
            "when it is run, tf.where(x, a, b) chooses element by element"
        )

    def __iter__(self) -> Iterator[Any]:
        lengths = self.shape.lengths
        if not lengths or lengths[0] is None:
            raise TypeError(
                f"{self.label!r} can't be iterated over: its length is open until the graph is "
                "run; tf.unstack(x, num) gives a list of num tensors, tf.map_fn(f, x) goes over all"
            )
        return iter([self[k] for k in range(lengths[0])])

    def __float__(self) -> NoReturn:
        raise TypeError(f"{self.label!r} has no value before a session runs it: sess.run(x)")

    __int__ = __index__ = __float__

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            f"{self.label!r} is a node of a graph, for which np functions have no value; use the "
            "function of tf, or sess.run(x) first"
        )

    def __repr__(self) -> str:
        if isinstance(self.operation, ops.Group):
            return f"<tf.Operation {self.label!r} type=NoOp>"
        return f"<tf.Tensor {self.name!r} shape={self.shape} dtype={self.dtype.name}>"


class Operation:
    """What makes a tensor, as far as programs look at it."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor
        self.name = tensor.label
        self.type = tensor.operation.title()
        self.graph = tensor.graph
        self.outputs = [tensor]
        self.inputs = list(tensor.inputs)
        self.control_inputs = list(tensor.controls)

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Runs it."""
        self._tensor.run(feed_dict, session)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Operation) and other._tensor is self._tensor

    def __hash__(self) -> int:
        return hash(self._tensor)

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"


class Graph(Nodes):
    """A graph; `with Graph().as_default():` makes it the one that nodes are made in."""

    def __init__(self) -> None:
        super().__init__(Tensor)
        self.variables: dict[str, Any] = {}  # by name, those of get_variable
        self.variable_scope: Any = None
        self.default_scopes: set[str] = set()  # of variable_scope(None, name)
        self.finalized = False

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Nodes made inside are this graph's."""
        _stack().append(self)
        eager, Mode.eager = Mode.eager, False
        try:
            yield self
        finally:
            Mode.eager = eager
            _stack().remove(self)

    def get_tensor_by_name(self, name: str) -> Any:
        """The tensor of a name such as 'x:0'."""
        found = self.names.get(name.removesuffix(":0"))
        if found is None:
            raise KeyError(f"the graph has no tensor {name!r}")
        return found

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of a name."""
        return Operation(self.get_tensor_by_name(name))

    def as_graph_element(self, x: Any, **_: Any) -> Any:
        """A tensor, by itself or by name."""
        if isinstance(x, Operation):
            return x._tensor
        return self.get_tensor_by_name(x) if isinstance(x, str) else x

    def get_operations(self) -> list[Operation]:
        """All that was made, in order."""
        return [Operation(n) for n in self.nodes if isinstance(n, Tensor)]

    def get_collection(self, key: str, scope: str | None = None) -> list[Any]:
        """What was put into a collection."""
        found = list(self.collections.get(key, ()))
        return [x for x in found if x.label.startswith(scope)] if scope else found

    def add_to_collection(self, key: str, value: Any) -> None:
        """Puts something into a collection."""
        self.collections.setdefault(key, []).append(value)

    def finalize(self) -> None:
        """No more nodes are made."""
        self.finalized = True

    def node(self, operation: Any, name: str | None = None) -> Any:
        """A new node for an operation."""
        if self.finalized:
            raise RuntimeError(
                "graph.finalize() was called, and no nodes are made after it; tf.Graph() is "
                "another graph"
            )
        return super().node(operation, name)


class _Local(threading.local):
    def __init__(self) -> None:
        self.stack: list[Graph] = []


_local = _Local()
_default = [Graph()]


def _stack() -> list[Graph]:
    return _local.stack


def get_default_graph() -> Graph:
    """The graph in which nodes are made."""
    return _local.stack[-1] if _local.stack else _default[0]


def reset_default_graph() -> None:
    """A new, empty default graph."""
    if _local.stack:
        raise AssertionError("reset_default_graph() inside `with graph.as_default()`")
    _default[0] = Graph()


def graph_of(template: Any) -> Graph:
    """The graph of the nodes in a nesting; without nodes, the default one."""
    found = None
    for node in ops.nodes_of(template):
        if found is not None and node.graph is not found:
            raise ValueError(
                f"{node.described()}, is of another graph than the other arguments; make all of "
                "them inside the same `with graph.as_default():`"
            )
        found = node.graph
    if found is None:
        return get_default_graph()
    assert isinstance(found, Graph)
    return found


def to_operand(x: Any, graph: Graph) -> Any:
    """An argument that is a tensor: a node, or a plain number."""
    if isinstance(x, Operation):
        return x._tensor
    if isinstance(x, TensorShape):
        return graph.node(ops.Constant(np.array(x.as_list(), np.int32)))
    if isinstance(x, list | tuple):
        if any(True for _ in ops.nodes_of(x)):
            return graph.node(ops.Call(_stacked, (list(x),), label="packed"))
        return graph.node(ops.Constant(_as_array(x)))
    if isinstance(x, np.ndarray):
        return graph.node(ops.Constant(x))
    if x is None:
        raise ValueError(
            "None is no tensor (tf.gradients gives None where nothing leads from a variable to "
            "the result)"
        )
    return x


def _stacked(items: Any) -> Any:
    return np.stack([_stacked(x) if isinstance(x, list | tuple) else x for x in items])


def _as_array(x: Any) -> Any:
    found = np.asarray(x)
    return found.astype(np.int32) if found.dtype == np.int64 and not _has_numpy(x) else found


def _has_numpy(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(_has_numpy(e) for e in x)
    return isinstance(x, np.ndarray | np.generic)


def constant_value(value: Any, dtype: Any = None) -> Any:
    """What a constant holds: Python's floats stay weak, Python's integers are int32."""
    if dtype is not None:
        return np.asarray(value, numpy_dtype(dtype))[()]
    if type(value) is float:
        return value
    return _as_array(value)[()] if not isinstance(value, np.generic) else value


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Any:
    """A tensor that is always the same. A Python float takes the dtype of what it meets."""
    if is_eager(value) or Mode.eager:
        return Mode.wrap(_shaped(constant_value(Mode.unwrap(value), dtype), shape))
    held = _shaped(constant_value(value, dtype), shape)
    return get_default_graph().node(ops.Constant(held), name)


def _shaped(value: Any, shape: Any) -> Any:
    if shape is None:
        return value
    lengths = tuple([int(n or 0) for n in TensorShape(shape).as_list()])
    value = np.asarray(value)
    if value.size == math.prod(lengths):
        return value.reshape(lengths)
    return np.full(lengths, value.ravel()[-1], value.dtype)


def convert_to_tensor(value: Any, dtype: Any = None, name: str | None = None, **_: Any) -> Any:
    """A tensor of a number, an array, a list or a tensor."""
    if is_eager(value):
        return Mode.wrap(value)
    if isinstance(value, Node):
        return value
    graph = graph_of(value)
    if any(True for _ in ops.nodes_of(value)):
        return to_operand(value, graph)
    return constant(value, dtype, name=name or "Const")


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Any:
    """A value that is fed when the graph is run; without a shape any shape is taken.

    'float' is float64.
    """
    lengths = TensorShape(shape).lengths
    return get_default_graph().node(ops.Placeholder(numpy_dtype(dtype), lengths), name)


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Any:
    """A placeholder that need not be fed."""
    default = convert_to_tensor(input)
    dtype, lengths = numpy_dtype(default.dtype.name), TensorShape(shape).lengths
    return get_default_graph().node(ops.Placeholder(dtype, lengths, default), name)
