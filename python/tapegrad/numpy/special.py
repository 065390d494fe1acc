"""Functions of single numbers that are no universal functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import to_array, to_number
from tapegrad.numpy.layout import lying_as
from tapegrad.numpy.operands import lift
from tapegrad.numpy.table import RECORD, implements

# Up to here the power series of the Bessel function I0, beyond it the series in 1 / x: what is left
# out is below 1e-17 of the sum, also in the first derivatives.
_SWITCH = 30.0
_TERMS, _TERMS_BEYOND = 56, 26


@implements(np.i0, values=1)
def i0(x: Any) -> Any:
    x = lift(x)
    near = np.abs(x) <= _SWITCH
    square = np.square(np.where(near, x, 0.0))
    power: Any = 1.0
    for k in range(_TERMS, 0, -1):
        power = 1.0 + power * square * (0.25 / k**2)
    far = np.where(near, _SWITCH, np.abs(x))
    inverse: Any = 1.0
    for k in range(_TERMS_BEYOND, 0, -1):
        inverse = 1.0 + inverse / far * ((2 * k - 1) ** 2 / (8.0 * k))
    found = np.where(near, power, np.exp(far) / np.sqrt(2.0 * np.pi * far) * inverse)
    return lying_as(found, x)


@implements(np.angle, values=1)
def angle(z: Any, deg: Any = False) -> Any:
    z = lift(z)
    none = 0.0 * np.sign(z)  # NaN where z is
    return to_number(np.where(np.signbit(z), none + (180.0 if deg else np.pi), none))


@implements(np.real_if_close, values=1, view=True, on_data=RECORD)
def real_if_close(a: Any, tol: Any = 100) -> Any:
    return to_array(lift(a))
