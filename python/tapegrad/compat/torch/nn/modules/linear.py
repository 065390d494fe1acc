"""Linear layers and embeddings."""

from __future__ import annotations

import math
from typing import Any

from tapegrad.compat.torch.core.registry import FUNCTIONS
from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.nn import init
from tapegrad.compat.torch.nn.modules.module import Module
from tapegrad.compat.torch.nn.parameter import Parameter


def blank(*shape: int, dtype: Any = None, device: Any = None) -> Parameter:
    """A parameter to be filled."""
    return Parameter(FUNCTIONS["empty"](*shape, dtype=dtype, device=device))  # type: ignore[no-any-return]  # __new__ gives it


class Identity(Module):
    """Gives what it gets, whatever it was made with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input."""
        return input


class Linear(Module):
    """`x @ weight.T + bias`."""

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = blank(out_features, in_features, dtype=dtype, device=device)
        if bias:
            self.bias = blank(out_features, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform numbers below 1 / sqrt(in_features)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Any) -> Any:
        """The linear map of the last axis."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Its sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """`x1 @ weight[k] @ x2 + bias[k]`."""

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.weight = blank(out_features, in1_features, in2_features, dtype=dtype, device=device)
        if bias:
            self.bias = blank(out_features, dtype=dtype)
        else:
            self.register_parameter("bias", None)
        bound = 1 / math.sqrt(in1_features)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        """The bilinear map of the last axes."""
        return F.bilinear(input1, input2, self.weight, self.bias)


class Embedding(Module):
    """A table of vectors, looked up by index."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Any = None, _freeze: bool = False, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.scale_grad_by_freq = max_norm, scale_grad_by_freq
        if _weight is None:
            self.weight = blank(num_embeddings, embedding_dim, dtype=dtype, device=device)
            self.reset_parameters()
        else:
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None, **given: Any
    ) -> Any:
        """A table of vectors that are known."""
        n, dim = embeddings.shape
        return cls(n, dim, padding_idx, _weight=embeddings, _freeze=freeze, **given)

    def reset_parameters(self) -> None:
        """Normal numbers, zeros at `padding_idx`."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0.0

    def forward(self, input: Any) -> Any:
        """The vectors of the given indices."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm,
            scale_grad_by_freq=self.scale_grad_by_freq,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Its sizes."""
        more = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{more}"


class EmbeddingBag(Module):
    """Sums or means of vectors of a table, a bag for each row of indices."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, mode: str = "mean", **given: Any
    ) -> None:
        super().__init__()
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode is 'sum', 'mean' or 'max', not {mode!r}")
        self.mode = mode
        self.weight = blank(num_embeddings, embedding_dim, **given)
        init.normal_(self.weight)

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """Bags of two-dimensional indices, or of one list cut at `offsets`."""
        if offsets is None:
            rows = F.embedding(input, self.weight)
            if per_sample_weights is not None:
                rows = rows * per_sample_weights.unsqueeze(-1)
            return self._together(rows, 1)
        ends = [*offsets.tolist()[1:], len(input)]
        bags = [
            F.embedding(input[a:b], self.weight)
            for a, b in zip(offsets.tolist(), ends, strict=True)
        ]
        return FUNCTIONS["stack"]([self._together(bag, 0) for bag in bags])

    def _together(self, rows: Any, dim: int) -> Any:
        if self.mode == "max":
            return rows.max(dim).values
        if not rows.shape[dim]:
            return rows.sum(dim)
        return rows.mean(dim) if self.mode == "mean" else rows.sum(dim)
