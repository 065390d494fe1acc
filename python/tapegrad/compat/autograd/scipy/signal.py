"""scipy.signal on Variables, and Autograd's convolution over chosen axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tapegrad.compat.autograd.scipy.forwarding import forwarding

__getattr__, __dir__ = forwarding("signal")

Axes = Sequence[Sequence[int]]


def convolve(
    A: Any, B: Any, axes: Axes | None = None, dot_axes: Axes = ((), ()), mode: str = "full"
) -> Any:
    """The convolution over pairs of axes, summed over pairs of others.

    `axes` holds the convolved axes of `A` and of `B`, all of them by default, `dot_axes` those over
    which products are summed. The result has the other axes of `A`, then those of `B`, then the
    convolved ones. `mode` is that of scipy.signal.convolve: 'full', 'valid' or 'same' (as `A`).

    >>> import numpy as np
    >>> from tapegrad.compat.autograd.scipy.signal import convolve
    >>> convolve(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0]))
    array([ 1., 12., 23., 30.])
    >>> convolve(np.ones((2, 3)), np.ones((4, 2)), axes=([1], [1]), mode="valid").shape
    (2, 4, 2)
    """
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"convolve: mode is {mode!r}; give 'full', 'valid' or 'same'")
    a_axes, b_axes = axes or (range(np.ndim(A)), range(np.ndim(A)))
    a = np.moveaxis(A, (*dot_axes[0], *a_axes), range(-len(dot_axes[0]) - len(a_axes), 0))
    b = np.moveaxis(B, (*dot_axes[1], *b_axes), range(-len(dot_axes[1]) - len(b_axes), 0))
    n, n_dots = len(a_axes), len(dot_axes[0])
    a_free, b_free = np.ndim(a) - n_dots - n, np.ndim(b) - n_dots - n
    lengths = list(zip(a.shape[np.ndim(a) - n :], b.shape[np.ndim(b) - n :], strict=True))
    if mode == "valid" and len({i < j for i, j in lengths if i != j}) > 1:
        raise ValueError(
            f"convolve: mode='valid' of lengths {lengths}: one of the two must be as long as the "
            "other along every convolved axis; use mode='full' or 'same'"
        )
    if n:
        padded = np.pad(a, [(0, 0)] * (np.ndim(a) - n) + [(j - 1, j - 1) for _, j in lengths])
        last = tuple(range(-n, 0))
        windows = [j for _, j in lengths]
        a = np.lib.stride_tricks.sliding_window_view(padded, windows, last)
        b = np.flip(b, last)
    places = iter(range(a_free + b_free + n_dots + 2 * n))
    take = lambda k: [next(places) for _ in range(k)]  # noqa: E731 - of this call's places
    free_of_a, free_of_b, dots, out, inside = map(take, (a_free, b_free, n_dots, n, n))
    whole = np.einsum(
        a, [*free_of_a, *dots, *out, *inside], b, [*free_of_b, *dots, *inside],
        [*free_of_a, *free_of_b, *out],
    )  # fmt: skip
    return whole[(..., *(_part(mode, i, j) for i, j in lengths))]


def _part(mode: str, n_a: int, n_b: int) -> slice:
    """What of a full convolution of these lengths a mode keeps."""
    if mode == "full":
        return slice(None)
    if mode == "same":
        start = (n_b - 1) // 2
        return slice(start, start + n_a)
    return slice(min(n_a, n_b) - 1, max(n_a, n_b))
