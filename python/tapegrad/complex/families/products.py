"""Products that are linear in each operand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from operator import attrgetter
from typing import Any

import numpy as np

from tapegrad._core import to_array
from tapegrad.complex.functions import on_complex
from tapegrad.complex.parts import as_numpys, is_complex, join, operand_of, operands, split


def of_both(function: Callable[..., Any], a: Any, b: Any) -> Any:
    """A bilinear function of two operands: of each pair of parts."""
    a, b = as_numpys(a), as_numpys(b)
    if not is_complex(a):
        (re, im), (x, _) = operands(b, a)
        return join(function(x, re), function(x, im))
    if not is_complex(b):
        (re, im), (x, _) = operands(a, b)
        return join(function(re, x), function(im, x))
    (x, y), (u, v) = operands(a, b)
    return join(function(x, u) - function(y, v), function(x, v) + function(y, u))


def _product(function: Any, conjugated: bool = False) -> None:
    def of(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        a, b = operand_of(a), operand_of(b)
        if conjugated:
            a = np.conjugate(a)
        found = of_both(lambda x, y: function(x, y, *args, **kwargs), a, b)
        if found.ndim or function not in (np.tensordot, np.linalg.tensordot):
            return found
        return join(to_array(found.real), to_array(found.imag))  # an array, of no axes

    on_complex(function)(of)


_BILINEAR: tuple[Any, ...] = (
    np.dot, np.inner, np.outer, np.linalg.outer, np.kron, np.cross, np.linalg.cross, np.tensordot,
    np.linalg.tensordot, np.linalg.matmul, np.convolve, np.polymul,
)  # fmt: skip
for _function in _BILINEAR:
    _product(_function)
for _name in ("vdot", "linalg.vecdot"):
    _product(attrgetter(_name)(np), conjugated=True)


@on_complex(np.correlate)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """Sums of products with the conjugate of v."""
    a, v = operand_of(a), np.conjugate(operand_of(v))
    return of_both(lambda x, y: np.correlate(x, y, mode), a, v)


@on_complex(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """The matrix product of all, from left to right."""
    found = operand_of(arrays[0])
    for factor in arrays[1:]:
        found = np.dot(found, operand_of(factor))
    return found


@on_complex(np.linalg.matrix_power)
def matrix_power(a: Any, n: Any) -> Any:
    """A product of n equal matrices, by squaring; of inverses where n < 0."""
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    found = None
    while n:
        if n & 1:
            found = a if found is None else a @ found
        n >>= 1
        a = a @ a if n else a
    return a * 0 + np.eye(a.shape[-1]) if found is None else found


@on_complex(np.einsum)
def einsum(*operands: Any, out: Any = None, optimize: Any = False, **kwargs: Any) -> Any:
    """Real sums for every choice of parts: 2**k of k complex operands."""
    places = [k for k, x in enumerate(operands) if is_complex(x)]
    sums: list[Any] = [0.0, 0.0]
    for choice in product((0, 1), repeat=len(places)):
        given = list(operands)
        for k, part in zip(places, choice, strict=True):
            given[k] = split(given[k])[part]
        term = np.einsum(*given, optimize=optimize, **kwargs)
        power = sum(choice)  # of i
        half, sign = power % 2, -1.0 if power % 4 > 1 else 1.0
        first = len(places) == 1 or power < 2
        sums[half] = term if first and type(sums[half]) is float else sums[half] + sign * term
    return join(*sums)
