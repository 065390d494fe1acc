"""Continuous distributions that rest on the incomplete gamma and beta functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy import special

from tapegrad.scipy.stats.distribution import Standard, xlogy

_HALF_LOG_2_OVER_PI = 0.5 * np.log(2.0 / np.pi)
_LOG_2 = np.log(2.0)


def _betaln(a: Any, b: Any) -> Any:
    return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)


class Gamma(Standard):
    def _logpdf(self, x: Any, a: Any) -> Any:
        return xlogy(a - 1.0, x) - x - special.gammaln(a)

    def _cdf(self, x: Any, a: Any) -> Any:
        return special.gammainc(a, x)

    def _sf(self, x: Any, a: Any) -> Any:
        return special.gammaincc(a, x)

    def _ppf(self, q: Any, a: Any) -> Any:
        return special.gammaincinv(a, q)

    def _isf(self, q: Any, a: Any) -> Any:
        return special.gammainccinv(a, q)


class Invgamma(Standard):
    def _logpdf(self, x: Any, a: Any) -> Any:
        return -(a + 1.0) * np.log(x) - special.gammaln(a) - 1.0 / x

    def _cdf(self, x: Any, a: Any) -> Any:
        return special.gammaincc(a, 1.0 / x)

    def _sf(self, x: Any, a: Any) -> Any:
        return special.gammainc(a, 1.0 / x)

    def _ppf(self, q: Any, a: Any) -> Any:
        return 1.0 / special.gammainccinv(a, q)

    def _isf(self, q: Any, a: Any) -> Any:
        return 1.0 / special.gammaincinv(a, q)


class Chi2(Standard):
    def _logpdf(self, x: Any, df: Any) -> Any:
        half = df / 2.0
        return xlogy(half - 1.0, x) - x / 2.0 - special.gammaln(half) - _LOG_2 * half

    def _cdf(self, x: Any, df: Any) -> Any:
        return special.gammainc(df / 2.0, x / 2.0)

    def _sf(self, x: Any, df: Any) -> Any:
        return special.gammaincc(df / 2.0, x / 2.0)

    def _ppf(self, q: Any, df: Any) -> Any:
        return 2.0 * special.gammaincinv(df / 2.0, q)

    def _isf(self, q: Any, df: Any) -> Any:
        return 2.0 * special.gammainccinv(df / 2.0, q)


class Chi(Standard):
    def _logpdf(self, x: Any, df: Any) -> Any:
        half = df / 2.0
        return _LOG_2 * (1.0 - half) - special.gammaln(half) + xlogy(df - 1.0, x) - 0.5 * x * x

    def _cdf(self, x: Any, df: Any) -> Any:
        return special.gammainc(df / 2.0, 0.5 * x * x)

    def _sf(self, x: Any, df: Any) -> Any:
        return special.gammaincc(df / 2.0, 0.5 * x * x)

    def _ppf(self, q: Any, df: Any) -> Any:
        return np.sqrt(2.0 * special.gammaincinv(df / 2.0, q))

    def _isf(self, q: Any, df: Any) -> Any:
        return np.sqrt(2.0 * special.gammainccinv(df / 2.0, q))


class Maxwell(Standard):
    def _logpdf(self, x: Any) -> Any:
        return _HALF_LOG_2_OVER_PI + 2.0 * np.log(x) - 0.5 * x * x

    def _cdf(self, x: Any) -> Any:
        return special.gammainc(1.5, x * x / 2.0)

    def _sf(self, x: Any) -> Any:
        return special.gammaincc(1.5, x * x / 2.0)

    def _ppf(self, q: Any) -> Any:
        return np.sqrt(2.0 * special.gammaincinv(1.5, q))

    def _isf(self, q: Any) -> Any:
        return np.sqrt(2.0 * special.gammainccinv(1.5, q))


class Beta(Standard):
    def _logpdf(self, x: Any, a: Any, b: Any) -> Any:
        return xlogy(a - 1.0, x) + _xlog1py(b - 1.0, -x) - _betaln(a, b)

    def _cdf(self, x: Any, a: Any, b: Any) -> Any:
        return special.betainc(a, b, x)

    def _sf(self, x: Any, a: Any, b: Any) -> Any:
        return special.betainc(b, a, 1.0 - x)

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return special.betaincinv(a, b, q)

    def _isf(self, q: Any, a: Any, b: Any) -> Any:
        return 1.0 - special.betaincinv(b, a, q)


def _xlog1py(x: Any, y: Any) -> Any:
    return np.where((x == 0) & (y <= -1), 0.0, x * np.log1p(y))


class T(Standard):
    def _logpdf(self, x: Any, df: Any) -> Any:
        scale = special.gammaln((df + 1.0) / 2.0) - special.gammaln(df / 2.0)
        scale = scale - 0.5 * np.log(df * np.pi)
        return scale - (df + 1.0) / 2.0 * np.log1p(x * x / df)

    def _cdf(self, x: Any, df: Any) -> Any:
        # The probability beyond |x|, by whichever argument of the beta function is exact; about 0,
        # where that argument has no derivative, the series of the density's integral.
        b = 0.5 * (df + 1.0)
        middle = b * x * x / df < 1e-5
        square = np.where(middle, df, x * x)
        far = 0.5 * special.betainc(df / 2.0, 0.5, df / (df + square))
        near = 0.5 - 0.5 * special.betainc(0.5, df / 2.0, square / (df + square))
        tail = np.where(square > df, far, near)
        w = np.where(middle, x, 0.0)
        z = w * w / df
        series = 1.0 - b * z * (1 / 3 - (b + 1.0) / 2 * z * (1 / 5 - (b + 2.0) / 21 * z))
        inside = 0.5 + w * np.exp(self._logpdf(0.0, df)) * series
        return np.where(middle, inside, np.where(x < 0, tail, 1.0 - tail))

    def _sf(self, x: Any, df: Any) -> Any:
        return self._cdf(-x, df)

    def _ppf(self, q: Any, df: Any) -> Any:
        return special.stdtrit(df, q)

    def _isf(self, q: Any, df: Any) -> Any:
        return -special.stdtrit(df, q)


class F(Standard):
    def _logpdf(self, x: Any, dfn: Any, dfd: Any) -> Any:
        n, m = dfn / 2.0, dfd / 2.0
        found = m * np.log(dfd) + n * np.log(dfn) + xlogy(n - 1.0, x)
        return found - (n + m) * np.log(dfd + dfn * x) - _betaln(n, m)

    def _cdf(self, x: Any, dfn: Any, dfd: Any) -> Any:
        return special.betainc(dfn / 2.0, dfd / 2.0, dfn * x / (dfd + dfn * x))

    def _sf(self, x: Any, dfn: Any, dfd: Any) -> Any:
        return special.betainc(dfd / 2.0, dfn / 2.0, dfd / (dfd + dfn * x))

    def _ppf(self, q: Any, dfn: Any, dfd: Any) -> Any:
        share = special.betaincinv(dfn / 2.0, dfd / 2.0, q)
        return dfd * share / (dfn * (1.0 - share))

    def _isf(self, q: Any, dfn: Any, dfd: Any) -> Any:
        share = special.betaincinv(dfd / 2.0, dfn / 2.0, q)
        return dfd * (1.0 - share) / (dfn * share)


gamma = Gamma(scipy.stats.gamma)
invgamma = Invgamma(scipy.stats.invgamma)
chi2 = Chi2(scipy.stats.chi2)
chi = Chi(scipy.stats.chi)
maxwell = Maxwell(scipy.stats.maxwell)
beta = Beta(scipy.stats.beta)
t = T(scipy.stats.t)
f = F(scipy.stats.f)
