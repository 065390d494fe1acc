"""Continuous distributions that are skewed, bounded or of another shape, in standard form."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy import special

from tapegrad.scipy.functions import refuse
from tapegrad.scipy.stats.distribution import Standard, far_is_none, xlogy

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)


class Skewnorm(Standard):
    def _valid(self, a: Any) -> Any:
        return np.isfinite(a)

    def _logpdf(self, x: Any, a: Any) -> Any:
        return np.log(2.0) - 0.5 * x * x - _HALF_LOG_2PI + special.log_ndtr(a * x)

    def _cdf(self, x: Any, a: Any) -> Any:
        return special.ndtr(x) - 2.0 * special.owens_t(x, a)

    def _sf(self, x: Any, a: Any) -> Any:
        return self._cdf(-x, -a)


class Exponnorm(Standard):
    def _logpdf(self, x: Any, K: Any) -> Any:
        rate = 1.0 / K
        return rate * (0.5 * rate - x) + special.log_ndtr(x - rate) - np.log(K)

    def _late(self, x: Any, K: Any) -> Any:
        rate = 1.0 / K
        return np.exp(rate * (0.5 * rate - x) + special.log_ndtr(x - rate))

    def _cdf(self, x: Any, K: Any) -> Any:
        return special.ndtr(x) - self._late(x, K)

    def _sf(self, x: Any, K: Any) -> Any:
        return special.ndtr(-x) + self._late(x, K)


class Gennorm(Standard):
    def _logpdf(self, x: Any, beta: Any) -> Any:
        return np.log(0.5 * beta) - special.gammaln(1.0 / beta) - np.abs(x) ** beta

    def _cdf(self, x: Any, beta: Any) -> Any:
        half = 0.5 * special.gammaincc(1.0 / beta, np.abs(x) ** beta)
        return np.where(x > 0, 1.0 - half, half)

    def _sf(self, x: Any, beta: Any) -> Any:
        return self._cdf(-x, beta)

    def _ppf(self, q: Any, beta: Any) -> Any:
        side = np.sign(q - 0.5)
        return side * special.gammainccinv(1.0 / beta, 1.0 - np.abs(2.0 * q - 1.0)) ** (1.0 / beta)

    def _isf(self, q: Any, beta: Any) -> Any:
        return -self._ppf(q, beta)


class Johnsonsu(Standard):
    def _valid(self, a: Any, b: Any) -> Any:
        return (b > 0) & (a == a)

    def _logpdf(self, x: Any, a: Any, b: Any) -> Any:
        z = a + b * np.arcsinh(x)
        return np.log(b) - 0.5 * np.log1p(x * x) - 0.5 * z * z - _HALF_LOG_2PI

    def _cdf(self, x: Any, a: Any, b: Any) -> Any:
        return special.ndtr(a + b * np.arcsinh(x))

    def _sf(self, x: Any, a: Any, b: Any) -> Any:
        return special.ndtr(-(a + b * np.arcsinh(x)))

    def _logcdf(self, x: Any, a: Any, b: Any) -> Any:
        return special.log_ndtr(a + b * np.arcsinh(x))

    def _logsf(self, x: Any, a: Any, b: Any) -> Any:
        return special.log_ndtr(-(a + b * np.arcsinh(x)))

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return np.sinh((special.ndtri(q) - a) / b)

    def _isf(self, q: Any, a: Any, b: Any) -> Any:
        return np.sinh((-special.ndtri(q) - a) / b)


class Hypsecant(Standard):
    def _logpdf(self, x: Any) -> Any:
        return np.log(2.0 / np.pi) - np.logaddexp(x, -x)

    def _cdf(self, x: Any) -> Any:
        return 2.0 / np.pi * np.arctan(np.exp(x))

    def _sf(self, x: Any) -> Any:
        return 2.0 / np.pi * np.arctan(np.exp(-x))

    def _ppf(self, q: Any) -> Any:
        return np.log(np.tan(np.pi * q / 2.0))

    def _isf(self, q: Any) -> Any:
        return -self._ppf(q)


class Moyal(Standard):
    def _logpdf(self, x: Any) -> Any:
        return -0.5 * (x + np.exp(-x)) - _HALF_LOG_2PI

    def _cdf(self, x: Any) -> Any:
        return special.erfc(np.exp(-0.5 * x) / np.sqrt(2.0))

    def _sf(self, x: Any) -> Any:
        return special.erf(np.exp(-0.5 * x) / np.sqrt(2.0))

    def _ppf(self, q: Any) -> Any:
        return -np.log(2.0 * special.erfcinv(q) ** 2)

    def _isf(self, q: Any) -> Any:
        return -np.log(2.0 * special.erfinv(q) ** 2)


class Halflogistic(Standard):
    def _logpdf(self, x: Any) -> Any:
        return np.log(2.0) - x - 2.0 * np.log1p(np.exp(-x))

    def _cdf(self, x: Any) -> Any:
        return np.tanh(x / 2.0)

    def _sf(self, x: Any) -> Any:
        return 2.0 * special.expit(-x)

    def _logsf(self, x: Any) -> Any:
        return np.log(2.0) + special.log_expit(-x)

    def _ppf(self, q: Any) -> Any:
        return 2.0 * np.arctanh(q)

    def _isf(self, q: Any) -> Any:
        return np.log(2.0 - q) - np.log(q)


class Genlogistic(Standard):
    def _logpdf(self, x: Any, c: Any) -> Any:
        return far_is_none(x, np.log(c) - x - (c + 1.0) * np.logaddexp(0.0, -x))

    def _logcdf(self, x: Any, c: Any) -> Any:
        return -c * np.logaddexp(0.0, -x)

    def _cdf(self, x: Any, c: Any) -> Any:
        return np.exp(self._logcdf(x, c))

    def _sf(self, x: Any, c: Any) -> Any:
        return -np.expm1(self._logcdf(x, c))

    def _ppf(self, q: Any, c: Any) -> Any:
        return -np.log(np.expm1(-np.log(q) / c))

    def _isf(self, q: Any, c: Any) -> Any:
        return -np.log(np.expm1(-np.log1p(-q) / c))


class Loggamma(Standard):
    def _logpdf(self, x: Any, c: Any) -> Any:
        return c * x - np.exp(x) - special.gammaln(c)

    def _cdf(self, x: Any, c: Any) -> Any:
        return special.gammainc(c, np.exp(x))

    def _sf(self, x: Any, c: Any) -> Any:
        return special.gammaincc(c, np.exp(x))

    def _ppf(self, q: Any, c: Any) -> Any:
        return np.log(special.gammaincinv(c, q))

    def _isf(self, q: Any, c: Any) -> Any:
        return np.log(special.gammainccinv(c, q))


class Rice(Standard):
    def _valid(self, b: Any) -> Any:
        return b >= 0

    def _logpdf(self, x: Any, b: Any) -> Any:
        return np.log(x) - 0.5 * (x - b) ** 2 + np.log(special.i0e(x * b))

    def _cdf(self, x: Any, b: Any) -> Any:
        return special.chndtr(x * x, 2.0, b * b)

    def _ppf(self, q: Any, b: Any) -> Any:
        return np.sqrt(special.chndtrix(q, 2.0, b * b))


class Powerlaw(Standard):
    def _logpdf(self, x: Any, a: Any) -> Any:
        return np.log(a) + xlogy(a - 1.0, x)

    def _cdf(self, x: Any, a: Any) -> Any:
        return x**a

    def _ppf(self, q: Any, a: Any) -> Any:
        return q ** (1.0 / a)


class Triang(Standard):
    def _valid(self, c: Any) -> Any:
        return (c >= 0) & (c <= 1)

    def _pdf(self, x: Any, c: Any) -> Any:
        rises, falls = np.where(c > 0, c, 1.0), np.where(c < 1, 1.0 - c, 1.0)
        up, down = 2.0 * x / rises, 2.0 * (1.0 - x) / falls
        return np.where((x < c) | (c == 1), up, down)

    def _cdf(self, x: Any, c: Any) -> Any:
        rises, falls = np.where(c > 0, c, 1.0), np.where(c < 1, 1.0 - c, 1.0)
        return np.where((x < c) | (c == 1), x * x / rises, 1.0 - (1.0 - x) ** 2 / falls)

    def _ppf(self, q: Any, c: Any) -> Any:
        return np.where(q < c, np.sqrt(c * q), 1.0 - np.sqrt((1.0 - c) * (1.0 - q)))


class Arcsine(Standard):
    def _pdf(self, x: Any) -> Any:
        return 1.0 / np.pi / np.sqrt(x * (1.0 - x))

    def _cdf(self, x: Any) -> Any:
        return 2.0 / np.pi * np.arcsin(np.sqrt(x))

    def _ppf(self, q: Any) -> Any:
        return np.sin(np.pi / 2.0 * q) ** 2


class Loguniform(Standard):
    def _valid(self, a: Any, b: Any) -> Any:
        return (a > 0) & (b > a)

    def _support(self, a: Any, b: Any) -> tuple[Any, Any]:
        return a, b

    def _logpdf(self, x: Any, a: Any, b: Any) -> Any:
        return -np.log(x) - np.log(np.log(b) - np.log(a))

    def _cdf(self, x: Any, a: Any, b: Any) -> Any:
        return (np.log(x) - np.log(a)) / (np.log(b) - np.log(a))

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return np.exp(np.log(a) + q * (np.log(b) - np.log(a)))


class Vonmises(Standard):
    _methods = ("pdf", "logpdf")

    def _valid(self, kappa: Any) -> Any:
        return kappa >= 0

    def _logpdf(self, x: Any, kappa: Any) -> Any:
        return kappa * special.cosm1(x) - np.log(2.0 * np.pi) - np.log(special.i0e(kappa))

    def _cdf(self, x: Any, kappa: Any) -> Any:
        refuse("scipy.stats.vonmises.cdf", "the distribution function", "integrate pdf, with quad")

    _sf = _cdf


skewnorm = Skewnorm(scipy.stats.skewnorm)
exponnorm = Exponnorm(scipy.stats.exponnorm)
gennorm = Gennorm(scipy.stats.gennorm)
johnsonsu = Johnsonsu(scipy.stats.johnsonsu)
hypsecant = Hypsecant(scipy.stats.hypsecant)
moyal = Moyal(scipy.stats.moyal)
halflogistic = Halflogistic(scipy.stats.halflogistic)
genlogistic = Genlogistic(scipy.stats.genlogistic)
loggamma = Loggamma(scipy.stats.loggamma)
rice = Rice(scipy.stats.rice)
powerlaw = Powerlaw(scipy.stats.powerlaw)
triang = Triang(scipy.stats.triang)
arcsine = Arcsine(scipy.stats.arcsine)
loguniform = Loguniform(scipy.stats.loguniform)
vonmises = Vonmises(scipy.stats.vonmises)
