"""Correlations with weights in several axes, and the edge filters that are made of short ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import scipy.ndimage

from tapegrad.scipy.arrays import floats, ndim_of, normal_axis, padded, shape_of
from tapegrad.scipy.functions import derives, with_parameters_of
from tapegrad.scipy.ndimage.filters import (
    MODES,
    OUTPUT,
    convolve1d,
    correlate1d,
    for_each,
    gaussian_filter,
    uniform_filter1d,
)

_AXES = {"axes": "leave it out, and give weights an axis of length 1 for each other axis"}


def axes_of(axes: Any, n: int) -> list[int]:
    if axes is None:
        return list(range(n))
    return list(np.lib.array_utils.normalize_axis_tuple(axes, n))


def _correlate(input: Any, weights: Any, mode: Any, cval: Any, origin: Any) -> Any:
    input, weights = floats(input), floats(weights)
    n = ndim_of(input)
    if ndim_of(weights) != n or 0 in shape_of(weights):
        raise RuntimeError(
            f"filter weights array has incorrect shape: {shape_of(weights)} for {n} axes"
        )
    found: Any = 0.0
    moved = windows(input, shape_of(weights), for_each(mode, n), cval, for_each(origin, n))
    for place, part in moved:
        found = found + weights[place] * part
    return found.astype(input.dtype)


def windows(
    x: Any, sizes: Sequence[int], modes: list[Any], cval: Any, origins: list[Any]
) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Each place in a window, and the elements that are there in the windows of all elements."""
    n = ndim_of(x)
    wide = x
    for axis, (size, kind, at) in enumerate(zip(sizes, modes, origins, strict=True)):
        before = size // 2 + at
        if not 0 <= before < size:
            raise ValueError("invalid origin")
        if kind not in MODES:
            raise RuntimeError("boundary mode not supported")
        own = [(before, size - 1 - before) if i == axis else (0, 0) for i in range(n)]
        wide = padded(wide, own, MODES[kind], cval)
    for place in product(*map(range, sizes)):
        limits = zip(place, shape_of(x), strict=True)
        yield place, wide[tuple(slice(k, k + m) for k, m in limits)]


def _of_weights(name: str, is_convolution: bool) -> Any:
    function = getattr(scipy.ndimage, name)

    def call(
        input: Any, weights: Any, output: Any, mode: Any, cval: Any, origin: Any, axes: Any = None
    ) -> Any:
        if not is_convolution:
            return _correlate(input, weights, mode, cval, origin)
        weights = floats(weights)
        places = for_each(origin, ndim_of(weights))
        sizes = shape_of(weights)
        places = [-k - (1 if m % 2 == 0 else 0) for k, m in zip(places, sizes, strict=True)]
        turned = weights[(slice(None, None, -1),) * ndim_of(weights)]
        return _correlate(input, turned, mode, cval, places)

    adapted = with_parameters_of(function, call)
    return derives(function, refused={**OUTPUT, **_known(adapted, _AXES)})(adapted)


def _known(adapted: Any, refused: dict[str, str]) -> dict[str, str]:
    """Those that this SciPy's function has."""
    return {
        key: x for key, x in refused.items() if key in vars(adapted)["__signature__"].parameters
    }


correlate, convolve = _of_weights("correlate", False), _of_weights("convolve", True)


def _uniform(input: Any, size: Any, mode: Any, cval: Any, origin: Any, axes: Any = None) -> Any:
    found = floats(input)
    places = axes_of(axes, ndim_of(found))
    given = [for_each(x, len(places)) for x in (size, mode, origin)]
    for axis, m, kind, at in zip(places, *given, strict=True):
        if m > 1:
            found = uniform_filter1d(found, m, axis, None, kind, cval, at)
    return found


def _edge(rest: tuple[float, ...]) -> Any:
    def call(input: Any, axis: Any, mode: Any, cval: Any) -> Any:
        found = floats(input)
        n = ndim_of(found)
        axis, kinds = normal_axis(axis, n), for_each(mode, n)
        found = correlate1d(found, np.array([-1.0, 0.0, 1.0]), axis, None, kinds[axis], cval)
        for k in range(n):
            if k != axis:
                found = correlate1d(found, np.array(rest), k, None, kinds[k], cval)
        return found

    return call


def _laplace(input: Any, mode: Any, cval: Any, axes: Any = None) -> Any:
    x = floats(input)
    places = axes_of(axes, ndim_of(x))
    kinds = for_each(mode, len(places))
    second = np.array([1.0, -2.0, 1.0])
    parts = [
        convolve1d(x, second, axis, None, kind, cval)
        for axis, kind in zip(places, kinds, strict=True)
    ]
    return sum(parts[1:], parts[0]) if parts else x


def _gaussian_parts(
    input: Any, sigma: Any, mode: Any, cval: Any, axes: Any, order: int, kwargs: dict[str, Any]
) -> list[Any]:
    """Derivatives of the smoothed array along each axis."""
    x = floats(input)
    n = ndim_of(x)
    places = axes_of(axes, n)
    sizes = dict(zip(places, for_each(sigma, len(places)), strict=True))
    found = []
    for axis, kind in zip(places, for_each(mode, len(places)), strict=True):
        orders = [order if i == axis else 0 for i in range(n)]
        sigmas = [sizes.get(i, 0.0) for i in range(n)]
        found.append(gaussian_filter(x, sigmas, orders, None, kind, cval, **kwargs))
    return found


def _gaussian_laplace(
    input: Any, sigma: Any, mode: Any, cval: Any, kwargs: Any = None, axes: Any = None
) -> Any:
    parts = _gaussian_parts(input, sigma, mode, cval, axes, 2, kwargs or {})
    return sum(parts[1:], parts[0])


def _gradient_magnitude(
    input: Any, sigma: Any, mode: Any, cval: Any, kwargs: Any = None, axes: Any = None
) -> Any:
    parts = _gaussian_parts(input, sigma, mode, cval, axes, 1, kwargs or {})
    return np.linalg.norm(np.stack(parts), axis=0)


def _registered(name: str, implementation: Any) -> Any:
    function = getattr(scipy.ndimage, name)
    return derives(function, refused=OUTPUT)(with_parameters_of(function, implementation))


uniform_filter = _registered("uniform_filter", _uniform)
sobel = _registered("sobel", _edge((1.0, 2.0, 1.0)))
prewitt = _registered("prewitt", _edge((1.0, 1.0, 1.0)))
laplace = _registered("laplace", _laplace)
gaussian_laplace = _registered("gaussian_laplace", _gaussian_laplace)
gaussian_gradient_magnitude = _registered("gaussian_gradient_magnitude", _gradient_magnitude)
