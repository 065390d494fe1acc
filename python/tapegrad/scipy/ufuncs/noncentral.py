"""Non-central distributions; the core sums their mixtures' derivatives by degrees of freedom."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.distributions import inverse
from tapegrad.scipy.ufuncs.helpers import beta_density
from tapegrad.scipy.ufuncs.registry import partials
from tapegrad.scipy.ufuncs.symbols import own


# Non-central chi squared, by its density (Johnson, Kotz and Balakrishnan, Continuous Univariate
# Distributions 2, 29.4): the derivative by the non-centrality is minus the density two degrees up.
def _noncentral_front(x: Any, v: Any, nc: Any) -> Any:
    near = np.square(np.sqrt(x) - np.sqrt(nc))
    return 0.5 * np.exp(-0.5 * near) * np.power(x / nc, 0.25 * v - 0.5)


def _noncentral(x: Any, v: Any, nc: Any) -> Any:
    return _noncentral_front(x, v, nc) * sp.ive(0.5 * v - 1.0, np.sqrt(nc * x))


def _noncentral_chi(x: Any, v: Any, nc: Any) -> tuple[Any, ...]:
    by_v = own("chndtr_by_freedom", 1.0, v, nc, x)
    return _noncentral(x, v, nc), by_v, -_noncentral(x, v + 2.0, nc)


# By x this is the derivative of the density by the degrees of freedom, known once.
@partials("chndtr_by_freedom")
def chndtr_by_freedom(n: Any, v: Any, nc: Any, x: Any, y: Any) -> Any:
    order, root = 0.5 * v - 1.0, np.sqrt(nc * x)
    logarithm = 0.25 * np.log(x / nc)
    slope = logarithm * sp.ive(order, root) + 0.5 * own("ive_by_order", 1.0, order, root)
    return (
        None,
        own("chndtr_by_freedom", n + 1.0, v, nc, x),
        0.5 * (own("chndtr_by_freedom", n, v + 2.0, nc, x) - y),
        np.where(np.equal(n, 1.0), _noncentral_front(x, v, nc) * slope, np.nan),
    )


@partials("chndtr")
def chndtr(x: Any, v: Any, nc: Any, y: Any) -> Any:
    return _noncentral_chi(x, v, nc)


@partials("chndtrix")
def chndtrix(p: Any, v: Any, nc: Any, x: Any) -> Any:
    return inverse(_noncentral_chi(x, v, nc), 0)


@partials("chndtridf")
def chndtridf(x: Any, p: Any, nc: Any, v: Any) -> Any:
    return inverse(_noncentral_chi(x, v, nc), 1)


@partials("chndtrinc")
def chndtrinc(x: Any, v: Any, p: Any, nc: Any) -> Any:
    return inverse(_noncentral_chi(x, v, nc), 2)


# Non-central F (the same, 30.7), by the density of the central one.
# That distribution is a mixture of beta distributions at w, which moves with both degrees.
def _noncentral_ratio(n: Any, d: Any, nc: Any, f: Any) -> tuple[Any, ...]:
    a, b, total, mean = 0.5 * n, 0.5 * d, n * f + d, 0.5 * nc
    w = n * f / total
    central = beta_density(a, b, w) * n * d / total**2
    density = np.exp(-mean) * central * sp.hyp1f1(a + b, a, mean * w)
    up = sp.ncfdtr(n + 2.0, d, nc, f * n / (n + 2.0))
    by_n = 0.5 * own("beta_mixture_by", 1.0, 0.0, a, b, mean, w) + density * f / n
    by_d = 0.5 * own("beta_mixture_by", 0.0, 1.0, a, b, mean, w) - density * f / d
    return by_n, by_d, 0.5 * (up - sp.ncfdtr(n, d, nc, f)), density


# By w these are derivatives of the mixture's density, known once.
@partials("beta_mixture_by")
def beta_mixture_by(i: Any, k: Any, a: Any, b: Any, mean: Any, w: Any, y: Any) -> Any:
    z = mean * w
    front, series = np.exp(-mean) * beta_density(a, b, w), sp.hyp1f1(a + b, a, z)
    by_first = own("hyp1f1_by", 1.0, 0.0, 0.0, a + b, a, z)
    by_second = own("hyp1f1_by", 0.0, 1.0, 0.0, a + b, a, z)
    both = sp.psi(a + b)
    by_a = front * ((np.log(w) + both - sp.psi(a)) * series + by_first + by_second)
    by_b = front * ((np.log1p(-w) + both - sp.psi(b)) * series + by_first)
    return (
        None,
        None,
        own("beta_mixture_by", i + 1.0, k, a, b, mean, w),
        own("beta_mixture_by", i, k + 1.0, a, b, mean, w),
        own("beta_mixture_by", i, k, a + 1.0, b, mean, w) - y,
        np.where(np.equal(i + k, 1.0), np.where(np.equal(i, 1.0), by_a, by_b), np.nan),
    )


@partials("ncfdtr")
def ncfdtr(n: Any, d: Any, nc: Any, f: Any, y: Any) -> Any:
    return _noncentral_ratio(n, d, nc, f)


@partials("ncfdtri")
def ncfdtri(n: Any, d: Any, nc: Any, p: Any, f: Any) -> Any:
    return inverse(_noncentral_ratio(n, d, nc, f), 3)


@partials("ncfdtrinc")
def ncfdtrinc(n: Any, d: Any, p: Any, f: Any, nc: Any) -> Any:
    return inverse(_noncentral_ratio(n, d, nc, f), 2)
