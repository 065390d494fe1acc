"""Products of arrays and linear algebra over arrays of SymPy expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tapegrad.inspect.graph import Node
from tapegrad.symbolic.lazy_sympy import sympy
from tapegrad.symbolic.operations.arrays import Objects, Rule, multilinear, objects


def _einsum(node: Node, operands: Sequence[Any]) -> Objects:
    if len(operands) == 1 or any(0 in x.shape for x in operands):
        return np.asarray(multilinear(node, operands), dtype=object)
    return np.asarray(np.einsum(node.attributes["subscripts"], *operands), dtype=object)


def _matrix(x: Objects) -> Any:
    return sympy.Matrix(*x.shape, x.ravel().tolist())


def _array(x: Any) -> Objects:
    return objects(list(x), x.shape)


def _stacked(function: Callable[..., Any], *operands: Objects) -> Objects:
    """A function of matrices for each of a stack; scalars and matrices may come out."""
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in operands))
    stacks = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in operands]
    found = [function(*(_matrix(x[place]) for x in stacks)) for place in np.ndindex(lead)]
    if found and isinstance(found[0], sympy.MatrixBase):
        return objects([e for m in found for e in m], (*lead, *found[0].shape))
    return objects(found, lead)


def _inverse(m: Any) -> Any:
    return m.inv(method="ADJ")


def _inv(node: Node, operands: Sequence[Any]) -> Objects:
    return _stacked(_inverse, operands[0])


def _det(node: Node, operands: Sequence[Any]) -> Objects:
    return _stacked(lambda m: m.det(method="berkowitz"), operands[0])


def _slogdet(node: Node, operands: Sequence[Any]) -> tuple[Objects, Objects]:
    found = _det(node, operands)
    sign = np.frompyfunc(sympy.sign, 1, 1)(found)
    size = np.frompyfunc(lambda d: sympy.log(sympy.Abs(d)), 1, 1)(found)
    return np.asarray(sign, dtype=object), np.asarray(size, dtype=object)


def _solve(node: Node, operands: Sequence[Any]) -> Objects:
    a, b = operands
    if b.ndim == 1:
        return _stacked(lambda m, x: _inverse(m) * x, a, b[:, None])[..., 0]
    return _stacked(lambda m, x: _inverse(m) * x, a, b)


def _solve_triangular(node: Node, operands: Sequence[Any]) -> Objects:
    a, b = operands
    upper = not node.attributes["is_lower"]

    def solved(m: Any, x: Any) -> Any:
        m = m.upper_triangular(0) if upper else m.lower_triangular(0)
        if node.attributes["is_unit"]:
            m = m + sympy.diag(*(1 - m[k, k] for k in range(m.rows)))
        m, lower = (m.T, upper) if node.attributes["is_trans"] else (m, not upper)
        return m.lower_triangular_solve(x) if lower else m.upper_triangular_solve(x)

    if b.ndim == 1:
        return _stacked(solved, a, b[:, None])[..., 0]
    return _stacked(solved, a, b)


def _cholesky_lower(node: Node, operands: Sequence[Any]) -> Objects:
    def lower(m: Any) -> Any:
        half = m.lower_triangular(0)
        whole = half + m.lower_triangular(-1).T
        return _cholesky_of(whole)

    return _stacked(lower, operands[0])


def _cholesky_of(m: Any) -> Any:
    found = sympy.zeros(m.rows, m.rows)
    for i in range(m.rows):
        for j in range(i + 1):
            rest = m[i, j] - sum(found[i, k] * found[j, k] for k in range(j))
            found[i, j] = sympy.sqrt(rest) if i == j else rest / found[j, j]
    return found


COMPOSED = frozenset({"norm", "cholesky", "sort", "diff"})  # recorded as what they are made of
PRODUCTS = frozenset(
    (
        "matmul",
        "dot",
        "inner",
        "outer",
        "vdot",
        "matvec",
        "vecmat",
        "kron",
        "tensordot",
        "cross",
        "cross_last",
        "vecdot",
        "correlate",
        "sparse_product",
        "sparse_sample",
    )
)
MATRICES: dict[str, Rule] = {
    "einsum": _einsum,
    "inv": _inv,
    "solve": _solve,
    "solve_triangular": _solve_triangular,
    "det": _det,
    "det_regular": _det,
    "slogdet": _slogdet,
    "cholesky_lower": _cholesky_lower,
}
