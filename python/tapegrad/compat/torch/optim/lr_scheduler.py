"""Schedules of the learning rate.

Most rates are computed from the one before, as PyTorch's are: so schedulers may be chained, and a
rate that the user sets is taken from there on.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tapegrad.compat.torch.optim.plateau import ReduceLROnPlateau
from tapegrad.compat.torch.refusals import refusing

__getattr__ = refusing(__name__)
__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    """The base of schedules: `get_lr()` gives the rates of the epoch `last_epoch`."""

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        if not hasattr(optimizer, "param_groups"):
            raise TypeError(
                f"{type(self).__name__}: {type(optimizer).__name__} is not an Optimizer; give the "
                "optimizer first"
            )
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._last_lr: list[float] = []
        self.step()

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr(), the rates of an epoch")

    def get_last_lr(self) -> list[float]:
        """The rates that were set last."""
        return self._last_lr

    def step(self, epoch: Any = None) -> None:
        """Sets the rates of the next epoch."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(self.get_lr())

    def _set(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser."""
        return {k: v for k, v in self.__dict__.items() if k != "optimizer" and not callable(v)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a state."""
        self.__dict__.update(state_dict)


_LRScheduler = LRScheduler


class LambdaLR(LRScheduler):
    """The first rate times a function of the epoch."""

    def __init__(self, optimizer: Any, lr_lambda: Any, last_epoch: int = -1) -> None:
        n = len(optimizer.param_groups)
        self.lr_lambdas = (
            list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * n
        )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        return [b * f(self.last_epoch) for b, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and the functions."""
        return {k: v for k, v in super().state_dict().items() if k != "lr_lambdas"}


class MultiplicativeLR(LambdaLR):
    """The rate before times a function of the epoch."""

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        if self.last_epoch == 0:
            return self._rates()
        return [r * f(self.last_epoch) for r, f in zip(self._rates(), self.lr_lambdas, strict=True)]


class _Factors(LRScheduler):
    """The rate before times `factor()`."""

    def factor(self) -> float:
        """By what the rate is multiplied at this epoch."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        f = self.factor()
        return [rate * f for rate in self._rates()]


class StepLR(_Factors):
    """Times `gamma` after every `step_size` epochs."""

    def __init__(
        self, optimizer: Any, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """`gamma`, or 1."""
        return self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else 1.0


class MultiStepLR(_Factors):
    """Times `gamma` at each milestone."""

    def __init__(
        self, optimizer: Any, milestones: Sequence[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """A power of `gamma`."""
        return float(self.gamma ** self.milestones[self.last_epoch])


class ExponentialLR(_Factors):
    """Times `gamma` each epoch."""

    def __init__(self, optimizer: Any, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """`gamma`."""
        return self.gamma if self.last_epoch else 1.0


class ConstantLR(_Factors):
    """Times `factor` until `total_iters` epochs are over."""

    def __init__(
        self, optimizer: Any, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        self.share, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """`factor` at first, its inverse at the end."""
        if self.last_epoch == 0:
            return self.share
        return 1.0 / self.share if self.last_epoch == self.total_iters else 1.0


class LinearLR(_Factors):
    """A factor that goes from one number to another in `total_iters` epochs."""

    def __init__(
        self, optimizer: Any, start_factor: float = 1.0 / 3, end_factor: float = 1.0,
        total_iters: int = 5, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """The ratio of this epoch's factor to the last one's."""
        t, n, span = self.last_epoch, self.total_iters, self.end_factor - self.start_factor
        if t == 0:
            return self.start_factor
        if t > n:
            return 1.0
        return 1.0 + span / (n * self.start_factor + (t - 1) * span)


class PolynomialLR(_Factors):
    """Down to 0 in `total_iters` epochs, by a power."""

    def __init__(
        self, optimizer: Any, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self) -> float:
        """The ratio of this epoch's factor to the last one's."""
        t, n = self.last_epoch, self.total_iters
        if t == 0 or t > n:
            return 1.0
        return float(((1.0 - t / n) / (1.0 - (t - 1) / n)) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` along half a cosine of `T_max` epochs (Loshchilov and Hutter, 2017)."""

    def __init__(
        self, optimizer: Any, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        t, n, low = self.last_epoch, self.T_max, self.eta_min
        if t == 0:
            return self._rates()
        if (t - 1 - n) % (2 * n) == 0:
            rise = (1 - math.cos(math.pi / n)) / 2
            return [r + (b - low) * rise for r, b in zip(self._rates(), self.base_lrs, strict=True)]
        ratio = (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n))
        return [ratio * (r - low) + low for r in self._rates()]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosines that start again after `T_0` epochs, each `T_mult` times as long."""

    def __init__(
        self, optimizer: Any, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of this epoch."""
        t, length = float(self.last_epoch), self.T_0
        while t >= length:
            t, length = t - length, length * self.T_mult
        share = (1 + math.cos(math.pi * t / length)) / 2
        return [self.eta_min + (b - self.eta_min) * share for b in self.base_lrs]


class OneCycleLR(LRScheduler):
    """Up to `max_lr`, and down far below the first rate (Smith and Topin, 2018)."""

    def __init__(
        self, optimizer: Any, max_lr: Any, total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: float = 0.85,
        max_momentum: float = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
        three_phase: bool = False, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(
                    "OneCycleLR: total_steps is not given, nor epochs and steps_per_epoch, "
                    "whose product it is"
                )
            total_steps = epochs * steps_per_epoch
        self.total_steps, self.cosine = total_steps, anneal_strategy == "cos"
        self.cycle_momentum = cycle_momentum
        n = len(optimizer.param_groups)
        tops = list(max_lr) if isinstance(max_lr, (list, tuple)) else [max_lr] * n
        first = [top / div_factor for top in tops]
        last = [low / final_div_factor for low in first]
        up = float(pct_start * total_steps) - 1
        if three_phase:
            self.phases = [
                (up, first, tops),
                (2 * up, tops, first),
                (total_steps - 1, first, last),
            ]
            low, high = base_momentum, max_momentum
            self.momenta = [(up, high, low), (2 * up, low, high), (total_steps - 1, high, high)]
        else:
            self.phases = [(up, first, tops), (total_steps - 1, tops, last)]
            self.momenta = [
                (up, max_momentum, base_momentum), (total_steps - 1, base_momentum, max_momentum)
            ]  # fmt: skip
        for group, rate in zip(optimizer.param_groups, first, strict=True):
            group["initial_lr"] = rate
            if cycle_momentum:
                _set_momentum(group, max_momentum)
        super().__init__(optimizer, last_epoch)

    def _between(self, a: float, b: float, share: float) -> float:
        if self.cosine:
            return b + (a - b) / 2.0 * (1 + math.cos(math.pi * share))
        return (b - a) * share + a

    def _share(self, phases: Any) -> tuple[float, int]:
        start = 0.0
        for k, (end, _, _) in enumerate(phases):
            if self.last_epoch <= end or k == len(phases) - 1:
                return (self.last_epoch - start) / (end - start), k
            start = end
        raise AssertionError

    def get_lr(self) -> list[float]:
        """The rates of this step; the momenta are set too."""
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {self.last_epoch} of total_steps={self.total_steps}; the "
                "cycle is over"
            )
        share, k = self._share(self.phases)
        _, a, b = self.phases[k]
        if self.cycle_momentum:
            share_m, k_m = self._share(self.momenta)
            _, high, low = self.momenta[k_m]
            for group in self.optimizer.param_groups:
                _set_momentum(group, self._between(high, low, share_m))
        return [self._between(x, y, share) for x, y in zip(a, b, strict=True)]


def _set_momentum(group: dict[str, Any], value: float) -> None:
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    elif "momentum" in group:
        group["momentum"] = value


class SequentialLR(LRScheduler):
    """Schedulers one after the other, from milestone to milestone."""

    def __init__(
        self, optimizer: Any, schedulers: Sequence[Any], milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.optimizer, self._schedulers, self._milestones = optimizer, list(schedulers), milestones
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            scheduler.last_epoch -= 1
        self._schedulers[0].step()
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self, epoch: Any = None) -> None:
        """Sets the rates of the next epoch."""
        if epoch is not None:
            raise TypeError("SequentialLR.step takes no epoch; its schedules count their own")
        self.last_epoch += 1
        k = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[k]
        if k > 0 and self._milestones[k - 1] == self.last_epoch:
            scheduler.step(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler:
    """Several schedulers, all stepped at once."""

    def __init__(self, schedulers: Sequence[Any], optimizer: Any = None) -> None:
        self._schedulers = list(schedulers)
        self.optimizer = optimizer or self._schedulers[0].optimizer
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Sets the rates of the next epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """The rates that were set last."""
        return self._last_lr
