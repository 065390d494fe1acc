"""Distributions on the integers, differentiable in their parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy import special

from tapegrad.scipy.stats.distribution import Counts, xlogy
from tapegrad.transforms.trace import value


def _xlog1py(x: Any, y: Any) -> Any:
    return np.where((x == 0) & (y <= -1), 0.0, x * np.log1p(y))


def _log_choose(n: Any, k: Any) -> Any:
    return special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)


class Poisson(Counts):
    def _valid(self, mu: Any) -> Any:
        return mu >= 0

    def _logpmf(self, k: Any, mu: Any) -> Any:
        return xlogy(k, mu) - special.gammaln(k + 1.0) - mu

    def _cdf(self, k: Any, mu: Any) -> Any:
        return special.gammaincc(k + 1.0, mu)

    def _sf(self, k: Any, mu: Any) -> Any:
        return special.gammainc(k + 1.0, mu)


class Binom(Counts):
    _counts = ("n",)

    def _valid(self, n: Any, p: Any) -> Any:
        return (n >= 0) & (n == np.floor(n)) & (p >= 0) & (p <= 1)

    def _support(self, n: Any, p: Any) -> tuple[Any, Any]:
        return 0, n

    def _logpmf(self, k: Any, n: Any, p: Any) -> Any:
        return _log_choose(n, k) + xlogy(k, p) + _xlog1py(n - k, -p)

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(n - k, k + 1.0, 1.0 - p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(k + 1.0, n - k, p)


class Bernoulli(Counts):
    def _valid(self, p: Any) -> Any:
        return (p >= 0) & (p <= 1)

    def _support(self, p: Any) -> tuple[Any, Any]:
        return 0, 1

    def _logpmf(self, k: Any, p: Any) -> Any:
        return xlogy(k, p) + _xlog1py(1.0 - k, -p)

    def _cdf(self, k: Any, p: Any) -> Any:
        return 1.0 - p + 0.0 * k

    def _sf(self, k: Any, p: Any) -> Any:
        return p + 0.0 * k


class Geom(Counts):
    def _valid(self, p: Any) -> Any:
        return (p <= 1) & (p > 0)

    def _logpmf(self, k: Any, p: Any) -> Any:
        return _xlog1py(k - 1.0, -p) + np.log(p)

    def _cdf(self, k: Any, p: Any) -> Any:
        return -np.expm1(np.log1p(-p) * k)

    def _sf(self, k: Any, p: Any) -> Any:
        return np.exp(self._logsf(k, p))

    def _logsf(self, k: Any, p: Any) -> Any:
        return k * np.log1p(-p)


class Nbinom(Counts):
    def _valid(self, n: Any, p: Any) -> Any:
        return (n > 0) & (p > 0) & (p <= 1)

    def _logpmf(self, k: Any, n: Any, p: Any) -> Any:
        found = special.gammaln(n + k) - special.gammaln(k + 1.0) - special.gammaln(n)
        return found + n * np.log(p) + _xlog1py(k, -p)

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(n, k + 1.0, p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(k + 1.0, n, 1.0 - p)


class Hypergeom(Counts):
    """All its parameters count: it is plain, or refuses Variables by name."""

    _counts = ("M", "n", "N")

    def _density(self, method: str, x: Any, args: Any, kwds: Any) -> Any:
        self._counted(method, x, args, kwds)
        x, args, kwds = value((x, args, kwds))
        return getattr(self._scipys, method)(x, *args, **kwds)

    def _mass(self, method: str, x: Any, args: Any, kwds: Any, before: float, after: float) -> Any:
        return self._density(method, x, args, kwds)


hypergeom = Hypergeom(scipy.stats.hypergeom)
poisson = Poisson(scipy.stats.poisson)
binom = Binom(scipy.stats.binom)
bernoulli = Bernoulli(scipy.stats.bernoulli)
geom = Geom(scipy.stats.geom)
nbinom = Nbinom(scipy.stats.nbinom)
