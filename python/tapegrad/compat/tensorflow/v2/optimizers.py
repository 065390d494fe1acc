"""`tf.keras.optimizers`: steps of eager variables, by the rules of Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.training import rules
from tapegrad.compat.tensorflow.v2.tape import GradientTape
from tapegrad.compat.tensorflow.v2.tensors import EagerTensor, Variable


class Optimizer:
    """Takes steps. `iterations` counts them."""

    def __init__(
        self,
        learning_rate: Any,
        *,
        name: str | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        **others: Any,
    ) -> None:
        if others:
            raise TypeError(f"{type(self).__name__}: {', '.join(others)} is not there")
        self._rate = learning_rate
        self.name = name or type(self).__name__
        self._clips = clipnorm, clipvalue, global_clipnorm
        self.iterations = Variable(np.int64(0), trainable=False, name="iterations")
        self._slots: dict[Variable, tuple[Any, ...]] = {}

    @property
    def learning_rate(self) -> Any:
        """The rate of the next step."""
        found = self._rate(self.iterations.numpy()) if callable(self._rate) else self._rate
        return found.numpy() if isinstance(found, EagerTensor) else found

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._rate = value

    lr = learning_rate

    def start(self, x: Any) -> tuple[Any, ...]:
        """What is kept for a variable, at first."""
        return ()

    def step(self, x: Any, g: Any, rate: Any, kept: tuple[Any, ...], n: int) -> tuple[Any, ...]:
        """The new value, then what is kept; `n` is the number of this step, from 1."""
        raise NotImplementedError(
            f"{type(self).__name__} has no step(x, g, rate, kept, n), the new value"
        )

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]], **_: Any) -> Any:
        """Takes a step; a gradient None leaves its variable as it is."""
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        if not pairs:
            raise ValueError(
                "apply_gradients: all gradients are None; tape.gradient(loss, variables) gives "
                "those of a loss that was computed inside `with tf.GradientTape() as tape:`"
            )
        rate, n = self.learning_rate, int(self.iterations.numpy()) + 1
        gradients = self._clipped([np.asarray(g) for g, _ in pairs])
        for g, (_, v) in zip(gradients, pairs, strict=True):
            x = v.numpy()
            kept = self._slots.get(v)
            new, *rest = self.step(x, g, rate, self.start(x) if kept is None else kept, n)
            v.assign(new)
            self._slots[v] = tuple(rest)
        self.iterations.assign(n)
        return self.iterations

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Any]) -> Any:
        """The same, of two lists."""
        return self.apply_gradients(zip(grads, trainable_variables, strict=True))

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: Any = None, tape: Any = None
    ) -> Any:
        """A step downhill; `loss` is a function of no arguments, or a tensor of a tape."""
        variables = list(var_list() if callable(var_list) else var_list)
        if callable(loss):
            with GradientTape() as tape:
                target = loss()
        else:
            target = loss
            if tape is None:
                raise ValueError(
                    "minimize: the loss is a tensor, whose tape is needed: "
                    "optimizer.minimize(loss, variables, tape=tape); or the loss is a function"
                )
        found = tape.gradient(target, variables, grad_loss)
        return self.apply_gradients(zip(found, variables, strict=True))

    def _clipped(self, gradients: list[Any]) -> list[Any]:
        norm, value, whole = self._clips
        if norm is not None:
            return [g * (norm / max(norm, float(np.sqrt(np.sum(g * g))))) for g in gradients]
        if whole is not None:
            total = float(np.sqrt(sum(np.sum(g * g) for g in gradients)))
            return [g * (whole / max(whole, total)) for g in gradients]
        if value is not None:
            return [np.clip(g, -value, value) for g in gradients]
        return gradients

    @property
    def variables(self) -> list[Any]:
        """What is kept, as arrays."""
        return [self.iterations, *[x for kept in self._slots.values() for x in kept]]


class SGD(Optimizer):
    """The speed holds the rate: v = momentum * v - rate * g."""

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **rest: Any
    ) -> None:
        super().__init__(learning_rate, **rest)
        self.momentum = momentum
        self.nesterov = nesterov

    def start(self, x: Any) -> tuple[Any, ...]:
        return (np.zeros_like(x),)

    def step(self, x: Any, g: Any, rate: Any, kept: tuple[Any, ...], n: int) -> tuple[Any, ...]:
        if not self.momentum:
            return x - rate * g, kept[0]
        speed = self.momentum * kept[0] - rate * g
        return x + (self.momentum * speed - rate * g if self.nesterov else speed), speed


class Adam(Optimizer):
    """Epsilon is added to the root that is not corrected."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(learning_rate, **rest)
        self.betas = beta_1, beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def start(self, x: Any) -> tuple[Any, ...]:
        return np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)

    def step(self, x: Any, g: Any, rate: Any, kept: tuple[Any, ...], n: int) -> tuple[Any, ...]:
        powers = self.betas[0] ** n, self.betas[1] ** n
        if not self.amsgrad:
            found = rules.adam(x, g, rate, kept[0], kept[1], *powers, *self.betas, self.epsilon)
            return (*found, kept[2])
        _, m, v = rules.adam(x, g, rate, kept[0], kept[1], *powers, *self.betas, self.epsilon)
        top = np.maximum(kept[2], v)
        corrected = rate * np.sqrt(1.0 - powers[1]) / (1.0 - powers[0])
        return x - corrected * m / (np.sqrt(top) + self.epsilon), m, v, top


class Adamax(Optimizer):
    """Adam with the largest decayed gradient in place of the root."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **rest: Any,
    ) -> None:
        super().__init__(learning_rate, **rest)
        self.betas = beta_1, beta_2
        self.epsilon = epsilon

    def start(self, x: Any) -> tuple[Any, ...]:
        return np.zeros_like(x), np.zeros_like(x)

    def step(self, x: Any, g: Any, rate: Any, kept: tuple[Any, ...], n: int) -> tuple[Any, ...]:
        power = self.betas[0] ** n
        m, u = kept
        found: tuple[Any, ...] = rules.adamax(x, g, rate, m, u, power, *self.betas, self.epsilon)
        return found


class RMSprop(Optimizer):
    """By the mean square, which starts at 0; epsilon is inside of the root."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(learning_rate, **rest)
        self._rest = rho, momentum, epsilon
        self.centered = centered

    def start(self, x: Any) -> tuple[Any, ...]:
        return tuple(np.zeros_like(x) for _ in range(3 if self.centered else 2))

    def step(self, x: Any, g: Any, rate: Any, kept: tuple[Any, ...], n: int) -> tuple[Any, ...]:
        rule: Callable[..., Any] = rules.rmsprop_centered if self.centered else rules.rmsprop
        found: tuple[Any, ...] = rule(x, g, rate, *kept, *self._rest)
        return found


class Adagrad(Optimizer):
    """By the sum of squares; epsilon is inside of the root."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **rest: Any,
    ) -> None:
        super().__init__(learning_rate, **rest)
        self._begin = initial_accumulator_value
        self.epsilon = epsilon

    def start(self, x: Any) -> tuple[Any, ...]:
        return (np.full_like(np.asarray(x), self._begin),)

    def step(self, x: Any, g: Any, rate: Any, kept: tuple[Any, ...], n: int) -> tuple[Any, ...]:
        squares = kept[0] + g * g
        return x - rate * g / np.sqrt(squares + self.epsilon), squares


class Adadelta(Optimizer):
    """By the ratio of mean squared steps and gradients."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **rest: Any
    ) -> None:
        super().__init__(learning_rate, **rest)
        self._rest = rho, epsilon

    def start(self, x: Any) -> tuple[Any, ...]:
        return np.zeros_like(x), np.zeros_like(x)

    def step(self, x: Any, g: Any, rate: Any, kept: tuple[Any, ...], n: int) -> tuple[Any, ...]:
        squares, steps = kept
        found: tuple[Any, ...] = rules.adadelta(x, g, rate, squares, steps, *self._rest)
        return found


class schedules:  # noqa: N801 - Keras's name
    """Rates that depend on the number of steps."""

    class ExponentialDecay:
        """initial * decay_rate ** (step / decay_steps)."""

        def __init__(
            self,
            initial_learning_rate: float,
            decay_steps: float,
            decay_rate: float,
            staircase: bool = False,
        ) -> None:
            self._args = initial_learning_rate, decay_steps, decay_rate, staircase

        def __call__(self, step: Any) -> Any:
            rate, steps, factor, staircase = self._args
            return rules.exponential(rate, float(step), steps, factor, staircase)

    class InverseTimeDecay:
        """initial / (1 + decay_rate * step / decay_steps)."""

        def __init__(
            self,
            initial_learning_rate: float,
            decay_steps: float,
            decay_rate: float,
            staircase: bool = False,
        ) -> None:
            self._args = initial_learning_rate, decay_steps, decay_rate, staircase

        def __call__(self, step: Any) -> Any:
            rate, steps, factor, staircase = self._args
            return rules.inverse_time(rate, float(step), steps, factor, staircase)

    class PolynomialDecay:
        """From one rate to another in `decay_steps`."""

        def __init__(
            self,
            initial_learning_rate: float,
            decay_steps: float,
            end_learning_rate: float = 0.0001,
            power: float = 1.0,
            cycle: bool = False,
        ) -> None:
            self._args = initial_learning_rate, decay_steps, end_learning_rate, power, cycle

        def __call__(self, step: Any) -> Any:
            rate, steps, end, power, cycle = self._args
            return rules.polynomial(rate, float(step), steps, end, power, cycle)

    class PiecewiseConstantDecay:
        """A rate for each interval of steps."""

        def __init__(self, boundaries: Any, values: Any) -> None:
            self._args = list(boundaries), list(values)

        def __call__(self, step: Any) -> Any:
            return rules.piecewise(float(step), *self._args)

    class CosineDecay:
        """Half a cosine."""

        def __init__(
            self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0
        ) -> None:
            self._args = initial_learning_rate, decay_steps, alpha

        def __call__(self, step: Any) -> Any:
            rate, steps, alpha = self._args
            return rules.cosine(rate, float(step), steps, alpha)


_OWN = {n: x for n, x in globals().items() if getattr(x, "__module__", "") == __name__}
__getattr__ = refusing("keras.optimizers", _OWN)
