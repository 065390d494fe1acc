"""The gamma function and what is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.helpers import SKIP, gamma_density, gammainc_by_a
from tapegrad.scipy.ufuncs.registry import partials
from tapegrad.scipy.ufuncs.symbols import op, own


@partials("gamma")
def gamma(x: Any, y: Any) -> Any:
    return (y * sp.psi(x),)


@partials("loggamma")
def loggamma(x: Any, y: Any) -> Any:
    return (sp.psi(x),)


@partials("gammasgn")
def gammasgn(x: Any, y: Any) -> Any:
    return (None,)


@partials("rgamma")
def rgamma(x: Any, y: Any) -> Any:
    # Below 1/2 by the reflection formula: at the poles of the gamma function this one is smooth.
    low = x < 0.5
    u = np.where(low, x, SKIP)
    rest = np.where(low, sp.gamma(1.0 - u) * sp.cosdg(180.0 * u), 0.0)
    return (rest - y * sp.psi(np.where(low, 1.0 - x, x)),)


@partials("beta")
def beta(a: Any, b: Any, y: Any) -> Any:
    both = sp.psi(a + b)
    return y * (sp.psi(a) - both), y * (sp.psi(b) - both)


@partials("betaln")
def betaln(a: Any, b: Any, y: Any) -> Any:
    both = sp.psi(a + b)
    return sp.psi(a) - both, sp.psi(b) - both


@partials("binom")
def binom(n: Any, k: Any, y: Any) -> Any:
    rest = sp.psi(n - k + 1.0)
    return y * (sp.psi(n + 1.0) - rest), y * (rest - sp.psi(k + 1.0))


@partials("poch")
def poch(a: Any, m: Any, y: Any) -> Any:
    last = sp.psi(a + m)
    return y * (last - sp.psi(a)), y * last


@partials("gammainc")
def gammainc(a: Any, x: Any, y: Any) -> Any:
    return gammainc_by_a(a, x), gamma_density(a, x)


@partials("gammaincc")
def gammaincc(a: Any, x: Any, y: Any) -> Any:
    return -gammainc_by_a(a, x), -gamma_density(a, x)


@partials("gammaincinv")
def gammaincinv(a: Any, p: Any, x: Any) -> Any:
    density = gamma_density(a, x)
    return -gammainc_by_a(a, x) / density, 1.0 / density


@partials("gammainccinv")
def gammainccinv(a: Any, p: Any, x: Any) -> Any:
    density = gamma_density(a, x)
    return -gammainc_by_a(a, x) / density, -1.0 / density


@partials("_zeta")
def zeta(s: Any, q: Any, y: Any) -> Any:
    return op("zeta_by_order", 1.0, s, q), -s * sp._ufuncs._zeta(s + 1.0, q)


@partials("riemann_zeta_by")
def riemann_zeta_by(n: Any, s: Any, y: Any) -> Any:
    return None, own("riemann_zeta_by", n + 1.0, s)


def riemann_slope(s: Any) -> Any:
    """The derivative of zeta(s), for s < -1/2 by the functional equation (DLMF 25.4.1)."""
    low = s < -0.5
    u, t = np.where(low, SKIP, s), np.where(low, 1.0 - s, SKIP)
    z, slope = own("riemann_zeta_by", 0.0, t), own("riemann_zeta_by", 1.0, t)
    front = 2.0 * np.exp(sp.gammaln(t) - t * np.log(2.0 * np.pi))
    c, d = sp.cosdg(90.0 * t), 0.5 * np.pi * sp.sindg(90.0 * t)
    below = -front * (c * ((sp.psi(t) - np.log(2.0 * np.pi)) * z + slope) - d * z)
    return np.where(low, below, own("riemann_zeta_by", 1.0, u))


@partials("_riemann_zeta", "zetac")
def riemann_zeta(s: Any, y: Any) -> Any:
    return (riemann_slope(s),)


@partials("_log1pmx")
def log1pmx(x: Any, y: Any) -> Any:
    return (-x / (1.0 + x),)
