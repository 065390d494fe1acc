"""Calls of scipy.integrate and scipy.spatial.distance on sampled data, by name."""

import numpy as np

from tapegrad.scipy import integrate
from tapegrad.scipy.spatial import distance


def draw(*shape):
    return np.random.default_rng(5).standard_normal(shape)


def points(n):
    return np.cumsum(np.random.default_rng(3).uniform(0.3, 1.0, n))


Y5, Y6, X5, X6, M = draw(5), draw(6), points(5), points(6), draw(2, 5)

SAMPLED = {
    "trapezoid": (integrate.trapezoid, (Y5, X5)),
    "trapezoid step": (lambda y, h: integrate.trapezoid(y, dx=h, axis=0), (M, np.array(0.3))),
    "cumulative_trapezoid": (integrate.cumulative_trapezoid, (Y5, X5)),
    "cumulative_trapezoid initial": (
        lambda y: integrate.cumulative_trapezoid(y, dx=0.5, axis=0, initial=0),
        (M,),
    ),
    "cumulative_trapezoid two axes": (integrate.cumulative_trapezoid, (M, np.stack([X5, X5 + 1]))),
    "simpson": (lambda y, x: integrate.simpson(y, x), (Y5, X5)),
    "simpson even": (lambda y, x: integrate.simpson(y, x=x), (Y6, X6)),
    "simpson step": (lambda y, h: integrate.simpson(y, dx=h), (Y5, np.array(0.3))),
    "simpson even step": (lambda y, h: integrate.simpson(y, dx=h), (Y6, np.array(0.3))),
    "simpson two": (lambda y, x: integrate.simpson(y, x=x), (Y5[:2], X5[:2])),
    "simpson axis": (lambda y: integrate.simpson(y, axis=0), (draw(4, 2),)),
    "simpson two axes": (lambda y, x: integrate.simpson(y, x=x), (M, np.stack([X5, X5 * 2]))),
    "cumulative_simpson": (lambda y, x: integrate.cumulative_simpson(y, x=x), (Y5, X5)),
    "cumulative_simpson even": (lambda y, x: integrate.cumulative_simpson(y, x=x), (Y6, X6)),
    "cumulative_simpson step": (
        lambda y, i: integrate.cumulative_simpson(y, dx=0.3, initial=i),
        (M, np.array(1.5)),
    ),
    "cumulative_simpson axis": (
        lambda y, x: integrate.cumulative_simpson(y, x=x, axis=0),
        (draw(4, 2), points(4)),
    ),
    "cumulative_simpson short": (
        lambda y, x: integrate.cumulative_simpson(y, x=x),
        (Y5[:2], X5[:2]),
    ),
    "romb": (lambda y: integrate.romb(y, 0.3), (Y5,)),
    "romb axis": (lambda y: integrate.romb(y, axis=0), (draw(3, 2),)),
    "fixed_quad": (
        lambda a, b, c: integrate.fixed_quad(lambda t, c: np.exp(-c * t), a, b, (c,), n=6)[0],
        (np.array(0.2), np.array(1.7), np.array(0.6)),
    ),
}

A, B = draw(3, 4), 0.3 - draw(2, 4) ** 2
W, PA, PB = points(4), np.abs(A) + 0.1, np.abs(B) + 0.1
COVARIANCE = np.linalg.inv(np.cov(draw(9, 4).T))
METRICS = {
    "euclidean": {}, "sqeuclidean": {}, "cityblock": {}, "chebyshev": {}, "minkowski": {"p": 3},
    "minkowski w": {"p": 2.5, "w": W}, "minkowski inf": {"p": np.inf}, "cosine": {},
    "correlation": {}, "canberra": {}, "braycurtis": {}, "jensenshannon": {},
    "seuclidean": {}, "seuclidean V": {"V": W},
    "mahalanobis": {}, "mahalanobis VI": {"VI": COVARIANCE}, "euclidean w": {"w": W},
    "sqeuclidean w": {"w": W}, "cityblock w": {"w": W}, "chebyshev w": {"w": W},
    "cosine w": {"w": W}, "correlation w": {"w": W}, "canberra w": {"w": W},
    "braycurtis w": {"w": W}, "sqe": {}, "mahal": {},
}  # fmt: skip


def distances(name):
    """The calls of cdist and pdist for a row of METRICS, and their arguments."""
    metric, given = name.split()[0], METRICS[name]
    a, b = (PA, PB) if metric in ("jensenshannon", "braycurtis") else (A, B)
    if metric.startswith("mahal") and not given:  # whose covariance needs enough points
        a = draw(7, 4)
    keys = [key for key in given if isinstance(given[key], np.ndarray)]
    rest = {key: x for key, x in given.items() if key not in keys}
    arrays = tuple(given[key] for key in keys)

    def both(a, b, *arrays):
        return distance.cdist(a, b, metric, **rest, **dict(zip(keys, arrays, strict=True)))

    def one(a, *arrays):
        return distance.pdist(a, metric, **rest, **dict(zip(keys, arrays, strict=True)))

    return (both, (a, b, *arrays)), (one, (a, *arrays))
