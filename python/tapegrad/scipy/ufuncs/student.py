"""Student's distribution, by its degrees of freedom and by its argument."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.distributions import inverse
from tapegrad.scipy.ufuncs.helpers import betainc_by_b
from tapegrad.scipy.ufuncs.registry import partials


# Student: 1/2 + sign(t) / 2 I(1/2, v / 2, t^2 / (v + t^2)).
def _student(v: Any, t: Any) -> tuple[Any, ...]:
    density = np.exp(
        -0.5 * (v + 1.0) * np.log1p(t * t / v) - 0.5 * np.log(v) - sp.betaln(0.5, 0.5 * v)
    )
    b = 0.5 * (v + 1.0)
    middle = b * t * t / v < 1e-5
    square = np.where(middle, v, t * t)
    by_shape = 0.25 * np.sign(t) * betainc_by_b(0.5, 0.5 * v, square / (v + square))
    inside = _student_middle(v, np.where(middle, t, 0.0), b)
    return np.where(middle, inside, by_shape - 0.5 * t / v * density), density


def _student_middle(v: Any, t: Any, b: Any) -> Any:
    """The derivative by v about t = 0, where betainc's argument has no derivative.

    Of t c(v) (1 - b z / 3 + b (b + 1) z^2 / 10 - ...), z = t^2 / v, the integral of the density.
    """
    z = t * t / v
    c = np.exp(-0.5 * np.log(v) - sp.betaln(0.5, 0.5 * v))
    by_v = -0.5 / v - 0.5 * (sp.psi(0.5 * v) - sp.psi(b))  # of the logarithm of c
    two, three = b * (b + 1.0), b * (b + 1.0) * (b + 2.0)
    series = 1.0 - z * (b / 3.0 - z * (two / 10.0 - z * three / 42.0))
    by_b = -z * (
        1.0 / 3.0 - z * ((2.0 * b + 1.0) / 10.0 - z * (3.0 * b * b + 6.0 * b + 2.0) / 42.0)
    )
    z_by_z = -z * (b / 3.0 - z * (two / 5.0 - z * three / 14.0))  # z times the derivative by z
    return t * c * (by_v * series + 0.5 * by_b - z_by_z / v)


@partials("stdtr")
def stdtr(v: Any, t: Any, y: Any) -> Any:
    return _student(v, t)


@partials("stdtrit")
def stdtrit(v: Any, p: Any, t: Any) -> Any:
    return inverse(_student(v, t), 1)


@partials("stdtridf")
def stdtridf(p: Any, t: Any, v: Any) -> Any:
    return inverse(_student(v, t), 0)
