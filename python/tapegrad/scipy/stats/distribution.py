"""Distributions of SciPy whose densities and distribution functions take Variables.

A subclass says what a distribution is in standard form, location 0 and scale 1: `logpdf`, `cdf` and
whatever else has a better formula than what follows from these. Here stands what SciPy does around
it: location and scale, zero density outside of the support, NaN where a parameter is out of range.
All else (moments, random numbers, fits) is SciPy's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats

from tapegrad._core import Variable, to_number
from tapegrad.numpy.operands import is_integer
from tapegrad.scipy.arrays import floats
from tapegrad.scipy.functions import FUNCTIONS, Function, holds_variable, refuse, refuse_complex
from tapegrad.transforms.trace import value


def _double(x: Any) -> Any:
    return floats(x).astype(np.float64)


def xlogy(x: Any, y: Any) -> Any:
    """The product of x and log(y), zero where both are."""
    return np.where((x == 0) & (y <= 0), 0.0, x * np.log(y))


def far_is_none(x: Any, log: Any) -> Any:
    """The logarithm of a density, which at infinity is none."""
    return np.where(np.isinf(x), -np.inf, log)


def _log_of(p: Any, rest: Any) -> Any:
    """The logarithm of a probability, of which the rest to one is known as exactly."""
    return np.where(p < 0.5, np.log(p), np.log1p(-rest))


class Standard:
    """A continuous distribution of SciPy, called as SciPy's own."""

    _methods: tuple[str, ...] = (
        "pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf"
    )  # fmt: skip

    def __init__(self, scipys: Any) -> None:
        self._scipys = scipys
        name = f"scipy.stats.{scipys.name}"
        for method in self._methods:
            FUNCTIONS[f"{name}.{method}"] = Function(
                f"{name}.{method}", getattr(scipys, method), getattr(self, method), {}, False
            )

    def __getattr__(self, name: str) -> Any:
        if name == "_scipys":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self._scipys, name)

    def __reduce__(self) -> Any:
        return _of_name, (self._scipys.name,)

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        return self.freeze(*args, **kwds)

    def freeze(self, *args: Any, **kwds: Any) -> Frozen:
        """The distribution with its parameters."""
        return Frozen(self, args, kwds)

    # In standard form: what subclasses say.

    def _valid(self, *shapes: Any) -> Any:
        found: Any = True
        for x in shapes:
            found = found & (x > 0)
        return found

    def _support(self, *shapes: Any) -> tuple[Any, Any]:
        return self._scipys.a, self._scipys.b

    def _logpdf(self, x: Any, *shapes: Any) -> Any:
        return np.log(self._pdf(x, *shapes))

    def _pdf(self, x: Any, *shapes: Any) -> Any:
        return np.exp(self._logpdf(x, *shapes))

    def _cdf(self, x: Any, *shapes: Any) -> Any:
        return 1.0 - self._sf(x, *shapes)

    def _sf(self, x: Any, *shapes: Any) -> Any:
        return 1.0 - self._cdf(x, *shapes)

    def _logcdf(self, x: Any, *shapes: Any) -> Any:
        return _log_of(self._cdf(x, *shapes), self._sf(x, *shapes))

    def _logsf(self, x: Any, *shapes: Any) -> Any:
        return _log_of(self._sf(x, *shapes), self._cdf(x, *shapes))

    def _isf(self, q: Any, *shapes: Any) -> Any:
        return self._ppf(1.0 - q, *shapes)

    def _ppf(self, q: Any, *shapes: Any) -> Any:
        refuse(f"scipy.stats.{self._scipys.name}.ppf", "the inverse", "solve cdf(x) = q for x")

    # As SciPy calls them.

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        return self._density("pdf", x, args, kwds)

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        return self._density("logpdf", x, args, kwds)

    def cdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        return self._mass("cdf", x, args, kwds, 0.0, 1.0)

    def sf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        return self._mass("sf", x, args, kwds, 1.0, 0.0)

    def logcdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        return self._mass("logcdf", x, args, kwds, -np.inf, 0.0)

    def logsf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        return self._mass("logsf", x, args, kwds, 0.0, -np.inf)

    def ppf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        return self._quantile("ppf", q, args, kwds)

    def isf(self, q: Any, *args: Any, **kwds: Any) -> Any:
        return self._quantile("isf", q, args, kwds)

    def _taken(self, method: str, x: Any, args: Any, kwds: Any) -> tuple[Any, ...]:
        refuse_complex(f"scipy.stats.{self._scipys.name}.{method}", (x, args, kwds))
        shapes, loc, scale = self._scipys._parse_args(*args, **kwds)
        return _double(x), tuple(map(_double, shapes)), _double(loc), _double(scale)

    def _density(self, method: str, x: Any, args: Any, kwds: Any) -> Any:
        if not holds_variable((x, args)) and not holds_variable(kwds):
            return getattr(self._scipys, method)(x, *args, **kwds)
        x, shapes, loc, scale = self._taken(method, x, args, kwds)
        with np.errstate(all="ignore"):
            x = (x - loc) / scale
            low, high = self._support(*shapes)
            good = self._valid(*shapes) & (scale > 0)
            found = getattr(self, f"_{method}")(x, *shapes)
            found = found - np.log(scale) if method == "logpdf" else found / scale
            inside = (x > low) & (x < high) if self._is_open() else (x >= low) & (x <= high)
            found = np.where(inside, found, -np.inf if method == "logpdf" else 0.0)
            return to_number(np.where(good & ~np.isnan(x), found, np.nan))

    def _is_open(self) -> bool:
        """Whether SciPy takes the ends of the support for outside."""
        mask = getattr(self._scipys._support_mask, "__func__", None)
        return mask is scipy.stats.rv_continuous._open_support_mask

    def _mass(self, method: str, x: Any, args: Any, kwds: Any, before: float, after: float) -> Any:
        if not holds_variable((x, args)) and not holds_variable(kwds):
            return getattr(self._scipys, method)(x, *args, **kwds)
        x, shapes, loc, scale = self._taken(method, x, args, kwds)
        with np.errstate(all="ignore"):
            x = (x - loc) / scale
            low, high = self._support(*shapes)
            good = self._valid(*shapes) & (scale > 0)
            found = getattr(self, f"_{method}")(x, *shapes)
            found = np.where(x <= low, before, np.where(x >= high, after, found))
            return to_number(np.where(good & ~np.isnan(x), found, np.nan))

    def _quantile(self, method: str, q: Any, args: Any, kwds: Any) -> Any:
        if not holds_variable((q, args)) and not holds_variable(kwds):
            return getattr(self._scipys, method)(q, *args, **kwds)
        q, shapes, loc, scale = self._taken(method, q, args, kwds)
        with np.errstate(all="ignore"):
            low, high = self._support(*shapes)
            at_zero, at_one = (low, high) if method == "ppf" else (high, low)
            good = self._valid(*shapes) & (scale > 0) & (q >= 0) & (q <= 1)
            found = getattr(self, f"_{method}")(q, *shapes)
            found = np.where(q == 0, at_zero, np.where(q == 1, at_one, found))
            return to_number(np.where(good, found * scale + loc, np.nan))


class Counts(Standard):
    """A distribution of SciPy on the integers."""

    _methods = ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf")
    _counts: tuple[str, ...] = ()  # the parameters that are whole numbers

    def pmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        return self._density("pmf", k, args, kwds)

    def logpmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        return self._density("logpmf", k, args, kwds)

    def _logpmf(self, k: Any, *shapes: Any) -> Any:
        return np.log(self._pmf(k, *shapes))

    def _pmf(self, k: Any, *shapes: Any) -> Any:
        return np.exp(self._logpmf(k, *shapes))

    def _counted(self, method: str, k: Any, args: Any, kwds: Any) -> tuple[Any, ...]:
        name = f"scipy.stats.{self._scipys.name}.{method}"
        refuse_complex(name, (k, args, kwds))
        shapes, loc, _ = self._scipys._parse_args(*args, **kwds)
        named = zip(self._scipys.shapes.split(", "), shapes, strict=True)
        counts = [(what, x) for what, x in named if what in self._counts]
        for what, x in (("k", k), ("loc", loc), *counts):
            if isinstance(x, Variable) and not is_integer(x) and x.dtype != bool:
                refuse(name, f"{what}, which counts in whole numbers,", f"pass tg.value({what})")
        return _double(k) - loc, tuple(map(_double, shapes))

    def _density(self, method: str, x: Any, args: Any, kwds: Any) -> Any:
        if not holds_variable((x, args)) and not holds_variable(kwds):
            return getattr(self._scipys, method)(x, *args, **kwds)
        k, shapes = self._counted(method, x, args, kwds)
        with np.errstate(all="ignore"):
            low, high = self._support(*shapes)
            found = getattr(self, f"_{method}")(k, *shapes)
            inside = (k >= low) & (k <= high) & (k == np.floor(k))
            found = np.where(inside, found, -np.inf if method == "logpmf" else 0.0)
            return to_number(np.where(self._valid(*shapes) & ~np.isnan(k), found, np.nan))

    def _mass(self, method: str, x: Any, args: Any, kwds: Any, before: float, after: float) -> Any:
        if not holds_variable((x, args)) and not holds_variable(kwds):
            return getattr(self._scipys, method)(x, *args, **kwds)
        k, shapes = self._counted(method, x, args, kwds)
        with np.errstate(all="ignore"):
            low, high = self._support(*shapes)
            found = getattr(self, f"_{method}")(np.floor(k), *shapes)
            found = np.where(k < low, before, np.where(k >= high, after, found))
            return to_number(np.where(self._valid(*shapes) & ~np.isnan(k), found, np.nan))

    def _quantile(self, method: str, q: Any, args: Any, kwds: Any) -> Any:
        # A whole number, which has no derivative: plain, as positions and counts are.
        q, args, kwds = value((q, args, kwds))
        return getattr(self._scipys, method)(q, *args, **kwds)


class Frozen:
    """A distribution with its parameters."""

    def __init__(self, dist: Standard, args: Any, kwds: Any) -> None:
        self.dist, self.args, self.kwds = dist, args, kwds
        self._plain = None if holds_variable((args, kwds)) else dist._scipys(*args, **kwds)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "dist" not in self.__dict__:
            raise AttributeError(name)
        if name in (*self.dist._methods, "ppf", "isf"):
            method = getattr(self.dist, name)
            return lambda x: method(x, *self.args, **self.kwds)
        if self._plain is not None:
            return getattr(self._plain, name)
        method = getattr(self.dist, name)  # SciPy's, which refuses Variables by its name
        return lambda *args, **kwds: method(*args, *self.args, **{**self.kwds, **kwds})


def _of_name(name: str) -> Any:
    from tapegrad.scipy import stats

    return getattr(stats, name)
