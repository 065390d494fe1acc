"""Pieces of formulas that several families use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.symbols import op

# What a branch is given that is not taken: SciPy's functions return at once.
SKIP = float("nan")
ROOT_PI = float(np.sqrt(np.pi))
ROOT_2 = float(np.sqrt(2.0))
ROOT_2_PI = float(np.sqrt(2.0 * np.pi))


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of digamma."""
    return op("polygamma", float(n), x)


def gamma_density(a: Any, x: Any) -> Any:
    """d/dx gammainc(a, x)."""
    return np.exp(sp.xlogy(a - 1.0, x) - x - sp.gammaln(a))


def gammainc_by_a(a: Any, x: Any) -> Any:
    """d/da gammainc(a, x)."""
    return op("gammainc_by_shape", 1.0, a, x)


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """d/dx betainc(a, b, x)."""
    return np.exp(sp.xlogy(a - 1.0, x) + sp.xlog1py(b - 1.0, -x) - sp.betaln(a, b))


def betainc_by_a(a: Any, b: Any, x: Any) -> Any:
    """d/da betainc(a, b, x)."""
    return op("betainc_by_a", a, b, x)


def betainc_by_b(a: Any, b: Any, x: Any) -> Any:
    """d/db betainc(a, b, x)."""
    return op("betainc_by_b", a, b, x)


def power_series(coefficients: list[float], x: Any) -> Any:
    """The polynomial with these coefficients, lowest order first."""
    total: Any = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def chosen(mask: Any, near: Any, far: Any) -> Any:
    """`near` where the mask holds: each is a function of the argument that it may be given."""
    return np.where(mask, near, far)


_ODD = [1.0 / math.factorial(2 * k + 1) for k in range(12)]


def sine_quotient(x: Any) -> Any:
    """sin(x) / x, smooth at 0."""
    near = np.abs(x) < 1.0
    u, v = np.where(near, x, 0.0), np.where(near, 1.5, x)
    return np.where(near, power_series(_ODD, -u * u), np.sin(v) / v)


def hyperbolic_sine_quotient(x: Any) -> Any:
    """sinh(x) / x, smooth at 0."""
    near = np.abs(x) < 1.0
    u, v = np.where(near, x, 0.0), np.where(near, 1.5, x)
    return np.where(near, power_series(_ODD, u * u), np.sinh(v) / v)


# The derivative of exprel is the sum of (k + 1) x^k / (k + 2)!.
_EXPREL = [(k + 1) / math.factorial(k + 2) for k in range(20)]


def exprel_slope(x: Any, y: Any = None) -> Any:
    """The derivative of y = exprel(x), (exp(x) (x - 1) + 1) / x^2."""
    near = np.abs(x) < 1.0
    u, v = np.where(near, x, 0.0), np.where(near, 1.0, x)
    far = (np.exp(v) - (sp.exprel(v) if y is None else y)) / v
    return np.where(near, power_series(_EXPREL, u), far)
