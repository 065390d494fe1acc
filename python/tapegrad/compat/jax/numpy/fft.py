"""jax.numpy.fft: NumPy's, whose results are JAX's arrays."""

from __future__ import annotations

from typing import Any

import numpy as _np

from tapegrad.compat.jax.numpy.forwarding import forwarded as _forwarded


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    made = globals()[name] = _forwarded(name, getattr(_np.fft, name))
    return made


def __dir__() -> list[str]:
    return dir(_np.fft)
