"""`tf.train`'s optimisers: operations that take a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.dispatch import Mode, apply
from tapegrad.compat.tensorflow.functions.control import control_dependencies, group, parts
from tapegrad.compat.tensorflow.training import rules
from tapegrad.compat.tensorflow.training.gradients import gradients
from tapegrad.compat.tensorflow.variables import Variable, trainable_variables
from tapegrad.graph.nodes import Node

Pairs = Sequence[tuple[Any, Any]]


class Optimizer:
    """Makes of gradients an operation that takes a step.

    A kind of its own says `slots` (what is kept for each variable, and what it starts with) and
    `rule` (a function of `rules.py`, with what it takes after the slots).
    """

    name = "Optimizer"
    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(
        self, learning_rate: Any, use_locking: bool = False, name: str | None = None
    ) -> None:
        self.learning_rate = learning_rate() if callable(learning_rate) else learning_rate
        self.name = name or self.name
        self._slots: dict[tuple[Variable, str], Variable] = {}

    def slots(self) -> dict[str, float]:
        """The names of what is kept for each variable, and what that starts with."""
        return {}

    def rule(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The update rule, and what it takes after the slots."""
        raise NotImplementedError(f"{type(self).__name__} has no rule(), the update of a variable")

    def prepare(self, variables: Sequence[Variable]) -> None:
        """Makes what is kept once for all variables."""

    def after(self) -> list[Any]:
        """Updates of what is kept once, after the step."""
        return []

    def compute_gradients(
        self, loss: Any, var_list: Any = None, *_: Any, grad_loss: Any = None, **__: Any
    ) -> list[tuple[Any, Any]]:
        """Pairs of a gradient (None where the loss does not depend on it) and a variable."""
        variables = trainable_variables() if var_list is None else list(_flat(var_list))
        if not variables:
            raise ValueError("minimize: there is no variable to step; tf.Variable(0.0) is one")
        seeds = None if grad_loss is None else [grad_loss]
        return list(zip(gradients(loss, variables, seeds), variables, strict=True))

    def apply_gradients(
        self, grads_and_vars: Pairs, global_step: Any = None, name: str | None = None
    ) -> Any:
        """The operation that takes a step with these gradients."""
        grads_and_vars = list(grads_and_vars)
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        if any(isinstance(v, Mode.eager_types) for _, v in pairs):
            raise TypeError(
                "apply_gradients: these variables are eager; tf.optimizers.SGD, Adam and so on "
                "take steps of such"
            )
        if not pairs:
            names = [v.label for _, v in grads_and_vars]
            raise ValueError(
                f"apply_gradients: all gradients are None: the loss does not depend on {names}"
            )
        graph = pairs[0][1].graph
        with graph.inside(None), graph.name_scope(None):
            self.prepare([v for _, v in pairs])
            for _, v in pairs:
                for slot, start in self.slots().items():
                    self._make_slot(v, slot, start)
        updates = []
        with graph.name_scope(name or self.name) as scope:
            rule, rest = self.rule()
            for g, v in pairs:
                held = [self._slots[v, slot] for slot in self.slots()]
                found = apply(rule, (v, g, self.learning_rate, *held, *rest), tensors=2)
                new = parts(found, 1 + len(held))
                updates += [x.assign(value) for x, value in zip((v, *held), new, strict=True)]
            with control_dependencies(updates):
                updates += self.after()
                if global_step is not None:
                    updates.append(global_step.assign_add(1))
        return group(*updates, name=scope)

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        *_: Any,
        name: str | None = None,
        grad_loss: Any = None,
        **__: Any,
    ) -> Any:
        """The operation that takes a step downhill."""
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        return self.apply_gradients(pairs, global_step, name)

    def _make_slot(self, variable: Variable, slot: str, start: float) -> None:
        if (variable, slot) in self._slots:
            return
        lengths = variable.shape
        label = f"{variable.label}/{slot}/"
        initial: Any
        if lengths.is_fully_defined():
            initial = np.full(tuple(lengths.as_list()), start, variable.dtype.name)
        else:
            initial = apply(_full_like, (variable.initial_value, start))
        self._slots[variable, slot] = Variable(initial, trainable=False, name=label)

    def get_slot(self, var: Variable, name: str) -> Any:
        """What is kept for a variable under a name."""
        return self._slots.get((var, name))

    def get_slot_names(self) -> list[str]:
        """The names of what is kept for each variable."""
        return list(self.slots())

    def get_name(self) -> str:
        """The optimiser's name."""
        return self.name

    def variables(self) -> list[Any]:
        """All that is kept."""
        return list(self._slots.values())


def _full_like(x: Any, value: float) -> Any:
    return np.full_like(np.asarray(x), value)


def _flat(x: Any) -> Any:
    if isinstance(x, Node):
        yield x
    else:
        for e in x:
            yield from _flat(e)


class GradientDescentOptimizer(Optimizer):
    """x - rate * g."""

    name = "GradientDescent"

    def rule(self) -> Any:
        return rules.descent, ()


class MomentumOptimizer(Optimizer):
    """A decaying sum of gradients."""

    name = "Momentum"

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str | None = None,
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(learning_rate, use_locking, name)
        self._rest = momentum, use_nesterov

    def slots(self) -> dict[str, float]:
        return {"momentum": 0.0}

    def rule(self) -> Any:
        return rules.momentum, self._rest


class AdagradOptimizer(Optimizer):
    """By the sum of squares, which starts at 0.1."""

    name = "Adagrad"

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, use_locking, name)
        if initial_accumulator_value <= 0.0:
            raise ValueError(
                f"Adagrad: initial_accumulator_value={initial_accumulator_value} is not above 0"
            )
        self._start = initial_accumulator_value

    def slots(self) -> dict[str, float]:
        return {"accumulator": self._start}

    def rule(self) -> Any:
        return rules.adagrad, ()


class AdadeltaOptimizer(Optimizer):
    """By the ratio of mean squared steps and gradients."""

    name = "Adadelta"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, use_locking, name)
        self._rest = rho, epsilon

    def slots(self) -> dict[str, float]:
        return {"accum": 0.0, "accum_update": 0.0}

    def rule(self) -> Any:
        return rules.adadelta, self._rest


class RMSPropOptimizer(Optimizer):
    """By the mean square, which starts at 1; epsilon is inside of the root."""

    name = "RMSProp"

    def __init__(
        self,
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, use_locking, name)
        self._rest = decay, momentum, epsilon
        self._centered = centered

    def slots(self) -> dict[str, float]:
        found = {"rms": 1.0, "momentum": 0.0}
        return {**found, "mg": 0.0} if self._centered else found

    def rule(self) -> Any:
        return rules.rmsprop_centered if self._centered else rules.rmsprop, self._rest


class AdamOptimizer(Optimizer):
    """Moments with bias correction; epsilon is added to the root that is not corrected."""

    name = "Adam"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, use_locking, name)
        self._betas = beta1, beta2
        self._epsilon = epsilon
        self._powers: list[Variable] = []

    def slots(self) -> dict[str, float]:
        return {"m": 0.0, "v": 0.0}

    def prepare(self, variables: Sequence[Variable]) -> None:
        if not self._powers:
            kind = variables[0].dtype.name
            self._powers = [
                Variable(np.asarray(beta, kind), trainable=False, name=f"beta{k}_power")
                for k, beta in enumerate(self._betas, 1)
            ]

    def rule(self) -> Any:
        return rules.adam, (*self._powers, *self._betas, self._epsilon)

    def after(self) -> list[Any]:
        pairs = zip(self._powers, self._betas, strict=True)
        return [power.assign(power * beta) for power, beta in pairs]

    def variables(self) -> list[Any]:
        return [*self._powers, *super().variables()]


class FtrlOptimizer(Optimizer):
    """Follow the regularised leader."""

    name = "Ftrl"

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, use_locking, name)
        self._start = initial_accumulator_value
        self._rest = learning_rate_power, l1_regularization_strength, l2_regularization_strength

    def slots(self) -> dict[str, float]:
        return {"accum": self._start, "linear": 0.0}

    def rule(self) -> Any:
        return rules.ftrl, self._rest
