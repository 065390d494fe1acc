"""Convolution layers."""

from __future__ import annotations

import math
from typing import Any

from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.nn import init
from tapegrad.compat.torch.nn.functional.convolution import several
from tapegrad.compat.torch.nn.modules.linear import blank
from tapegrad.compat.torch.nn.modules.module import Module


class _Convolution(Module):
    axes = 1
    transposed = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
        output_padding: Any = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        if in_channels % groups:
            raise ValueError(
                f"{type(self).__name__}: in_channels={in_channels} makes no groups={groups} "
                "equal groups"
            )
        if out_channels % groups:
            raise ValueError(
                f"{type(self).__name__}: out_channels={out_channels} makes no groups={groups} "
                "equal groups"
            )
        n = self.axes
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = several(kernel_size, n), several(stride, n)
        self.padding = padding if isinstance(padding, str) else several(padding, n)
        self.dilation, self.padding_mode = several(dilation, n), padding_mode
        self.output_padding = several(output_padding, n)
        first, second = out_channels, in_channels
        if self.transposed:
            first, second = second, first
        self.weight = blank(first, second // groups, *self.kernel_size, dtype=dtype, device=device)
        if bias:
            self.bias = blank(out_channels, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform numbers below 1 / sqrt(inputs of an output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._fans(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """Its sizes."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
        text += f"stride={self.stride}"
        ones, zeros = (1,) * self.axes, (0,) * self.axes
        if self.padding != zeros:
            text += f", padding={self.padding}"
        if self.dilation != ones:
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        return text + ("" if self.bias is not None else ", bias=False")


class _Direct(_Convolution):
    def forward(self, input: Any) -> Any:
        """The convolution of the input."""
        f = (F.conv1d, F.conv2d, F.conv3d)[self.axes - 1]
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            if isinstance(padding, str):
                total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
                sides = [(0, 0) if padding == "valid" else (t // 2, t - t // 2) for t in total]
            else:
                sides = [(p, p) for p in padding]
            border = [p for pair in reversed(sides) for p in pair]
            input, padding = F.pad(input, border, mode=self.padding_mode), 0
        return f(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Direct):
    """Correlations of (N, C, L) with learned kernels."""


class Conv2d(_Direct):
    """Correlations of (N, C, H, W) with learned kernels."""

    axes = 2


class Conv3d(_Direct):
    """Correlations of (N, C, D, H, W) with learned kernels."""

    axes = 3


class _Transposed(_Convolution):
    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, bias: bool = True,
        dilation: Any = 1, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
            padding_mode, device, dtype, output_padding,
        )  # fmt: skip

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The transposed convolution of the input."""
        more: Any = self.output_padding
        if output_size is not None:
            wanted = tuple(output_size)[-self.axes :]
            more = tuple(
                w - ((m - 1) * s - 2 * p + d * (k - 1) + 1)
                for w, m, s, p, d, k in zip(
                    wanted, input.shape[-self.axes :], self.stride, self.padding, self.dilation,
                    self.kernel_size, strict=True,
                )
            )  # fmt: skip
        f = (F.conv_transpose1d, F.conv_transpose2d)[self.axes - 1]
        return f(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups,
            self.dilation,
        )  # fmt: skip


class ConvTranspose1d(_Transposed):
    """The transpose of `Conv1d`."""


class ConvTranspose2d(_Transposed):
    """The transpose of `Conv2d`."""

    axes = 2
