"""Schur's form of a matrix, by its eigenvectors made orthonormal."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.matrices import adjoint, array, shape_of
from tapegrad.transforms.trace import value


def in_order_of(w: Any, wanted: Any) -> list[int]:
    """Which eigenvalue is nearest to each wanted one, each taken once."""
    left, order = list(range(len(w))), []
    for x in wanted:
        order.append(min(left, key=lambda k: abs(w[k] - x)))
        left.remove(order[-1])
    return order


def with_phases_of(v: Any, wanted: Any) -> Any:
    """Columns with the signs of the wanted ones; complex ones move at right angles to those."""
    along = np.sum(np.conj(wanted) * v, 0)
    unit = np.conj(along) / np.abs(along) if np.iscomplexobj(v) else np.sign(value(along))
    return v * unit


# A = V diag(w) / V and V = Q R give A = Q (R diag(w) / R) Q*, a triangle between unitary matrices.
# Its columns are unique but for signs, which are SciPy's, or phases, which are such that each
# column moves at right angles to what SciPy gives.
@derives(scipy.linalg.schur, complex_too=True)
def schur(
    a: Any,
    output: Any = "real",
    lwork: Any = None,
    overwrite_a: Any = False,
    sort: Any = None,
    check_finite: Any = True,
) -> Any:
    a = array(a, check_finite)
    plain = np.asarray(value(a))
    t, z, *rest = scipy.linalg.schur(plain, output, sort=sort)
    if len(shape_of(a)) != 2:
        raise ValueError(f"scipy.linalg.schur: expected one matrix, got shape {shape_of(a)}")
    pairs = np.flatnonzero(np.diagonal(t, -1))
    if pairs.size:
        raise TypeError(
            f"scipy.linalg.schur: the matrix of shape {shape_of(a)} has complex eigenvalues "
            f"{complex(*_pair(t, pairs[0])):.6g} and its conjugate, and the derivative of a block "
            "of two is not there; call it with output='complex' for a triangle, or "
            "np.linalg.eig(a) for eigenvalues and eigenvectors"
        )
    if np.iscomplexobj(t):
        a = a.astype(t.dtype)
    w, v = np.linalg.eig(a)
    if not np.iscomplexobj(t):  # from NumPy 2.5 on w and v are complex for all that
        w, v = np.real(w), np.real(v)
    order = in_order_of(np.asarray(value(w)), np.diagonal(t))
    q, _ = np.linalg.qr(v[:, order])
    found = with_phases_of(q, z)
    return (np.triu(adjoint(found) @ a @ found), found, *rest)


def _pair(t: Any, k: int) -> tuple[float, float]:
    """An eigenvalue of the block at k, which LAPACK gives equal numbers on its diagonal."""
    return t[k, k], np.sqrt(abs(t[k, k + 1] * t[k + 1, k]))
