"""Systems with banded matrices, which SciPy keeps diagonal by diagonal.

The diagonal k of a matrix, k columns to the right, is row u - k of its band: element (i, j) stands
in column j. With x = a^-1 b and s = a'^-1 g the adjoint of element (i, j) is -s_i x_j.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.operations.primitive import primitive
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.matrices import array, pair_of, shape_of


def _shifted(x: Any, k: int) -> Any:
    """The last axis moved k places to the right (to the left for k < 0), with zeros behind."""
    n = shape_of(x)[-1]
    none = np.zeros_like(x[..., : min(abs(k), n)])
    if k >= 0:
        return np.concatenate([none, x[..., : max(n - k, 0)]], -1)
    return np.concatenate([x[..., -k:], none], -1)


def _band_of_transpose(below: int, above: int, ab: Any) -> Any:
    rows = [_shifted(ab[above + k], k) for k in range(below, -above - 1, -1)]
    return np.stack(rows)


def _products(s: Any, x: Any, k: int) -> Any:
    """Of each column j the product s_(j - k) x_j, summed over the right sides; zero beyond."""
    s, x = (y[:, None] if len(shape_of(y)) == 1 else y for y in (s, x))
    return np.sum(_shifted(s.T, k) * x.T, axis=0)


@primitive
def _banded(ab: Any, b: Any, width: Any) -> Any:
    below, above = map(int, width.split())
    return scipy.linalg.solve_banded((below, above), ab, b, check_finite=False)


def _pull_banded(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    ab, _, width = args
    below, above = map(int, width.split())

    def pull(g: Any) -> Any:
        s = _banded(_band_of_transpose(below, above, ab), g, f"{above} {below}")
        diagonals = range(above, -below - 1, -1)
        found = (lambda: -np.stack([_products(s, x, k) for k in diagonals]), lambda: s)
        return [found[k]() for k in argnums]

    return pull


_banded.defvjp_argnums(_pull_banded)


def _band(name: str, rows: int, ab: Any, b: Any, check_finite: Any) -> tuple[Any, Any]:
    ab, b = array(ab, check_finite), array(b, check_finite)
    if len(shape_of(ab)) != 2 or shape_of(ab)[1] != shape_of(b)[0]:
        raise ValueError(f"{name}: shapes of ab {shape_of(ab)} and b {shape_of(b)} do not fit")
    if rows and shape_of(ab)[0] != rows:
        raise ValueError(f"{name}: the band has {shape_of(ab)[0]} rows, and needs {rows}")
    return ab, b


@derives(scipy.linalg.solve_banded)
def solve_banded(
    l_and_u: Any,
    ab: Any,
    b: Any,
    overwrite_ab: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
) -> Any:
    below, above = pair_of(
        "scipy.linalg.solve_banded", "the numbers of diagonals below and above", l_and_u
    )
    rows = below + above + 1
    ab, b = _band("scipy.linalg.solve_banded", rows, ab, b, check_finite)
    return _banded(ab, b, f"{below} {above}")


@primitive
def _symmetric(ab: Any, b: Any, lower: Any) -> Any:
    return scipy.linalg.solveh_banded(ab, b, lower=lower == "lower", check_finite=False)


def _pull_symmetric(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    ab, _, lower = args
    above = shape_of(ab)[0] - 1

    def row(s: Any, k: int) -> Any:
        both = _products(s, x, k) + (_products(x, s, k) if k else 0.0)
        return _shifted(both, -k) if lower == "lower" else both

    def pull(g: Any) -> Any:
        s = _symmetric(ab, g, lower)
        order = range(above + 1) if lower == "lower" else range(above, -1, -1)
        found = (lambda: -np.stack([row(s, k) for k in order]), lambda: s)
        return [found[k]() for k in argnums]

    return pull


_symmetric.defvjp_argnums(_pull_symmetric)


@derives(scipy.linalg.solveh_banded)
def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: Any = False,
    overwrite_b: Any = False,
    lower: Any = False,
    check_finite: Any = True,
) -> Any:
    ab, b = _band("scipy.linalg.solveh_banded", 0, ab, b, check_finite)
    return _symmetric(ab, b, "lower" if lower else "upper")


@derives(scipy.linalg.cho_solve_banded)
def cho_solve_banded(
    cb_and_lower: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True
) -> Any:
    cb, lower = cb_and_lower
    cb, b = _band("scipy.linalg.cho_solve_banded", 0, cb, b, check_finite)
    k = shape_of(cb)[0] - 1
    if lower:
        half = _banded(cb, b, f"{k} 0")
        return _banded(_band_of_transpose(k, 0, cb), half, f"0 {k}")
    half = _banded(_band_of_transpose(0, k, cb), b, f"{k} 0")
    return _banded(cb, half, f"0 {k}")


@derives(scipy.linalg.cholesky_banded)
def cholesky_banded(
    ab: Any, overwrite_ab: Any = False, lower: Any = False, check_finite: Any = True
) -> Any:
    ab = array(ab, check_finite)
    n, k = shape_of(ab)[1], shape_of(ab)[0] - 1
    band = ab if lower else np.stack([_shifted(ab[k - i], -i) for i in range(k + 1)])
    # The whole matrix; its factor has the same band.
    matrix = np.diag(band[0])
    for i in range(1, min(k + 1, n)):
        side = np.diag(band[i, : n - i], i)
        matrix = matrix + side + side.T
    factor = np.linalg.cholesky(matrix)
    rows, columns = [], np.arange(n)
    for i in range(k + 1):
        row = np.concatenate([np.diagonal(factor, -i), np.zeros(min(i, n), ab.dtype)])
        # Beside the diagonal stands what stood there.
        if lower:
            rows.append(np.where(columns < n - i, row, ab[i]))
        else:
            rows.append(np.where(columns >= i, _shifted(row, i), ab[k - i]))
    return np.stack(rows if lower else rows[::-1])
