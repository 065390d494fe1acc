"""Distributions of vectors, and kernel density estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from scipy import special

from tapegrad._core import apply
from tapegrad.scipy.arrays import floats, ndim_of, shape_of
from tapegrad.scipy.functions import (
    FUNCTIONS,
    Function,
    holds_variable,
    refuse,
    refuse_complex,
)
from tapegrad.scipy.stats.distribution import xlogy

_LOG_2PI = np.log(2.0 * np.pi)


class _OfVectors:
    """A distribution of SciPy whose densities take Variables; all else is SciPy's own."""

    def __init__(self, name: str, scipys: Any) -> None:
        self._name, self._scipys = f"scipy.stats.{name}", scipys
        for method in ("logpdf", "pdf"):
            path = f"{self._name}.{method}"
            own = getattr(self, method)
            FUNCTIONS[path] = Function(path, getattr(scipys, method), own, {}, False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._scipys, name)

    def __call__(self, *args: Any, **kwds: Any) -> Any:
        return _FrozenVectors(self, args, kwds)

    def _density(self, x: Any, *args: Any, **kwds: Any) -> Any:
        raise NotImplementedError

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        if not holds_variable((x, args)) and not holds_variable(kwds):
            return self._scipys.logpdf(x, *args, **kwds)
        refuse_complex(f"{self._name}.logpdf", (x, args, kwds))
        return self._density(x, *args, **kwds)

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        if not holds_variable((x, args)) and not holds_variable(kwds):
            return self._scipys.pdf(x, *args, **kwds)
        return np.exp(self.logpdf(x, *args, **kwds))


class _FrozenVectors:
    """One of these with its parameters."""

    def __init__(self, of: _OfVectors, args: Any, kwds: Any) -> None:
        self._of, self._args, self._kwds = of, args, kwds
        self._plain = None if holds_variable((args, kwds)) else of._scipys(*args, **kwds)

    def __getattr__(self, name: str) -> Any:
        if name in ("logpdf", "pdf"):
            return lambda x: getattr(self._of, name)(x, *self._args, **self._kwds)
        if name.startswith("_") or self._plain is None:
            raise AttributeError(
                f"{self._of._name}: .{name} with parameters that are Variables has no derivative; "
                f"draw standard numbers, and shift and scale them, or give it plain parameters, "
                "tg.value(v)"
            )
        return getattr(self._plain, name)


def _centred(x: Any, loc: Any, matrix: Any) -> tuple[Any, Any, int]:
    """Points minus a location, with the coordinates last, and a matrix of their scales."""
    x, loc, matrix = floats(x), floats(loc), floats(matrix)
    n = max(shape_of(loc)[-1:] + shape_of(matrix)[-1:] + (1,))
    if ndim_of(matrix) < 2:
        matrix = np.eye(n) * matrix
    if shape_of(matrix) != (n, n) or ndim_of(loc) > 1:
        raise ValueError(
            f"a location of shape {shape_of(loc)} and a matrix of shape {shape_of(matrix)} do not "
            "fit"
        )
    if ndim_of(x) == 0:
        x = np.reshape(x, (1,))
    elif ndim_of(x) == 1 and n == 1:
        x = x[:, None]
    if shape_of(x)[-1] != n:
        raise ValueError(f"points of shape {shape_of(x)} for vectors of {n} numbers")
    return x - loc, matrix, n


def _distances(d: Any, matrix: Any) -> tuple[Any, Any]:
    """The squares of d by the inverse of a matrix, and the logarithm of its determinant."""
    factor = np.linalg.cholesky((matrix + matrix.T) / 2.0)
    n = shape_of(matrix)[0]
    flat = np.reshape(d, (-1, n))
    white = apply("solve_triangular", (factor, flat.T), (True, False, False))
    squares = np.reshape(np.sum(white * white, axis=0), shape_of(d)[:-1])
    return squares, 2.0 * np.sum(np.log(np.diagonal(factor)))


class MultivariateNormal(_OfVectors):
    def _density(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: Any = False) -> Any:
        if allow_singular:
            refuse(self._name, "allow_singular=True", "leave it out, or add to the diagonal of cov")
        d, cov, n = _centred(x, 0.0 if mean is None else mean, cov)
        squares, log_det = _distances(d, cov)
        return -0.5 * (n * _LOG_2PI + log_det + squares)


class MultivariateT(_OfVectors):
    def _density(
        self, x: Any, loc: Any = None, shape: Any = 1, df: Any = 1, allow_singular: Any = False
    ) -> Any:
        if allow_singular:
            refuse(self._name, "allow_singular=True", "leave it out, or add to the diagonal")
        d, shape, n = _centred(x, 0.0 if loc is None else loc, shape)
        squares, log_det = _distances(d, shape)
        half = 0.5 * (df + n)
        found = special.gammaln(half) - special.gammaln(0.5 * df)
        found = found - 0.5 * n * np.log(df * np.pi) - 0.5 * log_det
        return found - half * np.log1p(squares / df)


class Dirichlet(_OfVectors):
    def _density(self, x: Any, alpha: Any) -> Any:
        x, alpha = floats(x), floats(alpha)
        if np.any(alpha <= 0):
            raise ValueError("All parameters must be greater than 0")
        n = shape_of(alpha)[0]
        if shape_of(x)[0] == n - 1:
            x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)])
        if shape_of(x)[0] != n:
            raise ValueError(f"x of shape {shape_of(x)} for {n} parameters")
        if np.any(np.abs(np.sum(x, axis=0) - 1.0) > 1e-9) or np.any(x < 0):
            raise ValueError("The input vector 'x' must lie within the normal simplex.")
        powers = np.reshape(alpha - 1.0, (-1, *(1,) * (ndim_of(x) - 1)))
        log_beta = np.sum(special.gammaln(alpha)) - special.gammaln(np.sum(alpha))
        return np.sum(xlogy(powers, x), axis=0) - log_beta


class Wishart(_OfVectors):
    def _density(self, x: Any, df: Any, scale: Any) -> Any:
        """Its points are matrices, one or many along a third axis."""
        x, df, scale = floats(x), floats(df), floats(scale)
        if ndim_of(scale) == 0:
            scale = np.reshape(scale, (1, 1))
        elif ndim_of(scale) == 1:
            scale = np.diag(scale)
        p = shape_of(scale)[0]
        if ndim_of(x) < 2 and p == 1:
            x = np.reshape(x, (1, 1, *shape_of(x)))
        if shape_of(scale) != (p, p) or shape_of(x)[:2] != (p, p):
            raise ValueError(
                f"{self._name}: points of shape {shape_of(x)} and a scale of shape "
                f"{shape_of(scale)} do not fit"
            )
        if np.any(df <= p - 1):
            raise ValueError(
                "Degrees of freedom must be greater than the dimension of scale matrix minus 1."
            )
        x = np.moveaxis(np.reshape(x, (p, p, -1)), -1, 0) if ndim_of(x) > 2 else x
        x = (x + np.swapaxes(x, -1, -2)) / 2.0
        scale = (scale + scale.T) / 2.0
        factor = np.linalg.cholesky(scale)
        log_det = 2.0 * np.sum(np.log(np.diagonal(factor)))
        of_x = np.diagonal(np.linalg.cholesky(x), axis1=-2, axis2=-1)
        traces = np.sum(np.linalg.inv(scale) * x, axis=(-2, -1))
        found = (df - p - 1.0) * np.sum(np.log(of_x), axis=-1) - 0.5 * traces
        rest = 0.5 * df * (p * np.log(2.0) + log_det) + 0.25 * p * (p - 1) * np.log(np.pi)
        return found - rest - sum(special.gammaln(0.5 * (df - j)) for j in range(p))


wishart = Wishart("wishart", scipy.stats.wishart)
multivariate_normal = MultivariateNormal("multivariate_normal", scipy.stats.multivariate_normal)
multivariate_t = MultivariateT("multivariate_t", scipy.stats.multivariate_t)
dirichlet = Dirichlet("dirichlet", scipy.stats.dirichlet)


class gaussian_kde:  # noqa: N801 - SciPy's name
    """scipy.stats.gaussian_kde of Variables: in the data, their weights and the points."""

    def __init__(self, dataset: Any, bw_method: Any = None, weights: Any = None) -> None:
        name = "scipy.stats.gaussian_kde"
        refuse_complex(name, (dataset, weights))
        plain = not holds_variable((dataset, bw_method, weights))
        self._plain = scipy.stats.gaussian_kde(dataset, bw_method, weights) if plain else None
        data = np.atleast_2d(floats(dataset))
        d, n = shape_of(data)
        if n < 2:
            raise ValueError("`dataset` input should have multiple elements.")
        w = np.full(n, 1.0 / n) if weights is None else floats(weights)
        w = w / np.sum(w)
        size = 1.0 / np.sum(w**2)
        if bw_method is None or bw_method == "scott":
            factor = size ** (-1.0 / (d + 4))
        elif bw_method == "silverman":
            factor = (size * (d + 2.0) / 4.0) ** (-1.0 / (d + 4))
        elif isinstance(bw_method, str):
            raise ValueError("`bw_method` should be 'scott', 'silverman', a scalar or a callable.")
        elif callable(bw_method):
            refuse(name, "a function for bw_method=", "pass the number that it gives")
        else:
            factor = bw_method
        middle = data - np.sum(data * w, axis=1, keepdims=True)
        covariance = (middle * w) @ middle.T / (1.0 - np.sum(w**2)) * factor**2
        self._factor = np.linalg.cholesky(covariance)
        self._data, self._weights, self._d = data, w, d

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self._plain is None:
            raise AttributeError(f"scipy.stats.gaussian_kde: .{name} of data that are Variables")
        return getattr(self._plain, name)

    def logpdf(self, x: Any) -> Any:
        """The logarithm of the estimated density."""
        if self._plain is not None and not holds_variable(x):
            return self._plain.logpdf(x)
        x = np.atleast_2d(floats(x))
        if shape_of(x)[0] != self._d and shape_of(x) == (1, self._d):
            x = np.reshape(x, (self._d, 1))
        if shape_of(x)[0] != self._d:
            raise ValueError(f"points have dimension {shape_of(x)[0]}, dataset has {self._d}")

        def white(y: Any) -> Any:
            return apply("solve_triangular", (self._factor, y), (True, False, False))

        d = white(x)[:, :, None] - white(self._data)[:, None, :]
        logs = np.log(self._weights) - 0.5 * np.sum(d * d, axis=0)
        constant = 0.5 * self._d * _LOG_2PI + np.sum(np.log(np.diagonal(self._factor)))
        return np.logaddexp.reduce(logs, axis=1) - constant

    def evaluate(self, points: Any) -> Any:
        """The estimated density at points."""
        if self._plain is not None and not holds_variable(points):
            return self._plain.evaluate(points)
        return np.exp(self.logpdf(points))

    __call__ = evaluate
    pdf = evaluate


FUNCTIONS["scipy.stats.gaussian_kde"] = Function(
    "scipy.stats.gaussian_kde", scipy.stats.gaussian_kde, gaussian_kde, {}, False
)
