"""Sums of products of shifted vectors: convolve, correlate."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import apply
from tapegrad.numpy.operands import lift, ndim_of, shape_of
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.table import implements

_MODES = ("valid", "same", "full")


@implements(np.correlate, values=2)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    return _correlated("correlate", lift(a), lift(v), mode)


@implements(np.convolve, values=2)
def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    a, v = (reshape(x, (1,)) if not ndim_of(x) else x for x in (lift(a), lift(v)))
    if ndim_of(a) == ndim_of(v) == 1 and shape_of(v)[0] > shape_of(a)[0]:
        a, v = v, a
    return _correlated("convolve", a, v[::-1] if ndim_of(v) == 1 else v, mode)


def _correlated(name: str, a: Any, v: Any, mode: Any) -> Any:
    if mode in (0, 1, 2):
        mode = _MODES[mode]
    if mode not in _MODES:
        raise ValueError(f"np.{name}: mode= is 'valid', 'same' or 'full', not {mode!r}")
    shapes = shape_of(a), shape_of(v)
    if [len(shape) for shape in shapes] != [1, 1] or (0,) in shapes:
        raise ValueError(
            f"np.{name}: needs two vectors that are not empty, and their shapes are "
            f"{shapes[0]} and {shapes[1]}"
        )
    (n,), (m,) = shapes
    if n < m:
        return _correlated(name, v, a, mode)[::-1]
    left = {"valid": 0, "same": m // 2, "full": m - 1}[mode]
    right = 0 if mode == "valid" else m - 1 - (left if mode == "same" else 0)
    return apply("correlate", (a, v), (left, right))
