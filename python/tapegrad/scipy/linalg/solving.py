"""Systems of linear equations, inverses, least squares."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import scipy.linalg

from tapegrad._core import Variable
from tapegrad.numpy.operands import lift, ndim_of
from tapegrad.scipy.functions import derives
from tapegrad.scipy.linalg.decompositions import cholesky
from tapegrad.scipy.linalg.matrices import (
    array,
    mirrored,
    one_of,
    pair_of,
    shape_of,
    square,
    triangular,
    turned,
)
from tapegrad.scipy.linalg.special_matrices import toeplitz
from tapegrad.transforms.trace import stop_gradient, value

_POSITIVE = ("pos", "positive definite")
_SYMMETRIC = ("sym", "symmetric")
_HERMITIAN = ("her", "hermitian")
# Whether this SciPy's cho_factor leaves the other triangle as it was: before 1.18.
_LEAVES_REST = bool(scipy.linalg.cho_factor(np.array([[2.0, 1.0], [1.0, 2.0]]))[0][1, 0])
# Whether this SciPy's lstsq gives the rank and one sum of squares as NumPy's arrays and numbers do,
# without a number of Python's among them: from 1.18 on.
_RANK, _RESIDUE = map(type, scipy.linalg.lstsq(np.eye(2)[:, :1], np.ones(2))[2:0:-1])
_GENERAL = (None, "general", "gen", "banded")


def _structured(name: str, a: Any, assume_a: Any, lower: Any) -> Any:
    """What is read of a matrix of which a structure is assumed."""
    if assume_a in _GENERAL:
        return a
    if assume_a in _POSITIVE + _SYMMETRIC + _HERMITIAN:
        return mirrored(a, lower, hermitian=assume_a not in _SYMMETRIC)
    if assume_a == "upper triangular":
        return np.triu(a)
    if assume_a == "lower triangular":
        return np.tril(a)
    if assume_a == "tridiagonal":
        return np.triu(np.tril(a, 1), -1)
    if assume_a == "diagonal":
        return np.triu(np.tril(a))
    raise ValueError(f"{name}: {assume_a} is not a recognized matrix structure")


@derives(scipy.linalg.solve, complex_too=True)
def solve(
    a: Any,
    b: Any,
    lower: Any = False,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
    assume_a: Any = None,
    transposed: Any = False,
) -> Any:
    a, b = np.atleast_2d(array(a, check_finite)), np.atleast_1d(array(b, check_finite))
    a = square("scipy.linalg.solve", a)
    if transposed and np.iscomplexobj(a):  # SciPy refuses it of plain arrays too
        raise NotImplementedError(
            "scipy.linalg.solve: transposed=True is for real matrices, in SciPy too; "
            "write solve(a.T, b)"
        )
    if shape_of(a) == (1, 1) and shape_of(b)[-2:][:1] != (1,):  # a number, for any b
        return b / a[0, 0]
    rows = shape_of(b)[-2:][0]
    if rows != shape_of(a)[-1]:
        raise ValueError(f"incompatible shapes: a1.shape={shape_of(a)} and b1.shape={shape_of(b)}")
    a = _structured("scipy.linalg.solve", a, assume_a, lower)
    if assume_a == "diagonal":
        d = np.diagonal(a, axis1=-2, axis2=-1)
        return b / (d if len(shape_of(b)) == 1 else d[..., None])
    if assume_a in ("upper triangular", "lower triangular"):
        return triangular(lift(a), lift(b), assume_a == "lower triangular", 1 if transposed else 0)
    return np.linalg.solve(turned(a) if transposed else a, b)


@derives(scipy.linalg.solve_triangular, complex_too=True)
def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: Any = False,
    unit_diagonal: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
) -> Any:
    a = square("scipy.linalg.solve_triangular", a, check_finite)
    b = array(b, check_finite)
    rows = shape_of(b)[0] if len(shape_of(b)) == 1 else shape_of(b)[-2]
    if rows != shape_of(a)[-1]:
        raise ValueError(f"shapes of a {shape_of(a)} and b {shape_of(b)} are incompatible")
    way = {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    return triangular(a, b, bool(lower), way, bool(unit_diagonal))


def _inverse(a: Any, check_finite: Any, assume_a: Any = None, lower: Any = False) -> Any:
    a = square("scipy.linalg.inv", a, check_finite)
    return np.linalg.inv(_structured("scipy.linalg.inv", a, assume_a, lower))


if "assume_a" in inspect.signature(scipy.linalg.inv).parameters:

    @derives(scipy.linalg.inv, complex_too=True)
    def inv(
        a: Any,
        overwrite_a: Any = False,
        check_finite: Any = True,
        *,
        assume_a: Any = None,
        lower: Any = False,
    ) -> Any:
        return _inverse(a, check_finite, assume_a, lower)

else:  # before SciPy 1.17

    @derives(scipy.linalg.inv, complex_too=True)
    def inv(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
        return _inverse(a, check_finite)


@derives(scipy.linalg.det, complex_too=True)
def det(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    found = np.linalg.det(square("scipy.linalg.det", a, check_finite))
    return found if np.iscomplexobj(found) else found.astype(np.float64)


@derives(scipy.linalg.norm)
def norm(
    a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False, check_finite: Any = True
) -> Any:
    return np.linalg.norm(array(a, check_finite), ord, axis, keepdims)


@derives(scipy.linalg.lstsq)
def lstsq(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
    lapack_driver: Any = None,
) -> Any:
    drivers = (None, "gelsd", "gelsy", "gelss")
    one_of("scipy.linalg.lstsq", "lapack_driver", lapack_driver, drivers)
    a, b = array(a, check_finite), array(b, check_finite)
    if len(shape_of(a)) != 2:
        raise ValueError(f"scipy.linalg.lstsq: a needs two axes, and has shape {shape_of(a)}")
    m, n = shape_of(a)
    cond = np.finfo(np.result_type(a.dtype, b.dtype)).eps if cond is None else cond
    x, _, rank, s = np.linalg.lstsq(a, b, cond)
    of_all = m > n and rank == n
    residues = np.sum((b - a @ x) ** 2, axis=0) if of_all else np.asarray([], a.dtype)
    if of_all and _RESIDUE is np.ndarray and not ndim_of(residues):
        residues = np.reshape(residues, (1,))[0, ...]  # an array of no axes
    rank = rank if isinstance(rank, Variable) else _RANK(rank)
    return x, residues, rank, None if lapack_driver == "gelsy" else s


def _cutoff(name: str, a: Any, largest: Any, atol: Any, rtol: Any) -> float:
    """Below which share of the largest singular value all others count as zero."""
    atol = 0.0 if atol is None else atol
    rtol = max(shape_of(a)[-2:]) * np.finfo(a.dtype).eps if rtol is None else rtol
    if atol < 0 or rtol < 0:
        raise ValueError("atol and rtol values must be positive.")
    return float((atol + rtol * largest) / largest) if atol and largest else float(rtol)


@derives(scipy.linalg.pinv)
def pinv(
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    return_rank: Any = False,
    check_finite: Any = True,
) -> Any:
    a = array(a, check_finite)
    if len(shape_of(a)) > 2 and (atol or return_rank):
        raise ValueError("scipy.linalg.pinv: atol=, return_rank= need one matrix, not a stack")
    largest = np.linalg.norm(value(a), 2) if atol else 1.0
    cutoff = _cutoff("scipy.linalg.pinv", a, largest, atol, rtol)
    found = np.linalg.pinv(a, cutoff)
    if not return_rank:
        return found
    s = np.linalg.svd(value(a), compute_uv=False)
    return found, np.sum(s > cutoff * np.max(s, initial=0.0))


@derives(scipy.linalg.pinvh)
def pinvh(
    a: Any,
    atol: Any = None,
    rtol: Any = None,
    lower: Any = True,
    return_rank: Any = False,
    check_finite: Any = True,
) -> Any:
    a = mirrored(square("scipy.linalg.pinvh", a, check_finite), lower)
    return pinv(a, atol=atol, rtol=rtol, return_rank=return_rank, check_finite=False)


@derives(scipy.linalg.cho_factor, complex_too=True)
def cho_factor(
    a: Any, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True
) -> Any:
    a = square("scipy.linalg.cho_factor", a, check_finite)
    found = cholesky(a, lower, check_finite=False)
    if _LEAVES_REST:
        found = found + (np.triu(a, 1) if lower else np.tril(a, -1))
    return found, lower


@derives(scipy.linalg.cho_solve, complex_too=True)
def cho_solve(c_and_lower: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True) -> Any:
    c, lower = pair_of("scipy.linalg.cho_solve", "what cho_factor gives", c_and_lower)
    c, b = square("scipy.linalg.cho_solve", c, check_finite), array(b, check_finite)
    lower = bool(lower)
    half = triangular(c, b, lower, 0 if lower else 2)
    return triangular(c, half, lower, 2 if lower else 0)


@derives(scipy.linalg.solve_toeplitz)
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: Any = True) -> Any:
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    matrix = toeplitz(c, r).astype(np.float64)  # in double precision, as SciPy does
    return solve(matrix, b, check_finite=check_finite)


@derives(scipy.linalg.solve_circulant, complex_too=True)
def solve_circulant(
    c: Any,
    b: Any,
    singular: Any = "raise",
    tol: Any = None,
    caxis: Any = -1,
    baxis: Any = 0,
    outaxis: Any = 0,
) -> Any:
    c, b = (np.moveaxis(np.atleast_1d(array(x)), k, -1) for x, k in ((c, caxis), (b, baxis)))
    n = shape_of(c)[-1]
    if shape_of(b)[-1] != n:
        raise ValueError(
            f"scipy.linalg.solve_circulant: shapes of c {shape_of(c)} and b {shape_of(b)} are "
            "incompatible"
        )
    waves = np.fft.fft(c)
    sizes = np.abs(waves)
    if tol is None:
        tol = np.max(sizes, axis=-1, keepdims=True) * n * np.finfo(np.float64).eps
    none = stop_gradient(sizes) <= stop_gradient(tol)
    if np.any(none) and singular == "raise":
        raise scipy.linalg.LinAlgError("near singular circulant matrix.")
    parts = np.where(none, 0.0, np.fft.fft(b) / np.where(none, 1.0, waves))
    x = np.fft.ifft(parts)
    return np.moveaxis(x if np.iscomplexobj(c) or np.iscomplexobj(b) else np.real(x), -1, outaxis)
