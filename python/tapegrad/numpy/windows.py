"""np.lib.stride_tricks.sliding_window_view: a view of all windows, which is for reading."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as numpys

from tapegrad._core import Variable, apply
from tapegrad.numpy.operands import integers, lift, plain, shape_of
from tapegrad.numpy.table import RECORD, implements


@implements(numpys, values=1, view=True, on_data=RECORD)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: Any = False, writeable: Any = False
) -> Any:
    x, window_shape = lift(x), plain(window_shape)
    if not isinstance(x, Variable):
        return numpys(x, window_shape, axis, subok=subok, writeable=writeable)
    shape = shape_of(x)
    lengths = integers("np.lib.stride_tricks.sliding_window_view: window_shape", window_shape)
    if writeable:
        raise TypeError(
            "np.lib.stride_tricks.sliding_window_view: writeable=True is refused for Variables: "
            "windows lie over one another; leave it out, and write to the array itself"
        )
    if any(n < 0 for n in lengths):
        raise ValueError("`window_shape` cannot contain negative values")
    axes = (
        tuple(range(len(shape)))
        if axis is None
        else np.lib.array_utils.normalize_axis_tuple(axis, len(shape), allow_duplicate=True)
    )
    if len(lengths) != len(axes):
        raise ValueError(
            f"Must provide matching length window_shape and axis; got {len(lengths)} window_shape "
            f"elements and {len(axes)} axes elements."
        )
    left = list(shape)
    for k, n in zip(axes, lengths, strict=True):
        if left[k] < n:
            raise ValueError("window shape cannot be larger than input array shape")
        left[k] -= n - 1
    found = x if axes else np.broadcast_to(x, shape)  # a view for reading in any case
    for k, n in zip(axes, lengths, strict=True):
        found = apply("windows", (found,), (k, n))
    return found
