"""Sequences of several lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapegrad.compat.torch.core.registry import FUNCTIONS
from tapegrad.compat.torch.refusals import refusing

__getattr__ = refusing(
    __name__,
    dict.fromkeys(
        ("pack_padded_sequence", "pad_packed_sequence", "pack_sequence", "PackedSequence"),
        "pad_sequence and a mask do the same; F.cross_entropy(ignore_index=...) skips padding",
    ),
)


def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:  # fmt: skip
    """Sequences in one tensor, the shorter ones filled up."""
    parts = list(sequences)
    longest = max(len(s) for s in parts)
    rows = []
    for s in parts:
        missing = longest - len(s)
        if missing:
            filler = s.new_full((missing, *s.shape[1:]), padding_value)
            s = FUNCTIONS["cat"]([s, filler] if padding_side == "right" else [filler, s])
        rows.append(s)
    return FUNCTIONS["stack"](rows, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences without what filled them up."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)] for row, n in zip(rows, lengths, strict=True)]
