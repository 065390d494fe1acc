"""How formulas choose between numbers, and what they do about special ones.

Where a part is infinite, NaN or so large or small that a formula's intermediate results are no
numbers, the value is what C99 (Annex G) says, as NumPy's is; the derivative stays that of the
formula. In eager code one look at the numbers tells whether any of this is needed; a program holds
it always, since its numbers change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable

_FEW = 1000  # elements, beyond which threads would share a sum of squares
_LARGE = 1e15  # what no formula overflows at, in float32 too


def where(mask: Any, a: Any, b: Any) -> Any:
    """np.where, which records nothing for a mask of one plain number."""
    if type(mask) is np.bool_:  # of one number, where nothing but derivatives is recorded
        return a if mask else b
    return np.where(mask, a, b)


def are_usual(*parts: Any, below: float = _LARGE) -> bool:
    """Whether all numbers are known to be finite and smaller than a limit."""
    return not _core.tracing() and all(_is_below(_core.value(x), below) for x in parts)


def _is_below(x: Any, limit: float) -> bool:
    if not isinstance(x, np.ndarray):
        return bool(-limit < x < limit)
    if x.size < _FEW and bool(np.vdot(x, x) < limit * limit):  # the quickest look
        return True
    return not x.size or bool(x.max() < limit and x.min() > -limit)


def are_far_from_zero(size: Any, limit: float) -> bool:
    """Whether all numbers, none of which is negative, are known to be above a limit."""
    if _core.tracing():
        return False
    x = _core.value(size)
    if not isinstance(x, np.ndarray):
        return bool(x > limit)
    return not x.size or bool(x.min() > limit)


def any_of(mask: Any) -> bool:
    """Whether a mask may be true somewhere."""
    if isinstance(mask, Variable):
        return True
    return bool(mask.any()) if isinstance(mask, np.ndarray) else bool(mask)


def known(mask: Any, x: Any, value: Any) -> Any:
    """`x` with this value where the mask is true; the derivative stays that of `x`."""
    if not isinstance(x, Variable):
        return np.where(mask, value, x)
    return _core.apply("with_value", (mask, x, value)) if any_of(mask) else x


def small(*parts: Any) -> float:
    """The size below which products lose digits, in the precision of the parts."""
    return 1e-30 if are_single(*parts) else 1e-290


def where_number(mask: Any, a: float, b: float, *parts: Any) -> Any:
    """One of two numbers, in the precision of the parts."""
    return where(mask, np.float32(a), np.float32(b)) if are_single(*parts) else where(mask, a, b)


def are_single(*parts: Any) -> bool:
    """Whether a part is of single precision."""
    return any(getattr(x, "dtype", None) == np.float32 for x in parts)
