"""The table: a row for each op and each way to call it that runs other code.

Elementwise functions have a table of their own, ufunc_cases.py; shape_cases.py continues this one.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from op_case import Case, distinct, normal, uniform

from tapegrad._core import apply

CASES: list[Case] = []


def row(name, f, make, *ops, **options):
    CASES.append(Case(name, f, make, ops or (name.split()[0],), **options))


def positive_definite(*shape):
    def make(rng):
        a = rng.standard_normal(shape)
        return (a @ np.swapaxes(a, -1, -2) + 3 * np.eye(shape[-1]),)

    return make


def regular(*shapes):
    """Matrices away from singular ones; other arguments normal."""

    def make(rng):
        return tuple(
            rng.standard_normal(s) + (2 * np.eye(s[-1]) if s[-1:] == s[-2:-1] else 0)
            for s in shapes
        )

    return make


# Reductions
AXES = [None, 0, -1, (0, 2), ()]
for reduce_name in ("sum", "mean", "prod", "max", "min", "var", "std"):
    function = getattr(np, reduce_name)
    make = distinct((3, 4, 2))
    if reduce_name == "prod":
        make = uniform(0.5, 1.5, (3, 4, 2))
    for axis in AXES:
        if axis == () and reduce_name in ("var", "std"):
            continue  # no variance of single elements to differentiate
        row(
            f"{reduce_name} axis={axis}",
            lambda x, f=function, axis=axis: f(x, axis=axis),
            make,
            reduce_name,
            errors=((np.ones(2),),) if axis == (0, 2) else (),
        )
    row(f"{reduce_name} keepdims", lambda x, f=function: f(x, 1, keepdims=True), make, reduce_name)
    row(f"{reduce_name} vector", lambda x, f=function: f(x), distinct((5,)), reduce_name)
    if reduce_name not in ("var", "std"):
        row(f"{reduce_name} one", function, uniform(1, 2, (1,)), reduce_name)
row("var ddof", lambda x: np.var(x, axis=1, ddof=1), normal((3, 4)), "var")
row("std ddof", lambda x: np.std(x, axis=0, ddof=1, keepdims=True), normal((3, 4)), "std")
row("prod with a zero", np.prod, lambda rng: (np.array([2.0, 0.0, -1.5]),), "prod")
row("prod with two zeros", np.prod, lambda rng: (np.array([2.0, 0.0, 0.0, 3.0]),), "prod")
row(
    "prod along with zeros",
    lambda x: np.prod(x, axis=1),
    lambda rng: (np.array([[2.0, 0.0, -1.5], [0.0, 3.0, 0.0], [1.0, 2.0, 3.0]]),),
    "prod",
)
row("sum where", lambda x: np.sum(x, axis=1, where=x > 0, initial=2.0), normal((3, 4)))
row("mean where", lambda x: np.mean(x, axis=0, where=[[True], [False], [True]]), normal((3, 4)))
row("max where", lambda x: np.max(x, initial=-9.0, where=x < 2), distinct((3, 4)))
row("var where", lambda x: np.var(x, where=[[True], [False], [True]]), normal((3, 4)))
for scan in ("cumsum", "cumprod"):
    function = getattr(np, scan)
    for axis in (None, 0, -1):
        row(
            f"{scan} axis={axis}",
            lambda x, f=function, axis=axis: f(x, axis=axis),
            normal((3, 4)),
            scan,
        )
row("cumprod with zeros", np.cumprod, lambda rng: (np.array([2.0, 0.0, -1.5, 0.0, 3.0]),))
if hasattr(np, "cumulative_sum"):  # from NumPy 2.1 on
    row(
        "cumulative_sum",
        lambda x: np.cumulative_sum(x, include_initial=True),
        normal((4,)),
        "cumsum",
    )
for axis in (0, (0, 1)):
    row(
        f"logsumexp axis={axis}",
        lambda x, axis=axis: apply("logsumexp", (x,), (axis, False)),
        normal((3, 4)),
        reference=lambda x, axis=axis: np.log(np.sum(np.exp(x), axis=axis)),
    )
row("logaddexp.reduce", np.logaddexp.reduce, normal((3, 4)), "logsumexp")
row("ptp", lambda x: np.ptp(x, axis=1), distinct((3, 4)), "max", "min")
row("average", lambda x, w: np.average(x, axis=1, weights=np.exp(w)), normal((3, 4), (3, 4)), "sum")
row("trapezoid", lambda y, x: np.trapezoid(y, np.cumsum(np.exp(x))), normal((5,), (5,)), "sum")

# Products
for a, b in [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((3,), (2, 3, 4)),
    ((1, 1), (1, 1)),
    ((9, 9), (9, 9)),
]:
    row(
        f"matmul {a} {b}",
        np.matmul,
        normal(a, b),
        "matmul",
        errors=((np.ones((2, 3)), np.ones((2, 3))),),
    )
row("matmul @", lambda x, y: x @ y, normal((2, 3), (3, 2)))
for a, b in [
    ((), ()),
    ((), (3,)),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2, 3), (3, 2)),
    ((2, 3), (4, 3, 2)),
]:
    row(f"dot {a} {b}", np.dot, normal(a, b), "dot", errors=((np.ones(3), np.ones(2)),))
row("inner", np.inner, normal((2, 3), (4, 3)), errors=((np.ones(3), np.ones(2)),))
row("inner vectors", np.inner, normal((3,), (3,)))
row("outer", np.outer, normal((3,), (2, 2)))
row("vdot", np.vdot, normal((2, 3), (2, 3)), errors=((np.ones(3), np.ones(2)),))
row("kron", np.kron, normal((2, 3), (2, 1)))
row("tensordot count", lambda x, y: np.tensordot(x, y, 2), normal((2, 3, 4), (3, 4, 2)))
row("tensordot 0", lambda x, y: np.tensordot(x, y, 0), normal((2,), (3,)))
row("tensordot axes", lambda x, y: np.tensordot(x, y, ([2, 0], [0, 1])), normal((2, 3, 4), (4, 2)))
row(
    "tensordot one",
    lambda x, y: np.tensordot(x, y, (1, 0)),
    normal((2, 3), (3, 2)),
    errors=((np.ones((2, 3)), np.ones((2, 3))),),
)
row("cross", np.cross, normal((2, 3), (3,)), "cross", "cross_last")
row(
    "cross axis", lambda x, y: np.cross(x, y, axis=0), normal((3, 2), (3, 2)), "cross", "cross_last"
)
row("vecdot", np.vecdot, normal((2, 3), (3,)))
row("vecdot axis", lambda x, y: np.linalg.vecdot(x, y, axis=0), normal((3, 2), (3, 2)))
row(
    "matvec",
    getattr(np, "matvec", lambda x, y: apply("matvec", (x, y))),  # from NumPy 2.2 on
    normal((2, 4, 3), (3,)),
    reference=lambda x, y: np.matmul(x, y),
)
row(
    "vecmat",
    getattr(np, "vecmat", lambda x, y: apply("vecmat", (x, y))),
    normal((3,), (2, 3, 4)),
    reference=lambda x, y: np.matmul(x, y),
)
for subscripts, shapes in [
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("ij,ij->", ((2, 3), (2, 3))),
    ("ii->i", ((3, 3),)),
    ("ii", ((3, 3),)),
    ("ij->ji", ((2, 3),)),
    ("ij->j", ((2, 3),)),
    ("...ij,...jk", ((2, 2, 3), (3, 2))),
    ("i,j,k->ijk", ((2,), (3,), (2,))),
    ("bij,bjk,kl->bil", ((2, 2, 3), (2, 3, 2), (2, 2))),
    ("ijj->i", ((2, 3, 3),)),
    ("i,i->i", ((3,), (3,))),
    ("ij,jk", ((2, 3), (3, 2))),
    ("i...->...", ((3, 2),)),
    ("ij,i->j", ((1, 3), (2,))),
]:
    row(
        f"einsum {subscripts}", lambda *x, s=subscripts: np.einsum(s, *x), normal(*shapes), "einsum"
    )
row("einsum lists", lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]), normal((2, 3), (3, 4)))
row("multi_dot", lambda *x: np.linalg.multi_dot(x), normal((2, 5), (5, 3), (3, 4), (4,)), "dot")
for offset in (0, 1, -1):
    row(f"trace {offset}", lambda x, k=offset: np.trace(x, k), normal((3, 4)), "trace")
    row(
        f"diagonal {offset}",
        lambda x, k=offset: np.diagonal(x, k),
        normal((3, 4)),
        "diagonal",
        "diagonal_scatter",
    )
row("trace axes", lambda x: np.trace(x, 0, 2, 0), normal((3, 2, 3)))
row("windows", lambda x: sliding_window_view(x, 2, 0), normal((4, 3)), "windows")
row("windows, last", lambda x: sliding_window_view(x, 3, -1) ** 2, normal((2, 5)), "windows")
row("diagonal axes", lambda x: np.diagonal(x, 0, 0, 2), normal((3, 2, 3)), "read_diagonal")

# Linear algebra
row(
    "solve vector",
    np.linalg.solve,
    regular((3, 3), (3,)),
    errors=((np.ones((2, 3)), np.ones(2)), (np.zeros((2, 2)), np.ones(2))),
)
row("solve matrix", np.linalg.solve, regular((3, 3), (3, 2)))
row("solve stack", np.linalg.solve, regular((2, 3, 3), (2, 3, 2)))
row("solve broadcast", np.linalg.solve, regular((2, 3, 3), (3, 2)))
row("inv", np.linalg.inv, regular((3, 3)), errors=((np.ones((2, 3)),), (np.zeros((2, 2)),)))
row("inv stack", np.linalg.inv, regular((2, 2, 2)))
row(
    "det",
    np.linalg.det,
    regular((3, 3)),
    "det",
    "det_regular",
    errors=((np.ones((2, 3)),),),
    rtol=1e-12,
)
row("det stack", np.linalg.det, regular((2, 3, 3)), "det", rtol=1e-12)
row(
    "det singular",
    np.linalg.det,
    lambda rng: (np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]),),
    "det",
    rtol=1e-9,
)
row("slogdet", lambda x: tuple(np.linalg.slogdet(x)), regular((3, 3)), rtol=1e-12)
row("slogdet stack", lambda x: np.linalg.slogdet(x)[1], regular((2, 2, 2)), rtol=1e-12)
row(
    "cholesky",
    lambda x: np.linalg.cholesky(x + x.T),
    positive_definite(3, 3),
    "cholesky",
    "cholesky_lower",
    errors=((-np.eye(2),), (np.ones((2, 3)),)),
)
row("cholesky upper", lambda x: np.linalg.cholesky(x + x.T, upper=True), positive_definite(3, 3))
row(
    "cholesky stack",
    lambda x: np.linalg.cholesky(x + np.swapaxes(x, -1, -2)),
    positive_definite(2, 2, 2),
)
for order in (None, 2, 1, 3, np.inf, -np.inf, 0.5):
    row(f"norm {order}", lambda x, p=order: np.linalg.norm(x, p), distinct((5,)), "norm")
for order in (None, "fro", 1, -1, np.inf, -np.inf):
    row(f"norm matrix {order}", lambda x, p=order: np.linalg.norm(x, p), normal((3, 4)), "norm")
row("norm axis", lambda x: np.linalg.norm(x, axis=1, keepdims=True), normal((3, 4)))
row("norm stack", lambda x: np.linalg.norm(x, "fro", (0, 2)), normal((2, 3, 2)))
row(
    "vector_norm",
    lambda x: np.linalg.vector_norm(x, axis=(0, 1), ord=3),
    distinct((2, 3, 2)),
    "norm",
)
row("matrix_power", lambda x: np.linalg.matrix_power(x, 5), normal((2, 2)), "matmul", rtol=1e-12)
row("matrix_power -1", lambda x: np.linalg.matrix_power(x, -2), regular((2, 2)), "inv", rtol=1e-12)
row(
    "solve_triangular",
    lambda a, b: apply("solve_triangular", (a, b), (True, False, False)),
    regular((3, 3), (3, 2)),
    reference=lambda a, b: np.linalg.solve(np.tril(a), b),
    rtol=1e-12,
)
row(
    "solve_triangular transposed",
    lambda a, b: apply("solve_triangular", (a, b), (False, True, True)),
    regular((3, 3), (3, 2)),
    reference=lambda a, b: np.linalg.solve((np.triu(a, 1) + np.eye(3)).T, b),
    rtol=1e-12,
)
