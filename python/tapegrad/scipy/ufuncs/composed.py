"""Functions with complex results, written with real ones (DLMF 10.4.3, 7.5.1, 4.13).

At the end stand functions without a derivative, and what is written in their place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs import symbols
from tapegrad.scipy.ufuncs.helpers import ROOT_PI
from tapegrad.scipy.ufuncs.registry import composed, own, parts, refuse


def _parts_of(z: Any) -> tuple[Any, Any]:
    return (z.real, z.imag) if np.iscomplexobj(z) else (z, 0.0)


# H' = H_{v-1} - v / x H, with -i H or i H beside it where exp(-i x) or exp(i x) is a factor. The
# partial by the argument's imaginary part, which is 0 here, follows as for any holomorphic one.
def _hankel(name: str, sign: float, scaled: bool) -> None:
    def by_order(v: Any, x: Any) -> tuple[Any, Any]:
        a = symbols.own("jv_by_order", 1.0, v, x)
        b = sign * symbols.own("yv_by_order", 1.0, v, x)
        if not scaled:
            return a, b
        c, s = np.cos(x), -sign * np.sin(x)
        return a * c - b * s, a * s + b * c

    @parts(f"{name}_parts", name)
    def rule(v: Any, x: Any, y: Any, a: Any, b: Any) -> Any:
        below = symbols.own(f"{name}_parts", v - 1.0, x, y)
        p, q = below[0] - v / x * a, below[1] - v / x * b
        if scaled:
            p, q = p + sign * b, q - sign * a
        first, second = by_order(v, x)
        return (first, p, -q), (second, q, p)

    @composed(name)
    def function(v: Any, x: Any) -> Any:
        a, b = own(f"{name}_parts")(v, x, 0.0)
        return a + 1j * b


_hankel("hankel1", 1.0, False)
_hankel("hankel2", -1.0, False)
_hankel("hankel1e", 1.0, True)
_hankel("hankel2e", -1.0, True)


@composed("wofz", complex_too=True)
def wofz(z: Any) -> Any:
    if np.iscomplexobj(z):
        u, v = own("wofz_parts")(*_parts_of(z))
        return u + 1j * v
    return np.exp(-z * z) + 1j * (2.0 / ROOT_PI * sp.dawsn(z))


# W exp(W) = z: the derivative is exp(-W) / (1 + W) (DLMF 4.13.4), here of its parts.
@parts("lambertw_parts", "_lambertw")
def lambertw_parts(x: Any, y: Any, k: Any, tol: Any, u: Any, v: Any) -> Any:
    e, c, s = np.exp(-u), np.cos(v), np.sin(v)
    a = 1.0 + u
    size = a * a + v * v
    p, q = e * (c * a - s * v) / size, -e * (s * a + c * v) / size
    return (p, -q, None, None), (q, p, None, None)


@composed("_lambertw", complex_too=True)
def lambertw(z: Any, k: Any, tol: Any) -> Any:
    u, v = own("lambertw_parts")(*_parts_of(z), np.asarray(k, float), np.asarray(tol, float))
    return u + 1j * v


@composed("kelvin")
def kelvin(x: Any) -> Any:
    return (
        sp.ber(x) + 1j * sp.bei(x),
        sp.ker(x) + 1j * sp.kei(x),
        sp.berp(x) + 1j * sp.beip(x),
        sp.kerp(x) + 1j * sp.keip(x),
    )


# F' = -exp(s i x^2), and K = exp(-i s (x^2 + pi / 4)) F / sqrt(pi) with s = 1 or -1 (DLMF 7.2.6).
def _fresnel_parts(name: str, ufunc: str, s: float) -> None:
    @parts(name, ufunc)
    def rule(x: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        constant = math.sqrt(0.5) / ROOT_PI
        by_k = 2.0 * s * x * d - constant, -2.0 * s * x * c + s * constant
        return (-np.cos(x * x),), (-s * np.sin(x * x),), (by_k[0],), (by_k[1],)

    @composed(ufunc)
    def function(x: Any) -> Any:
        a, b, c, d = own(name)(x)
        return a + 1j * b, c + 1j * d


_fresnel_parts("modfresnelp_parts", "modfresnelp", 1.0)
_fresnel_parts("modfresnelm_parts", "modfresnelm", -1.0)

# Non-central distributions, whose derivatives SciPy has no function for.
refuse("", "nctdtr", "nctdtridf", "nctdtrinc", "nctdtrit")
# SciPy finds these roots to five digits, or not at all.
refuse("", "ncfdtridfd", "ncfdtridfn")
# SciPy's values of these do not agree with its derivatives of them.
refuse("", "obl_rad2", "obl_rad2_cv", "pro_rad2", "pro_rad2_cv")
