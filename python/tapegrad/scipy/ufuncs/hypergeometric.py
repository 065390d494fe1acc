"""Hypergeometric functions, by their argument (DLMF 13.3.15, 13.3.22, 15.5.1, 16.3.1).

By their parameters the core sums the series' derivatives: `hyp2f1_by(i, j, k, l, a, b, c, z)` is
the derivative by each argument as many times as the first four say.
"""

from __future__ import annotations

from typing import Any

from scipy import special as sp

from tapegrad.scipy.ufuncs.registry import No, partials
from tapegrad.scipy.ufuncs.symbols import own

A, B = No("the parameter a"), No("the parameter b")


def _by(name: str, *x: Any, i: int) -> Any:
    """The derivative by argument i."""
    return own(name, *(float(k == i) for k in range(len(x))), *x)


def _further(name: str, n: int) -> None:
    @partials(name)
    def rule(*operands: Any) -> Any:
        orders, x = operands[:n], operands[n : 2 * n]
        none = (None,) * n
        return none + tuple(
            own(name, *(m + 1.0 if k == i else m for k, m in enumerate(orders)), *x)
            for i in range(n)
        )


for _name, _n in (("hyp0f1_by", 2), ("hyp1f1_by", 3), ("hyp2f1_by", 4)):
    _further(_name, _n)


@partials("hyp0f1")
def hyp0f1(b: Any, z: Any, y: Any) -> Any:
    return _by("hyp0f1_by", b, z, i=0), sp.hyp0f1(b + 1.0, z) / b


@partials("hyp1f1")
def hyp1f1(a: Any, b: Any, z: Any, y: Any) -> Any:
    by_a, by_b = (_by("hyp1f1_by", a, b, z, i=i) for i in range(2))
    return by_a, by_b, a / b * sp.hyp1f1(a + 1.0, b + 1.0, z)


@partials("hyperu")
def hyperu(a: Any, b: Any, z: Any, y: Any) -> Any:
    return A, B, -a * sp.hyperu(a + 1.0, b + 1.0, z)


@partials("hyp2f1")
def hyp2f1(a: Any, b: Any, c: Any, z: Any, y: Any) -> Any:
    by_a, by_b, by_c = (_by("hyp2f1_by", a, b, c, z, i=i) for i in range(3))
    return by_a, by_b, by_c, a * b / c * sp.hyp2f1(a + 1.0, b + 1.0, c + 1.0, z)
