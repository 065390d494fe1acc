"""Sums of products of shifted vectors: convolve, correlate."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.numpy.operands import lift, ndim_of, shape_of
from tapegrad.numpy.shapes import reshape
from tapegrad.numpy.table import implements

_MODES = ("valid", "same", "full")
# So many products are summed shift by shift; more of them as a product of matrices, whose rows
# are the windows, in blocks of so many elements.
_FEW = 16
_BLOCK = 1 << 18


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
    if left or right:
        a = np.pad(a, (left, right))
    return _windows_times(a, v, n + left + right - m + 1, m)


def _windows_times(a: Any, v: Any, n: int, m: int) -> Any:
    """The products of `v` with each of the `n` windows of `a` that have its length."""
    if m <= _FEW:
        found = a[:n] * v[:1]
        for j in range(1, m):
            found = found + a[j : j + n] * v[j : j + 1]
        return found
    rows = max(_BLOCK // m, 1)
    parts = []
    for i in range(0, n, rows):
        begins = np.arange(i, min(i + rows, n))
        windows = begins[:, None] + np.arange(m)
        parts.append(np.matmul(a[windows], v))
    return np.concatenate(parts) if len(parts) > 1 else parts[0]
