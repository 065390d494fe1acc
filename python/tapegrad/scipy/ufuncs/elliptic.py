"""Elliptic integrals and functions, and the arithmetic-geometric mean (DLMF 19, 22.13)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import power_series
from tapegrad.scipy.ufuncs.registry import partials

# K is the sum of c_n m^n, with c_n = pi / 2 (1 3 ... (2n - 1) / (2 4 ... 2n))^2, E that of
# -c_n m^n / (2n - 1) (DLMF 19.5.1). The series below are those of the derivatives.
_C = [0.5 * math.pi * (math.comb(2 * n, n) / 4.0**n) ** 2 for n in range(36)]
_FIRST = [n * _C[n] for n in range(1, 36)]
_SECOND = [-n * _C[n] / (2 * n - 1) for n in range(1, 36)]
_NEAR = 0.3  # there; further out the closed form loses no more than a digit


def _ranges(m: Any) -> tuple[Any, Any, Any]:
    near = np.abs(m) < _NEAR
    return near, np.where(near, m, 0.0), np.where(near, 0.75, m)


def first_slope(m: Any, k: Any = None) -> Any:
    """The derivative of k = ellipk(m)."""
    near, u, v = _ranges(m)
    k = sp.ellipk(v) if k is None else k
    far = (sp.ellipe(v) - (1.0 - v) * k) / (2.0 * v * (1.0 - v))
    return np.where(near, power_series(_FIRST, u), far)


def second_slope(m: Any, e: Any = None) -> Any:
    """The derivative of e = ellipe(m)."""
    near, u, v = _ranges(m)
    e = sp.ellipe(v) if e is None else e
    return np.where(near, power_series(_SECOND, u), (e - sp.ellipk(v)) / (2.0 * v))


@partials("ellipk")
def ellipk(m: Any, y: Any) -> Any:
    return (first_slope(m, y),)


@partials("ellipe")
def ellipe(m: Any, y: Any) -> Any:
    return (second_slope(m, y),)


@partials("ellipkm1")
def ellipkm1(p: Any, y: Any) -> Any:
    # of 1 - m = p, so that small p keep their digits
    near, u, m = _ranges(1.0 - p)
    q = np.where(near, 0.25, p)
    far = (sp.ellipe(m) - q * y) / (2.0 * m * q)
    return (-np.where(near, power_series(_FIRST, u), far),)


def _angles(angle: Any, m: Any) -> tuple[Any, Any, Any, Any]:
    """How many half turns, sine, cosine squared and Delta squared of the rest."""
    turns = np.rint(angle / np.pi)
    s, c = np.sin(angle - np.pi * turns), np.cos(angle)
    return turns, s, c * c, 1.0 - m * s * s


def _incomplete_slope(angle: Any, m: Any) -> Any:
    """d/dm ellipkinc: by Carlson's integral (DLMF 19.25.5, 19.18.1)."""
    turns, s, c2, d2 = _angles(angle, m)
    return s**3 * sp.elliprd(c2, 1.0, d2) / 6.0 + 2.0 * turns * first_slope(m)


@partials("ellipkinc")
def ellipkinc(angle: Any, m: Any, y: Any) -> Any:
    s = np.sin(angle)
    return 1.0 / np.sqrt(1.0 - m * s * s), _incomplete_slope(angle, m)


@partials("ellipeinc")
def ellipeinc(angle: Any, m: Any, y: Any) -> Any:
    turns, s, c2, d2 = _angles(angle, m)
    by_m = -(s**3) * sp.elliprd(c2, d2, 1.0) / 6.0 + 2.0 * turns * second_slope(m)
    return np.sqrt(d2), by_m


@partials("ellipj")
def ellipj(u: Any, m: Any, sn: Any, cn: Any, dn: Any, ph: Any) -> Any:
    turn = -dn * _incomplete_slope(ph, m)  # of the amplitude, by m
    by_m = -(0.5 * sn * sn + m * sn * cn * turn) / dn
    return (cn * dn, cn * turn), (-sn * dn, -sn * turn), (-m * sn * cn, by_m), (dn, turn)


@partials("agm")
def agm(a: Any, b: Any, y: Any) -> Any:
    total = a + b
    m = np.square((a - b) / total)
    change = first_slope(m) / sp.ellipk(m) * 4.0 * (a - b) / total**3
    return y * (1.0 / total - change * b), y * (1.0 / total + change * a)


# R_C(x, y) sqrt(y) is the sum of (2k - 1)!! / ((2k)!! (2k + 1)) (1 - x / y)^k; this is its slope.
_DEGENERATE = [k * math.comb(2 * k, k) / 4.0**k / (2 * k + 1) for k in range(1, 30)]


@partials("elliprf")
def elliprf(x: Any, y: Any, z: Any, r: Any) -> Any:
    return (
        -sp.elliprd(y, z, x) / 6.0,
        -sp.elliprd(x, z, y) / 6.0,
        -sp.elliprd(x, y, z) / 6.0,
    )


@partials("elliprc")
def elliprc(x: Any, y: Any, r: Any) -> Any:
    # (1 / sqrt(x) - r) / (2 (x - y)), near x = y by the series of r (DLMF 19.2.17)
    t = 1.0 - x / y
    near = np.abs(t) < 0.25
    u, v = np.where(near, t, 0.0), np.where(near, 2.0 * y, x)
    series = -power_series(_DEGENERATE, u) / (y * np.sqrt(y))
    by_x = np.where(near, series, 0.5 * (r - 1.0 / np.sqrt(v)) / (y - v))
    return by_x, -(0.5 * r + x * by_x) / y


@partials("elliprg")
def elliprg(x: Any, y: Any, z: Any, r: Any) -> Any:
    f = sp.elliprf(x, y, z)
    return (
        0.25 * (f - x * sp.elliprd(y, z, x) / 3.0),
        0.25 * (f - y * sp.elliprd(x, z, y) / 3.0),
        0.25 * (f - z * sp.elliprd(x, y, z) / 3.0),
    )


@partials("elliprd")
def elliprd(x: Any, y: Any, z: Any, r: Any) -> Any:
    by_x = -0.5 * (sp.elliprd(y, z, x) - r) / (z - x)
    by_y = -0.5 * (sp.elliprd(x, z, y) - r) / (z - y)
    return by_x, by_y, -(1.5 * r + x * by_x + y * by_y) / z


@partials("elliprj")
def elliprj(x: Any, y: Any, z: Any, p: Any, r: Any) -> Any:
    by_x = -0.5 * (sp.elliprd(y, z, x) - r) / (p - x)
    by_y = -0.5 * (sp.elliprd(x, z, y) - r) / (p - y)
    by_z = -0.5 * (sp.elliprd(x, y, z) - r) / (p - z)
    return by_x, by_y, by_z, -(1.5 * r + x * by_x + y * by_y + z * by_z) / p
