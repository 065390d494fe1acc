"""Filters that choose an element of each window by its rank."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.ndimage

from tapegrad.scipy.arrays import floats, ndim_of, normal_axis
from tapegrad.scipy.functions import derives, with_parameters_of
from tapegrad.scipy.ndimage.filters import OUTPUT, for_each
from tapegrad.scipy.ndimage.kernels import axes_of, windows


def _stacked(
    x: Any, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any, axes: Any
) -> Any:
    """The windows' elements, one after the other along the first axis."""
    n = ndim_of(x)
    places = axes_of(axes, n)
    if footprint is None:
        if size is None:
            raise RuntimeError("no footprint or filter size provided")
        footprint = np.ones(for_each(size, len(places)), bool)
    footprint = np.asarray(footprint, bool)
    if footprint.ndim != len(places) or not footprint.any():
        raise RuntimeError(f"footprint has shape {footprint.shape} for {len(places)} axes")
    sizes, modes, origins = [1] * n, ["reflect"] * n, [0] * n
    # A footprint lies on the axes in the array's order, whatever order they are given in.
    for axis, m in zip(sorted(places), footprint.shape, strict=True):
        sizes[axis] = m
    given = zip(places, for_each(mode, len(places)), for_each(origin, len(places)), strict=True)
    for axis, kind, at in given:
        modes[axis], origins[axis] = kind, at
    chosen = footprint.reshape(sizes)
    return np.stack([part for k, part in windows(x, sizes, modes, cval, origins) if chosen[k]])


def _of_windows(name: str, choose: Callable[..., Any], is_product: bool = False) -> Any:
    """SciPy's filter; where it `is_product`, sizes go with the axes as these are given."""
    function = getattr(scipy.ndimage, name)

    def call(
        input: Any, size: Any, footprint: Any, mode: Any, cval: Any, origin: Any,
        axes: Any = None, rank: Any = None, percentile: Any = None,
    ) -> Any:  # fmt: skip
        x = floats(input)
        if is_product and footprint is None and size is not None:
            places = axes_of(axes, ndim_of(x))
            sizes = dict(zip(places, for_each(size, len(places)), strict=True))
            size = [sizes[k] for k in sorted(places)]
        found = _stacked(x, size, footprint, mode, cval, origin, axes)
        return choose(found, rank, percentile).astype(x.dtype)

    return derives(function, refused=OUTPUT)(with_parameters_of(function, call))


def _along_one(name: str, choose: Callable[..., Any]) -> Any:
    function = getattr(scipy.ndimage, name)

    def call(input: Any, size: Any, axis: Any, mode: Any, cval: Any, origin: Any) -> Any:
        x = floats(input)
        axis = normal_axis(axis, ndim_of(x))
        return choose(_stacked(x, size, None, mode, cval, origin, (axis,)), 0)

    return derives(function, refused=OUTPUT)(with_parameters_of(function, call))


def _at_rank(found: Any, rank: int) -> Any:
    n = found.shape[0]
    if not -n <= rank < n:
        raise RuntimeError("rank not within filter footprint size")
    return np.sort(found, axis=0)[rank]


def _percentile(found: Any, _: Any, percentile: Any) -> Any:
    n = found.shape[0]
    percentile = percentile + 100.0 if percentile < 0.0 else percentile
    if not 0.0 <= percentile <= 100.0:
        raise RuntimeError("invalid percentile")
    return _at_rank(found, n - 1 if percentile == 100.0 else int(n * percentile / 100.0))


maximum_filter = _of_windows("maximum_filter", lambda found, *_: np.max(found, axis=0), True)
minimum_filter = _of_windows("minimum_filter", lambda found, *_: np.min(found, axis=0), True)
median_filter = _of_windows("median_filter", lambda x, *_: _at_rank(x, x.shape[0] // 2))
rank_filter = _of_windows("rank_filter", lambda found, rank, _: _at_rank(found, rank))
percentile_filter = _of_windows("percentile_filter", _percentile)
maximum_filter1d = _along_one("maximum_filter1d", np.max)
minimum_filter1d = _along_one("minimum_filter1d", np.min)
