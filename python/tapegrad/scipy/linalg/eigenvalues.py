"""Eigenvalues of any square matrix, of pairs of them, and of symmetric ones kept in bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from tapegrad.scipy.functions import derives, with_parameters_of
from tapegrad.scipy.linalg.matrices import array, one_of, shape_of, square
from tapegrad.scipy.linalg.schur_form import in_order_of, with_phases_of
from tapegrad.transforms.trace import value, warn_user

_PAIRS = "leave it out for the eigenvalues themselves"
_LEFT = "write np.conj(np.linalg.inv(v)).T for what stands on the left of the eigenvectors v"


def _complex(w: Any) -> Any:
    """SciPy's eigenvalues are complex, whatever their values."""
    return w if np.iscomplexobj(w) else w.astype(np.result_type(w.dtype, np.complex64))


def _of_pair(
    name: str, a: Any, b: Any, check_finite: Any, only_values: bool = False
) -> tuple[Any, Any]:
    """Eigenvalues and vectors of a v = w b v, by those of b^-1 a.

    Their order, and the phases of the vectors, are those that SciPy finds for the pair.
    """
    b = square(name, b, check_finite)
    if shape_of(a) != shape_of(b):
        raise ValueError("a and b must have the same shape")
    if len(shape_of(a)) != 2:
        raise ValueError(f"{name}: expected one pair of matrices, got shapes {shape_of(a)}")
    expected, vectors = scipy.linalg.eig(np.asarray(value(a)), np.asarray(value(b)))
    w, v = np.linalg.eig(np.linalg.solve(b, a))
    order = in_order_of(np.asarray(value(w)), expected)
    if not only_values and np.any(np.imag(np.asarray(value(v))) != 0.0):
        warn_user(
            f"{name}: the phases of complex vectors of a pair are a matter of choice; their "
            "derivative is right for what no phase changes, such as np.abs(v)"
        )
    return w[order], with_phases_of(v[:, order], vectors)


@derives(
    scipy.linalg.eig,
    refused={"left": _LEFT, "homogeneous_eigvals": _PAIRS},
    complex_too=True,
)
def eig(
    a: Any,
    b: Any = None,
    left: Any = False,
    right: Any = True,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
    homogeneous_eigvals: Any = False,
) -> Any:
    a = square("scipy.linalg.eig", a, check_finite)
    if not right:
        return eigvals(a, b, check_finite=check_finite)
    if b is None:
        w, v = np.linalg.eig(a)
    else:
        w, v = _of_pair("scipy.linalg.eig", a, b, check_finite)
    return _complex(w), v


def _eigvals(a: Any, b: Any, check_finite: Any) -> Any:
    a = square("scipy.linalg.eigvals", a, check_finite)
    if b is None:
        return _complex(np.linalg.eigvals(a))
    return _complex(_of_pair("scipy.linalg.eigvals", a, b, check_finite, True)[0])


eigvals = derives(scipy.linalg.eigvals, refused={"homogeneous_eigvals": _PAIRS}, complex_too=True)(
    with_parameters_of(scipy.linalg.eigvals, _eigvals)  # which are more from SciPy 1.18 on
)


def _selected(name: str, w: Any, v: Any, select: Any, limits: Any) -> Any:
    """The eigenvalues that were asked for, with their vectors; alone where v is None."""
    if select not in _SELECT:
        raise ValueError(f"{name}: invalid argument for select: {select!r}")
    kind = _SELECT[select]
    if kind == "all":
        return w if v is None else (w, v)
    if limits is None or np.shape(limits) != (2,):
        raise ValueError(
            f"{name}: select_range must be a 2-element array-like in nondecreasing order, got "
            f"{limits!r}"
        )
    low, high = limits
    if kind == "places":
        if not 0 <= low <= high < shape_of(w)[-1]:
            raise ValueError(
                f"{name}: select_range out of bounds: {limits!r} of {shape_of(w)[-1]} eigenvalues"
            )
        chosen: Any = slice(int(low), int(high) + 1)
    else:
        chosen = (w > low) & (w <= high)
    return w[chosen] if v is None else (w[chosen], v[:, chosen])


# What SciPy calls the choices; numbers were those of LAPACK.
_SELECT = {
    0: "all", "a": "all", "all": "all", 1: "values", "v": "values", "value": "values",
    2: "places", "i": "places", "index": "places",
}  # fmt: skip
_DRIVERS = ("auto", "stemr", "sterf", "stebz", "stev", "stevd")


def _symmetric(name: str, whole: Any, only: Any, select: Any, select_range: Any) -> Any:
    if only:
        return _selected(name, np.linalg.eigvalsh(whole), None, select, select_range)
    w, v = np.linalg.eigh(whole)
    return _selected(name, w, v, select, select_range)


@derives(scipy.linalg.eigh_tridiagonal)
def eigh_tridiagonal(
    d: Any,
    e: Any,
    eigvals_only: Any = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: Any = True,
    tol: Any = 0.0,
    lapack_driver: Any = "auto",
) -> Any:
    name = "scipy.linalg.eigh_tridiagonal"
    one_of(name, "lapack_driver", lapack_driver, _DRIVERS)
    d, e = array(d, check_finite), array(e, check_finite)
    if len(shape_of(d)) != 1 or shape_of(d)[0] != shape_of(e)[0] + 1:
        raise ValueError(
            f"{name}: d must have one more element than e, got shapes {shape_of(d)}, {shape_of(e)}"
        )
    whole = np.diag(d) + np.diag(e, 1) + np.diag(e, -1)
    return _symmetric(name, whole, eigvals_only, select, select_range)


@derives(scipy.linalg.eigvalsh_tridiagonal)
def eigvalsh_tridiagonal(
    d: Any,
    e: Any,
    select: Any = "a",
    select_range: Any = None,
    check_finite: Any = True,
    tol: Any = 0.0,
    lapack_driver: Any = "auto",
) -> Any:
    return eigh_tridiagonal(d, e, True, select, select_range, check_finite, tol, lapack_driver)


def _from_bands(name: str, bands: Any, lower: Any, check_finite: Any) -> Any:
    """The symmetric matrix of which SciPy keeps the diagonals on one side."""
    bands = array(bands, check_finite)
    if len(shape_of(bands)) != 2:
        raise ValueError(f"{name}: expected the diagonals of a matrix, got {shape_of(bands)}")
    count, n = shape_of(bands)
    whole = np.diag(bands[0 if lower else count - 1])
    for k in range(1, min(count, n)):
        row = bands[k, : n - k] if lower else bands[count - 1 - k, k:]
        whole = whole + np.diag(row, k) + np.diag(row, -k)
    return whole


@derives(scipy.linalg.eig_banded)
def eig_banded(
    a_band: Any,
    lower: Any = False,
    eigvals_only: Any = False,
    overwrite_a_band: Any = False,
    select: Any = "a",
    select_range: Any = None,
    max_ev: Any = 0,
    check_finite: Any = True,
) -> Any:
    name = "scipy.linalg.eig_banded"
    whole = _from_bands(name, a_band, lower, check_finite)
    return _symmetric(name, whole, eigvals_only, select, select_range)


@derives(scipy.linalg.eigvals_banded)
def eigvals_banded(
    a_band: Any,
    lower: Any = False,
    overwrite_a_band: Any = False,
    select: Any = "a",
    select_range: Any = None,
    check_finite: Any = True,
) -> Any:
    return eig_banded(a_band, lower, True, False, select, select_range, 0, check_finite)
