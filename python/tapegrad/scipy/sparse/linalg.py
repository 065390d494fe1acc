"""scipy.sparse.linalg with derivatives; what has none here is SciPy's own.

With x = a^-1 b and s = a'^-1 g, the adjoint of b is s, that of element (i, j) of a is -s_i x_j.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from tapegrad._core import apply
from tapegrad.operations.primitive import primitive
from tapegrad.scipy.arrays import array, floats, shape_of
from tapegrad.scipy.functions import derives, holds_variable, others_of, refuse
from tapegrad.scipy.sparse.matrix import SparseVariable, is_sparse, listed
from tapegrad.transforms.trace import stop_gradient

__all__ = ["bicgstab", "cg", "expm_multiply", "factorized", "gmres", "splu", "spsolve"]

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


class _Way(NamedTuple):
    """A solver of SciPy and its options."""

    name: str
    options: tuple[tuple[str, int], ...]


@primitive
def _iterated(
    data: Any, b: Any, start: Any, rows: Any, columns: Any, rtol: Any, atol: Any, way: Any
) -> Any:
    a = _plain(data, rows, columns, b.shape[0])
    solve = getattr(scipy.sparse.linalg, way.name)
    x, info = solve(a, b, start, rtol=rtol, atol=atol, **dict(way.options))
    return x.astype(b.dtype), info


def _pull_iterated(argnums: Any, ans: Any, args: Any, kwargs: Any) -> Any:
    data, _, start, rows, columns, *rest = args
    x = ans[0]

    def pull(g: Any) -> Any:
        s, _ = _iterated(data, g[0], 0.0 * start, columns, rows, *rest)
        found = {0: lambda: -_sampled(s, x, rows, columns), 1: lambda: s}
        # Where the iteration starts does not matter to what it ends at.
        return [found[k]() if k in found else 0.0 * start for k in argnums]

    return pull


_iterated.defvjp_argnums(_pull_iterated)


def _by_iteration(name: str, A: Any, b: Any, x0: Any, rtol: Any, atol: Any, **options: Any) -> Any:
    path = f"scipy.sparse.linalg.{name}"
    a, b = _system(path, A, b)
    if len(shape_of(b)) != 1:
        refuse(path, f"b of shape {shape_of(b)}", "pass one right side, a vector")
    dtype = np.result_type(a.dtype, b.dtype, np.float32)
    start = np.zeros(shape_of(b), dtype) if x0 is None else array(x0)
    given = tuple((key, int(x)) for key, x in options.items() if x is not None)
    data = array(a.data).astype(dtype)
    return _iterated(
        data, b.astype(dtype), start, a.row, a.col, float(rtol), float(atol), _Way(name, given)
    )


_PLAIN_ONES = {
    "M": "leave the preconditioner out, or call spsolve",
    "callback": "leave it out",
}


@derives(scipy.sparse.linalg.cg, refused=_PLAIN_ONES)
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
    return _by_iteration("cg", A, b, x0, rtol, atol, maxiter=maxiter)


@derives(scipy.sparse.linalg.bicgstab, refused=_PLAIN_ONES)
def bicgstab(
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
    return _by_iteration("bicgstab", A, b, x0, rtol, atol, maxiter=maxiter)


@derives(scipy.sparse.linalg.gmres, refused={**_PLAIN_ONES, "callback_type": "leave it out"})
def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    rtol: Any = 1e-05,
    atol: Any = 0.0,
    restart: Any = None,
    maxiter: Any = None,
    M: Any = None,
    callback: Any = None,
    callback_type: Any = None,
) -> Any:
    return _by_iteration("gmres", A, b, x0, rtol, atol, restart=restart, maxiter=maxiter)


_SOME = "compute expm_multiply(t * A, B) for each time t"
_MOST_STEPS = 2**14
_DEGREE = 22  # of Taylor's polynomial; beyond it nothing of norm 1 is left in double precision


@derives(
    scipy.sparse.linalg.expm_multiply,
    refused={"start": _SOME, "stop": _SOME, "num": _SOME, "endpoint": _SOME},
)
def expm_multiply(
    A: Any,
    B: Any,
    start: Any = None,
    stop: Any = None,
    num: Any = None,
    endpoint: Any = None,
    traceA: Any = None,
) -> Any:
    name = "scipy.sparse.linalg.expm_multiply"
    if is_sparse(A):
        parts = listed(A)
        side, data = parts.shape, stop_gradient(array(parts.data))
        sums = np.bincount(parts.col, np.abs(data), side[1]) if len(parts.col) else np.zeros(1)
    else:
        A = array(A)
        side, sums = shape_of(A), np.sum(np.abs(stop_gradient(A)), axis=0)
    if side[:1] * 2 != side:
        raise ValueError(f"{name}: expected A to be like a square matrix, got shape {side}")
    norm, steps = np.max(sums, initial=0.0), 1
    while norm > steps:
        steps *= 2
        if steps > _MOST_STEPS:
            raise ValueError(f"{name}: the norm of A is beyond {_MOST_STEPS}, or not a number")
    B = floats(B)
    for _ in range(steps):
        term = B
        for k in range(1, _DEGREE + 1):
            term = (A @ term) * (1.0 / (k * steps))
            B = B + term
    return B
