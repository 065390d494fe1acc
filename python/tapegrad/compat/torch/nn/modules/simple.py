"""Modules that call one function with options and have no parameters: one table of classes."""

from __future__ import annotations

import sys
from inspect import Parameter, signature
from typing import Any

from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.nn.modules.module import Module

_NEEDED = Parameter.empty


class _Simple(Module):
    """Keeps its options as attributes, and gives them to its function."""

    options: dict[str, Any]
    function: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        names = list(self.options)
        if len(args) > len(names) or set(kwargs) - set(names):
            raise TypeError(f"{type(self).__name__} takes {names}, not {args} {kwargs}")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        for name, default in self.options.items():
            if default is _NEEDED and name not in given:
                raise TypeError(f"{type(self).__name__}: {name} has no default and is not given")
            setattr(self, name, given.get(name, default))

    def forward(self, *inputs: Any) -> Any:
        """The function of the inputs."""
        return type(self).function(*inputs, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        """The options that are not the usual ones."""
        given = {name: getattr(self, name) for name in self.options}
        return ", ".join(f"{k}={v}" for k, v in given.items() if v != self.options[k])


def _class(name: str, function: Any, skip: int, drop: tuple[str, ...] = (), **changed: Any) -> None:
    given = list(signature(function).parameters.values())[skip:]
    options = {p.name: changed.get(p.name, p.default) for p in given if p.name not in drop}
    setattr(
        sys.modules[__name__],
        name,
        type(name, (_Simple,), {
            "__doc__": f"A module of `functional.{function.__name__}`.",
            "__module__": __name__, "options": options, "function": staticmethod(function),
        }),
    )  # fmt: skip


for _name, _function in (
    ("ReLU", F.relu), ("ReLU6", F.relu6), ("LeakyReLU", F.leaky_relu), ("ELU", F.elu),
    ("SELU", F.selu), ("CELU", F.celu), ("GELU", F.gelu), ("SiLU", F.silu), ("Mish", F.mish),
    ("Sigmoid", F.sigmoid), ("Tanh", F.tanh), ("Softplus", F.softplus), ("Softsign", F.softsign),
    ("LogSigmoid", F.logsigmoid), ("Tanhshrink", F.tanhshrink), ("Softshrink", F.softshrink),
    ("Hardshrink", F.hardshrink), ("Hardtanh", F.hardtanh), ("Hardsigmoid", F.hardsigmoid),
    ("Hardswish", F.hardswish), ("Threshold", F.threshold), ("GLU", F.glu),
    ("MaxPool1d", F.max_pool1d), ("MaxPool2d", F.max_pool2d), ("AvgPool1d", F.avg_pool1d),
    ("AvgPool2d", F.avg_pool2d), ("AdaptiveAvgPool1d", F.adaptive_avg_pool1d),
    ("AdaptiveAvgPool2d", F.adaptive_avg_pool2d), ("AdaptiveMaxPool1d", F.adaptive_max_pool1d),
    ("AdaptiveMaxPool2d", F.adaptive_max_pool2d), ("LPPool1d", F.lp_pool1d),
    ("LPPool2d", F.lp_pool2d), ("PixelShuffle", F.pixel_shuffle), ("Unfold", F.unfold),
    ("LocalResponseNorm", F.local_response_norm),
):  # fmt: skip
    _class(_name, _function, 1)
_class("Upsample", F.interpolate, 1, ("recompute_scale_factor", "antialias"))
for _name, _function in (
    ("Softmax", F.softmax),
    ("Softmin", F.softmin),
    ("LogSoftmax", F.log_softmax),
):
    _class(_name, _function, 1, ("_stacklevel", "dtype"))
for _name, _function, _skip in (
    ("MSELoss", F.mse_loss, 2),
    ("L1Loss", F.l1_loss, 2),
    ("SmoothL1Loss", F.smooth_l1_loss, 2),
    ("HuberLoss", F.huber_loss, 2),
    ("KLDivLoss", F.kl_div, 2),
    ("SoftMarginLoss", F.soft_margin_loss, 2),
    ("PoissonNLLLoss", F.poisson_nll_loss, 2),
    ("GaussianNLLLoss", F.gaussian_nll_loss, 3),
    ("HingeEmbeddingLoss", F.hinge_embedding_loss, 2),
    ("MarginRankingLoss", F.margin_ranking_loss, 3),
    ("TripletMarginLoss", F.triplet_margin_loss, 3),
    ("CosineEmbeddingLoss", F.cosine_embedding_loss, 3),
    ("PairwiseDistance", F.pairwise_distance, 2),
    ("CosineSimilarity", F.cosine_similarity, 2),
):
    _class(_name, _function, _skip, ("weight",))


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W)."""

    def forward(self, input: Any) -> Any:
        """Softmax along the channels."""
        return F.softmax(input, -3)


def _dropout(name: str, function: Any) -> None:
    class Dropping(Module):
        def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
            super().__init__()
            if not 0.0 <= p <= 1.0:
                raise ValueError(f"{type(self).__name__}: p is a probability, from 0 to 1, not {p}")
            self.p, self.inplace = p, inplace

        def forward(self, input: Any) -> Any:
            return function(input, self.p, self.training, self.inplace)

        def extra_repr(self) -> str:
            return f"p={self.p}, inplace={self.inplace}"

    Dropping.__name__ = Dropping.__qualname__ = name
    Dropping.__doc__ = f"`functional.{function.__name__}` while the module is in training."
    setattr(sys.modules[__name__], name, Dropping)


for _name, _function in (
    ("Dropout", F.dropout),
    ("Dropout1d", F.dropout1d),
    ("Dropout2d", F.dropout2d),
    ("AlphaDropout", F.alpha_dropout),
):
    _dropout(_name, _function)


def _padding(name: str, n: int, mode: str) -> None:
    class Padding(Module):
        def __init__(self, padding: Any, value: float = 0.0) -> None:
            super().__init__()
            self.padding = (padding,) * (2 * n) if isinstance(padding, int) else tuple(padding)
            self.value = value

        def forward(self, input: Any) -> Any:
            return F.pad(input, self.padding, mode, self.value)

        def extra_repr(self) -> str:
            return str(self.padding)

    Padding.__name__ = Padding.__qualname__ = name
    Padding.__doc__ = f"A border of {n} axes ({mode})."
    setattr(sys.modules[__name__], name, Padding)


for _n in (1, 2):
    for _name, _mode in (
        ("Zero", "constant"), ("Constant", "constant"), ("Reflection", "reflect"),
        ("Replication", "replicate"), ("Circular", "circular"),
    ):  # fmt: skip
        _padding(f"{_name}Pad{_n}d", _n, _mode)


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` as one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        """The input with fewer axes."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Its axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis as several."""

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        """The input with more axes."""
        return input.unflatten(self.dim, self.unflattened_size)
