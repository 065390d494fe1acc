"""Derivatives by finite differences: slow and inexact, for comparison and checking only.

from tapegrad import numerical
numerical.grad(lambda x: x**3)(2.0)  # 12.0000000000...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["grad"]


def grad(f: Callable[..., Any], argnum: int = 0, step: float | None = None) -> Callable[..., Any]:
    """The gradient of `f` in argument `argnum` by central differences.

    `f` must return a single number; the argument is a number or an array of any shape, and the
    gradient has that shape. Each element costs two calls of `f`. The error is about 1e-10 of the
    function's scale: a step of eps**(1/3), scaled by the element, balances the truncation error,
    which grows as the step squared, against the rounding error, which grows as one over the step
    (Press et al., Numerical Recipes, section 5.7). `step` sets another one.

    >>> from tapegrad import numerical
    >>> slope = numerical.grad(lambda x: x**2)(3.0)
    >>> abs(slope - 6.0) < 1e-8
    True
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        x = np.asarray(args[argnum])
        if x.dtype.kind not in "fiu":
            raise TypeError(
                f"numerical.grad: argument {argnum} has dtype {x.dtype}; pass a real number or an "
                "array of real numbers"
            )
        x = np.array(x, dtype=np.float64)

        def at(point: Any) -> float:
            given = point.copy() if x.ndim else float(point)
            value = np.asarray(f(*args[:argnum], given, *args[argnum + 1 :], **kwargs))
            if value.size != 1:
                raise TypeError(
                    f"numerical.grad: the function returned shape {value.shape}; it must return "
                    "a single number, for example np.sum(...) of it"
                )
            return float(value.reshape(()))

        result = np.empty_like(x)
        for index in np.ndindex(x.shape):
            h = _step(float(x[index])) if step is None else step
            above, below = x.copy(), x.copy()
            above[index] += h
            below[index] -= h
            # The points as rounded, not 2*h: their distance is exact.
            result[index] = (at(above) - at(below)) / (above[index] - below[index])
        return result if x.ndim else float(result)

    return gradient


def _step(x: float) -> float:
    return float(np.cbrt(np.finfo(np.float64).eps)) * max(abs(x), 1.0)
