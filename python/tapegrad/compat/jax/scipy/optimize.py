"""jax.scipy.optimize: SciPy's minimize, with exact gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapegrad.compat.jax.arrays import plain, wrap
from tapegrad.compat.jax.functions.transforms import value_and_grad

__all__ = ["OptimizeResults", "minimize"]


class OptimizeResults(NamedTuple):
    """Where the minimum is, and what was done to find it."""

    x: Any
    success: Any
    status: Any
    fun: Any
    jac: Any
    hess_inv: Any
    nfev: Any
    njev: Any
    nit: Any


def minimize(
    fun: Callable[..., Any], x0: Any, args: tuple[Any, ...] = (), *, method: str,
    tol: float | None = None, options: Any = None,
) -> OptimizeResults:  # fmt: skip
    """A minimum of `fun` near `x0`: by BFGS, SciPy's, whose steps are not quite JAX's.

    >>> import tapegrad.compat.jax.numpy as jnp
    >>> from tapegrad.compat import jax
    >>> from tapegrad.compat.jax.scipy.optimize import minimize
    >>> found = minimize(lambda x: jnp.sum((x - 1.0) ** 2), jnp.zeros(2), method="BFGS")
    >>> found.x
    Array([1., 1.], dtype=float64)
    """
    if method.lower() not in ("bfgs", "l-bfgs-experimental-do-not-rely-on-this"):
        raise ValueError(f"minimize: method is 'BFGS', not {method!r}; JAX has no other either")
    from scipy import optimize

    both = value_and_grad(fun)

    def evaluated(x: Any) -> Any:
        value, gradient = both(wrap(x), *args)
        return float(value), np.asarray(gradient)

    start = np.asarray(plain(x0), float)
    found = optimize.minimize(
        evaluated, start, method="BFGS", jac=True, tol=tol, options=dict(options or {})
    )
    names = OptimizeResults._fields
    return OptimizeResults(*(wrap(found[name]) for name in names))
