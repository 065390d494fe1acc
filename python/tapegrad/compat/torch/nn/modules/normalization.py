"""Normalisation layers."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.registry import FUNCTIONS
from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.nn.modules.module import Module
from tapegrad.compat.torch.nn.parameter import Parameter


class _Affine(Module):
    weight: Any
    bias: Any

    def _scales(self, shape: Any, weight: bool, bias: bool, dtype: Any) -> None:
        for name, there, make in (("weight", weight, "ones"), ("bias", bias, "zeros")):
            p = Parameter(FUNCTIONS[make](*shape, dtype=dtype)) if there else None
            self.register_parameter(name, p)

    def reset_parameters(self) -> None:
        """Ones and zeros."""
        if self.weight is not None:
            self.weight.data.fill_(1.0)
        if self.bias is not None:
            self.bias.data.zero_()


class LayerNorm(_Affine):
    """Mean 0 and variance 1 over the last axes."""

    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        given = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape, self.eps = tuple(given), eps
        self.elementwise_affine = elementwise_affine
        self._scales(given, elementwise_affine, elementwise_affine and bias, dtype)

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Its options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class RMSNorm(_Affine):
    """Divided by the root of the mean square over the last axes."""

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        given = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape, self.eps = tuple(given), eps
        p = Parameter(FUNCTIONS["ones"](*given, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", p)

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)


class GroupNorm(_Affine):
    """Mean 0 and variance 1 over groups of channels."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"{type(self).__name__}: num_channels={num_channels} makes no "
                f"num_groups={num_groups} equal groups"
            )
        self.num_groups, self.num_channels, self.eps, self.affine = (
            num_groups,
            num_channels,
            eps,
            affine,
        )
        self._scales((num_channels,), affine, affine, dtype)

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Its options."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class _BatchNorm(_Affine):
    dims: tuple[int, ...] = (2, 3)

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._scales((num_features,), affine, affine, dtype)
        there = track_running_stats
        make = FUNCTIONS
        self.register_buffer(
            "running_mean", make["zeros"](num_features, dtype=dtype) if there else None
        )
        self.register_buffer(
            "running_var", make["ones"](num_features, dtype=dtype) if there else None
        )
        count = make["zeros"]((), dtype=dtypes.BY_NAME["int64"]) if there else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forgets the past."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def forward(self, input: Any) -> Any:
        """The normalised input; in training the running statistics move on."""
        if input.ndim not in self.dims:
            wanted = " or ".join(f"{d}D" for d in self.dims)
            raise ValueError(
                f"{type(self).__name__}: the input is {wanted}, and this one has shape "
                f"{list(input.shape)}"
            )
        if input.shape[1] != self.num_features:
            raise RuntimeError(
                f"{type(self).__name__}({self.num_features}): the input, of shape "
                f"{list(input.shape)}, has {input.shape[1]} channels"
            )
        rate = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                rate = 1.0 / float(self.num_batches_tracked)
        return F.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or self.running_mean is None, rate, self.eps,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Its options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) and (N, C, L)."""


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of (N, C, H, W)."""

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of (N, C, D, H, W)."""

    dims = (5,)


class _InstanceNorm(_Affine):
    dims: tuple[int, ...] = (3,)

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if track_running_stats:
            raise NotImplementedError(
                f"{type(self).__name__}: write track_running_stats=False, or BatchNorm"
            )
        self.num_features, self.eps, self.affine = num_features, eps, affine
        self._scales((num_features,), affine, affine, dtype)

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.instance_norm(input, weight=self.weight, bias=self.bias, eps=self.eps)


class InstanceNorm1d(_InstanceNorm):
    """Normalisation of each channel of each sample of (N, C, L)."""


class InstanceNorm2d(_InstanceNorm):
    """Normalisation of each channel of each sample of (N, C, H, W)."""
