"""Optimisers that update Variables in place."""

from tapegrad._core import SGD

__all__ = ["SGD"]
