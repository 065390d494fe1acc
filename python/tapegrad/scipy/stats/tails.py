"""Continuous distributions of extremes, life times and incomes, in standard form."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy import special

from tapegrad.scipy.stats.distribution import Standard, far_is_none, xlogy


def _log1p_over(u: Any) -> Any:
    """log(1 + u) / u, by its series near zero."""
    near = np.abs(u) < 0.01
    small, large = np.where(near, u, 0.0), np.where(near, 1.0, u)
    series: Any = 0.0
    for k in range(9, -1, -1):
        series = (1.0 if k % 2 == 0 else -1.0) / (k + 1) + small * series
    return np.where(near, series, np.log1p(large) / large)


class Genextreme(Standard):
    def _valid(self, c: Any) -> Any:
        return np.isfinite(c)

    def _support(self, c: Any) -> tuple[Any, Any]:
        positive, negative = np.where(c > 0, c, 1.0), np.where(c < 0, c, -1.0)
        low = np.where(c < 0, 1.0 / negative, -np.inf)
        return low, np.where(c > 0, 1.0 / positive, np.inf)

    def _log_rate(self, x: Any, c: Any) -> Any:
        """The logarithm of (1 - c x)^(1 / c), which is -x for c = 0."""
        return -x * _log1p_over(-c * x)

    def _logpdf(self, x: Any, c: Any) -> Any:
        log = self._log_rate(x, c)
        return far_is_none(x, -np.exp(log) + log * (1.0 - c))

    def _logcdf(self, x: Any, c: Any) -> Any:
        return -np.exp(self._log_rate(x, c))

    def _cdf(self, x: Any, c: Any) -> Any:
        return np.exp(self._logcdf(x, c))

    def _sf(self, x: Any, c: Any) -> Any:
        return -np.expm1(self._logcdf(x, c))

    def _ppf(self, q: Any, c: Any) -> Any:
        x = -np.log(-np.log(q))
        return x * special.exprel(-c * x)

    def _isf(self, q: Any, c: Any) -> Any:
        x = -np.log(-np.log1p(-q))
        return x * special.exprel(-c * x)


class Genpareto(Standard):
    def _valid(self, c: Any) -> Any:
        return np.isfinite(c)

    def _support(self, c: Any) -> tuple[Any, Any]:
        return 0.0, np.where(c < 0, -1.0 / np.where(c < 0, c, -1.0), np.inf)

    def _logsf(self, x: Any, c: Any) -> Any:
        return -x * _log1p_over(c * x)

    def _logpdf(self, x: Any, c: Any) -> Any:
        return far_is_none(x, (c + 1.0) * self._logsf(x, c))

    def _sf(self, x: Any, c: Any) -> Any:
        return np.exp(self._logsf(x, c))

    def _cdf(self, x: Any, c: Any) -> Any:
        return -np.expm1(self._logsf(x, c))

    def _ppf(self, q: Any, c: Any) -> Any:
        x = -np.log1p(-q)
        return x * special.exprel(c * x)

    def _isf(self, q: Any, c: Any) -> Any:
        x = -np.log(q)
        return x * special.exprel(c * x)


class Lomax(Standard):
    def _logpdf(self, x: Any, c: Any) -> Any:
        return np.log(c) - (c + 1.0) * np.log1p(x)

    def _logsf(self, x: Any, c: Any) -> Any:
        return -c * np.log1p(x)

    def _sf(self, x: Any, c: Any) -> Any:
        return np.exp(self._logsf(x, c))

    def _cdf(self, x: Any, c: Any) -> Any:
        return -np.expm1(self._logsf(x, c))

    def _ppf(self, q: Any, c: Any) -> Any:
        return np.expm1(-np.log1p(-q) / c)

    def _isf(self, q: Any, c: Any) -> Any:
        return np.expm1(-np.log(q) / c)


class Fisk(Standard):
    def _logpdf(self, x: Any, c: Any) -> Any:
        return far_is_none(x, np.log(c) + xlogy(c - 1.0, x) - 2.0 * np.log1p(x**c))

    def _cdf(self, x: Any, c: Any) -> Any:
        return 1.0 / (1.0 + x ** (-c))

    def _sf(self, x: Any, c: Any) -> Any:
        return 1.0 / (1.0 + x**c)

    def _logsf(self, x: Any, c: Any) -> Any:
        return -np.log1p(x**c)

    def _ppf(self, q: Any, c: Any) -> Any:
        return (1.0 / q - 1.0) ** (-1.0 / c)

    def _isf(self, q: Any, c: Any) -> Any:
        return (1.0 / q - 1.0) ** (1.0 / c)


class Burr12(Standard):
    def _logpdf(self, x: Any, c: Any, d: Any) -> Any:
        return np.log(c) + np.log(d) + xlogy(c - 1.0, x) - (d + 1.0) * np.log1p(x**c)

    def _logsf(self, x: Any, c: Any, d: Any) -> Any:
        return -d * np.log1p(x**c)

    def _sf(self, x: Any, c: Any, d: Any) -> Any:
        return np.exp(self._logsf(x, c, d))

    def _cdf(self, x: Any, c: Any, d: Any) -> Any:
        return -np.expm1(self._logsf(x, c, d))

    def _ppf(self, q: Any, c: Any, d: Any) -> Any:
        return np.expm1(-np.log1p(-q) / d) ** (1.0 / c)


class Betaprime(Standard):
    def _logpdf(self, x: Any, a: Any, b: Any) -> Any:
        return xlogy(a - 1.0, x) - (a + b) * np.log1p(x) - special.betaln(a, b)

    def _cdf(self, x: Any, a: Any, b: Any) -> Any:
        return special.betainc(a, b, x / (1.0 + x))

    def _sf(self, x: Any, a: Any, b: Any) -> Any:
        return special.betainc(b, a, 1.0 / (1.0 + x))

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        part = special.betaincinv(a, b, q)
        return part / (1.0 - part)


class Gompertz(Standard):
    def _logpdf(self, x: Any, c: Any) -> Any:
        return np.log(c) + x - c * np.expm1(x)

    def _logsf(self, x: Any, c: Any) -> Any:
        return -c * np.expm1(x)

    def _sf(self, x: Any, c: Any) -> Any:
        return np.exp(self._logsf(x, c))

    def _cdf(self, x: Any, c: Any) -> Any:
        return -np.expm1(self._logsf(x, c))

    def _ppf(self, q: Any, c: Any) -> Any:
        return np.log1p(-np.log1p(-q) / c)

    def _isf(self, q: Any, c: Any) -> Any:
        return np.log1p(-np.log(q) / c)


class Exponweib(Standard):
    def _logpdf(self, x: Any, a: Any, c: Any) -> Any:
        rest = -np.expm1(-(x**c))
        return np.log(a) + np.log(c) + xlogy(a - 1.0, rest) - x**c + xlogy(c - 1.0, x)

    def _cdf(self, x: Any, a: Any, c: Any) -> Any:
        return (-np.expm1(-(x**c))) ** a

    def _sf(self, x: Any, a: Any, c: Any) -> Any:
        # 1 - (1 - e)^a with small e
        return -np.expm1(a * np.log1p(-np.exp(-(x**c))))

    def _ppf(self, q: Any, a: Any, c: Any) -> Any:
        return (-np.log1p(-(q ** (1.0 / a)))) ** (1.0 / c)


class Nakagami(Standard):
    def _logpdf(self, x: Any, nu: Any) -> Any:
        scale = np.log(2.0) + xlogy(nu, nu) - special.gammaln(nu)
        return scale + xlogy(2.0 * nu - 1.0, x) - nu * x * x

    def _cdf(self, x: Any, nu: Any) -> Any:
        return special.gammainc(nu, nu * x * x)

    def _sf(self, x: Any, nu: Any) -> Any:
        return special.gammaincc(nu, nu * x * x)

    def _ppf(self, q: Any, nu: Any) -> Any:
        return np.sqrt(special.gammaincinv(nu, q) / nu)

    def _isf(self, q: Any, nu: Any) -> Any:
        return np.sqrt(special.gammainccinv(nu, q) / nu)


class Invgauss(Standard):
    def _logpdf(self, x: Any, mu: Any) -> Any:
        return -0.5 * np.log(2.0 * np.pi) - 1.5 * np.log(x) - ((x - mu) / mu) ** 2 / (2.0 * x)

    def _parts(self, x: Any, mu: Any) -> tuple[Any, Any]:
        root = 1.0 / np.sqrt(x)
        return root * (x / mu - 1.0), 2.0 / mu + special.log_ndtr(-root * (x / mu + 1.0))

    def _logcdf(self, x: Any, mu: Any) -> Any:
        z, far = self._parts(x, mu)
        return np.logaddexp(special.log_ndtr(z), far)

    def _logsf(self, x: Any, mu: Any) -> Any:
        z, far = self._parts(x, mu)
        near = special.log_ndtr(-z)
        return near + np.log1p(-np.exp(far - near))

    def _cdf(self, x: Any, mu: Any) -> Any:
        return np.exp(self._logcdf(x, mu))

    def _sf(self, x: Any, mu: Any) -> Any:
        return np.exp(self._logsf(x, mu))


class Levy(Standard):
    def _logpdf(self, x: Any) -> Any:
        return -0.5 * np.log(2.0 * np.pi) - 1.5 * np.log(x) - 0.5 / x

    def _cdf(self, x: Any) -> Any:
        return special.erfc(np.sqrt(0.5 / x))

    def _sf(self, x: Any) -> Any:
        return special.erf(np.sqrt(0.5 / x))

    def _ppf(self, q: Any) -> Any:
        return 0.5 / special.erfcinv(q) ** 2

    def _isf(self, q: Any) -> Any:
        return 0.5 / special.erfinv(q) ** 2


genextreme = Genextreme(scipy.stats.genextreme)
genpareto = Genpareto(scipy.stats.genpareto)
lomax = Lomax(scipy.stats.lomax)
fisk = Fisk(scipy.stats.fisk)
burr12 = Burr12(scipy.stats.burr12)
betaprime = Betaprime(scipy.stats.betaprime)
gompertz = Gompertz(scipy.stats.gompertz)
exponweib = Exponweib(scipy.stats.exponweib)
nakagami = Nakagami(scipy.stats.nakagami)
invgauss = Invgauss(scipy.stats.invgauss)
levy = Levy(scipy.stats.levy)
