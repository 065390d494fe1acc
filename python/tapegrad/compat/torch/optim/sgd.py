"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tapegrad.compat.torch.optim.optimizer import Optimizer, check, keep, not_through_steps


class SGD(Optimizer):
    """Gradient descent with momentum (Sutskever et al., 2013).

    >>> import tapegrad.compat.torch as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
        foreach: Any = None, differentiable: bool = False, fused: Any = None,
    ) -> None:  # fmt: skip
        not_through_steps(self, differentiable)
        check(
            learning_rate=(lr, float(lr) >= 0),
            momentum_value=(momentum, momentum >= 0),
            weight_decay_value=(weight_decay, weight_decay >= 0),
        )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                f"{type(self).__name__}: nesterov=True is of momentum > 0 and dampening 0, and "
                f"they are {momentum} and {dampening}"
            )
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening,
                "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
            },
        )  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """A step along the gradient, or along its running sum."""
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        momentum = group["momentum"]
        if momentum:
            if state.get("momentum_buffer") is None:
                buffer = keep(state, "momentum_buffer", g)
            else:
                buffer = state["momentum_buffer"]._v
                buffer *= momentum
                buffer += (1 - group["dampening"]) * g
            g = g + momentum * buffer if group["nesterov"] else buffer
        return p - float(group["lr"]) * g
