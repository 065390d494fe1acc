"""Bessel functions and integrals of them (DLMF 10.6, 10.29, 11.4; derivatives by the argument)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import ROOT_PI, SKIP, power_series
from tapegrad.scipy.ufuncs.registry import No, partials
from tapegrad.scipy.ufuncs.symbols import op, own

ORDER = No("its order")


# Of real arguments the scaled ones are the same.
@partials("jv", "jve")
def jv(v: Any, x: Any, y: Any) -> Any:
    right = x > 0.0
    u, w = np.where(right, SKIP, x), np.where(right, x, SKIP)
    slope = np.where(right, sp.jv(v - 1.0, w) - v / w * y, own("jv_slope", v, u))
    return own("jv_by_order", 1.0, v, x), slope


@partials("jv_slope")
def jv_slope(v: Any, x: Any, y: Any) -> Any:
    by_order = own("jv_by_order", 1.0, v - 1.0, x) - own("jv_by_order", 1.0, v + 1.0, x)
    return 0.5 * by_order, 0.5 * (own("jv_slope", v - 1.0, x) - own("jv_slope", v + 1.0, x))


def _times_order_over(v: Any, x: Any, y: Any) -> Any:
    """The product y v / x, which is y itself at the pole."""
    none = np.equal(x, 0.0)
    return np.where(none, y, v / np.where(none, 1.0, x) * y)


@partials("yv")
def yv(v: Any, x: Any, y: Any) -> Any:
    return own("yv_by_order", 1.0, v, x), sp.yv(v - 1.0, x) - _times_order_over(v, x, y)


@partials("yve")
def yve(v: Any, x: Any, y: Any) -> Any:
    return own("yv_by_order", 1.0, v, x), sp.yve(v - 1.0, x) - _times_order_over(v, x, y)


def _by_order(name: str, sign: float, scaled: bool = False) -> None:
    """States the derivatives of those by the order, of which the first input says how many."""

    @partials(name)
    def rule(n: Any, v: Any, x: Any, y: Any) -> Any:
        slope = 0.5 * (own(name, n, v - 1.0, x) + sign * own(name, n, v + 1.0, x))
        return None, own(name, n + 1.0, v, x), slope - y if scaled else slope


_by_order("jv_by_order", -1.0)
_by_order("yv_by_order", -1.0)
_by_order("iv_by_order", 1.0)
_by_order("ive_by_order", 1.0, scaled=True)


@partials("yn")
def yn(n: Any, x: Any, y: Any) -> Any:
    return ORDER, sp.yn(n - 1.0, x) - _times_order_over(n, x, y)


def _modified_slope(function: Any, v: Any, x: Any, y: Any) -> Any:
    """I_v (r + v / x), r the ratio of I_{v+1} and I_v; elsewhere by both neighbours."""
    usual = np.logical_and(x > 0.0, v >= 0.0)
    u, w = np.where(usual, SKIP, x), np.where(usual, x, SKIP)
    by_both = 0.5 * (function(v - 1.0, u) + function(v + 1.0, u))
    return np.where(usual, y * (own("iv_ratio", v, w) + v / w), by_both)


# By x this is Riccati's equation.
@partials("iv_ratio")
def iv_ratio(v: Any, x: Any, r: Any) -> Any:
    above, same = own("ive_by_order", 1.0, v + 1.0, x), own("ive_by_order", 1.0, v, x)
    return (above - r * same) / sp.ive(v, x), 1.0 - r * (r + (2.0 * v + 1.0) / x)


@partials("iv")
def iv(v: Any, x: Any, y: Any) -> Any:
    return own("iv_by_order", 1.0, v, x), _modified_slope(sp.iv, v, x, y)


@partials("ive")
def ive(v: Any, x: Any, y: Any) -> Any:
    slope = _modified_slope(sp.ive, v, x, y) - np.sign(x) * y
    return own("ive_by_order", 1.0, v, x), slope


@partials("kv")
def kv(v: Any, x: Any, y: Any) -> Any:
    return op("kv_by_order", 1.0, v, x), -sp.kv(v - 1.0, x) - _times_order_over(v, x, y)


@partials("kve")
def kve(v: Any, x: Any, y: Any) -> Any:
    by_order = np.exp(x) * op("kv_by_order", 1.0, v, x)
    return by_order, y - sp.kve(v - 1.0, x) - _times_order_over(v, x, y)


@partials("kn")
def kn(n: Any, x: Any, y: Any) -> Any:
    return ORDER, -sp.kn(n - 1.0, x) - _times_order_over(n, x, y)


def _struve_part(v: Any, x: Any) -> Any:
    return np.power(0.5 * x, v) * sp.rgamma(v + 1.5) / ROOT_PI


def _struve_slope(function: Any, sign: float, v: Any, x: Any, y: Any) -> Any:
    """H_{v-1} - v / x H_v, and at 0 half of what both neighbours give (DLMF 11.4.23, 11.4.25)."""
    none = np.equal(x, 0.0)
    u, w = np.where(none, x, SKIP), np.where(none, SKIP, x)
    near = function(v - 1.0, u) + sign * function(v + 1.0, u)
    at_zero = 0.5 * (near + _struve_part(v, u))
    return np.where(none, at_zero, function(v - 1.0, w) - v / w * y)


@partials("struve")
def struve(v: Any, x: Any, y: Any) -> Any:
    return ORDER, _struve_slope(sp.struve, -1.0, v, x, y)


@partials("modstruve")
def modstruve(v: Any, x: Any, y: Any) -> Any:
    return ORDER, _struve_slope(sp.modstruve, 1.0, v, x, y)


@partials("itstruve0")
def itstruve0(x: Any, y: Any) -> Any:
    return (sp.struve(0.0, x),)


@partials("it2struve0")
def it2struve0(x: Any, y: Any) -> Any:
    return (-sp.struve(0.0, x) / x,)


@partials("itmodstruve0")
def itmodstruve0(x: Any, y: Any) -> Any:
    return (sp.modstruve(0.0, x),)


@partials("itj0y0")
def itj0y0(x: Any, j: Any, y: Any) -> Any:
    return (sp.j0(x),), (sp.y0(x),)


@partials("iti0k0")
def iti0k0(x: Any, i: Any, k: Any) -> Any:
    return (sp.i0(x),), (sp.k0(x),)


# (I0(x) - 1) / x = x / 4 sum of (x / 2)^(2k) / (k + 1)!^2.
_SERIES = [0.25 / float(np.prod(np.arange(1.0, k + 2.0)) ** 2) for k in range(12)]


@partials("it2j0y0")
def it2j0y0(x: Any, j: Any, y: Any) -> Any:
    near = np.abs(x) < 1.0
    u, w = np.where(near, x, 0.0), np.where(near, 1.0, x)
    slope = np.where(near, u * power_series(_SERIES, -0.25 * u * u), (1.0 - sp.j0(w)) / w)
    return (slope,), (-sp.y0(x) / x,)


@partials("it2i0k0")
def it2i0k0(x: Any, i: Any, k: Any) -> Any:
    near = np.abs(x) < 1.0
    u, w = np.where(near, x, 0.0), np.where(near, 1.0, x)
    slope = np.where(near, u * power_series(_SERIES, 0.25 * u * u), (sp.i0(w) - 1.0) / w)
    return (slope,), (-sp.k0(x) / x,)


@partials("besselpoly")
def besselpoly(a: Any, power: Any, v: Any, y: Any) -> Any:
    by_a = sp.besselpoly(a, power + 1.0, v - 1.0) - sp.besselpoly(a, power + 1.0, v + 1.0)
    return by_a, No("the power"), ORDER


@partials("wright_bessel")
def wright_bessel(a: Any, b: Any, x: Any, y: Any) -> Any:
    return No("its first parameter"), No("its second parameter"), sp.wright_bessel(a, a + b, x)


@partials("log_wright_bessel")
def log_wright_bessel(a: Any, b: Any, x: Any, y: Any) -> Any:
    slope = np.exp(sp.log_wright_bessel(a, a + b, x) - y)
    return No("its first parameter"), No("its second parameter"), slope
