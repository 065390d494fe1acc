"""Functions of tensors, by family: each module registers what it has."""

from tapegrad.compat.torch.core.functions import (
    arithmetic,
    conversions,
    elementwise,
    filling,
    indexing,
    joining,
    linear,
    order,
    reductions,
    scattering,
    shapes,
)

__all__ = [
    "arithmetic",
    "conversions",
    "elementwise",
    "filling",
    "indexing",
    "joining",
    "linear",
    "order",
    "reductions",
    "scattering",
    "shapes",
]
