"""Functions of which SciPy has the derivative too: what follows is their differential equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sp

from tapegrad.scipy.ufuncs.registry import No, partials

_DEGREE = float(np.pi / 180.0)
ORDER = No("its order")
SHAPE = No("its parameter")


@partials("airy")
def airy(x: Any, a: Any, da: Any, b: Any, db: Any) -> Any:
    return (da,), (x * a,), (db,), (x * b,)


@partials("airye")
def airye(x: Any, a: Any, da: Any, b: Any, db: Any) -> Any:
    root = np.sqrt(np.maximum(x, 0.0))
    return (da + root * a,), (x * a + root * da,), (db - root * b,), (x * b - root * db,)


@partials("itairy")
def itairy(x: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    right, left = sp.airy(x), sp.airy(-x)
    return (right[0],), (right[2],), (left[0],), (left[2],)


# Kelvin's functions (DLMF 10.61.3): w = ber + i bei has x^2 w'' + x w' = i x^2 w.
def _by_x(slope: Any, x: Any, at_zero: float) -> Any:
    none = np.equal(x, 0.0)
    return np.where(none, at_zero, slope / np.where(none, 1.0, x))


@partials("ber")
def ber(x: Any, y: Any) -> Any:
    return (sp.berp(x),)


@partials("bei")
def bei(x: Any, y: Any) -> Any:
    return (sp.beip(x),)


@partials("ker")
def ker(x: Any, y: Any) -> Any:
    return (sp.kerp(x),)


@partials("kei")
def kei(x: Any, y: Any) -> Any:
    return (sp.keip(x),)


@partials("berp")
def berp(x: Any, y: Any) -> Any:
    return (-sp.bei(x) - _by_x(y, x, 0.0),)


@partials("beip")
def beip(x: Any, y: Any) -> Any:
    return (sp.ber(x) - _by_x(y, x, 0.5),)


@partials("kerp")
def kerp(x: Any, y: Any) -> Any:
    return (-sp.kei(x) - y / x,)


@partials("keip")
def keip(x: Any, y: Any) -> Any:
    return (sp.ker(x) - y / x,)


@partials("pbdv", "pbvv")
def parabolic(v: Any, x: Any, y: Any, dy: Any) -> Any:
    return (ORDER, dy), (ORDER, (0.25 * x * x - v - 0.5) * y)


@partials("pbwa")
def pbwa(a: Any, x: Any, y: Any, dy: Any) -> Any:
    return (SHAPE, dy), (SHAPE, (a - 0.25 * x * x) * y)


@partials("mathieu_a", "mathieu_b")
def mathieu(m: Any, q: Any, y: Any) -> Any:
    return ORDER, SHAPE


@partials("pro_cv", "obl_cv")
def spheroidal(m: Any, n: Any, c: Any, y: Any) -> Any:
    return ORDER, ORDER, SHAPE


def _mathieu(value: Callable[..., Any], modified: bool) -> Callable[..., Any]:
    """Y'' + (a - 2q cos 2x) y = 0, or with cosh and the other sign (DLMF 28.2.1, 28.20.1)."""

    def rule(m: Any, q: Any, x: Any, y: Any, dy: Any) -> Any:
        if modified:
            unit: float = 1.0
            second = (value(m, q) - 2.0 * q * np.cosh(2.0 * x)) * y
        else:
            unit = _DEGREE  # the argument is in degrees, the derivative by radians
            second = -(value(m, q) - 2.0 * q * sp.cosdg(2.0 * x)) * y
        return (ORDER, SHAPE, unit * dy), (ORDER, SHAPE, unit * second)

    return rule


partials("mathieu_cem")(_mathieu(sp.mathieu_a, False))
partials("mathieu_sem")(_mathieu(sp.mathieu_b, False))
partials("mathieu_modcem1", "mathieu_modcem2")(_mathieu(sp.mathieu_a, True))
partials("mathieu_modsem1", "mathieu_modsem2")(_mathieu(sp.mathieu_b, True))


# Spheroidal wave functions (DLMF 30.2.1): (1 - x^2) y'' - 2 x y' + (l - c^2 x^2 - m^2 / (1 - x^2))
# y = 0; oblate ones of an angle with -c^2, radial ones with x i for x.
def _second(kind: str, m: Any, c: Any, level: Any, x: Any, y: Any, dy: Any) -> Any:
    square = c * c * x * x
    if kind == "obl_rad":
        r = x * x + 1.0
        return ((level - square - m * m / r) * y - 2.0 * x * dy) / r
    r = 1.0 - x * x
    shift = square if kind == "obl_ang" else -square
    return (2.0 * x * dy - (level + shift - m * m / r) * y) / r


def _spheroidal(kind: str, value: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    def rule(m: Any, n: Any, c: Any, x: Any, y: Any, dy: Any) -> Any:
        second = _second(kind, m, c, value(m, n, c), x, y, dy)
        return (ORDER, ORDER, SHAPE, dy), (ORDER, ORDER, SHAPE, second)

    def rule_with_level(m: Any, n: Any, c: Any, level: Any, x: Any, y: Any, dy: Any) -> Any:
        second = _second(kind, m, c, level, x, y, dy)
        given = No("its characteristic value")
        return (ORDER, ORDER, SHAPE, given, dy), (ORDER, ORDER, SHAPE, given, second)

    return rule, rule_with_level


for _kind, _value in (
    ("pro_ang", sp.pro_cv), ("pro_rad", sp.pro_cv), ("obl_ang", sp.obl_cv), ("obl_rad", sp.obl_cv)
):  # fmt: skip
    _rule, _with_level = _spheroidal(_kind, _value)
    partials(f"{_kind}1")(_rule)
    partials(f"{_kind}1_cv")(_with_level)
