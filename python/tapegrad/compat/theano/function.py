"""`theano.function`: expressions become functions of their inputs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tapegrad.compat.theano.variables import (
    SharedVariable,
    as_tensor_variable,
    checked,
    config,
    store,
)
from tapegrad.graph import shapes
from tapegrad.graph.emit import MissingFeedError
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Alias, Assign, Operation, Placeholder, nodes_of
from tapegrad.graph.plans import Plan
from tapegrad.graph.rewrites import rewritten


class MissingInputError(Exception):
    """An expression reads an input that the function doesn't have."""


class UnusedInputError(Exception):
    """A function has an input that nothing reads."""


class In:
    """An input with a default, or with a name to call it by."""

    def __init__(
        self,
        variable: Any,
        name: str | None = None,
        value: Any = None,
        update: Any = None,
        mutable: bool = False,
        borrow: bool = False,
        allow_downcast: bool | None = None,
        strict: bool = False,
        **_: Any,
    ) -> None:
        if update is not None:
            raise NotImplementedError("In(update=): use a shared variable and updates=")
        self.variable = variable
        self.name = name or variable.name
        self.value = value
        self.allow_downcast = allow_downcast


Param = In


class Out:
    """An output."""

    def __init__(self, variable: Any, borrow: bool = False) -> None:
        self.variable = variable
        self.borrow = borrow


def _pairs(x: Any) -> list[tuple[Any, Any]]:
    if x is None:
        return []
    return list(x.items()) if isinstance(x, Mapping) else [tuple(p) for p in x]


class Function:
    """What `function` returns. `rewrites` counts what was written otherwise, by name."""

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Any,
        updates: Any,
        givens: Any,
        on_unused_input: str,
        downcast: bool | None,
        name: str | None,
        keep_draws: bool,
        rewrite: bool,
    ) -> None:
        self.name = name
        self._inputs = [x if isinstance(x, In) else In(x) for x in inputs]
        for given in self._inputs:
            if isinstance(given.variable, SharedVariable):
                raise TypeError(
                    f"function: {given.variable} is shared and no input; givens=[(it, x)] puts "
                    "an input in its place"
                )
            if not isinstance(given.variable, Node):
                raise TypeError(f"an input must be a variable, not {given.variable!r}")
        self._downcast = downcast
        self._keep_draws = keep_draws
        self._built = outputs
        self._outputs = [
            as_tensor_variable(x.variable if isinstance(x, Out) else x) for x in _listed(outputs)
        ]
        assigned = [_assigned(state, value) for state, value in _pairs(updates)]
        given_nodes = [as_tensor_variable(new) for _, new in _pairs(givens)]
        view: dict[int, Operation] = {
            old.index: Alias(new) for (old, _), new in zip(_pairs(givens), given_nodes, strict=True)
        }
        self.rewrites: dict[str, int] = {}
        wanted = [*self._outputs, *assigned]
        if rewrite:
            found, counts = rewritten([*wanted, *given_nodes])
            view = {**found, **view}
            self.rewrites = dict(counts)
        feeds = [x.variable for x in self._inputs]
        self._check_used(feeds, wanted, view, on_unused_input)
        distinct = list(dict.fromkeys(self._outputs))
        self._places = [distinct.index(x) for x in self._outputs]
        try:
            self.plan = Plan(store, distinct, feeds, assigned, name or "function", view)
        except MissingFeedError as error:
            raise MissingInputError(
                f"function: the outputs depend on {error.node.described()}, which is neither an "
                "input nor given a value"
            ) from None
        self._run = self.plan.run
        self._quick = [_QUICK if _is_number(x.variable) else () for x in self._inputs]
        self._defaults = [x.value for x in self._inputs]
        self._names = {x.name: k for k, x in enumerate(self._inputs) if x.name}

    def _check_used(
        self, feeds: list[Any], wanted: list[Any], view: Mapping[int, Operation], on_unused: str
    ) -> None:
        seen: set[int] = set()
        todo = list(wanted)
        while todo:
            node = todo.pop()
            if node.index not in seen:
                seen.add(node.index)
                found = view.get(node.index)
                todo += node.inputs if found is None else found.inputs()
                todo += [] if found is None or isinstance(found, Alias) else node.inputs
                todo += [out for body in node.operation.bodies() for out in body.outputs]
        for node in feeds:
            if node.index in seen or on_unused == "ignore":
                continue
            message = (
                f"function: no output or update depends on the input {node.described()}; "
                "on_unused_input='ignore' allows it"
            )
            if on_unused == "raise":
                raise UnusedInputError(message)
            warnings.warn(message, stacklevel=4)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        inputs = self._inputs
        if kwargs or len(args) != len(inputs):
            args = self._all(args, kwargs)
        given = [
            x if x.__class__ in kinds else self._checked(x, spec)
            for x, spec, kinds in zip(args, inputs, self._quick, strict=True)
        ]
        if not self._keep_draws:
            return self._shaped(self._run(*given))
        before = [d.rng.bit_generator.state for d in self.plan.drawings]
        found = self._run(*given)
        for drawing, state in zip(self.plan.drawings, before, strict=True):
            drawing.rng.bit_generator.state = state
        return self._shaped(found)

    def _checked(self, x: Any, spec: In) -> Any:
        return _value(x, spec.variable, self._downcast if spec.allow_downcast is None else True)

    def _all(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        shown = self.name or "function"
        if len(args) > len(self._inputs):
            raise TypeError(f"{shown} takes {len(self._inputs)} inputs and was given {len(args)}")
        found = [*args, *self._defaults[len(args) :]]
        for name, value in kwargs.items():
            if name not in self._names:
                raise TypeError(f"{shown} has no input {name!r}")
            found[self._names[name]] = value
        for value, spec in zip(found, self._inputs, strict=True):
            if value is None:
                raise TypeError(
                    f"{shown}: no value for {spec.variable.described()}, and it has no default"
                )
        return tuple(found)

    def _shaped(self, found: list[Any] | None) -> Any:
        built = self._built
        if isinstance(built, Node) and found is not None:
            return np.asarray(found[0])
        if built is None or found is None:
            return [] if isinstance(built, list | tuple | None) else {}
        arrays = [np.asarray(found[k]) for k in self._places]
        if isinstance(built, Mapping):
            return dict(zip(built, arrays, strict=True))
        return arrays if isinstance(built, list | tuple) else arrays[0]

    def __repr__(self) -> str:
        return f"<theano function {self.name or ''}>"


# What an input of a float64 number takes as it is.
_QUICK = (float, np.float64)


def _is_number(node: Node) -> bool:
    operation = node.operation
    return (
        isinstance(operation, Placeholder)
        and operation.dtype == np.float64
        and operation.shape == ()
    )


def _listed(outputs: Any) -> list[Any]:
    if outputs is None:
        return []
    if isinstance(outputs, Mapping):
        return list(outputs.values())
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _value(x: Any, node: Node, downcast: bool | None) -> Any:
    operation = node.operation
    if isinstance(operation, Placeholder):
        return checked(x, operation.dtype, operation.shape, node, downcast)
    return x


def _assigned(state: Any, value: Any) -> Any:
    if not isinstance(state, SharedVariable):
        raise TypeError(
            f"function: updates are of shared variables, theano.shared(0.0), and not of {state!r}"
        )
    expression = as_tensor_variable(value)
    assert state.operation.__class__.__name__ == "State"
    wanted, found = state.dtype, shapes.static(expression)[0]
    if found is not None and not np.can_cast(found, wanted, "safe"):
        raise TypeError(
            f"function: the update is of {found.name}, and the shared variable "
            f"{state.described()}, is of {wanted}; cast it with T.cast(x, {wanted!r})"
        )
    return state.graph.node(Assign(state, expression))


def function(
    inputs: Any,
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: bool = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
) -> Function:
    """A function from the values of `inputs` to those of `outputs`, which then makes `updates`.

    >>> import tapegrad.compat.theano as theano
    >>> import tapegrad.compat.theano.tensor as T
    >>> x = T.dscalar("x")
    >>> f = theano.function([x], T.grad(x**2, x))
    >>> float(f(4.0))
    8.0
    """
    if not isinstance(inputs, list | tuple):
        raise TypeError("function: inputs are a list, as in theano.function([x], y)")
    if any(True for _ in nodes_of(mode)):
        raise TypeError("function: the third argument is mode; updates go by name: updates=[...]")
    return Function(
        inputs,
        outputs,
        updates,
        givens,
        on_unused_input or config.on_unused_input,
        allow_input_downcast,
        name,
        bool(no_default_updates),
        config.optimizer != "None" and mode not in ("FAST_COMPILE", "DebugMode"),
    )
