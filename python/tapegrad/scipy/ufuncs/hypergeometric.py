"""Hypergeometric functions, by their argument (DLMF 13.3.15, 13.3.22, 15.5.1, 16.3.1)."""

from __future__ import annotations

from typing import Any

from scipy import special as sp

from tapegrad.scipy.ufuncs.registry import No, partials

A, B, C = No("the parameter a"), No("the parameter b"), No("the parameter c")


@partials("hyp0f1")
def hyp0f1(b: Any, z: Any, y: Any) -> Any:
    return No("the parameter v"), sp.hyp0f1(b + 1.0, z) / b


@partials("hyp1f1")
def hyp1f1(a: Any, b: Any, z: Any, y: Any) -> Any:
    return A, B, a / b * sp.hyp1f1(a + 1.0, b + 1.0, z)


@partials("hyperu")
def hyperu(a: Any, b: Any, z: Any, y: Any) -> Any:
    return A, B, -a * sp.hyperu(a + 1.0, b + 1.0, z)


@partials("hyp2f1")
def hyp2f1(a: Any, b: Any, c: Any, z: Any, y: Any) -> Any:
    return A, B, C, a * b / c * sp.hyp2f1(a + 1.0, b + 1.0, c + 1.0, z)
