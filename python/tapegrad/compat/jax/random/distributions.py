"""Distributions that are made of uniform and normal numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.compat.jax.arrays import plain, wrap
from tapegrad.compat.jax.random.draws import (
    drawn,
    float_of,
    normal,
    of_erf,
    permutation,
    randint,
    shape_of,
    uniform,
)


def _like(shape: Any, *arrays: Any) -> tuple[int, ...]:
    """The shape that is asked for, by default that of the arrays together."""
    return np.broadcast_shapes(*map(np.shape, arrays)) if shape is None else shape_of(shape)


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, **settings: Any) -> Any:
    """Flags, true with probability p."""
    p = plain(p)
    dtype = np.float32 if np.result_type(p) == np.float32 and np.ndim(p) else np.float64
    return wrap(np.less(plain(uniform(key, np.shape(p) if shape is None else shape, dtype)), p))


def exponential(key: Any, shape: Any = (), dtype: Any = float, **settings: Any) -> Any:
    """Exponential of mean 1."""
    return wrap(-np.log1p(-plain(uniform(key, shape, dtype))))


def gumbel(key: Any, shape: Any = (), dtype: Any = float, **settings: Any) -> Any:
    """Gumbel of location 0 and scale 1."""
    tiny = np.finfo(dtype).tiny
    return wrap(-np.log(-np.log(plain(uniform(key, shape, dtype, tiny)))))


def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None, **settings: Any) -> Any:
    """Classes, by the logarithms of their odds."""
    if not settings.pop("replace", True):
        raise NotImplementedError(
            "jax.random.categorical: replace=False is not there; jax.random.choice(key, n, shape, "
            "replace=False, p=...) is"
        )
    logits = plain(logits)
    axis = axis - np.ndim(logits) if axis >= 0 else axis
    batch = tuple(n for k, n in enumerate(np.shape(logits)) if k != axis % np.ndim(logits))
    shape = batch if shape is None else shape_of(shape)
    front, inner = shape[: len(shape) - len(batch)], list(shape[len(shape) - len(batch) :])
    inner.insert(axis % np.ndim(logits), np.shape(logits)[axis])
    noise = plain(gumbel(key, (*front, *inner), np.result_type(logits, np.float32)))
    return wrap(np.argmax(noise + logits, axis=axis))


def laplace(key: Any, shape: Any = (), dtype: Any = float, **settings: Any) -> Any:
    """Laplace of location 0 and scale 1."""
    u = plain(uniform(key, shape, dtype, -1.0 + np.finfo(dtype).epsneg))
    return wrap(np.sign(u) * np.log1p(-np.abs(u)))


def logistic(key: Any, shape: Any = (), dtype: Any = float, **settings: Any) -> Any:
    """Logistic of location 0 and scale 1."""
    u = plain(uniform(key, shape, dtype, np.finfo(dtype).tiny))
    return wrap(np.log(u) - np.log1p(-u))


def cauchy(key: Any, shape: Any = (), dtype: Any = float, **settings: Any) -> Any:
    """Cauchy of location 0 and scale 1."""
    u = plain(uniform(key, shape, dtype, np.finfo(dtype).eps))
    return wrap(np.tan(np.asarray(np.pi, dtype)[()] * (u - np.asarray(0.5, dtype)[()])))


def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = float, **settings: Any) -> Any:
    """Pareto of shape b and scale 1."""
    b = plain(b)
    e = plain(exponential(key, np.shape(b) if shape is None else shape, dtype))
    return wrap(np.exp(e / b))


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = float, **settings: Any
) -> Any:
    """Normal of mean 0 and variance 1, between two bounds."""
    kind = float_of("truncated_normal", dtype)
    low, high = np.asarray(plain(lower), kind), np.asarray(plain(upper), kind)
    size = np.broadcast_shapes(low.shape, high.shape) if shape is None else shape_of(shape)
    root = kind(np.sqrt(2))
    a, b = (np.asarray(_core.apply("erf", (np.asarray(x / root),))) for x in (low, high))

    found = drawn(of_erf, key, size, kind, a, b)
    return wrap(np.clip(found, np.nextafter(low, kind(np.inf)), np.nextafter(high, kind(-np.inf))))


def rademacher(key: Any, shape: Any = (), dtype: Any = int, **settings: Any) -> Any:
    """1 or -1."""
    flags = bernoulli(key, 0.5, shape)
    return wrap((2 * np.where(plain(flags), 1, 0) - 1).astype(dtype))


def multivariate_normal(
    key: Any, mean: Any, cov: Any, shape: Any = None, dtype: Any = float,
    method: str = "cholesky", **settings: Any,
) -> Any:  # fmt: skip
    """Normal vectors of this mean and covariance, by the Cholesky factor."""
    if method != "cholesky":
        raise NotImplementedError(
            f"jax.random.multivariate_normal: method={method!r} is not there; 'cholesky' is"
        )
    mean, cov = plain(mean), plain(cov)
    batch = np.broadcast_shapes(np.shape(mean)[:-1], np.shape(cov)[:-2])
    size = batch if shape is None else shape_of(shape)
    noise = plain(normal(key, (*size, np.shape(mean)[-1]), dtype))
    return wrap(mean + np.einsum("...ij,...j->...i", np.linalg.cholesky(cov), noise))


def lognormal(
    key: Any, sigma: Any = 1.0, shape: Any = None, dtype: Any = float, **settings: Any
) -> Any:
    """The exponential of normal numbers of deviation sigma."""
    sigma = plain(sigma)
    return wrap(np.exp(sigma * plain(normal(key, _like(shape, sigma), dtype))))


def rayleigh(key: Any, scale: Any, shape: Any = None, dtype: Any = float, **settings: Any) -> Any:
    """The length of a pair of normal numbers of deviation `scale`."""
    scale = plain(scale)
    return wrap(scale * np.sqrt(-2.0 * np.log(plain(uniform(key, _like(shape, scale), dtype)))))


def weibull_min(
    key: Any, scale: Any, concentration: Any, shape: Any = None, dtype: Any = float, **s: Any
) -> Any:
    """Weibull of this scale and shape."""
    scale, concentration = plain(scale), plain(concentration)
    u = plain(uniform(key, _like(shape, scale, concentration), dtype))
    return wrap(scale * np.power(-np.log1p(-u), 1.0 / concentration))


def maxwell(key: Any, shape: Any = (), dtype: Any = float, **settings: Any) -> Any:
    """The length of three normal numbers."""
    x = plain(normal(key, (*shape_of(shape), 3), dtype))
    return wrap(np.sqrt(np.sum(x * x, axis=-1)))


def triangular(
    key: Any, left: Any, mode: Any, right: Any, shape: Any = None, dtype: Any = float, **s: Any
) -> Any:
    """Triangular between two bounds, with the peak at `mode`."""
    left, mode, right = plain(left), plain(mode), plain(right)
    u = plain(uniform(key, _like(shape, left, mode, right), dtype))
    rising = left + np.sqrt(u * (right - left) * (mode - left))
    falling = right - np.sqrt((1 - u) * (right - left) * (right - mode))
    return wrap(np.where(u < (mode - left) / (right - left), rising, falling))


def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = int, **settings: Any) -> Any:
    """How many trials it takes, each of which succeeds with probability p."""
    p = plain(p)
    u = plain(uniform(key, _like(shape, p)))
    trials = np.floor(np.log(np.where(u == 0, 1.0, u)) / np.log1p(-p)) + 1
    return wrap(trials.astype(dtype))


def orthogonal(
    key: Any, n: int, shape: Any = (), dtype: Any = float, m: int | None = None, **settings: Any
) -> Any:
    """Orthogonal matrices, n by m where m is given."""
    m = n if m is None else m
    q, r = np.linalg.qr(plain(normal(key, (*shape_of(shape), max(n, m), min(n, m)), dtype)))
    q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    return wrap(np.swapaxes(q, -1, -2) if n < m else q)


def choice(
    key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0,
    **settings: Any,
) -> Any:  # fmt: skip
    """Elements of an array or a range, by chance."""
    a, shape = plain(a), shape_of(shape)
    n = int(a) if np.ndim(a) == 0 else np.shape(a)[axis]
    draws = int(np.prod(shape))
    if not replace and draws > n:
        raise ValueError(
            f"jax.random.choice: {draws} draws of {n} elements without replacement; draw fewer, or "
            "give replace=True"
        )
    if p is not None and np.shape(p) != (n,):
        raise ValueError(
            f"jax.random.choice: p has shape {np.shape(p)}, and must have ({n},): one for each"
        )
    if p is None and replace:
        places: Any = randint(key, shape, 0, n)
    elif p is None:
        places = permutation(key, n)[:draws]
    elif replace:
        sums = np.cumsum(plain(p))
        drawn = plain(uniform(key, shape, sums.dtype))
        places = np.searchsorted(sums, sums[-1] * (1 - drawn))
    else:
        scores = plain(gumbel(key, (n,))) + np.log(plain(p))
        places = np.argsort(-scores, kind="stable")[:draws]
    places = np.reshape(plain(places), shape)
    return wrap(places if np.ndim(a) == 0 else np.take(a, places, axis))
