"""Where the OpenBLAS that travels with the package lies; the core loads it at the first product."""

from __future__ import annotations

import os

from tapegrad import _core


def use_own_library() -> None:
    """Points the core at the package's own library; without one it keeps its built-in kernels."""
    folder = os.path.join(os.path.dirname(_core.__file__), "_libs")
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith("libscipy_openblas"):
            _core.set_blas_library(os.path.join(folder, name))
            return
