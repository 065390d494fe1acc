"""Functions of single numbers that are no universal functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import apply, to_array, to_number
from tapegrad.numpy.operands import lift
from tapegrad.numpy.table import RECORD, implements


@implements(np.i0, values=1)
def i0(x: Any) -> Any:
    return to_array(apply("i0", (lift(x),)))


@implements(np.angle, values=1)
def angle(z: Any, deg: Any = False) -> Any:
    z = lift(z)
    none = 0.0 * np.sign(z)  # NaN where z is
    return to_number(np.where(np.signbit(z), none + (180.0 if deg else np.pi), none))


@implements(np.real_if_close, values=1, view=True, on_data=RECORD)
def real_if_close(a: Any, tol: Any = 100) -> Any:
    return to_array(lift(a))
