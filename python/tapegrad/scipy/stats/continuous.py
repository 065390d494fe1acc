"""Continuous distributions in standard form, those made of elementary functions and of ndtr."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy import special

from tapegrad.scipy.stats.distribution import Standard, xlogy

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_LOG_PI = np.log(np.pi)


class Norm(Standard):
    def _logpdf(self, x: Any) -> Any:
        return -0.5 * x * x - _HALF_LOG_2PI

    def _cdf(self, x: Any) -> Any:
        return special.ndtr(x)

    def _sf(self, x: Any) -> Any:
        return special.ndtr(-x)

    def _logcdf(self, x: Any) -> Any:
        return special.log_ndtr(x)

    def _logsf(self, x: Any) -> Any:
        return special.log_ndtr(-x)

    def _ppf(self, q: Any) -> Any:
        return special.ndtri(q)

    def _isf(self, q: Any) -> Any:
        return -special.ndtri(q)


class Lognorm(Standard):
    def _logpdf(self, x: Any, s: Any) -> Any:
        positive = np.where(x > 0, x, 1.0)
        log = np.log(positive)
        found = -0.5 * (log / s) ** 2 - np.log(s) - log - _HALF_LOG_2PI
        return np.where(x > 0, found, -np.inf)

    def _cdf(self, x: Any, s: Any) -> Any:
        return special.ndtr(np.log(x) / s)

    def _sf(self, x: Any, s: Any) -> Any:
        return special.ndtr(-np.log(x) / s)

    def _logcdf(self, x: Any, s: Any) -> Any:
        return special.log_ndtr(np.log(x) / s)

    def _logsf(self, x: Any, s: Any) -> Any:
        return special.log_ndtr(-np.log(x) / s)

    def _ppf(self, q: Any, s: Any) -> Any:
        return np.exp(s * special.ndtri(q))

    def _isf(self, q: Any, s: Any) -> Any:
        return np.exp(-s * special.ndtri(q))


class Uniform(Standard):
    def _pdf(self, x: Any) -> Any:
        return np.ones_like(x)

    def _logpdf(self, x: Any) -> Any:
        return np.zeros_like(x)

    def _cdf(self, x: Any) -> Any:
        return x

    def _ppf(self, q: Any) -> Any:
        return q


class Expon(Standard):
    def _logpdf(self, x: Any) -> Any:
        return -x

    def _cdf(self, x: Any) -> Any:
        return -np.expm1(-x)

    def _sf(self, x: Any) -> Any:
        return np.exp(-x)

    def _logsf(self, x: Any) -> Any:
        return -x

    def _ppf(self, q: Any) -> Any:
        return -np.log1p(-q)

    def _isf(self, q: Any) -> Any:
        return -np.log(q)


class Cauchy(Standard):
    def _pdf(self, x: Any) -> Any:
        return 1.0 / np.pi / (1.0 + x * x)

    def _logpdf(self, x: Any) -> Any:
        near = np.abs(x) < 1e8
        square = np.square(np.where(near, x, 0.0))
        return -_LOG_PI - np.where(near, np.log1p(square), 2.0 * np.log(np.abs(x)))

    def _cdf(self, x: Any) -> Any:
        return np.arctan2(1.0, -x) / np.pi

    def _sf(self, x: Any) -> Any:
        return np.arctan2(1.0, x) / np.pi

    def _ppf(self, q: Any) -> Any:
        return -1.0 / np.tan(np.pi * q)

    def _isf(self, q: Any) -> Any:
        return 1.0 / np.tan(np.pi * q)


class Laplace(Standard):
    def _logpdf(self, x: Any) -> Any:
        return -np.abs(x) - np.log(2.0)

    def _cdf(self, x: Any) -> Any:
        above = x > 0  # not |x|: there is a derivative at 0
        high, low = np.where(above, x, 0.0), np.where(above, 0.0, x)
        return np.where(above, 1.0 - 0.5 * np.exp(-high), 0.5 * np.exp(low))

    def _sf(self, x: Any) -> Any:
        return self._cdf(-x)

    def _ppf(self, q: Any) -> Any:
        return np.where(q > 0.5, -np.log(2.0 * (1.0 - q)), np.log(2.0 * q))

    def _isf(self, q: Any) -> Any:
        return -self._ppf(q)


class Logistic(Standard):
    def _logpdf(self, x: Any) -> Any:
        return special.log_expit(x) + special.log_expit(-x)

    def _cdf(self, x: Any) -> Any:
        return np.exp(self._logcdf(x))

    def _sf(self, x: Any) -> Any:
        return np.exp(self._logsf(x))

    def _logcdf(self, x: Any) -> Any:
        return -np.logaddexp(0.0, -x)

    def _logsf(self, x: Any) -> Any:
        return -np.logaddexp(0.0, x)

    def _ppf(self, q: Any) -> Any:
        return np.log(q) - np.log1p(-q)

    def _isf(self, q: Any) -> Any:
        return np.log1p(-q) - np.log(q)


class WeibullMin(Standard):
    def _logpdf(self, x: Any, c: Any) -> Any:
        return np.log(c) + xlogy(c - 1.0, x) - x**c

    def _cdf(self, x: Any, c: Any) -> Any:
        return -np.expm1(-(x**c))

    def _sf(self, x: Any, c: Any) -> Any:
        return np.exp(-(x**c))

    def _logsf(self, x: Any, c: Any) -> Any:
        return -(x**c)

    def _ppf(self, q: Any, c: Any) -> Any:
        return (-np.log1p(-q)) ** (1.0 / c)

    def _isf(self, q: Any, c: Any) -> Any:
        return (-np.log(q)) ** (1.0 / c)


class WeibullMax(Standard):
    def _logpdf(self, x: Any, c: Any) -> Any:
        return np.log(c) + xlogy(c - 1.0, -x) - (-x) ** c

    def _cdf(self, x: Any, c: Any) -> Any:
        return np.exp(-((-x) ** c))

    def _logcdf(self, x: Any, c: Any) -> Any:
        return -((-x) ** c)

    def _sf(self, x: Any, c: Any) -> Any:
        return -np.expm1(-((-x) ** c))

    def _ppf(self, q: Any, c: Any) -> Any:
        return -((-np.log(q)) ** (1.0 / c))


class Pareto(Standard):
    def _pdf(self, x: Any, b: Any) -> Any:
        return b * x ** (-b - 1.0)

    def _cdf(self, x: Any, b: Any) -> Any:
        return 1.0 - x ** (-b)

    def _sf(self, x: Any, b: Any) -> Any:
        return x ** (-b)

    def _ppf(self, q: Any, b: Any) -> Any:
        return (1.0 - q) ** (-1.0 / b)

    def _isf(self, q: Any, b: Any) -> Any:
        return q ** (-1.0 / b)


class GumbelR(Standard):
    def _logpdf(self, x: Any) -> Any:
        return -x - np.exp(-x)

    def _cdf(self, x: Any) -> Any:
        return np.exp(-np.exp(-x))

    def _logcdf(self, x: Any) -> Any:
        return -np.exp(-x)

    def _sf(self, x: Any) -> Any:
        return -np.expm1(-np.exp(-x))

    def _ppf(self, q: Any) -> Any:
        return -np.log(-np.log(q))

    def _isf(self, q: Any) -> Any:
        return -np.log(-np.log1p(-q))


class GumbelL(Standard):
    def _logpdf(self, x: Any) -> Any:
        return x - np.exp(x)

    def _cdf(self, x: Any) -> Any:
        return -np.expm1(-np.exp(x))

    def _sf(self, x: Any) -> Any:
        return np.exp(-np.exp(x))

    def _logsf(self, x: Any) -> Any:
        return -np.exp(x)

    def _ppf(self, q: Any) -> Any:
        return np.log(-np.log1p(-q))

    def _isf(self, q: Any) -> Any:
        return np.log(-np.log(q))


class Halfnorm(Standard):
    def _logpdf(self, x: Any) -> Any:
        return 0.5 * np.log(2.0 / np.pi) - x * x / 2.0

    def _cdf(self, x: Any) -> Any:
        return special.erf(x / np.sqrt(2.0))

    def _sf(self, x: Any) -> Any:
        return 2.0 * special.ndtr(-x)

    def _ppf(self, q: Any) -> Any:
        return special.ndtri((1.0 + q) / 2.0)

    def _isf(self, q: Any) -> Any:
        return -special.ndtri(q / 2.0)


class Halfcauchy(Standard):
    def _logpdf(self, x: Any) -> Any:
        return np.log(2.0 / np.pi) - np.log1p(x * x)

    def _cdf(self, x: Any) -> Any:
        return 2.0 / np.pi * np.arctan(x)

    def _sf(self, x: Any) -> Any:
        return 2.0 / np.pi * np.arctan2(1.0, x)

    def _ppf(self, q: Any) -> Any:
        return np.tan(np.pi / 2.0 * q)

    def _isf(self, q: Any) -> Any:
        return 1.0 / np.tan(np.pi / 2.0 * q)


class Rayleigh(Standard):
    def _logpdf(self, x: Any) -> Any:
        return np.log(x) - 0.5 * x * x

    def _cdf(self, x: Any) -> Any:
        return -np.expm1(-0.5 * x * x)

    def _sf(self, x: Any) -> Any:
        return np.exp(-0.5 * x * x)

    def _logsf(self, x: Any) -> Any:
        return -0.5 * x * x

    def _ppf(self, q: Any) -> Any:
        return np.sqrt(-2.0 * np.log1p(-q))

    def _isf(self, q: Any) -> Any:
        return np.sqrt(-2.0 * np.log(q))


def _log_mass(a: Any, b: Any) -> Any:
    """The logarithm of what a normal variable has between a and b, in the better tail of both."""
    right = a > 0
    low, high = np.where(right, -b, a), np.where(right, -a, b)
    large, small = special.log_ndtr(high), special.log_ndtr(low)
    return large + np.log1p(-np.exp(small - large))


class Truncnorm(Standard):
    def _valid(self, a: Any, b: Any) -> Any:
        return a < b

    def _support(self, a: Any, b: Any) -> tuple[Any, Any]:
        return a, b

    def _logpdf(self, x: Any, a: Any, b: Any) -> Any:
        return -0.5 * x * x - _HALF_LOG_2PI - _log_mass(a, b)

    def _logcdf(self, x: Any, a: Any, b: Any) -> Any:
        return _log_mass(a, x) - _log_mass(a, b)

    def _logsf(self, x: Any, a: Any, b: Any) -> Any:
        return _log_mass(x, b) - _log_mass(a, b)

    def _cdf(self, x: Any, a: Any, b: Any) -> Any:
        return np.exp(self._logcdf(x, a, b))

    def _sf(self, x: Any, a: Any, b: Any) -> Any:
        return np.exp(self._logsf(x, a, b))

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        below, above = special.ndtr(a), special.ndtr(b)
        left = special.ndtri(below + q * (above - below))
        below, above = special.ndtr(-a), special.ndtr(-b)
        return np.where(a < 0, left, -special.ndtri(below + q * (above - below)))


norm = Norm(scipy.stats.norm)
lognorm = Lognorm(scipy.stats.lognorm)
uniform = Uniform(scipy.stats.uniform)
expon = Expon(scipy.stats.expon)
cauchy = Cauchy(scipy.stats.cauchy)
laplace = Laplace(scipy.stats.laplace)
logistic = Logistic(scipy.stats.logistic)
weibull_min = WeibullMin(scipy.stats.weibull_min)
weibull_max = WeibullMax(scipy.stats.weibull_max)
pareto = Pareto(scipy.stats.pareto)
gumbel_r = GumbelR(scipy.stats.gumbel_r)
gumbel_l = GumbelL(scipy.stats.gumbel_l)
halfnorm = Halfnorm(scipy.stats.halfnorm)
halfcauchy = Halfcauchy(scipy.stats.halfcauchy)
rayleigh = Rayleigh(scipy.stats.rayleigh)
truncnorm = Truncnorm(scipy.stats.truncnorm)
