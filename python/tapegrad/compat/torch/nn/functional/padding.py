"""Borders, and other resolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import call
from tapegrad.compat.torch.core.graph import NOTHING

_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def zeros_around(x: Any, sides: Any) -> Any:
    """An array with zeros at both sides of its last axes."""
    if not any(a or b for a, b in sides):
        return x
    return np.pad(x, [(0, 0)] * (x.ndim - len(sides)) + list(sides))


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """With a border: `pad` counts (before, after) from the last axis on; negative lengths cut."""
    given = tuple(int(p) for p in pad)
    if len(given) % 2 or len(given) > 2 * input.ndim:
        raise RuntimeError(
            f"pad: lengths come in pairs, {input.ndim} pairs at most, and here are {len(given)} "
            f"lengths, {given}"
        )
    sides = [(0, 0)] * (input.ndim - len(given) // 2) + [
        (given[k], given[k + 1]) for k in range(len(given) - 2, -1, -2)
    ]
    wider = [(max(a, 0), max(b, 0)) for a, b in sides]
    cut = tuple(slice(max(-a, 0), -max(-b, 0) or None) for a, b in sides)

    def compute(x: Any) -> Any:
        if mode == "constant":
            y = np.pad(x, wider, constant_values=value or 0)
        else:
            y = np.pad(x, wider, mode=_MODES[mode])  # type: ignore[call-overload]  # one of three
        return y[cut] if any(s != slice(0, None) for s in cut) else y

    if mode != "constant" and mode not in _MODES:
        raise NotImplementedError(f"pad: mode is one of {['constant', *_MODES]}, not {mode!r}")
    return call("ConstantPadNd", compute, input, saves=NOTHING)


def _target(input: Any, size: Any, scale_factor: Any, n: int) -> list[int]:
    if size is not None:
        return [int(m) for m in (size if isinstance(size, (tuple, list)) else (size,) * n)]
    factors = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * n
    return [int(np.floor(m * f)) for m, f in zip(input.shape[2:], factors, strict=True)]


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: Any = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """(N, C, ...) at another resolution: 'nearest', 'linear', 'bilinear', 'trilinear' or 'area'."""
    if recompute_scale_factor:
        raise NotImplementedError(
            "interpolate: recompute_scale_factor=True is not there; give size=, from which the "
            "scale follows"
        )
    n = input.ndim - 2
    sizes = _target(input, size, scale_factor, n)
    if mode == "area":
        from tapegrad.compat.torch.nn.functional.pooling import adaptive_avg_pool

        return adaptive_avg_pool(input, sizes)
    if mode not in ("nearest", "linear", "bilinear", "trilinear") or antialias:
        raise NotImplementedError(
            f"interpolate(mode={mode!r}, antialias={antialias}): there are 'nearest', 'linear', "
            "'bilinear', 'trilinear' and 'area', without antialias"
        )

    def compute(x: Any) -> Any:
        for axis, m in enumerate(sizes, 2):
            length = x.shape[axis]
            if mode == "nearest":
                at = np.minimum((np.arange(m) * (length / m)).astype(int), length - 1)
                x = np.take(x, at, axis=axis)
                continue
            if align_corners:
                place = np.arange(m) * ((length - 1) / (m - 1) if m > 1 else 0.0)
            else:
                place = np.maximum((np.arange(m) + 0.5) * (length / m) - 0.5, 0.0)
            low = np.minimum(place.astype(int), length - 1)
            high = np.minimum(low + 1, length - 1)
            share = (place - low).astype(x.dtype).reshape((-1,) + (1,) * (x.ndim - axis - 1))
            x = np.take(x, low, axis=axis) * (1 - share) + np.take(x, high, axis=axis) * share
        return x

    return call("Upsample", compute, input, saves=NOTHING)


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(N, C r^2, H, W) as (N, C, H r, W r)."""
    r = upscale_factor
    n, c, h, w = input.shape
    parts = input.reshape(n, c // (r * r), r, r, h, w)
    return parts.permute(0, 1, 4, 2, 5, 3).reshape(n, c // (r * r), h * r, w * r)
