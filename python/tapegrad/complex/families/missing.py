"""Where NaN is left out: an element is NaN if one of its parts is."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.complex.functions import on_complex
from tapegrad.complex.parts import as_pair, operand_of


def _filled(a: Any, fill: Any) -> tuple[Any, Any]:
    """With `fill` for NaN, and where there was none."""
    z = as_pair(operand_of(a))
    there = ~np.isnan(z)
    return np.where(there, z, fill), there


def _of_filled(name: str, fill: Any) -> None:
    function = getattr(np, name.removeprefix("nan"))

    def of(a: Any, *args: Any, **kwargs: Any) -> Any:
        return function(_filled(a, fill)[0], *args, **kwargs)

    on_complex(getattr(np, name))(of)


for _name, _fill in {"nansum": 0.0, "nanprod": 1.0, "nancumsum": 0.0, "nancumprod": 1.0}.items():
    _of_filled(_name, _fill)


@on_complex(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, **kwargs: Any) -> Any:
    """The mean of what there is."""
    z, there = _filled(a, 0.0)
    found = np.sum(z, axis, dtype, **kwargs)
    return found / np.sum(there, axis, **kwargs).astype(found.real.dtype)


@on_complex(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, **kwargs: Any
) -> Any:
    """The mean of |z - mean|^2 of what there is."""
    z, there = _filled(a, 0.0)
    n = np.sum(there, axis, keepdims=True).astype(z.real.dtype)
    off = np.where(there, z - np.sum(z, axis, keepdims=True) / n, 0.0)
    sizes = off.real * off.real + off.imag * off.imag
    found = np.sum(sizes, axis, dtype, **kwargs)
    return found / (np.sum(there, axis, **kwargs) - ddof).astype(found.dtype)


@on_complex(np.nanstd)
def nanstd(*args: Any, **kwargs: Any) -> Any:
    """The root of the variance."""
    return np.sqrt(nanvar(*args, **kwargs))
