"""Recursive filters, smoothing and detrending along one axis."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.signal

from tapegrad.scipy.arrays import (
    array,
    floats,
    ndim_of,
    normal_axis,
    padded,
    part,
    same_dtype,
    shape_of,
)
from tapegrad.scipy.functions import derives, refuse
from tapegrad.transforms.scan import scan
from tapegrad.transforms.trace import value


def _coefficients(name: str, b: Any, a: Any) -> tuple[Any, Any]:
    """Both polynomials with one length, divided by the first coefficient of the denominator."""
    b, a = np.atleast_1d(b), np.atleast_1d(a)
    if ndim_of(b) != 1 or ndim_of(a) != 1 or not shape_of(a)[0]:
        raise ValueError(f"{name}: b and a need one axis each, got {shape_of(b)}, {shape_of(a)}")
    n = max(shape_of(b)[0], shape_of(a)[0])
    b, a = (np.concatenate([x, np.zeros(n - shape_of(x)[0], x.dtype)]) for x in (b, a))
    return b / a[0], a / a[0]


def _run(b: Any, a: Any, x: Any, state: Any) -> tuple[Any, Any]:
    """The filter along the first axis, from a state (order, ...), and the state at the end.

    It is the transposed direct form II, as SciPy's: y = b0 x + z0, and z moves up by one place.
    """
    tail = (1,) * (ndim_of(x) - 1)
    order = shape_of(b)[0] - 1
    if order == 0:
        return b[0] * x, state
    rest = np.reshape(b[1:], (-1, *tail)), np.reshape(a[1:], (-1, *tail))

    def step(carry: Any, x: Any) -> Any:
        z, first, (forward, back) = carry["z"], carry["first"], carry["rest"]
        y = first * x + z[0]
        moved = np.concatenate([z[1:], np.zeros_like(z[:1])])
        return {**carry, "z": moved + forward * x - back * y}, y

    last, y = scan(step, {"z": state, "first": b[0], "rest": rest}, x)
    return y, last["z"]


@derives(scipy.signal.lfilter)
def lfilter(b: Any, a: Any, x: Any, axis: Any = -1, zi: Any = None) -> Any:
    name = "scipy.signal.lfilter"
    b, a, x = same_dtype(b, a, x)
    if zi is not None:
        b, a, x, zi = same_dtype(b, a, x, zi)
    if ndim_of(x) == 0:
        raise ValueError("x must be at least 1-D")
    axis = normal_axis(axis, ndim_of(x))
    b, a = _coefficients(name, b, a)
    x = np.moveaxis(x, axis, 0)
    shape = shape_of(b)[0] - 1, *shape_of(x)[1:]
    if zi is None:
        state = np.zeros(shape, x.dtype)
    else:
        state = np.moveaxis(zi, axis, 0)
        if len(shape) != ndim_of(state) or shape_of(state)[0] != shape[0]:
            raise ValueError(
                f"Unexpected shape for parameter zi: expected {shape} with the filter's axis "
                f"first, found {shape_of(state)}."
            )
        state = np.broadcast_to(state, shape)
    y, state = _run(b, a, x, state)
    y = np.moveaxis(y, 0, axis)
    return y if zi is None else (y, np.moveaxis(state, 0, axis))


@derives(scipy.signal.sosfilt)
def sosfilt(sos: Any, x: Any, axis: Any = -1, zi: Any = None) -> Any:
    sos, x = same_dtype(sos, x)
    if zi is not None:
        sos, x, zi = same_dtype(sos, x, zi)
    if ndim_of(sos) != 2 or shape_of(sos)[1] != 6:
        raise ValueError("sos array must be shape (n_sections, 6)")
    if not np.all(sos[:, 3] == 1):
        raise ValueError("sos[:, 3] should be all ones")
    axis = normal_axis(axis, ndim_of(x))
    x = np.moveaxis(x, axis, 0)
    sections = shape_of(sos)[0]
    shape = sections, 2, *shape_of(x)[1:]
    states = np.zeros(shape, x.dtype) if zi is None else np.moveaxis(zi, axis + 1, 1)
    if shape_of(states) != shape:
        raise ValueError(
            f"Invalid zi shape. With axis={axis}, expected {shape} with the filter's axis second, "
            f"got {shape_of(states)}."
        )
    ends = []
    for k in range(sections):
        x, end = _run(sos[k, :3], sos[k, 3:], x, states[k])
        ends.append(end)
    y = np.moveaxis(x, 0, axis)
    return y if zi is None else (y, np.moveaxis(np.stack(ends), 1, axis + 1))


@derives(scipy.signal.lfilter_zi)
def lfilter_zi(b: Any, a: Any) -> Any:
    b, a = _coefficients("scipy.signal.lfilter_zi", *same_dtype(b, a))
    n = shape_of(a)[0] - 1
    # The state of a step response that has settled: z = A z + (b1 - a1 b0).
    moves = np.concatenate([-a[1:, None], np.eye(n, n - 1, dtype=a.dtype)], 1)
    return np.linalg.solve(np.eye(n, dtype=a.dtype) - moves, b[1:] - a[1:] * b[0])


def extended(x: Any, axis: int, padtype: Any, edge: int) -> Any:
    """The signal with `edge` more elements at both ends."""
    if padtype is None or not edge:
        return x
    n = shape_of(x)[axis]
    first, last = part(x, axis, 0, 1), part(x, axis, n - 1, n)
    if padtype == "constant":
        ones = np.ones([edge if i == axis else 1 for i in range(ndim_of(x))], x.dtype)
        return np.concatenate([first * ones, x, last * ones], axis)
    before = part(x, axis, edge, 0, -1)
    after = part(x, axis, n - 2, n - 2 - edge, -1)
    if n - 2 - edge < 0:
        after = part(x, axis, n - 2, None, -1)
    if padtype == "odd":
        before, after = 2 * first - before, 2 * last - after
    return np.concatenate([before, x, after], axis)


@derives(
    scipy.signal.filtfilt,
    refused={
        "method='gust'": "leave method= out, which pads the signal",
        "irlen": "it belongs to method='gust'; leave both out",
    },
)
def filtfilt(
    b: Any,
    a: Any,
    x: Any,
    axis: Any = -1,
    padtype: Any = "odd",
    padlen: Any = None,
    method: Any = "pad",
    irlen: Any = None,
) -> Any:
    if method != "pad":
        raise ValueError("method must be 'pad' or 'gust'.")
    if padtype not in ("even", "odd", "constant", None):
        raise ValueError(f"Unknown value '{padtype}' given to padtype.")
    b, a, x = (np.atleast_1d(y) for y in same_dtype(b, a, x))
    axis = normal_axis(axis, ndim_of(x))
    taps = max(shape_of(b)[0], shape_of(a)[0])
    edge = 0 if padtype is None else 3 * taps if padlen is None else padlen
    if shape_of(x)[axis] <= edge:
        raise ValueError(
            f"The length of the input vector x must be greater than padlen, which is {edge}."
        )
    b, a = _coefficients("scipy.signal.filtfilt", b, a)
    state = np.reshape(lfilter_zi(b, a), (-1, *(1,) * (ndim_of(x) - 1)))
    x = np.moveaxis(extended(x, axis, padtype, edge), axis, 0)
    shape = taps - 1, *shape_of(x)[1:]
    y, _ = _run(b, a, x, np.broadcast_to(state * x[:1], shape))
    y = y[::-1]
    y, _ = _run(b, a, y, np.broadcast_to(state * y[:1], shape))
    y = y[::-1]
    return np.moveaxis(y[edge : shape_of(y)[0] - edge], 0, axis)


def _settled(sos: Any) -> Any:
    """The states of sections whose response to a step has settled."""
    found, scale = [], 1.0
    for k in range(shape_of(sos)[0]):
        found.append(scale * lfilter_zi(sos[k, :3], sos[k, 3:]))
        scale = scale * np.sum(sos[k, :3]) / np.sum(sos[k, 3:])
    return np.stack(found)


@derives(scipy.signal.sosfilt_zi)
def sosfilt_zi(sos: Any) -> Any:
    sos = floats(sos)
    if ndim_of(sos) != 2 or shape_of(sos)[1] != 6:
        raise ValueError("sos array must be shape (n_sections, 6)")
    return _settled(sos)


@derives(scipy.signal.sosfiltfilt)
def sosfiltfilt(sos: Any, x: Any, axis: Any = -1, padtype: Any = "odd", padlen: Any = None) -> Any:
    sos, x = same_dtype(sos, x)
    if ndim_of(sos) != 2 or shape_of(sos)[1] != 6:
        raise ValueError("sos array must be shape (n_sections, 6)")
    if padtype not in ("even", "odd", "constant", None):
        raise ValueError(f"Unknown value '{padtype}' given to padtype.")
    axis = normal_axis(axis, ndim_of(x))
    zeros = min(int(np.sum(value(sos[:, 2]) == 0)), int(np.sum(value(sos[:, 5]) == 0)))
    taps = 2 * shape_of(sos)[0] + 1 - zeros
    edge = 0 if padtype is None else 3 * taps if padlen is None else padlen
    if shape_of(x)[axis] <= edge:
        raise ValueError(
            f"The length of the input vector x must be greater than padlen, which is {edge}."
        )
    x = np.moveaxis(extended(x, axis, padtype, edge), axis, 0)
    settled = _settled(sos)
    settled = np.reshape(settled, (*shape_of(settled), *(1,) * (ndim_of(x) - 1)))
    for _ in range(2):
        x = sosfilt(sos, x, 0, settled * x[:1])[0][::-1]
    return np.moveaxis(x[edge : shape_of(x)[0] - edge], 0, axis)


_PAD = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}


@derives(scipy.signal.savgol_filter)
def savgol_filter(
    x: Any,
    window_length: Any,
    polyorder: Any,
    deriv: Any = 0,
    delta: Any = 1.0,
    axis: Any = -1,
    mode: Any = "interp",
    cval: Any = 0.0,
) -> Any:
    name = "scipy.signal.savgol_filter"
    x = floats(x)
    if mode not in ("mirror", "constant", "nearest", "interp", "wrap"):
        raise ValueError("mode must be 'mirror', 'constant', 'nearest' 'wrap' or 'interp'.")
    axis = normal_axis(axis, ndim_of(x))
    weights = scipy.signal.savgol_coeffs(window_length, polyorder, deriv=deriv, delta=delta)
    n, half = window_length, window_length // 2
    x = np.moveaxis(x, axis, -1)
    length = shape_of(x)[-1]
    weights = weights[::-1].astype(x.dtype)
    widths = [(0, 0)] * (ndim_of(x) - 1)
    if mode == "interp":
        if n > length:
            raise ValueError(
                "If mode is 'interp', window_length must be less than or equal to the size of x."
            )
        if not n % 2:
            refuse(name, f"mode='interp' with window_length={n}", "choose an odd window_length")
        # What SciPy makes of unit vectors: the first and the last rows are for the ends.
        ends = scipy.signal.savgol_filter(np.eye(n), n, polyorder, deriv, delta, axis=0)
        ends = ends.astype(x.dtype)
        inner = _windowed(x, weights, length - n + 1)
        first, last = x[..., :n] @ ends[:half].T, x[..., length - n :] @ ends[n - half :].T
        found = np.concatenate([first, inner, last], -1)
    else:
        wide = padded(x, [*widths, (half, n - 1 - half)], _PAD[mode], cval)
        found = _windowed(wide, weights, length)
    return np.moveaxis(found, -1, axis)


def _windowed(x: Any, weights: Any, n: int) -> Any:
    """Sums of the weighted elements of n windows along the last axis."""
    return sum(w * x[..., k : k + n] for k, w in enumerate(weights))


@derives(scipy.signal.detrend)
def detrend(
    data: Any, axis: Any = -1, type: Any = "linear", bp: Any = 0, overwrite_data: Any = False
) -> Any:
    if type not in ("linear", "l", "constant", "c"):
        raise ValueError("Trend type must be 'linear' or 'constant'.")
    data = floats(data)
    axis = normal_axis(axis, ndim_of(data))
    if type in ("constant", "c"):
        return data - np.mean(data, axis, keepdims=True)
    x = np.moveaxis(data, axis, -1)
    n = shape_of(x)[-1]
    cuts = np.sort(np.unique(np.concatenate(np.atleast_1d(0, bp, n))))
    if np.any(cuts > n):
        raise ValueError("Breakpoints must be less than length of data along given axis.")
    parts = []
    for begin, end in pairwise(cuts):
        m = int(end - begin)
        line = np.stack([np.ones(m), np.arange(1, m + 1) / m], 1).astype(x.dtype)
        fit = line @ np.linalg.pinv(line)
        piece = x[..., int(begin) : int(end)]
        parts.append(piece - piece @ fit.T)
    return np.moveaxis(np.concatenate(parts, -1), -1, axis)


@derives(scipy.signal.hilbert)
def hilbert(x: Any, N: Any = None, axis: Any = -1) -> Any:
    x = array(x)
    axis = normal_axis(axis, ndim_of(x))
    n = shape_of(x)[axis] if N is None else N
    if n <= 0:
        raise ValueError("N must be positive.")
    twice = np.zeros(n, x.dtype)
    twice[0] = 1.0
    twice[1 : (n + 1) // 2] = 2.0
    if n % 2 == 0:
        twice[n // 2] = 1.0
    shape = [-1 if i == axis else 1 for i in range(ndim_of(x))]
    return np.fft.ifft(np.fft.fft(x, n, axis) * twice.reshape(shape), axis=axis)
