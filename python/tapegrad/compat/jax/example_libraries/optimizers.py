"""jax.example_libraries.optimizers: an optimizer is (init, update, get_params), over pytrees.

>>> from tapegrad.compat.jax.example_libraries import optimizers
>>> init, update, get_params = optimizers.sgd(0.1)
>>> get_params(update(0, {"w": 2.0}, init({"w": 1.0})))
{'w': 0.8}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tapegrad.compat.jax.arrays import plain, wrap
from tapegrad.compat.jax.tree_util import (
    register_pytree_node,
    tree_flatten,
    tree_leaves,
    tree_map,
)

Rule = Callable[..., Any]


class Optimizer(NamedTuple):
    """Three functions: of parameters the first state, of (i, gradients, state) the next, back."""

    init_fn: Rule
    update_fn: Rule
    params_fn: Rule


class OptimizerState:
    """The states of all parameters, as a pytree of arrays."""

    def __init__(self, packed: list[tuple[Any, ...]], structure: Any) -> None:
        self.packed = packed
        self.structure = structure


register_pytree_node(
    OptimizerState,
    lambda state: ((state.packed,), state.structure),
    lambda structure, parts: OptimizerState(parts[0], structure),
)


def _optimizer(init: Rule, update: Rule, parameters: Rule) -> Optimizer:
    """Of functions of one array, those of a pytree."""

    def init_all(tree: Any) -> OptimizerState:
        leaves, structure = tree_flatten(tree)
        return OptimizerState([init(plain(x)) for x in leaves], structure)

    def update_all(i: Any, gradients: Any, state: OptimizerState) -> OptimizerState:
        leaves = state.structure.flatten_up_to(gradients)
        pairs = zip(leaves, state.packed, strict=True)
        return OptimizerState([update(i, plain(g), s) for g, s in pairs], state.structure)

    def parameters_of(state: OptimizerState) -> Any:
        return state.structure.unflatten([wrap_as_given(parameters(s)) for s in state.packed])

    return Optimizer(init_all, update_all, parameters_of)


def wrap_as_given(x: Any) -> Any:
    """An array as one of JAX's; a number as it is."""
    return wrap(x) if isinstance(x, np.ndarray) else x


# Schedules: functions of the number of the step.


def make_schedule(scalar_or_schedule: Any) -> Rule:
    """A schedule of one; of a number, a constant one."""
    if callable(scalar_or_schedule):
        return scalar_or_schedule  # type: ignore[no-any-return]  # a function
    return constant(scalar_or_schedule)


def constant(step_size: Any) -> Rule:
    """One number."""
    return lambda i: step_size


def exponential_decay(step_size: Any, decay_steps: Any, decay_rate: Any) -> Rule:
    """A factor of `decay_rate` in each `decay_steps`."""
    return lambda i: step_size * decay_rate ** (i / decay_steps)


def inverse_time_decay(
    step_size: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False
) -> Rule:
    """`step_size / (1 + decay_rate i / decay_steps)`."""

    def schedule(i: Any) -> Any:
        steps = i / decay_steps
        return step_size / (1 + decay_rate * (np.floor(steps) if staircase else steps))

    return schedule


def polynomial_decay(
    step_size: Any, decay_steps: Any, final_step_size: Any, power: Any = 1.0
) -> Rule:
    """From one size to another, as a power of what is left."""

    def schedule(i: Any) -> Any:
        left = (1 - np.minimum(i, decay_steps) / decay_steps) ** power
        return left * (step_size - final_step_size) + final_step_size

    return schedule


def piecewise_constant(boundaries: Sequence[Any], values: Sequence[Any]) -> Rule:
    """A number for each part between boundaries."""
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            f"piecewise_constant: {len(boundaries)} boundaries make {len(boundaries) + 1} parts, "
            f"and there are {len(values)} values"
        )
    return lambda i: np.asarray(values)[np.sum(i > np.asarray(boundaries))]


# Rules.


def sgd(step_size: Any) -> Optimizer:
    """Steps down the gradient."""
    rate = make_schedule(step_size)
    return _optimizer(lambda x: (x,), lambda i, g, s: (s[0] - rate(i) * g,), lambda s: s[0])


def momentum(step_size: Any, mass: Any) -> Optimizer:
    """Steps along a velocity: mass times the last one plus the gradient."""
    rate = make_schedule(step_size)

    def update(i: Any, g: Any, state: Any) -> Any:
        x, velocity = state
        velocity = mass * velocity + g
        return x - rate(i) * velocity, velocity

    return _optimizer(lambda x: (x, np.zeros_like(x)), update, lambda s: s[0])


def nesterov(step_size: Any, mass: Any) -> Optimizer:
    """Momentum, of which the next step is taken already."""
    rate = make_schedule(step_size)

    def update(i: Any, g: Any, state: Any) -> Any:
        x, velocity = state
        velocity = mass * velocity + g
        return x - rate(i) * (mass * velocity + g), velocity

    return _optimizer(lambda x: (x, np.zeros_like(x)), update, lambda s: s[0])


def adagrad(step_size: Any, momentum: Any = 0.9) -> Optimizer:
    """Steps scaled by the squares of all gradients (Duchi, Hazan and Singer 2011)."""
    rate = make_schedule(step_size)

    def update(i: Any, g: Any, state: Any) -> Any:
        x, squares, m = state
        squares = squares + np.square(g)
        m = (1.0 - momentum) * (g * _inverse_root(squares)) + momentum * m
        return x - rate(i) * m, squares, m

    return _optimizer(lambda x: (x, np.zeros_like(x), np.zeros_like(x)), update, lambda s: s[0])


def _inverse_root(squares: Any) -> Any:
    """1 / sqrt, and 0 of 0."""
    return np.where(squares > 0, 1.0 / np.sqrt(np.where(squares > 0, squares, 1.0)), 0.0)


def rmsprop(step_size: Any, gamma: Any = 0.9, eps: Any = 1e-8) -> Optimizer:
    """Steps scaled by a running mean of squares, `eps` inside the root."""
    rate = make_schedule(step_size)

    def update(i: Any, g: Any, state: Any) -> Any:
        x, mean = state
        mean = mean * gamma + np.square(g) * (1.0 - gamma)
        return x - rate(i) * g / np.sqrt(mean + eps), mean

    return _optimizer(lambda x: (x, np.zeros_like(x)), update, lambda s: s[0])


def rmsprop_momentum(
    step_size: Any, gamma: Any = 0.9, eps: Any = 1e-8, momentum: Any = 0.9
) -> Optimizer:
    """The same along a velocity."""
    rate = make_schedule(step_size)

    def update(i: Any, g: Any, state: Any) -> Any:
        x, mean, velocity = state
        mean = mean * gamma + np.square(g) * (1.0 - gamma)
        velocity = momentum * velocity + rate(i) * g / np.sqrt(mean + eps)
        return x - velocity, mean, velocity

    return _optimizer(lambda x: (x, np.zeros_like(x), np.zeros_like(x)), update, lambda s: s[0])


def adam(step_size: Any, b1: Any = 0.9, b2: Any = 0.999, eps: Any = 1e-8) -> Optimizer:
    """Adam (Kingma and Ba 2015), `eps` outside the root; the first step is 0."""
    rate = make_schedule(step_size)

    def update(i: Any, g: Any, state: Any) -> Any:
        x, m, v = state
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * np.square(g) + b2 * v
        first = m / (1 - np.asarray(b1, np.result_type(x)) ** (i + 1))
        second = v / (1 - np.asarray(b2, np.result_type(x)) ** (i + 1))
        return x - rate(i) * first / (np.sqrt(second) + eps), m, v

    return _optimizer(lambda x: (x, np.zeros_like(x), np.zeros_like(x)), update, lambda s: s[0])


def adamax(step_size: Any, b1: Any = 0.9, b2: Any = 0.999, eps: Any = 1e-8) -> Optimizer:
    """Adam in the maximum norm."""
    rate = make_schedule(step_size)

    def update(i: Any, g: Any, state: Any) -> Any:
        x, m, u = state
        m = (1 - b1) * g + b1 * m
        u = np.maximum(b2 * u, np.abs(g))
        scale = rate(i) / (1 - np.asarray(b1, np.result_type(x)) ** (i + 1))
        return x - scale * m / (u + eps), m, u

    return _optimizer(lambda x: (x, np.zeros_like(x), np.zeros_like(x)), update, lambda s: s[0])


# Gradients.


def l2_norm(tree: Any) -> Any:
    """The Euclidean norm of all leaves together."""
    squares = [np.sum(np.square(plain(x))) for x in tree_leaves(tree)]
    return wrap(np.sqrt(sum(squares[1:], squares[0])))


def clip_grads(grad_tree: Any, max_norm: Any) -> Any:
    """Gradients scaled down where their norm is above `max_norm`."""
    norm = plain(l2_norm(grad_tree))
    scale = np.where(norm < max_norm, 1.0, max_norm / np.where(norm > 0, norm, 1.0))
    return tree_map(lambda g: g * scale, grad_tree)
