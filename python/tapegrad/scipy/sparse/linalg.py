"""scipy.sparse.linalg with derivatives; what has none here is SciPy's own.

With x = a^-1 b and s = a'^-1 g, the adjoint of b is s, that of element (i, j) of a is -s_i x_j.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from tapegrad._core import apply
from tapegrad.operations.primitive import primitive
from tapegrad.scipy.arrays import array, shape_of
from tapegrad.scipy.functions import derives, holds_variable, others_of, refuse
from tapegrad.scipy.sparse.matrix import SparseVariable, is_sparse, listed

__all__ = ["cg", "factorized", "splu", "spsolve"]

__getattr__ = others_of("scipy.sparse.linalg")


def _plain(data: Any, rows: Any, columns: Any, n: int) -> Any:
    return scipy.sparse.csc_array((data, (rows, columns)), shape=(n, n))


def _sampled(s: Any, x: Any, rows: Any, columns: Any) -> Any:
    return apply("sparse_sample", (s, x, rows, columns))


@primitive
def _direct(data: Any, b: Any, rows: Any, columns: Any, order: Any) -> Any:
    a = _plain(data, rows, columns, b.shape[0])
    return scipy.sparse.linalg.spsolve(a, b, permc_spec=order or None).astype(b.dtype)


def _pull_direct(argnums: Any, x: Any, args: Any, kwargs: Any) -> Any:
    data, _, rows, columns, order = args

    def pull(g: Any) -> Any:
        s = _direct(data, g, columns, rows, order)
        found = (lambda: -_sampled(s, x, rows, columns), lambda: s)
        return [found[k]() for k in argnums]

    return pull


_direct.defvjp_argnums(_pull_direct)


def _system(name: str, a: Any, b: Any) -> tuple[SparseVariable, Any]:
    if not is_sparse(a):
        raise TypeError(f"{name}: A is no sparse matrix; call scipy.linalg.solve for dense ones")
    a, b = listed(a), array(b)
    if is_sparse(b):
        raise TypeError(f"{name}: b is sparse; write b.toarray()")
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"{name}: the matrix must be square, and has shape {a.shape}")
    if shape_of(b)[0] != a.shape[0]:
        raise ValueError(f"{name}: shapes of A {a.shape} and b {shape_of(b)} do not fit")
    return a, b


def _solved(name: str, a: Any, b: Any, order: Any) -> Any:
    a, b = _system(name, a, b)
    dtype = np.result_type(a.dtype, b.dtype, np.float32)
    data, b = array(a.data).astype(dtype), b.astype(dtype)
    return _direct(data, b, a.row, a.col, order or "")


@derives(scipy.sparse.linalg.spsolve)
def spsolve(A: Any, b: Any, permc_spec: Any = None, use_umfpack: Any = True) -> Any:
    found = _solved("scipy.sparse.linalg.spsolve", A, b, permc_spec)
    return found[:, 0] if shape_of(found)[1:] == (1,) else found


class _Factors:
    """What splu gives: `solve` takes Variables, all else is SciPy's where the matrix is plain."""

    def __init__(self, a: Any, given: tuple[Any, ...]) -> None:
        self._matrix = a
        variable = isinstance(a, SparseVariable)
        self._scipys = None if variable else _SPLU(a, *given)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self._scipys is None:
            raise AttributeError(f"splu: .{name} of a matrix of Variables; it has .solve alone")
        return getattr(self._scipys, name)

    def solve(self, rhs: Any, trans: Any = "N") -> Any:
        """The solution for one right side or many."""
        if self._scipys is not None and not holds_variable(rhs):
            return self._scipys.solve(rhs, trans)
        if trans not in ("N", "T", "H"):
            raise ValueError("trans must be N, T, or H")
        a = self._matrix if trans == "N" else self._matrix.T
        return _solved("scipy.sparse.linalg.splu", a, rhs, "")


_SPLU = scipy.sparse.linalg.splu


def splu(
    A: Any,
    permc_spec: Any = None,
    diag_pivot_thresh: Any = None,
    relax: Any = None,
    panel_size: Any = None,
    options: Any = None,
) -> Any:
    """scipy.sparse.linalg.splu, whose `solve` takes Variables."""
    given = permc_spec, diag_pivot_thresh, relax, panel_size, {} if options is None else options
    return _Factors(A, given)


def factorized(A: Any) -> Any:
    """scipy.sparse.linalg.factorized, whose result takes Variables."""
    return splu(scipy.sparse.csc_array(A) if scipy.sparse.issparse(A) else A).solve


@primitive
def _conjugate(
    data: Any, b: Any, start: Any, rows: Any, columns: Any, rtol: Any, atol: Any, most: Any
) -> Any:
    a = _plain(data, rows, columns, b.shape[0])
    maxiter = int(most) if most > 0 else None
    x, info = scipy.sparse.linalg.cg(a, b, start, rtol=rtol, atol=atol, maxiter=maxiter)
    return x.astype(b.dtype), info


def _pull_conjugate(argnums: Any, ans: Any, args: Any, kwargs: Any) -> Any:
    data, _, start, rows, columns, *rest = args
    x = ans[0]

    def pull(g: Any) -> Any:
        s, _ = _conjugate(data, g[0], 0.0 * start, columns, rows, *rest)
        found = {0: lambda: -_sampled(s, x, rows, columns), 1: lambda: s}
        # Where the iteration starts does not matter to what it ends at.
        return [found[k]() if k in found else 0.0 * start for k in argnums]

    return pull


_conjugate.defvjp_argnums(_pull_conjugate)


@derives(
    scipy.sparse.linalg.cg,
    refused={
        "M": "leave the preconditioner out, or call spsolve",
        "callback": "leave it out",
    },
)
def cg(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    rtol: Any = 1e-05,
    atol: Any = 0.0,
    maxiter: Any = None,
    M: Any = None,
    callback: Any = None,
) -> Any:
    name = "scipy.sparse.linalg.cg"
    a, b = _system(name, A, b)
    if len(shape_of(b)) != 1:
        refuse(name, f"b of shape {shape_of(b)}", "pass one right side, a vector")
    dtype = np.result_type(a.dtype, b.dtype, np.float32)
    start = np.zeros(shape_of(b), dtype) if x0 is None else array(x0)
    data, most = array(a.data).astype(dtype), float(maxiter or 0)
    return _conjugate(data, b.astype(dtype), start, a.row, a.col, float(rtol), float(atol), most)
