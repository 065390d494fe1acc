"""Variables of graphs, and the scopes in which they are shared by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.dispatch import Mode, apply
from tapegrad.compat.tensorflow.dtypes import DType, as_dtype, numpy_dtype
from tapegrad.compat.tensorflow.lengths import TensorShape
from tapegrad.compat.tensorflow.tensors import (
    Tensor,
    constant_value,
    get_default_graph,
)
from tapegrad.graph import operations as ops
from tapegrad.graph import shapes
from tapegrad.graph.nodes import Node


class GraphKeys:
    """The names of collections."""

    GLOBAL_VARIABLES = VARIABLES = "variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    LOCAL_VARIABLES = "local_variables"
    LOSSES = "losses"
    REGULARIZATION_LOSSES = "regularization_losses"
    UPDATE_OPS = "update_ops"
    GLOBAL_STEP = "global_step"
    SUMMARIES = "summaries"


class Variable(Tensor):
    """A value that lasts from run to run, in each session another.

    `initial_value` is a number, an array, a tensor, or a function that gives one. A Python float
    makes a float64 variable.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """An eager variable where that is the mode."""
        if Mode.eager and cls is Variable:
            from tapegrad.compat.tensorflow.v2.tensors import Variable as EagerVariable

            return EagerVariable(*args, **kwargs)
        return super().__new__(cls)

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        dtype: Any = None,
        *,
        full_name: str | None = None,
        **_: Any,
    ) -> None:
        graph = get_default_graph()
        if initial_value is None:
            raise ValueError("Variable: initial_value must be specified, as in tf.Variable(0.0)")
        initial = initial_value() if callable(initial_value) else initial_value
        initial, kind, shape = _initial(initial, dtype)
        label = graph.unique_name(f"{full_name}/" if full_name else name or "Variable")
        with graph.inside(None):
            super().__init__(graph, ops.State(kind, shape, initial), label)
            self.initializer = graph.node(ops.Assign(self, initial), f"{label}/Assign/")
        self.trainable = trainable
        self.initial_value = initial
        held = collections or [GraphKeys.GLOBAL_VARIABLES]
        if trainable and GraphKeys.LOCAL_VARIABLES not in held:
            held = [*held, GraphKeys.TRAINABLE_VARIABLES]
        for key in held:
            graph.add_to_collection(key, self)

    @property
    def dtype(self) -> DType:
        """The dtype of its values."""
        assert isinstance(self.operation, ops.State)
        return as_dtype(self.operation.dtype)

    def value(self) -> Variable:
        """The variable as a tensor."""
        return self

    def read_value(self) -> Any:
        """What it holds at this place: after the control dependencies that are open."""
        return self.graph.node(ops.Read(self), f"{self.label}/read")

    def initialized_value(self) -> Any:
        """What it starts with."""
        from tapegrad.compat.tensorflow.tensors import convert_to_tensor

        return convert_to_tensor(self.initial_value)

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, **_: Any
    ) -> Any:
        """Gives it a value, when it is run; its own value is that."""
        return _assign(self, value, name or f"{self.label}/Assign/")

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Adds to it, when it is run."""
        return _assign(self, self + delta, name or f"{self.label}/AssignAdd/")

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Subtracts from it, when it is run."""
        return _assign(self, self - delta, name or f"{self.label}/AssignSub/")

    def load(self, value: Any, session: Any = None) -> None:
        """Gives it a value in a session, at once."""
        from tapegrad.compat.tensorflow.session import default_session

        (session or default_session("load()")).store.set(self, value)

    def __repr__(self) -> str:
        return f"<tf.Variable {self.name!r} shape={self.shape} dtype={self.dtype.name}>"


def _initial(initial: Any, dtype: Any) -> tuple[Any, np.dtype[Any], Any]:
    if isinstance(initial, Node):
        found, shape = shapes.static(initial)
        if dtype is not None and found != numpy_dtype(dtype):
            from tapegrad.compat.tensorflow.functions.arrays import cast

            initial = cast(initial, dtype)
            found = numpy_dtype(dtype)
        return initial, np.dtype(np.float64) if found is None else found, shape
    held = np.asarray(constant_value(initial, dtype))
    if held.dtype.name not in ("bool",) and held.dtype.kind not in "iuf":
        raise TypeError(f"Variable: initial_value is {initial!r}; it must be of numbers")
    return held if held.ndim else held[()], held.dtype, held.shape


def _assign(variable: Variable, value: Any, name: str) -> Any:
    graph = variable.graph
    if not isinstance(value, Node):
        assert isinstance(variable.operation, ops.State)
        value = np.asarray(value, variable.operation.dtype)
    lengths = TensorShape(
        shapes.static(value)[1] if isinstance(value, Node) else value.shape
    ).lengths
    wanted = variable.shape.lengths
    if lengths is not None and wanted is not None and not _may_be(lengths, wanted):
        raise ValueError(
            f"assign: a value of shape {TensorShape(lengths)} for {variable.described()}, whose "
            f"shape is {variable.shape}"
        )
    return graph.node(ops.Assign(variable, value), name)


def _may_be(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> bool:
    return len(a) == len(b) and all(
        n is None or m is None or n == m for n, m in zip(a, b, strict=True)
    )


def assign(ref: Variable, value: Any, *_: Any, name: str | None = None, **__: Any) -> Any:
    """Gives a variable a value, when it is run."""
    return ref.assign(value, name=name)


def assign_add(ref: Variable, value: Any, *_: Any, name: str | None = None) -> Any:
    """Adds to a variable, when it is run."""
    return ref.assign_add(value, name=name)


def assign_sub(ref: Variable, value: Any, *_: Any, name: str | None = None) -> Any:
    """Subtracts from a variable, when it is run."""
    return ref.assign_sub(value, name=name)


def scatter_update(ref: Variable, indices: Any, updates: Any, *_: Any, name: Any = None) -> Any:
    """Gives rows of a variable new values, when it is run."""
    return ref.assign(apply(_with_rows, (ref, indices, updates), tensors=3), name=name)


def scatter_add(ref: Variable, indices: Any, updates: Any, *_: Any, name: Any = None) -> Any:
    """Adds to rows of a variable, when it is run."""
    return ref.assign(apply(_with_added_rows, (ref, indices, updates), tensors=3), name=name)


def scatter_sub(ref: Variable, indices: Any, updates: Any, *_: Any, name: Any = None) -> Any:
    """Subtracts from rows of a variable, when it is run."""
    return scatter_add(ref, indices, -updates, name=name)


def _with_rows(x: Any, indices: Any, updates: Any) -> Any:
    found = np.array(x)
    found[indices] = updates
    return found


def _with_added_rows(x: Any, indices: Any, updates: Any) -> Any:
    found = np.array(x)
    np.add.at(found, indices, updates)
    return found


# Collections.


def _collected(key: str, scope: str | None) -> list[Any]:
    return get_default_graph().get_collection(key, scope)


def global_variables(scope: str | None = None) -> list[Any]:
    """All variables of the graph."""
    return _collected(GraphKeys.GLOBAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """The variables that optimisers change."""
    return _collected(GraphKeys.TRAINABLE_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Any]:
    """Variables that are no part of a model."""
    return _collected(GraphKeys.LOCAL_VARIABLES, scope)


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """What was put into a collection of the graph."""
    return _collected(key, scope)


def add_to_collection(name: str, value: Any) -> None:
    """Puts something into a collection of the graph."""
    get_default_graph().add_to_collection(name, value)


def variables_initializer(var_list: Any, name: str = "init") -> Any:
    """What gives variables their initial values, when it is run."""
    graph = var_list[0].graph if var_list else get_default_graph()
    with graph.inside(None):
        return graph.node(ops.Group([v.initializer for v in var_list]), name)


def global_variables_initializer() -> Any:
    """What gives all variables their initial values, when it is run."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Any:
    """The same for local variables."""
    return variables_initializer(local_variables())


def is_variable_initialized(variable: Any) -> Any:
    """Whether a variable has a value in the session that runs this."""
    from tapegrad.compat.tensorflow.session import Initialized

    return variable.graph.node(Initialized([variable]))


def report_uninitialized_variables(var_list: Any = None) -> Any:
    """The names of variables that have no value in the session that runs this."""
    from tapegrad.compat.tensorflow.session import Initialized

    return get_default_graph().node(Initialized(var_list or global_variables(), names=True))
