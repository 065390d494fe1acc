"""Scopes in which variables are shared by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from tapegrad.compat.tensorflow.lengths import TensorShape
from tapegrad.compat.tensorflow.tensors import Graph, get_default_graph
from tapegrad.compat.tensorflow.variables import GraphKeys, Variable
from tapegrad.graph.nodes import Node


class VariableScope:
    """Where `get_variable` looks for names."""

    def __init__(self, name: str, reuse: Any, initializer: Any, regularizer: Any) -> None:
        self.name = name
        self.reuse = reuse
        self.initializer = initializer
        self.regularizer = regularizer

    @property
    def original_name_scope(self) -> str:
        """The name, as a prefix."""
        return f"{self.name}/" if self.name else ""

    def reuse_variables(self) -> None:
        """From here on `get_variable` gives what is there."""
        self.reuse = True


AUTO_REUSE: Literal["AUTO_REUSE"] = "AUTO_REUSE"


def get_variable_scope() -> VariableScope:
    """The scope that is open."""
    graph = get_default_graph()
    if graph.variable_scope is None:
        graph.variable_scope = VariableScope("", None, None, None)
    found: VariableScope = graph.variable_scope
    return found


@contextmanager
def variable_scope(
    name_or_scope: Any,
    default_name: str | None = None,
    values: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    reuse: Any = None,
    **_: Any,
) -> Iterator[VariableScope]:
    """Names of `get_variable` inside begin with `name/`, those of nodes too."""
    outer = get_variable_scope()
    graph: Graph = get_default_graph()
    if isinstance(name_or_scope, VariableScope):
        full = name_or_scope.name
        short = full
        reuse = name_or_scope.reuse if reuse is None else reuse
        initializer = initializer or name_or_scope.initializer
    else:
        short = name_or_scope or ""
        if name_or_scope is None:
            short, count = default_name or "scope", 0
            while f"{outer.original_name_scope}{short}" in graph.default_scopes:
                count += 1
                short = f"{default_name}_{count}"
            graph.default_scopes.add(f"{outer.original_name_scope}{short}")
        full = f"{outer.original_name_scope}{short}"
    scope = VariableScope(
        full,
        outer.reuse if reuse is None else reuse,
        initializer or outer.initializer,
        regularizer or outer.regularizer,
    )
    graph.variable_scope = scope
    try:
        with graph.name_scope(short):
            yield scope
    finally:
        graph.variable_scope = outer


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    **_: Any,
) -> Any:
    """The variable of a name: a new one, or where the scope says `reuse` the one that is there."""
    scope, graph = get_variable_scope(), get_default_graph()
    full = scope.original_name_scope + name
    found = graph.variables.get(full)
    if found is not None:
        if not scope.reuse:
            raise ValueError(
                f"get_variable: there is a variable {full}, made at {found.where}; "
                "tf.variable_scope(..., reuse=tf.AUTO_REUSE) shares it"
            )
        if shape is not None and found.shape.lengths != TensorShape(shape).lengths:
            raise ValueError(
                f"get_variable: shape {TensorShape(shape)} is asked for, and {full}, which is "
                f"shared, has {found.shape}"
            )
        return found
    if scope.reuse is True:
        raise ValueError(
            f"get_variable: reuse=True, and there is no variable {full} yet; reuse=tf.AUTO_REUSE "
            "makes it the first time"
        )
    made = Variable(
        _made(initializer or scope.initializer, shape, dtype, full),
        trainable,
        collections,
        dtype=dtype,
        full_name=full,
    )
    graph.variables[full] = made
    regularizer = regularizer or scope.regularizer
    if regularizer is not None:
        graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, regularizer(made))
    return made


def _made(initializer: Any, shape: Any, dtype: Any, full: str) -> Any:
    if isinstance(initializer, Node) or not (initializer is None or callable(initializer)):
        return initializer
    if shape is None:
        raise ValueError(
            f"get_variable: {full} is new and has no shape; tf.get_variable({full!r}, [3]) gives "
            "it one"
        )
    lengths = TensorShape(shape)
    if not lengths.is_fully_defined():
        raise ValueError(
            f"get_variable: {full} is new, and its shape {lengths} is open; a variable has all "
            "lengths"
        )
    if initializer is None:
        from tapegrad.compat.tensorflow.functions.initializers import glorot_uniform_initializer

        initializer = glorot_uniform_initializer()
    if isinstance(initializer, type):
        initializer = initializer()
    make: Callable[..., Any] = initializer
    return make(lengths.as_list(), dtype=dtype or np.float64)
