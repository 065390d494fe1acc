"""Distances of points.

Where points coincide, a distance with a cone's tip there has derivative zero, as norms have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.spatial.distance

from tapegrad.numpy.operands import finish
from tapegrad.scipy.arrays import array, floats, ndim_of, shape_of
from tapegrad.scipy.functions import derives, others_of, refuse, with_parameters_of

__all__ = [
    "braycurtis", "canberra", "cdist", "chebyshev", "cityblock", "correlation", "cosine",
    "euclidean", "jensenshannon", "mahalanobis", "minkowski", "pdist", "seuclidean",
    "sqeuclidean", "squareform",
]  # fmt: skip

__getattr__ = others_of("scipy.spatial.distance")

# Of each metric: the function of two stacks of points, whose last axes are the coordinates.


def _euclidean(u: Any, v: Any, w: Any = None) -> Any:
    d = u - v
    return np.linalg.norm(d if w is None else np.sqrt(w) * d, axis=-1)


def _sqeuclidean(u: Any, v: Any, w: Any = None) -> Any:
    return _sum((u - v) ** 2, w)


def _cityblock(u: Any, v: Any, w: Any = None) -> Any:
    return _sum(np.abs(u - v), w)


def _chebyshev(u: Any, v: Any, w: Any = None) -> Any:
    d = np.abs(u - v)
    return np.max(d if w is None else d * (w != 0), axis=-1)


def _minkowski(u: Any, v: Any, p: Any = 2.0, w: Any = None) -> Any:
    if p <= 0:
        raise ValueError("p must be greater than 0")
    d = u - v
    if p == np.inf:
        return _chebyshev(u, v, w)
    return np.linalg.norm(d if w is None else w ** (1.0 / p) * d, p, axis=-1)


def _seuclidean(u: Any, v: Any, V: Any = None) -> Any:
    return np.linalg.norm((u - v) / np.sqrt(V), axis=-1)


def _mahalanobis(u: Any, v: Any, VI: Any = None) -> Any:
    d = u - v
    square = np.sum((d @ VI) * d, axis=-1)
    return np.sqrt(np.where(square > 0, square, 1.0)) * (square > 0)


def _cosine(u: Any, v: Any, w: Any = None) -> Any:
    along = _sum(u * v, w) / np.sqrt(_sum(u * u, w) * _sum(v * v, w))
    return 1.0 - along


def _correlation(u: Any, v: Any, w: Any = None) -> Any:
    w = None if w is None else w / np.sum(w)

    def centred(x: Any) -> Any:
        return x - (np.mean(x, -1, keepdims=True) if w is None else _sum(x, w)[..., None])

    return _cosine(centred(u), centred(v), w)


def _canberra(u: Any, v: Any, w: Any = None) -> Any:
    below = np.abs(u) + np.abs(v)
    both_zero = below == 0
    return _sum(np.where(both_zero, 0.0, np.abs(u - v) / np.where(both_zero, 1.0, below)), w)


def _braycurtis(u: Any, v: Any, w: Any = None) -> Any:
    return _sum(np.abs(u - v), w) / _sum(np.abs(u + v), w)


def _jensenshannon(u: Any, v: Any) -> Any:
    p = u / np.sum(u, axis=-1, keepdims=True)
    q = v / np.sum(v, axis=-1, keepdims=True)
    m = (p + q) / 2.0

    def entropy(x: Any) -> Any:
        none = x == 0
        ratio = np.where(none, 1.0, x) / np.where(none, 1.0, m)
        return np.sum(np.where(none, 0.0, x * np.log(ratio)), axis=-1)

    square = (entropy(p) + entropy(q)) / 2.0
    return np.sqrt(np.where(square > 0, square, 1.0)) * (square > 0)


def _sum(x: Any, w: Any) -> Any:
    return np.sum(x if w is None else x * w, axis=-1)


_METRICS: dict[str, Callable[..., Any]] = {
    "braycurtis": _braycurtis,
    "canberra": _canberra,
    "chebyshev": _chebyshev,
    "cityblock": _cityblock,
    "correlation": _correlation,
    "cosine": _cosine,
    "euclidean": _euclidean,
    "jensenshannon": _jensenshannon,
    "mahalanobis": _mahalanobis,
    "minkowski": _minkowski,
    "seuclidean": _seuclidean,
    "sqeuclidean": _sqeuclidean,
}
_ALIASES = {
    "chebychev": "chebyshev", "cheby": "chebyshev", "cheb": "chebyshev", "ch": "chebyshev",
    "cblock": "cityblock", "cb": "cityblock", "c": "cityblock", "co": "correlation",
    "cos": "cosine", "euclid": "euclidean", "eu": "euclidean", "e": "euclidean",
    "js": "jensenshannon", "mahal": "mahalanobis", "mah": "mahalanobis", "mi": "minkowski",
    "m": "minkowski", "pnorm": "minkowski", "se": "seuclidean", "s": "seuclidean",
    "sqe": "sqeuclidean", "sqeuclid": "sqeuclidean",
}  # fmt: skip


def _metric(name: str, metric: Any, points: list[Any], given: dict[str, Any]) -> Any:
    """The function of two stacks of points, with everything else given."""
    named = metric if isinstance(metric, str) else getattr(metric, "__name__", "")
    named = named.lower()
    named = _ALIASES.get(named, named)
    if callable(metric) and named not in _METRICS:
        raise TypeError(
            f"{name}: metric={named or metric!r} is called for one pair of plain arrays after the "
            "other; write it over all pairs, metric(x[:, None, :], y[None, :, :]) with axis=-1 in "
            "its sums"
        )
    if named not in _METRICS:
        refuse(
            name,
            f"metric={metric!r}",
            f"the metrics that have one are {', '.join(map(repr, _METRICS))}",
        )
    given = {key: floats(x) if np.ndim(x) else x for key, x in given.items() if x is not None}
    if "w" in given and np.any(given["w"] < 0):
        raise ValueError("Input weights should be all non-negative")
    if named == "seuclidean" and "V" not in given:
        given["V"] = np.var(np.concatenate(points), axis=0, ddof=1)
    if named == "mahalanobis" and "VI" not in given:
        given["VI"] = np.linalg.inv(np.cov(np.concatenate(points).T)).T
    return partial(_METRICS[named], **given)


def _points(name: str, x: Any) -> Any:
    x = floats(x)
    if ndim_of(x) != 2:
        raise ValueError(f"{name}: a 2-dimensional array must be passed, got shape {shape_of(x)}")
    return x.astype(np.float64)


def _vector(name: str, x: Any) -> Any:
    x = floats(x)
    if ndim_of(x) != 1:
        raise ValueError(f"{name}: input vector should be 1-D, got shape {shape_of(x)}")
    return x


_ONE = np.ones(1, np.float32)
# Whatever the vectors are; norms before SciPy 1.18.
_IN_DOUBLE = {"canberra", "braycurtis"}
if getattr(scipy.spatial.distance.euclidean(_ONE, _ONE), "dtype", None) != np.float32:
    _IN_DOUBLE |= {"euclidean", "minkowski"}


def _of_two(name: str) -> Callable[..., Any]:
    """SciPy's function of one pair of vectors, by the metric of its name."""
    function = getattr(scipy.spatial.distance, name)
    full, metric = f"scipy.spatial.distance.{name}", _METRICS[name]

    def call(u: Any, v: Any, **options: Any) -> Any:
        is_cosine = name == "correlation" and not options.pop("centered", True)
        w = options.get("w")
        if w is None:
            options.pop("w", None)
        elif np.any(floats(w) < 0):
            raise ValueError("Input weights should be all non-negative")
        options = {key: floats(x) if np.ndim(x) else x for key, x in options.items()}
        pair = _vector(full, u), _vector(full, v)
        if name in _IN_DOUBLE and options.get("p", 2) in (1, 2):
            pair = pair[0].astype(np.float64), pair[1].astype(np.float64)
        for key in {"w", "V"} & options.keys() if name != "chebyshev" else ():
            options[key] = options[key].astype(np.float64)
        return (_cosine if is_cosine else metric)(*pair, **options)

    return derives(function, name=full)(with_parameters_of(function, call))


euclidean, sqeuclidean, cityblock = map(_of_two, ("euclidean", "sqeuclidean", "cityblock"))
chebyshev, minkowski, cosine = map(_of_two, ("chebyshev", "minkowski", "cosine"))
correlation, canberra, braycurtis = map(_of_two, ("correlation", "canberra", "braycurtis"))
mahalanobis, seuclidean = map(_of_two, ("mahalanobis", "seuclidean"))


@derives(scipy.spatial.distance.jensenshannon)
def jensenshannon(p: Any, q: Any, base: Any = None, *, axis: Any = 0, keepdims: Any = False) -> Any:
    p, q = floats(p), floats(q)
    found = _jensenshannon(np.moveaxis(p, axis, -1), np.moveaxis(q, axis, -1))
    found = found if base is None else found / np.sqrt(np.log(base))
    return np.expand_dims(found, axis) if keepdims else found


@derives(scipy.spatial.distance.cdist)
def cdist(XA: Any, XB: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> Any:
    name = "scipy.spatial.distance.cdist"
    XA, XB = _points(name, XA), _points(name, XB)
    if shape_of(XA)[1] != shape_of(XB)[1]:
        raise ValueError(
            f"{name}: XA and XB must have the same number of columns, got shapes {shape_of(XA)} "
            f"and {shape_of(XB)}"
        )
    f = _metric(name, metric, [XA, XB], kwargs)
    return finish(name, f(XA[:, None, :], XB[None, :, :]), out)


@derives(scipy.spatial.distance.pdist)
def pdist(X: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> Any:
    name = "scipy.spatial.distance.pdist"
    X = _points(name, X)
    first, second = np.triu_indices(shape_of(X)[0], 1)
    return finish(name, _metric(name, metric, [X], kwargs)(X[first], X[second]), out)


@derives(scipy.spatial.distance.squareform)
def squareform(X: Any, force: Any = "no", checks: Any = True) -> Any:
    X = array(X)
    n = ndim_of(X)
    if n not in (1, 2) or force.lower() not in ("no", "tovector", "tomatrix"):
        raise ValueError(
            f"scipy.spatial.distance.squareform: force={force!r} of shape {shape_of(X)}; pass a "
            "vector of distances or a square matrix"
        )
    if (n, force.lower()) in ((1, "tovector"), (2, "tomatrix")):
        raise ValueError(f"Forcing {force!r} but the input has {n} axes.")
    if n == 1:
        m = shape_of(X)[0]
        side = int(np.ceil(np.sqrt(m * 2)))
        if side * (side - 1) != m * 2:
            raise ValueError(
                "Incompatible vector size. It must be a binomial coefficient n choose 2"
            )
        first, second = np.triu_indices(side, 1)
        place = np.full((side, side), m)
        place[first, second] = place[second, first] = np.arange(m)
        return np.concatenate([X, np.zeros(1, X.dtype)])[place]
    if shape_of(X)[0] != shape_of(X)[1]:
        raise ValueError("The matrix argument must be square.")
    if checks and not (np.allclose(X, X.T) and np.all(np.diagonal(X) == 0)):
        raise ValueError("The distance matrix must be symmetric, with a diagonal of zeros.")
    return X[np.triu_indices(shape_of(X)[0], 1)]
