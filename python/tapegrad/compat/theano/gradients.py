"""`theano.gradient`: derivatives as expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tapegrad as tg
from tapegrad.compat.theano.variables import apply, as_tensor_variable, graph
from tapegrad.graph import derivatives, shapes
from tapegrad.graph.nodes import Node
from tapegrad.graph.operations import Transform


class DisconnectedInputError(ValueError):
    """A cost does not depend on what its gradient is wanted by."""


class DisconnectedType:
    """The type of no gradient."""


def _listed(x: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    if isinstance(x, list):
        return x, lambda found: found
    if isinstance(x, tuple):
        return list(x), tuple
    return [x], lambda found: found[0]


def _numbers(node: Any, what: str) -> None:
    shape = shapes.static(node)[1]
    if shape is not None and shape != ():
        raise TypeError(
            f"{what} is one number, and {node.described()}, has {len(shape)}; take its sum or mean"
        )


def grad(
    cost: Any,
    wrt: Any,
    consider_constant: Sequence[Any] | None = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Any = None,
    return_disconnected: str = "zero",
    null_gradients: str = "raise",
) -> Any:
    """The gradient of a scalar expression by `wrt`, built like that."""
    variables, build = _listed(wrt)
    outputs: list[Any] = []
    seeds: list[Any] = []
    if cost is not None:
        _numbers(cost, "cost")
        outputs, seeds = [cost], [None]
    for output, seed in (known_grads or {}).items():
        outputs.append(output)
        seeds.append(as_tensor_variable(seed))
    for x in variables:
        if not isinstance(x, Node):
            raise TypeError(f"wrt must be of variables, and holds {x!r}")
    found = derivatives.gradients(outputs, variables, seeds, None, tuple(consider_constant or ()))
    for k, (g, x) in enumerate(zip(found, variables, strict=True)):
        if g is None:
            found[k] = _disconnected(x, disconnected_inputs, return_disconnected)
        elif add_names and x.name and cost is not None and cost.name:
            g.name = f"(d{cost.name}/d{x.name})"
    return build(found)


def _disconnected(x: Any, policy: str, returned: str) -> Any:
    message = (
        f"grad: the cost does not depend on {x.described()}, or depends on it in ways that have no "
        "derivative; disconnected_inputs='ignore' gives zeros"
    )
    if policy == "raise":
        raise DisconnectedInputError(message)
    if policy == "warn":
        import warnings

        warnings.warn(message, stacklevel=3)
    if returned == "none":
        return None
    return apply(_zeros, x, cuts=True)


def _zeros(x: Any) -> Any:
    return np.zeros(np.shape(x))[()]


def jacobian(expression: Any, wrt: Any, consider_constant: Any = None, **_: Any) -> Any:
    """The derivatives of all elements of an expression by `wrt`."""
    _nothing_constant("jacobian", consider_constant)
    return _transformed(tg.jacobian, expression, wrt, "jacobian")


def hessian(cost: Any, wrt: Any, consider_constant: Any = None, **_: Any) -> Any:
    """The second derivatives of a scalar expression by each of `wrt`."""
    _nothing_constant("hessian", consider_constant)
    _numbers(cost, "cost")
    return _transformed(tg.hessian, cost, wrt, "hessian")


def _nothing_constant(name: str, constant: Any) -> None:
    if constant:
        raise NotImplementedError(
            f"theano.gradient.{name}: consider_constant= is not there; put "
            "theano.gradient.disconnected_grad(x) where x is used"
        )


def _transformed(transform: Any, y: Any, wrt: Any, label: str) -> Any:
    variables, build = _listed(wrt)
    for x in variables:
        if not derivatives.connected(y, x):
            raise DisconnectedInputError(
                f"{label}: the expression does not depend on {x.described()}"
            )
    return build([graph.node(Transform(transform, y, [x], label=label)) for x in variables])


def _jvp(f: Callable[..., Any]) -> Callable[..., Any]:
    def tangent(*given: Any) -> Any:
        n = len(given) // 2
        points, directions = given[:n], given[n:]
        like = tuple([_like(d, p) for d, p in zip(directions, points, strict=True)])
        return tg.jvp(f, points, like)[1]

    return tangent


def _like(direction: Any, point: Any) -> Any:
    return direction + 0.0 * point if np.shape(direction) != np.shape(point) else direction


def Rop(f: Any, wrt: Any, eval_points: Any, **_: Any) -> Any:  # noqa: N802 - Theano's name
    """The derivatives of `f` in the direction `eval_points`: the Jacobian times a vector."""
    variables, _build = _listed(wrt)
    directions = [as_tensor_variable(d) for d in _listed(eval_points)[0]]
    outputs, build = _listed(f)
    made = []
    for y in outputs:
        pairs = [(x, d) for x, d in zip(variables, directions, strict=True)
                 if derivatives.connected(y, x)]  # fmt: skip
        if not pairs:
            raise DisconnectedInputError(f"Rop: {y.described()}, depends on none of wrt")
        xs, ds = zip(*pairs, strict=True)
        made.append(graph.node(Transform(_jvp, y, xs, tuple(ds), label="Rop")))
    return build(made)


def Lop(f: Any, wrt: Any, eval_points: Any, **_: Any) -> Any:  # noqa: N802 - Theano's name
    """A vector times the Jacobian of `f`."""
    variables, build = _listed(wrt)
    outputs, seeds = _listed(f)[0], _listed(eval_points)[0]
    found = derivatives.gradients(outputs, variables, [as_tensor_variable(s) for s in seeds])
    for g, x in zip(found, variables, strict=True):
        if g is None:
            raise DisconnectedInputError(f"Lop: f does not depend on {x.described()}")
    return build(found)


def disconnected_grad(x: Any) -> Any:
    """The same value, as a constant to derivatives."""
    return apply(tg.stop_gradient, x, cuts=True, label="disconnected_grad")


zero_grad = consider_constant = disconnected_grad


def verify_grad(
    fun: Callable[..., Any], pt: Sequence[Any], n_tests: int = 2, rng: Any = None, **_: Any
) -> None:
    """Raises where the gradient of an expression differs from differences."""
    from tapegrad.compat.theano.function import function
    from tapegrad.compat.theano.variables import Type

    points = [np.asarray(p, float) for p in pt]
    inputs = [Type("float64", p.ndim)() for p in points]
    total = apply(np.sum, fun(*inputs))
    value, slopes = function(inputs, total), function(inputs, grad(total, inputs))
    found = slopes(*points)
    for k, point in enumerate(points):
        wanted = np.zeros_like(point)
        for at in np.ndindex(point.shape):
            shifted = [point.copy(), point.copy()]
            for p, sign in zip(shifted, (1e-6, -1e-6), strict=True):
                p[at] += sign
            ends = [value(*[*points[:k], p, *points[k + 1 :]]) for p in shifted]
            wanted[at] = (ends[0] - ends[1]) / 2e-6
        if not np.allclose(found[k], wanted, rtol=1e-4, atol=1e-6):
            raise AssertionError(f"verify_grad: argument {k}: {found[k]} and differences {wanted}")
