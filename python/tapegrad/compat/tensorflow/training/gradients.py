"""`tf.gradients` and what is made of it."""

from __future__ import annotations

from typing import Any

import tapegrad as tg
from tapegrad.compat.tensorflow.tensors import convert_to_tensor
from tapegrad.graph import derivatives
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Transform


class UnconnectedGradients:
    """What the gradient is where nothing leads from a source to the target."""

    NONE = "none"
    ZERO = "zero"


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, list | tuple) else [x]


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: str = UnconnectedGradients.NONE,
) -> list[Any]:
    """The gradient of the sum of `ys` by each of `xs`: tensors, None where there is no way."""
    if stop_gradients:
        raise NotImplementedError(
            "gradients: stop_gradients= is not there; put tf.stop_gradient(x) where x is used"
        )
    targets = [y for y in _listed(ys) if y is not None]
    for y in targets:
        if not isinstance(y, Node):
            raise TypeError(f"gradients: {y!r} is no tensor of a graph")
    sources = [convert_to_tensor(x) for x in _listed(xs)]
    seeds = None
    if grad_ys is not None:
        seeds = [None if s is None else convert_to_tensor(s) for s in _listed(grad_ys)]
    found = derivatives.gradients(targets, sources, seeds, name)
    if unconnected_gradients == UnconnectedGradients.ZERO:
        from tapegrad.compat.tensorflow.functions.arrays import zeros_like

        found = [zeros_like(x) if g is None else g for g, x in zip(found, sources, strict=True)]
    return found


def hessians(ys: Any, xs: Any, name: str = "hessians", **_: Any) -> list[Any]:
    """The Hessian of the sum of `ys` by each of `xs`."""
    from tapegrad.compat.tensorflow.functions.math import add_n, reduce_sum

    targets = [reduce_sum(y) for y in _listed(ys)]
    total = targets[0] if len(targets) == 1 else add_n(targets)
    graph = total.graph
    return [
        graph.node(Transform(tg.hessian, total, [x], label="hessian"), name) for x in _listed(xs)
    ]


def jacobian(output: Any, inputs: Any, use_pfor: bool = True, **_: Any) -> Any:
    """The derivatives of all elements of `output` by all of `inputs`."""
    return output.graph.node(Transform(tg.jacobian, output, [inputs], label="jacobian"))


class AggregationMethod:
    """How gradients are added; there is one way here."""

    ADD_N = DEFAULT = 0
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


__all__ = ["AggregationMethod", "gradients", "hessians", "jacobian"]
