"""Attention, and the layers of a transformer's encoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import new
from tapegrad.compat.torch.core.dtypes import get_default_dtype
from tapegrad.compat.torch.nn import functional as F  # noqa: N812 - PyTorch's habit
from tapegrad.compat.torch.nn import init
from tapegrad.compat.torch.nn.modules.container import ModuleList
from tapegrad.compat.torch.nn.modules.linear import Linear, blank
from tapegrad.compat.torch.nn.modules.module import Module
from tapegrad.compat.torch.nn.modules.normalization import LayerNorm
from tapegrad.compat.torch.nn.modules.simple import Dropout  # type: ignore[attr-defined]  # made by a table


class MultiheadAttention(Module):
    """Attention by several heads (Vaswani et al., 2017)."""

    in_proj_weight: Any

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim={embed_dim} makes no num_heads={num_heads} equal "
                "heads"
            )
        if add_bias_kv or add_zero_attn or (kdim, vdim) not in ((None, None), (embed_dim,) * 2):
            raise NotImplementedError(
                "MultiheadAttention: add_bias_kv, add_zero_attn and other kdim and vdim are not "
                "there; write F.scaled_dot_product_attention with Linear layers"
            )
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.head_dim, self.batch_first = embed_dim // num_heads, batch_first
        self.in_proj_weight = blank(3 * embed_dim, embed_dim, dtype=dtype, device=device)
        self.register_parameter("in_proj_bias", blank(3 * embed_dim, dtype=dtype) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype)
        init.xavier_uniform_(self.in_proj_weight)
        if bias:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None,
        need_weights: bool = True, attn_mask: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """(output, weights)."""
        batched = query.ndim == 3
        parts = [x if batched else x.unsqueeze(1) for x in (query, key, value)]
        if batched and self.batch_first:
            parts = [x.transpose(0, 1) for x in parts]
        targets, batch, dim = parts[0].shape
        sources, heads = parts[1].shape[0], self.num_heads
        weights = self.in_proj_weight.chunk(3)
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        q, k, v = (F.linear(x, w, b) for x, w, b in zip(parts, weights, biases, strict=True))
        q = q.reshape(targets, batch * heads, self.head_dim).transpose(0, 1)
        k = k.reshape(sources, batch * heads, self.head_dim).transpose(0, 1)
        v = v.reshape(sources, batch * heads, self.head_dim).transpose(0, 1)
        scores = (q * math.sqrt(1.0 / self.head_dim)) @ k.transpose(1, 2)
        for mask in self._masks(attn_mask, key_padding_mask, batch, sources):
            if mask._v.dtype.kind == "b":
                scores = scores.masked_fill(mask, -math.inf)
            else:
                scores = scores + mask
        shares = scores.softmax(-1)
        out = F.dropout(shares, self.dropout, self.training) @ v
        out = out.transpose(0, 1).reshape(targets, batch, dim)
        out = self.out_proj(out)
        if batched and self.batch_first:
            out = out.transpose(0, 1)
        if not batched:
            out = out.squeeze(1)
        if not need_weights:
            return out, None
        shown = shares.reshape(batch, heads, targets, sources)
        if average_attn_weights:
            shown = shown.mean(1)
        return out, shown if batched else shown.squeeze(0)

    def _masks(self, attn_mask: Any, padding: Any, batch: int, sources: int) -> list[Any]:
        masks = [] if attn_mask is None else [attn_mask]
        if padding is not None:
            wide = padding.reshape(batch, 1, 1, sources).expand(-1, self.num_heads, -1, -1)
            masks.append(wide.reshape(batch * self.num_heads, 1, sources))
        return masks


class TransformerEncoderLayer(Module):
    """Attention and a feed-forward network, each around a sum and a LayerNorm."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Any = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        found = {"relu": F.relu, "gelu": F.gelu}
        self.activation: Callable[[Any], Any] = found.get(activation, activation)

    def _attend(self, x: Any, mask: Any, padding: Any) -> Any:
        out, _ = self.self_attn(
            x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False
        )
        return self.dropout1(out)

    def _feed(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:  # fmt: skip
        """The layer's output."""
        if self.norm_first:
            x = src + self._attend(self.norm1(src), src_mask, src_key_padding_mask)
            return x + self._feed(self.norm2(x))
        x = self.norm1(src + self._attend(src, src_mask, src_key_padding_mask))
        return self.norm2(x + self._feed(x))


class TransformerEncoder(Module):
    """Copies of a layer, one after the other."""

    def __init__(self, encoder_layer: Any, num_layers: int, norm: Any = None, **given: Any) -> None:
        super().__init__()
        self.layers = ModuleList([deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: Any = None
    ) -> Any:
        """The last layer's output."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask)
        return src if self.norm is None else self.norm(src)


class Transformer(Module):
    """Masks of transformers; the layers are `TransformerEncoder` and its parts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "nn.Transformer: there is its encoder, TransformerEncoder(TransformerEncoderLayer(...))"
            "; write the decoder with MultiheadAttention"
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Any:
        """Minus infinity above the diagonal."""
        mask = np.triu(np.full((sz, sz), -np.inf), 1)
        return new(mask.astype((dtype or get_default_dtype()).numpy))
