"""Adam and its relatives."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tapegrad.compat.torch.optim.optimizer import Optimizer, check, count, kept, not_through_steps


def _checked(lr: Any, betas: Any, eps: Any, weight_decay: Any) -> None:
    check(
        learning_rate=(lr, float(lr) >= 0),
        epsilon_value=(eps, eps >= 0),
        beta_parameter_at_index_0=(betas[0], 0 <= betas[0] < 1),
        beta_parameter_at_index_1=(betas[1], 0 <= betas[1] < 1),
        weight_decay_value=(weight_decay, weight_decay >= 0),
    )


def _moments(g: Any, state: dict[str, Any], group: dict[str, Any]) -> tuple[Any, Any]:
    """Running means of the gradient and of its square."""
    beta1, beta2 = group["betas"]
    mean, square = kept(state, "exp_avg", g), kept(state, "exp_avg_sq", g)
    mean += (g - mean) * (1 - beta1)
    square *= beta2
    square += (1 - beta2) * (g * g)
    return mean, square


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015)."""

    decoupled = False

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
        maximize: bool = False, foreach: Any = None, capturable: bool = False,
        differentiable: bool = False, fused: Any = None, decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        not_through_steps(self, differentiable)
        _checked(lr, betas, eps, weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "amsgrad": amsgrad, "maximize": maximize,
                "decoupled_weight_decay": self.decoupled or decoupled_weight_decay,
            },
        )  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the mean gradient, divided by the root of the mean square."""
        t, lr, (beta1, beta2) = count(state), float(group["lr"]), group["betas"]
        if group["weight_decay"]:
            if group["decoupled_weight_decay"]:
                p = p * (1 - lr * group["weight_decay"])
            else:
                g = g + group["weight_decay"] * p
        mean, square = _moments(g, state, group)
        if group["amsgrad"]:
            largest = kept(state, "max_exp_avg_sq", g)
            square = np.maximum(largest, square, out=largest)
        root = np.sqrt(square) / math.sqrt(1 - beta2**t) + group["eps"]
        return p - (lr / (1 - beta1**t)) * (mean / root)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    decoupled = True

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, **given: Any,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **given)


class _Moments(Optimizer):
    more: tuple[tuple[str, Any], ...] = ()

    def __init__(
        self, params: Iterable[Any], lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, *, maximize: bool = False,
        decoupled_weight_decay: bool = False, foreach: Any = None, capturable: bool = False,
        differentiable: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        not_through_steps(self, differentiable)
        _checked(lr, betas, eps, weight_decay)
        unknown = set(more) - {name for name, _ in self.more}
        if unknown:
            raise TypeError(f"{type(self).__name__}: unknown options {sorted(unknown)}")
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay,
                **dict(self.more), **more,
            },
        )  # fmt: skip

    def _decayed(self, p: Any, g: Any, group: dict[str, Any]) -> tuple[Any, Any]:
        decay = group["weight_decay"]
        if not decay:
            return p, g
        if group["decoupled_weight_decay"]:
            return p * (1 - float(group["lr"]) * decay), g
        return p, g + decay * p


class Adamax(_Moments):
    """Adam with the largest gradient in place of the mean square (Kingma and Ba, 2015)."""

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the mean gradient, divided by the largest one."""
        t, (beta1, beta2) = count(state), group["betas"]
        p, g = self._decayed(p, g, group)
        mean, largest = kept(state, "exp_avg", g), kept(state, "exp_inf", g)
        mean += (g - mean) * (1 - beta1)
        np.maximum(largest * beta2, np.absolute(g) + group["eps"], out=largest)
        return p - float(group["lr"]) / (1 - beta1**t) * (mean / largest)


class NAdam(_Moments):
    """Adam with Nesterov's momentum (Dozat, 2016)."""

    more = (("momentum_decay", 4e-3),)

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the gradient and its mean, by a schedule of the momentum."""
        t, lr, (beta1, beta2) = count(state), float(group["lr"]), group["betas"]
        p, g = self._decayed(p, g, group)
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * group["momentum_decay"]))
        product = kept(state, "mu_product", np.zeros((), np.float32), 1.0)
        product *= mu
        so_far = float(product)
        mean, square = _moments(g, state, group)
        root = np.sqrt(square / (1 - beta2**t)) + group["eps"]
        p = p - (lr * (1 - mu) / (1 - so_far)) * (g / root)
        return p - (lr * mu_next / (1 - so_far * mu_next)) * (mean / root)


class RAdam(_Moments):
    """Adam with a rectified variance (Liu et al., 2020)."""

    def __init__(self, params: Iterable[Any], lr: float = 1e-3, *args: Any, **given: Any) -> None:
        super().__init__(params, lr, *args, **given)

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the mean gradient; divided only once the variance is known."""
        t, lr, (beta1, beta2) = count(state), float(group["lr"]), group["betas"]
        p, g = self._decayed(p, g, group)
        mean, square = _moments(g, state, group)
        corrected = mean / (1 - beta1**t)
        most = 2 / (1 - beta2) - 1
        known = most - 2 * t * beta2**t / (1 - beta2**t)
        if known <= 5:
            return p - lr * corrected
        rectified = math.sqrt((known - 4) * (known - 2) * most / ((most - 4) * (most - 2) * known))
        scale = math.sqrt(1 - beta2**t) / (np.sqrt(square) + group["eps"])
        return p - lr * corrected * scale * rectified
