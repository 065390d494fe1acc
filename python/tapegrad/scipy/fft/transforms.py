"""Fourier transforms: those of np.fft, under SciPy's names and with its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft

from tapegrad.scipy.arrays import array, ndim_of
from tapegrad.scipy.functions import derives

_PLAN = {"plan": "leave it out, as SciPy's own functions ask too"}


def _one(name: str) -> Callable[..., Any]:
    transform = getattr(np.fft, name)

    @derives(getattr(scipy.fft, name), name=f"scipy.fft.{name}", refused=_PLAN, complex_too=True)
    def call(
        x: Any, n: Any = None, axis: Any = -1, norm: Any = None,
        overwrite_x: Any = False, workers: Any = None, *, plan: Any = None,
    ) -> Any:  # fmt: skip
        return transform(array(x), n, axis, norm)

    return call


def _many(name: str, usual: Any) -> Callable[..., Any]:
    transform = getattr(np.fft, name)

    @derives(getattr(scipy.fft, name), name=f"scipy.fft.{name}", refused=_PLAN, complex_too=True)
    def call(
        x: Any, s: Any = None, axes: Any = usual, norm: Any = None,
        overwrite_x: Any = False, workers: Any = None, *, plan: Any = None,
    ) -> Any:  # fmt: skip
        x = array(x)
        if axes is None:  # those that s names are the last ones
            axes = tuple(range(-(ndim_of(x) if s is None else len(s)), 0))
        return transform(x, s, axes, norm)

    return call


fft, ifft, rfft, irfft, hfft, ihfft = map(_one, ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"))
fft2, ifft2 = _many("fft2", (-2, -1)), _many("ifft2", (-2, -1))
rfft2, irfft2 = _many("rfft2", (-2, -1)), _many("irfft2", (-2, -1))
fftn, ifftn = _many("fftn", None), _many("ifftn", None)
rfftn, irfftn = _many("rfftn", None), _many("irfftn", None)


@derives(scipy.fft.fftshift, name="scipy.fft.fftshift", complex_too=True)
def fftshift(x: Any, axes: Any = None) -> Any:
    return np.fft.fftshift(array(x), axes)


@derives(scipy.fft.ifftshift, name="scipy.fft.ifftshift", complex_too=True)
def ifftshift(x: Any, axes: Any = None) -> Any:
    return np.fft.ifftshift(array(x), axes)
