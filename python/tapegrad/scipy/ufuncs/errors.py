"""The error function's relatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import (
    ROOT_2,
    ROOT_2_PI,
    ROOT_PI,
    SKIP,
    hyperbolic_sine_quotient,
    power_series,
    sine_quotient,
)
from tapegrad.scipy.ufuncs.registry import No, partials, parts
from tapegrad.scipy.ufuncs.symbols import own

# (2k + 1)!! / 2^k: the asymptotic series of Dawson's integral and of erfcx (DLMF 7.12.1) and of
# their derivatives, in 1 / x^2.
_SERIES = [float(np.prod(np.arange(1.0, 2.0 * k + 2.0, 2.0)) / 2.0**k) for k in range(30)]
_FAR = 8.0


@partials("dawsn")
def dawsn(x: Any, y: Any) -> Any:
    near = np.abs(x) < _FAR
    z = 1.0 / np.square(np.where(near, _FAR, x))
    return (np.where(near, 1.0 - 2.0 * x * y, -0.5 * z * power_series(_SERIES, z)),)


@partials("erfi")
def erfi(x: Any, y: Any) -> Any:
    return (2.0 / ROOT_PI * np.exp(x * x),)


@partials("erfinv")
def erfinv(x: Any, y: Any) -> Any:
    return (0.5 * ROOT_PI * np.exp(y * y),)


@partials("erfcinv")
def erfcinv(x: Any, y: Any) -> Any:
    return (-0.5 * ROOT_PI * np.exp(y * y),)


@partials("ndtri")
def ndtri(p: Any, y: Any) -> Any:
    return (ROOT_2_PI * np.exp(0.5 * y * y),)


@partials("ndtri_exp")
def ndtri_exp(p: Any, y: Any) -> Any:
    return (ROOT_2_PI / 2.0 * sp.erfcx(y / -ROOT_2),)


@partials("fresnel")
def fresnel(x: Any, s: Any, c: Any) -> Any:
    angle = 0.5 * np.pi * x * x
    return (np.sin(angle),), (np.cos(angle),)


@partials("sici")
def sici(x: Any, s: Any, c: Any) -> Any:
    return (sine_quotient(x),), (np.cos(x) / x,)


@partials("shichi")
def shichi(x: Any, s: Any, c: Any) -> Any:
    return (hyperbolic_sine_quotient(x),), (np.cosh(x) / x,)


@partials("exp1")
def exp1(x: Any, y: Any) -> Any:
    return (-np.exp(-x) / x,)


@partials("expi")
def expi(x: Any, y: Any) -> Any:
    return (np.exp(x) / x,)


@partials("expn")
def expn(n: Any, x: Any, y: Any) -> Any:
    none = n < 0.5
    first = -np.exp(-x) * (1.0 + 1.0 / x) / x
    return No("its order, a whole number"), np.where(none, first, -sp.expn(n - 1.0 + none, x))


@partials("owens_t")
def owens_t(h: Any, a: Any, y: Any) -> Any:
    by_h = -0.5 / ROOT_2_PI * np.exp(-0.5 * h * h) * sp.erf(a * h / ROOT_2)
    b = 1.0 + a * a
    return by_h, np.exp(-0.5 * h * h * b) / (2.0 * np.pi * b)


# w' = -2 z w + 2i / sqrt(pi) (DLMF 7.10.2).
def _faddeeva_slope(x: Any, y: Any, u: Any, v: Any) -> tuple[Any, Any]:
    return -2.0 * (x * u - y * v), -2.0 * (x * v + y * u) + 2.0 / ROOT_PI


@parts("wofz_parts", "wofz")
def wofz_parts(x: Any, y: Any, u: Any, v: Any) -> Any:
    p, q = _faddeeva_slope(x, y, u, v)
    return (p, -q), (q, p)


# Far out w(z) is i / (z sqrt(pi)) times the sum of c_k / z^2k with c_k = (1/2)_k (DLMF 7.12.1), but
# for exp(-z^2), which is nothing there beside Cauchy's part of the profile.
_SERIES_FROM, _CAUCHYS = 49.0, 1e-3
_C = [float(np.prod(np.arange(0.5, k, 1.0))) for k in range(26)]


def _complex_series(coefficients: list[float], p: Any, q: Any) -> tuple[Any, Any]:
    """The sum of c_k (p + iq)^k."""
    re: Any = coefficients[-1]
    im: Any = 0.0
    for c in coefficients[-2::-1]:
        re, im = re * p - im * q + c, re * q + im * p
    return re, im


def _far_slopes(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """The parts of w', and the real part of w + z w', without differences of near numbers."""
    size = x * x + y * y
    s, t = x / size, -y / size  # 1 / z
    p, q = s * s - t * t, 2.0 * s * t
    re, im = _complex_series([(2 * k + 1) * c for k, c in enumerate(_C)], p, q)
    a, b = _complex_series([k * c for k, c in enumerate(_C)], p, q)
    slope = (p * im + q * re) / ROOT_PI, -(p * re - q * im) / ROOT_PI
    return (*slope, 2.0 / ROOT_PI * (s * b + t * a))


# The real part of w(z) / (sigma sqrt(2 pi)) at z = (x + i gamma) / (sigma sqrt(2)) (DLMF 7.19);
# for sigma = 0 it is Cauchy's density, and even in sigma.
@partials("voigt_profile")
def voigt_profile(x: Any, sigma: Any, gamma: Any, y: Any) -> Any:
    none = np.equal(sigma, 0.0)
    some = np.where(none, 1.0, sigma)
    scale = 1.0 / (ROOT_2 * some)
    a, b = x * scale, gamma * scale
    far = np.logical_and(a * a + b * b > _SERIES_FROM, b > _CAUCHYS)
    u, v = np.where(far, SKIP, a), np.where(far, SKIP, b)
    p, q = _faddeeva_slope(u, v, *own("wofz_parts", u, v))
    front = scale / ROOT_PI
    u, v = np.where(far, a, 9.0), np.where(far, b, 1.0)
    far_p, far_q, far_change = _far_slopes(u, v)
    change = np.where(far, far_change * front, y + front * (p * a - q * b))
    p, q = np.where(far, far_p, p), np.where(far, far_q, q)
    size = x * x + gamma * gamma
    square = np.pi * size * size
    return (
        np.where(none, -2.0 * x * gamma / square, front * scale * p),
        np.where(none, 0.0, -change / some),
        np.where(none, (x * x - gamma * gamma) / square, -front * scale * q),
    )
