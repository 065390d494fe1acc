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
from tapegrad.compat.torch.core.registry import FUNCTIONS, METHODS, with_out

__all__ = [
    "FUNCTIONS",
    "METHODS",
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
    "with_out",
]
