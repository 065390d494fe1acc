"""Distribution functions and their inverses: each is an incomplete gamma or beta function.

Of u with F(..., u) = p the derivatives are 1 / F_u by p and -F_i / F_u by the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import (
    ROOT_2_PI,
    beta_density,
    betainc_by_a,
    betainc_by_b,
    exprel_slope,
    gamma_density,
    gammainc_by_a,
)
from tapegrad.scipy.ufuncs.registry import No, partials

COUNT = No("a whole number")


def _negated(found: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x if isinstance(x, No) else -x for x in found)


def inverse(found: tuple[Any, ...], unknown: int, sign: float = 1.0) -> Any:
    """Derivatives of the unknown argument by all: by it stands that by the value."""
    u = found[unknown]
    return [
        sign / u if i == unknown else x if isinstance(x, No) else -x / u
        for i, x in enumerate(found)
    ]


# Beta: F(a, b, x).
def _beta(a: Any, b: Any, x: Any) -> tuple[Any, ...]:
    return betainc_by_a(a, b, x), betainc_by_b(a, b, x), beta_density(a, b, x)


@partials("betainc")
def betainc(a: Any, b: Any, x: Any, y: Any) -> Any:
    return _beta(a, b, x)


@partials("betaincc")
def betaincc(a: Any, b: Any, x: Any, y: Any) -> Any:
    return _negated(_beta(a, b, x))


@partials("betaincinv")
def betaincinv(a: Any, b: Any, p: Any, x: Any) -> Any:
    return inverse(_beta(a, b, x), 2)


@partials("betainccinv")
def betainccinv(a: Any, b: Any, p: Any, x: Any) -> Any:
    return inverse(_beta(a, b, x), 2, -1.0)


@partials("btdtria")
def btdtria(p: Any, b: Any, x: Any, a: Any) -> Any:
    return inverse(_beta(a, b, x), 0)


@partials("btdtrib")
def btdtrib(a: Any, p: Any, x: Any, b: Any) -> Any:
    return inverse(_beta(a, b, x), 1)


# Gamma with rate a and shape b: P(b, a x).
def _gamma(a: Any, b: Any, x: Any) -> tuple[Any, ...]:
    density = gamma_density(b, a * x)
    return x * density, gammainc_by_a(b, a * x), a * density


@partials("gdtr")
def gdtr(a: Any, b: Any, x: Any, y: Any) -> Any:
    return _gamma(a, b, x)


@partials("gdtrc")
def gdtrc(a: Any, b: Any, x: Any, y: Any) -> Any:
    return _negated(_gamma(a, b, x))


@partials("gdtria")
def gdtria(p: Any, b: Any, x: Any, a: Any) -> Any:
    return inverse(_gamma(a, b, x), 0)


@partials("gdtrib")
def gdtrib(a: Any, p: Any, x: Any, b: Any) -> Any:
    return inverse(_gamma(a, b, x), 1)


@partials("gdtrix")
def gdtrix(a: Any, b: Any, p: Any, x: Any) -> Any:
    return inverse(_gamma(a, b, x), 2)


# Chi squared: P(v / 2, x / 2).
def _chi(v: Any, x: Any) -> tuple[Any, ...]:
    a, u = 0.5 * v, 0.5 * x
    return 0.5 * gammainc_by_a(a, u), 0.5 * gamma_density(a, u)


@partials("chdtr")
def chdtr(v: Any, x: Any, y: Any) -> Any:
    return _chi(v, x)


@partials("chdtrc")
def chdtrc(v: Any, x: Any, y: Any) -> Any:
    return _negated(_chi(v, x))


@partials("chdtri")
def chdtri(v: Any, p: Any, x: Any) -> Any:
    return inverse(_chi(v, x), 1, -1.0)


@partials("chdtriv")
def chdtriv(p: Any, x: Any, v: Any) -> Any:
    return inverse(_chi(v, x), 0)


# Poisson: Q(k + 1, m).
def _poisson(k: Any, m: Any) -> tuple[Any, ...]:
    return -gammainc_by_a(k + 1.0, m), -gamma_density(k + 1.0, m)


@partials("pdtr")
def pdtr(k: Any, m: Any, y: Any) -> Any:
    return COUNT, _poisson(np.floor(k), m)[1]


@partials("pdtrc")
def pdtrc(k: Any, m: Any, y: Any) -> Any:
    return COUNT, -_poisson(np.floor(k), m)[1]


@partials("pdtri")
def pdtri(k: Any, p: Any, m: Any) -> Any:
    return COUNT, 1.0 / _poisson(np.floor(k), m)[1]


@partials("pdtrik")
def pdtrik(p: Any, m: Any, k: Any) -> Any:
    return inverse(_poisson(k, m), 0)


# Binomial: I(n - k, k + 1, 1 - p).
def _binomial(k: Any, n: Any, p: Any) -> tuple[Any, ...]:
    a, b, x = n - k, k + 1.0, 1.0 - p
    by_a = betainc_by_a(a, b, x)
    return betainc_by_b(a, b, x) - by_a, by_a, -beta_density(a, b, x)


@partials("bdtr")
def bdtr(k: Any, n: Any, p: Any, y: Any) -> Any:
    return COUNT, COUNT, _binomial(np.floor(k), n, p)[2]


@partials("bdtrc")
def bdtrc(k: Any, n: Any, p: Any, y: Any) -> Any:
    return COUNT, COUNT, -_binomial(np.floor(k), n, p)[2]


@partials("bdtri")
def bdtri(k: Any, n: Any, y: Any, p: Any) -> Any:
    return COUNT, COUNT, 1.0 / _binomial(np.floor(k), n, p)[2]


@partials("bdtrik")
def bdtrik(y: Any, n: Any, p: Any, k: Any) -> Any:
    return inverse(_binomial(k, n, p), 0)


@partials("bdtrin")
def bdtrin(k: Any, y: Any, p: Any, n: Any) -> Any:
    return inverse(_binomial(k, n, p), 1)


# Negative binomial: I(n, k + 1, p).
def _negative(k: Any, n: Any, p: Any) -> tuple[Any, ...]:
    b = k + 1.0
    return betainc_by_b(n, b, p), betainc_by_a(n, b, p), beta_density(n, b, p)


@partials("nbdtr")
def nbdtr(k: Any, n: Any, p: Any, y: Any) -> Any:
    return COUNT, COUNT, _negative(np.floor(k), n, p)[2]


@partials("nbdtrc")
def nbdtrc(k: Any, n: Any, p: Any, y: Any) -> Any:
    return COUNT, COUNT, -_negative(np.floor(k), n, p)[2]


@partials("nbdtri")
def nbdtri(k: Any, n: Any, y: Any, p: Any) -> Any:
    return COUNT, COUNT, 1.0 / _negative(np.floor(k), n, p)[2]


@partials("nbdtrik")
def nbdtrik(y: Any, n: Any, p: Any, k: Any) -> Any:
    return inverse(_negative(k, n, p), 0)


@partials("nbdtrin")
def nbdtrin(k: Any, y: Any, p: Any, n: Any) -> Any:
    return inverse(_negative(k, n, p), 1)


# F: I(n / 2, d / 2, n x / (n x + d)).
def _ratio(n: Any, d: Any, x: Any) -> tuple[Any, ...]:
    a, b, total = 0.5 * n, 0.5 * d, n * x + d
    w = n * x / total
    density = beta_density(a, b, w)
    return (
        0.5 * betainc_by_a(a, b, w) + density * x * d / total**2,
        0.5 * betainc_by_b(a, b, w) - density * n * x / total**2,
        density * n * d / total**2,
    )


@partials("fdtr")
def fdtr(n: Any, d: Any, x: Any, y: Any) -> Any:
    return _ratio(n, d, x)


@partials("fdtrc")
def fdtrc(n: Any, d: Any, x: Any, y: Any) -> Any:
    return _negated(_ratio(n, d, x))


@partials("fdtri")
def fdtri(n: Any, d: Any, p: Any, x: Any) -> Any:
    return inverse(_ratio(n, d, x), 2)


@partials("fdtridfd")
def fdtridfd(n: Any, p: Any, x: Any, d: Any) -> Any:
    return inverse(_ratio(n, d, x), 1)


# Normal: x = mean + deviation * ndtri(p).
@partials("nrdtrimn")
def nrdtrimn(p: Any, deviation: Any, x: Any, mean: Any) -> Any:
    z = (x - mean) / deviation
    return -deviation * ROOT_2_PI * np.exp(0.5 * z * z), -z, 1.0


@partials("nrdtrisd")
def nrdtrisd(mean: Any, p: Any, x: Any, deviation: Any) -> Any:
    z = (x - mean) / deviation
    return -1.0 / z, -deviation / z * ROOT_2_PI * np.exp(0.5 * z * z), 1.0 / z


# Kolmogorov's distribution: both of its series, each where it converges in a few terms.
def _kolmogorov_slope(x: Any) -> Any:
    near = x < 1.0
    u, v = np.where(near, x, 1.0), np.where(near, 1.0, x)
    q = np.square(np.pi / u) / 8.0
    below: Any = 0.0
    for k in (1.0, 3.0, 5.0, 7.0):
        below = below + np.exp(-k * k * q) * (2.0 * k * k * q - 1.0)
    above: Any = 0.0
    for k in (1.0, 2.0, 3.0, 4.0, 5.0):
        above = above + (-1.0) ** k * k * k * np.exp(-2.0 * k * k * v * v)
    return np.where(near, -ROOT_2_PI / (u * u) * below, 8.0 * v * above)


@partials("kolmogorov")
def kolmogorov(x: Any, y: Any) -> Any:
    return (_kolmogorov_slope(x),)


@partials("kolmogi")
def kolmogi(p: Any, x: Any) -> Any:
    return (1.0 / _kolmogorov_slope(x),)


@partials("smirnov")
def smirnov(n: Any, x: Any, y: Any) -> Any:
    return COUNT, sp._ufuncs._smirnovp(n, x)


@partials("smirnovi")
def smirnovi(n: Any, p: Any, x: Any) -> Any:
    return COUNT, 1.0 / sp._ufuncs._smirnovp(n, x)


@partials("_smirnovp")
def smirnovp(n: Any, x: Any, y: Any) -> Any:
    return COUNT, No("where it is differentiated twice")


# Tukey's lambda: x = (p^s - (1 - p)^s) / s.
@partials("tklmbda")
def tklmbda(x: Any, s: Any, p: Any) -> Any:
    inside = np.logical_and(p > 0.0, p < 1.0)
    u = np.where(inside, p, 0.5)
    a, b = np.log(u), np.log1p(-u)
    slope = 1.0 / (np.exp((s - 1.0) * a) + np.exp((s - 1.0) * b))
    by_s = a * a * exprel_slope(s * a) - b * b * exprel_slope(s * b)
    return np.where(inside, slope, 0.0), np.where(inside, -slope * by_s, 0.0)
