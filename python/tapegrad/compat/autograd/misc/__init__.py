"""Flattening, optimisers, fixed points, recorded graphs."""

from tapegrad.compat.autograd.misc.flatten import flatten

__all__ = ["flatten"]
