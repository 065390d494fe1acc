"""Orthogonal polynomials, by their argument (DLMF 18.9); the degree is a whole number or data."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.registry import No, partials

N = No("the degree")
A, B = No("the first parameter"), No("the second parameter")


def _below(n: Any) -> tuple[Any, Any]:
    """Whether the degree is 0, and the degree below, or 0 there."""
    none = np.equal(n, 0.0)
    return none, n - 1.0 + none


@partials("eval_jacobi")
def eval_jacobi(n: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    slope = 0.5 * (n + a + b + 1.0) * sp.eval_jacobi(k, a + 1.0, b + 1.0, x)
    return N, A, B, np.where(none, 0.0, slope)


@partials("eval_sh_jacobi")
def eval_sh_jacobi(n: Any, p: Any, q: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    # G_n(p, q, x) = P_n^(p-q, q-1)(2x - 1) / binom(2n + p - 1, n)
    slope = (n + p) * sp.eval_jacobi(k, p - q + 1.0, q, 2.0 * x - 1.0)
    return N, A, B, np.where(none, 0.0, slope / sp.binom(2.0 * n + p - 1.0, n))


@partials("eval_gegenbauer")
def eval_gegenbauer(n: Any, a: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, A, np.where(none, 0.0, 2.0 * a * sp.eval_gegenbauer(k, a + 1.0, x))


@partials("eval_legendre")
def eval_legendre(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, 0.5 * (n + 1.0) * sp.eval_jacobi(k, 1.0, 1.0, x))


@partials("eval_sh_legendre")
def eval_sh_legendre(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    slope = (n + 1.0) * sp.eval_jacobi(k, 1.0, 1.0, 2.0 * x - 1.0)
    return N, np.where(none, 0.0, slope)


@partials("eval_chebyt")
def eval_chebyt(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, n * sp.eval_chebyu(k, x))


@partials("eval_chebyu")
def eval_chebyu(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, 2.0 * sp.eval_gegenbauer(k, 2.0, x))


@partials("eval_chebyc")
def eval_chebyc(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, n * sp.eval_chebyu(k, 0.5 * x))


@partials("eval_chebys")
def eval_chebys(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, sp.eval_gegenbauer(k, 2.0, 0.5 * x))


@partials("eval_sh_chebyt")
def eval_sh_chebyt(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, 2.0 * n * sp.eval_chebyu(k, 2.0 * x - 1.0))


@partials("eval_sh_chebyu")
def eval_sh_chebyu(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, 4.0 * sp.eval_gegenbauer(k, 2.0, 2.0 * x - 1.0))


@partials("eval_hermite")
def eval_hermite(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, 2.0 * n * sp.eval_hermite(k, x))


@partials("eval_hermitenorm")
def eval_hermitenorm(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, n * sp.eval_hermitenorm(k, x))


@partials("eval_laguerre")
def eval_laguerre(n: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, np.where(none, 0.0, -sp.eval_genlaguerre(k, 1.0, x))


@partials("eval_genlaguerre")
def eval_genlaguerre(n: Any, a: Any, x: Any, y: Any) -> Any:
    none, k = _below(n)
    return N, A, np.where(none, 0.0, -sp.eval_genlaguerre(k, a + 1.0, x))


@partials("lpmv")
def lpmv(m: Any, v: Any, x: Any, y: Any) -> Any:
    # (1 - x^2) P' = (v + m) P_{v-1} - v x P; P_{-1} = P_0
    slope = (v * x * y - (v + m) * sp.lpmv(m, v - 1.0, x)) / (x * x - 1.0)
    return No("the order"), No("the degree"), slope
