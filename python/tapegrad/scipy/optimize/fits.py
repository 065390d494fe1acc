"""curve_fit: the parameters of a curve through points, and their covariance."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize

from tapegrad._core import apply
from tapegrad.scipy.arrays import floats, ndim_of, shape_of
from tapegrad.scipy.closures import Called
from tapegrad.scipy.functions import derives, holds_variable, refuse
from tapegrad.scipy.optimize.implicit import flat, plain, solution
from tapegrad.scipy.optimize.minima import bounded_equations, normal_equations, slopes_of
from tapegrad.transforms.jacobians import jacobian


def _residuals(
    f: Callable[..., Any], p: Any, xdata: Any, ydata: Any, sigma: Any, whole: bool
) -> Any:
    """How far the curve is from the points, in units of their errors."""
    apart = np.reshape(f(xdata, *[p[k] for k in range(shape_of(p)[0])]) - ydata, (-1,))
    if sigma is None:
        return apart
    if not whole:
        return apart / np.reshape(sigma, (-1,))
    return apply("solve_triangular", (np.linalg.cholesky(sigma), apart), (True, False, False))


def _start(f: Callable[..., Any], p0: Any, low: Any, high: Any) -> Any:
    """Where the search begins: at SciPy's own place where none is given."""
    if p0 is not None:
        return np.atleast_1d(p0)
    kinds = [p.kind for p in inspect.signature(f).parameters.values()]
    n = sum(kind in (kind.POSITIONAL_ONLY, kind.POSITIONAL_OR_KEYWORD) for kind in kinds) - 1
    if n < 1 or any(kind is kind.VAR_POSITIONAL for kind in kinds):
        raise ValueError("Unable to determine number of fit parameters.")
    low, high, found = np.broadcast_to(low, n), np.broadcast_to(high, n), np.ones(n)
    from_low, from_high = np.isfinite(low), np.isfinite(high)
    low, high = np.where(from_low, low, 0.0), np.where(from_high, high, 0.0)
    found = np.where(from_low, low + 1.0, np.where(from_high, high - 1.0, found))
    return np.where(from_low & from_high, 0.5 * (low + high), found)


@derives(
    scipy.optimize.curve_fit,
    refused={
        "full_output": "call least_squares, whose result tells of the steps",
        "nan_policy": "leave the points out that are NaN",
        "jac": "leave it out: the exact one is derived",
    },
    functions=("f",),
)
def curve_fit(
    f: Any,
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: Any = False,
    check_finite: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: Any = None,
    jac: Any = None,
    *,
    full_output: Any = False,
    nan_policy: Any = None,
    **kwargs: Any,
) -> Any:
    name = "scipy.optimize.curve_fit"
    if holds_variable(bounds):
        refuse(name, "a Variable in bounds=", "write the curve in a parameter within plain bounds")
    given = (bounds.lb, bounds.ub) if isinstance(bounds, scipy.optimize.Bounds) else bounds
    low, high = (np.asarray(x, float) for x in given)
    xdata = floats(xdata) if isinstance(xdata, (list, tuple, np.ndarray)) else xdata
    ydata = floats(ydata)
    whole = sigma is not None and ndim_of(floats(sigma)) == 2
    sigma = None if sigma is None else floats(sigma)
    called = Called(name, partial(_residuals, f), (xdata, ydata, sigma, whole))
    m = int(np.prod(shape_of(ydata)))
    start = _start(f, p0, low, high)
    if m <= len(start) and not absolute_sigma:
        refuse(
            name,
            f"the covariance of {len(start)} parameters by {m} points",
            "give errors of the points, sigma=, with absolute_sigma=True, or more points",
        )

    def solve(made: Any, start: Any) -> tuple[Any, Any]:
        plain_slopes = plain(name, partial(slopes_of, made["f"]))

        def residuals(_: Any, *p: Any) -> Any:
            return made["f"](np.array(p))

        def slopes(_: Any, *p: Any) -> Any:
            return plain_slopes(np.array(p))

        found, _ = scipy.optimize.curve_fit(
            residuals, np.zeros(m), np.zeros(m), start, bounds=given, method=method, jac=slopes,
            **kwargs,
        )  # fmt: skip
        return found, None

    def equation(f: Callable[..., Any], p: Any) -> Any:
        return bounded_equations(normal_equations(f, p), p, low, high)

    key = m, low, high, method, kwargs
    p, _ = solution(name, {"f": called}, [start], key, equation, solve)

    def apart(p: Any) -> Any:
        return flat(called(called.operands, p))

    slopes, n = jacobian(apart)(p), shape_of(p)[0]
    covariance = np.linalg.inv(np.transpose(slopes) @ slopes)
    if not absolute_sigma:
        covariance = covariance * (np.sum(apart(p) ** 2) / (m - n))
    return p, covariance
