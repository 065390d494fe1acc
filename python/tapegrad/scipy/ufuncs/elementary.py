"""Functions that are written with exponentials, logarithms and angles."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import exprel_slope, power_series
from tapegrad.scipy.ufuncs.registry import partials

_DEGREE = float(np.pi / 180.0)


@partials("exp10")
def exp10(x: Any, y: Any) -> Any:
    return (float(np.log(10.0)) * y,)


@partials("exprel")
def exprel(x: Any, y: Any) -> Any:
    return (exprel_slope(x, y),)


@partials("cosm1")
def cosm1(x: Any, y: Any) -> Any:
    return (-np.sin(x),)


@partials("powm1")
def powm1(x: Any, p: Any, y: Any) -> Any:
    return p * np.power(x, p - 1.0), sp.xlogy(y + 1.0, x)


@partials("sindg")
def sindg(x: Any, y: Any) -> Any:
    return (_DEGREE * sp.cosdg(x),)


@partials("cosdg")
def cosdg(x: Any, y: Any) -> Any:
    return (-_DEGREE * sp.sindg(x),)


@partials("tandg")
def tandg(x: Any, y: Any) -> Any:
    return (_DEGREE * (1.0 + y * y),)


@partials("cotdg")
def cotdg(x: Any, y: Any) -> Any:
    return (-_DEGREE * (1.0 + y * y),)


@partials("radian")
def radian(degrees: Any, minutes: Any, seconds: Any, y: Any) -> Any:
    return _DEGREE, _DEGREE / 60.0, _DEGREE / 3600.0


@partials("round")
def round_(x: Any, y: Any) -> Any:
    return (None,)


@partials("wrightomega")
def wrightomega(x: Any, y: Any) -> Any:
    return (y / (1.0 + y),)


# log(1 + w) / w is the sum of (-w)^k / (k + 1).
_LOGARITHM = [1.0 / (k + 1) for k in range(30)]


@partials("spence")
def spence(z: Any, y: Any) -> Any:
    w = z - 1.0
    near = np.abs(w) < 0.25
    u, v = np.where(near, w, 0.0), np.where(near, 2.0, z)
    return (np.where(near, -power_series(_LOGARITHM, -u), np.log(v) / (1.0 - v)),)


@partials("pseudo_huber")
def pseudo_huber(delta: Any, r: Any, y: Any) -> Any:
    q = r / delta
    root = np.hypot(1.0, q)
    # 2 delta (root - 1) - delta q^2 / root, without the difference of near numbers
    return delta * np.square(q * q / (root + 1.0)) / root, r / root


def _boxcox_slope(log_x: Any, power: Any) -> Any:
    return log_x * log_x * exprel_slope(power * log_x)


@partials("boxcox")
def boxcox(x: Any, power: Any, y: Any) -> Any:
    return np.power(x, power - 1.0), _boxcox_slope(np.log(x), power)


@partials("boxcox1p")
def boxcox1p(x: Any, power: Any, y: Any) -> Any:
    log_x = np.log1p(x)
    return np.exp((power - 1.0) * log_x), _boxcox_slope(log_x, power)


@partials("inv_boxcox")
def inv_boxcox(y: Any, power: Any, x: Any) -> Any:
    slope = np.power(x, 1.0 - power)
    return slope, -slope * _boxcox_slope(np.log(x), power)


@partials("inv_boxcox1p")
def inv_boxcox1p(y: Any, power: Any, x: Any) -> Any:
    log_x = np.log1p(x)
    slope = np.exp((1.0 - power) * log_x)
    return slope, -slope * _boxcox_slope(log_x, power)
