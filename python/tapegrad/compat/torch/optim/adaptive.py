"""Optimisers with a step length for each element."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tapegrad.compat.torch.optim.optimizer import (
    Optimizer,
    check,
    count,
    keep,
    kept,
    not_through_steps,
)


def _decayed(p: Any, g: Any, group: dict[str, Any]) -> Any:
    return g + group["weight_decay"] * p if group["weight_decay"] else g


class RMSprop(Optimizer):
    """By the running mean of squares (Tieleman and Hinton, lecture 6e, 2012)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False,
        capturable: bool = False, foreach: Any = None, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        not_through_steps(self, differentiable)
        check(
            learning_rate=(lr, float(lr) >= 0),
            epsilon_value=(eps, eps >= 0),
            momentum_value=(momentum, momentum >= 0),
            weight_decay_value=(weight_decay, weight_decay >= 0),
            alpha_value=(alpha, alpha >= 0),
        )
        super().__init__(
            params,
            {
                "lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay,
                "momentum": momentum, "centered": centered, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the gradient, divided by the root of the mean square."""
        count(state)
        g, alpha = _decayed(p, g, group), group["alpha"]
        square = kept(state, "square_avg", g)
        square *= alpha
        square += (1 - alpha) * (g * g)
        if group["centered"]:
            mean = kept(state, "grad_avg", g)
            mean += (g - mean) * (1 - alpha)
            root = np.sqrt(square - mean * mean) + group["eps"]
        else:
            root = np.sqrt(square) + group["eps"]
        if group["momentum"] > 0:
            buffer = kept(state, "momentum_buffer", g)
            buffer *= group["momentum"]
            buffer += g / root
            return p - float(group["lr"]) * buffer
        return p - float(group["lr"]) * (g / root)


class Adagrad(Optimizer):
    """By the sum of squares (Duchi, Hazan and Singer, 2011)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0,
        weight_decay: float = 0, initial_accumulator_value: float = 0, eps: float = 1e-10,
        foreach: Any = None, *, maximize: bool = False, differentiable: bool = False,
        fused: Any = None,
    ) -> None:  # fmt: skip
        not_through_steps(self, differentiable)
        check(
            learning_rate=(lr, float(lr) >= 0),
            lr_decay_value=(lr_decay, lr_decay >= 0),
            weight_decay_value=(weight_decay, weight_decay >= 0),
            epsilon_value=(eps, eps >= 0),
        )
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the gradient, divided by the root of the sum of squares."""
        t, g = count(state), _decayed(p, g, group)
        total = kept(state, "sum", g, group["initial_accumulator_value"])
        total += g * g
        rate = float(group["lr"]) / (1 + (t - 1) * group["lr_decay"])
        return p - rate * (g / (np.sqrt(total) + group["eps"]))


class Adadelta(Optimizer):
    """By the ratio of past steps and gradients (Zeiler, 2012)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0, foreach: Any = None, *, capturable: bool = False,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        not_through_steps(self, differentiable)
        check(
            learning_rate=(lr, float(lr) >= 0),
            rho_value=(rho, 0 <= rho <= 1),
            epsilon_value=(eps, eps >= 0),
            weight_decay_value=(weight_decay, weight_decay >= 0),
        )
        super().__init__(
            params,
            {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize},
        )

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the gradient, of the length of the past steps."""
        count(state)
        g, rho, eps = _decayed(p, g, group), group["rho"], group["eps"]
        square, steps = kept(state, "square_avg", g), kept(state, "acc_delta", g)
        square *= rho
        square += (1 - rho) * (g * g)
        delta = np.sqrt(steps + eps) / np.sqrt(square + eps) * g
        steps *= rho
        steps += (1 - rho) * (delta * delta)
        return p - float(group["lr"]) * delta


class Rprop(Optimizer):
    """By the sign of the gradient alone (Riedmiller and Braun, 1993)."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False,
        foreach: Any = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        not_through_steps(self, differentiable)
        check(learning_rate=(lr, float(lr) >= 0), eta_values=(etas, 0 < etas[0] < 1 < etas[1]))
        super().__init__(
            params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        )

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step against the sign, longer where the sign stays."""
        count(state)
        before = kept(state, "prev", g)
        size = kept(state, "step_size", g, float(group["lr"]))
        (shrink, grow), (least, most) = group["etas"], group["step_sizes"]
        sign = np.sign(g * before)
        factor = np.where(sign > 0, grow, np.where(sign < 0, shrink, 1.0)).astype(g.dtype)
        np.clip(size * factor, least, most, out=size)
        g = np.where(sign < 0, np.zeros((), g.dtype), g)
        keep(state, "prev", g)
        return p - np.sign(g) * size
