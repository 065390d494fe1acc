"""Functions of real arguments with complex results, written with real ones (DLMF 10.4.3, 7.5.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import ROOT_PI
from tapegrad.scipy.ufuncs.registry import composed


@composed("hankel1")
def hankel1(v: Any, x: Any) -> Any:
    return sp.jv(v, x) + 1j * sp.yv(v, x)


@composed("hankel2")
def hankel2(v: Any, x: Any) -> Any:
    return sp.jv(v, x) - 1j * sp.yv(v, x)


@composed("hankel1e")
def hankel1e(v: Any, x: Any) -> Any:
    return hankel1(v, x) * (np.cos(x) - 1j * np.sin(x))


@composed("hankel2e")
def hankel2e(v: Any, x: Any) -> Any:
    return hankel2(v, x) * (np.cos(x) + 1j * np.sin(x))


@composed("wofz")
def wofz(x: Any) -> Any:
    return np.exp(-x * x) + 1j * (2.0 / ROOT_PI * sp.dawsn(x))
