"""Bessel functions and integrals of them (DLMF 10.6, 10.29, 11.4; derivatives by the argument)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import ROOT_PI, power_series
from tapegrad.scipy.ufuncs.registry import No, partials
from tapegrad.scipy.ufuncs.symbols import op

ORDER = No("its order")
# Of order 1, the derivative is f0(x) - f1(x) / x (DLMF 10.6.2, 10.29.2); near 0 it is the series of
# I1, the sum of (2k + 1) / 2 (x / 2)^(2k) / (k! (k + 1)!).
_SLOPE = [(k + 0.5) / (math.factorial(k) * math.factorial(k + 1)) for k in range(12)]


@partials("jv")
def jv(v: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.jv(v - 1.0, x) - sp.jv(v + 1.0, x))


@partials("jve")
def jve(v: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.jve(v - 1.0, x) - sp.jve(v + 1.0, x))


@partials("yv")
def yv(v: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.yv(v - 1.0, x) - sp.yv(v + 1.0, x))


@partials("yve")
def yve(v: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.yve(v - 1.0, x) - sp.yve(v + 1.0, x))


@partials("yn")
def yn(n: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.yn(n - 1.0, x) - sp.yn(n + 1.0, x))


@partials("iv")
def iv(v: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.iv(v - 1.0, x) + sp.iv(v + 1.0, x))


@partials("ive")
def ive(v: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.ive(v - 1.0, x) + sp.ive(v + 1.0, x)) - np.sign(x) * y


@partials("kv")
def kv(v: Any, x: Any, y: Any) -> Any:
    return op("kv_by_order", 1.0, v, x), -0.5 * (sp.kv(v - 1.0, x) + sp.kv(v + 1.0, x))


@partials("kve")
def kve(v: Any, x: Any, y: Any) -> Any:
    by_order = np.exp(x) * op("kv_by_order", 1.0, v, x)
    return by_order, y - 0.5 * (sp.kve(v - 1.0, x) + sp.kve(v + 1.0, x))


@partials("kn")
def kn(n: Any, x: Any, y: Any) -> Any:
    return ORDER, -0.5 * (sp.kn(n - 1.0, x) + sp.kn(n + 1.0, x))


@partials("j0")
def j0(x: Any, y: Any) -> Any:
    return (-sp.j1(x),)


@partials("j1")
def j1(x: Any, y: Any) -> Any:
    near = np.abs(x) < 1.0
    u, v = np.where(near, x, 0.0), np.where(near, 1.0, x)
    return (np.where(near, power_series(_SLOPE, -0.25 * u * u), sp.j0(x) - y / v),)


@partials("y0")
def y0(x: Any, y: Any) -> Any:
    return (-sp.y1(x),)


@partials("y1")
def y1(x: Any, y: Any) -> Any:
    return (sp.y0(x) - y / x,)


@partials("i0")
def i0(x: Any, y: Any) -> Any:
    return (sp.i1(x),)


@partials("i1")
def i1(x: Any, y: Any) -> Any:
    near = np.abs(x) < 1.0
    u, v = np.where(near, x, 0.0), np.where(near, 1.0, x)
    rest = np.where(np.abs(y) < np.inf, y, 0.0) / v  # i0 is infinite where i1 is
    return (np.where(near, power_series(_SLOPE, 0.25 * u * u), sp.i0(x) - rest),)


@partials("i0e")
def i0e(x: Any, y: Any) -> Any:
    return (sp.i1e(x) - np.sign(x) * y,)


@partials("i1e")
def i1e(x: Any, y: Any) -> Any:
    near = np.abs(x) < 1.0
    u, v = np.where(near, x, 0.0), np.where(near, 1.0, x)
    series = power_series(_SLOPE, 0.25 * u * u) * np.exp(-np.abs(u))
    return (np.where(near, series, sp.i0e(x) - y / v) - np.sign(x) * y,)


@partials("k0")
def k0(x: Any, y: Any) -> Any:
    return (-sp.k1(x),)


@partials("k1")
def k1(x: Any, y: Any) -> Any:
    return (-sp.k0(x) - np.abs(y / x),)  # at -0.0 as at 0


@partials("k0e")
def k0e(x: Any, y: Any) -> Any:
    return (y - sp.k1e(x),)


@partials("k1e")
def k1e(x: Any, y: Any) -> Any:
    return (y - sp.k0e(x) - y / x,)


def _struve_part(v: Any, x: Any) -> Any:
    return np.power(0.5 * x, v) * sp.rgamma(v + 1.5) / ROOT_PI


@partials("struve")
def struve(v: Any, x: Any, y: Any) -> Any:
    return ORDER, 0.5 * (sp.struve(v - 1.0, x) - sp.struve(v + 1.0, x) + _struve_part(v, x))


@partials("modstruve")
def modstruve(v: Any, x: Any, y: Any) -> Any:
    near = sp.modstruve(v - 1.0, x) + sp.modstruve(v + 1.0, x)
    return ORDER, 0.5 * (near + _struve_part(v, x))


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
