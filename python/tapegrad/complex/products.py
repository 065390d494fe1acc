"""Products that are linear in each operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapegrad._core import Variable
from tapegrad.complex.parts import is_complex, join, operands


def of_both(function: Callable[..., Any], a: Any, b: Any) -> Any:
    """A bilinear function of two operands: of each pair of parts."""
    if not is_complex(a):
        (re, im), (x, _) = operands(b, a)
        return join(function(x, re), function(x, im))
    if not is_complex(b):
        (re, im), (x, _) = operands(a, b)
        return join(function(re, x), function(im, x))
    (x, y), (u, v) = operands(a, b)
    return join(function(x, u) - function(y, v), function(x, v) + function(y, u))


__all__ = ["Variable", "of_both"]
