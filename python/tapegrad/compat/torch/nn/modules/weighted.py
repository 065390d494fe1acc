"""Losses and activations that own a tensor."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.torch.core.registry import FUNCTIONS
from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.nn.functional.losses import of_flags
from tapegrad.compat.torch.nn.modules.module import Module
from tapegrad.compat.torch.nn.parameter import Parameter


class _Weighted(Module):
    weight: Any

    def __init__(self, weight: Any, reduction: str) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.reduction = reduction


class CrossEntropyLoss(_Weighted):
    """Cross entropy of scores with classes or their probabilities."""

    def __init__(
        self, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
        reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(weight, of_flags(size_average, reduce, reduction))
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )  # fmt: skip


class NLLLoss(_Weighted):
    """Minus the logarithms of probabilities at the target classes."""

    def __init__(
        self, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
        reduce: Any = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, of_flags(size_average, reduce, reduction))
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class BCELoss(_Weighted):
    """Cross entropy of probabilities of two classes."""

    def __init__(
        self, weight: Any = None, size_average: Any = None, reduce: Any = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, of_flags(size_average, reduce, reduction))

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Weighted):
    """Cross entropy of scores of two classes."""

    def __init__(
        self, weight: Any = None, size_average: Any = None, reduce: Any = None,
        reduction: str = "mean", pos_weight: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(weight, of_flags(size_average, reduce, reduction))
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class PReLU(Module):
    """`leaky_relu` whose slope is learned."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, **given: Any) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(FUNCTIONS["full"]((num_parameters,), float(init), **given))

    def forward(self, input: Any) -> Any:
        """The activation."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        """How many slopes there are."""
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """`leaky_relu` with a random slope in training."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Any) -> Any:
        """The activation."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)
