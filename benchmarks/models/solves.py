"""Systems of equations solved as textbooks do: tridiagonal, triangular, banded, Cholesky."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.model import Model, Spelling
from benchmarks.problems import recursions


def _tridiagonal_data(n: int) -> tuple[Any, ...]:
    return recursions._data("tridiagonal", n)


def _tridiagonal_lists(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Numbers in lists, filled from both ends."""
    upper, right = [c[0] / b[0]], [d[0] / b[0]]
    for i in range(1, len(d)):
        pivot = b[i] - a[i] * upper[-1]
        upper.append(c[i] / pivot)
        right.append((d[i] - a[i] * right[-1]) / pivot)
    x = [right[-1]]
    for i in range(len(d) - 2, -1, -1):
        x.append(right[i] - upper[i] * x[-1])
    return np.sum(np.stack(x[::-1]) ** 2)


def _tridiagonal_in_place(a: Any, b: Any, c: Any, d: Any) -> Any:
    """The diagonal and the right-hand side are overwritten (Numerical Recipes' order)."""
    b, d = b.copy(), d.copy()
    for i in range(1, len(d)):
        w = a[i] / b[i - 1]
        b[i] -= w * c[i - 1]
        d[i] -= w * d[i - 1]
    d[-1] /= b[-1]
    for i in reversed(range(len(d) - 1)):
        d[i] = (d[i] - c[i] * d[i + 1]) / b[i]
    return np.sum(d**2)


def _tridiagonal_jax(jax: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    jnp = jax.numpy

    def down(carry: Any, row: Any) -> Any:
        upper, right = carry
        a, b, c, d = row
        pivot = b - a * upper
        found = c / pivot, (d - a * right) / pivot
        return found, found

    zero = jnp.zeros(())
    a = a.at[0].set(0.0)
    _, (uppers, rights) = jax.lax.scan(down, (zero, zero), (a, b, c, d))

    def up(x: Any, row: Any) -> Any:
        found = row[1] - row[0] * x
        return found, found

    uppers = uppers.at[-1].set(0.0)
    _, xs = jax.lax.scan(up, zero, (uppers, rights), reverse=True)
    return jnp.sum(xs**2)


# A lower triangular system.


def _triangular_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(1)
    L = np.tril(rng.normal(size=(n, n)), -1) / n + np.diag(rng.uniform(1.0, 2.0, n))
    return L, rng.normal(size=n)


def _triangular_elements(L: Any, b: Any) -> Any:
    x = np.zeros_like(b)
    for i in range(len(b)):
        total = b[i]
        for j in range(i):
            total -= L[i, j] * x[j]
        x[i] = total / L[i, i]
    return np.sum(x**2)


def _triangular_rows(L: Any, b: Any) -> Any:
    x = np.zeros(len(b))
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return np.sum(x**2)


def _triangular_columns(L: Any, b: Any) -> Any:
    """A column at a time, the right-hand side reduced in place."""
    b = b.copy()
    for j in range(len(b)):
        b[j] = b[j] / L[j, j]
        b[j + 1 :] -= L[j + 1 :, j] * b[j]
    return np.sum(b**2)


def _triangular_solve(L: Any, b: Any) -> Any:
    return np.sum(np.linalg.solve(np.tril(L), b) ** 2)


def _triangular_jax(jax: Any, L: Any, b: Any) -> Any:
    found = jax.scipy.linalg.solve_triangular(L, b, lower=True)
    return jax.numpy.sum(found**2)


# Five diagonals, without pivots.


def _banded_data(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    bands = rng.normal(size=(5, n)) * 0.5
    bands[2] += 5.0
    return bands, rng.normal(size=n)


def _banded_table(bands: Any, d: Any) -> Any:
    """Row i of the matrix holds bands[:, i] around its diagonal."""
    bands, d = bands.copy(), d.copy()
    n = len(d)
    for i in range(n):
        for k in range(1, min(3, n - i)):
            factor = bands[2 - k, i + k] / bands[2, i]
            for m in range(1, 3):
                bands[2 - k + m, i + k] -= factor * bands[2 + m, i]
            d[i + k] -= factor * d[i]
    x = np.zeros(n + 2)
    for i in range(n - 1, -1, -1):
        x[i] = (d[i] - bands[3, i] * x[i + 1] - bands[4, i] * x[i + 2]) / bands[2, i]
    return np.sum(x**2)


def _banded_numbers(bands: Any, d: Any) -> Any:
    """The two last rows of U are carried, results in lists."""
    e, c, b, a, f = bands
    one = two = None
    rows = []
    for i in range(len(d)):
        lower, diagonal, upper, right = c[i], b[i], a[i], d[i]
        if two is not None:
            factor = e[i] / two[0]
            lower, diagonal = lower - factor * two[1], diagonal - factor * two[2]
            right = right - factor * two[3]
        if one is not None:
            factor = lower / one[0]
            diagonal, upper = diagonal - factor * one[1], upper - factor * one[2]
            right = right - factor * one[3]
        two, one = one, (diagonal, upper, f[i], right)
        rows.append(one)
    x = [0.0, 0.0]
    for diagonal, upper, last, right in reversed(rows):
        x.append((right - upper * x[-1] - last * x[-2]) / diagonal)
    return np.sum(np.stack(x[2:]) ** 2)


def _banded_vectors(bands: Any, d: Any) -> Any:
    """Rows padded, a carried window of two of them."""
    n = len(d)
    rows = np.concatenate((bands.T, d[:, None]), axis=1)
    eliminated = np.zeros((n, 4))
    for i in range(n):
        row = rows[i]
        if i > 1:
            row = row - row[0] / eliminated[i - 2, 0] * _placed(eliminated[i - 2], 0)
        if i > 0:
            row = row - row[1] / eliminated[i - 1, 0] * _placed(eliminated[i - 1], 1)
        eliminated[i] = row[2:]
    x = np.zeros(n + 2)
    for i in range(n - 1, -1, -1):
        row = eliminated[i]
        x[i] = (row[3] - row[1:3] @ x[i + 1 : i + 3]) / row[0]
    return np.sum(x**2)


def _placed(row: Any, at: int) -> Any:
    """Three entries of an earlier row and its right-hand side, among the six of a later one."""
    return np.concatenate((np.zeros(at), row[:3], np.zeros(2 - at), row[3:]))


# Cholesky's factor, for a determinant.


def _factor_data(n: int) -> tuple[Any, ...]:
    A = np.random.default_rng(3).normal(size=(n, n))
    return (A @ A.T / n + np.eye(n),)


def _factor_elements(A: Any) -> Any:
    n = len(A)
    L = np.zeros_like(A)
    for i in range(n):
        for j in range(i + 1):
            total = A[i, j]
            for k in range(j):
                total -= L[i, k] * L[j, k]
            L[i, j] = np.sqrt(total) if i == j else total / L[j, j]
    return 2 * np.sum(np.log(np.diag(L)))


def _factor_columns(A: Any) -> Any:
    L = np.zeros(A.shape)
    for j in range(len(A)):
        L[j, j] = np.sqrt(A[j, j] - np.sum(L[j, :j] ** 2))
        L[j + 1 :, j] = (A[j + 1 :, j] - L[j + 1 :, :j] @ L[j, :j]) / L[j, j]
    return 2 * np.sum(np.log(np.diag(L)))


def _factor_reduced(A: Any) -> Any:
    """The rest of the matrix is reduced by an outer product a step."""
    total = 0.0
    for _ in range(len(A)):
        column = A[1:, 0]
        total += np.log(A[0, 0])
        A = A[1:, 1:] - np.outer(column, column) / A[0, 0]
    return total


def _factor_library(A: Any) -> Any:
    return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(A))))


def _factor_jax(jax: Any, A: Any) -> Any:
    jnp = jax.numpy
    return 2 * jnp.sum(jnp.log(jnp.diag(jnp.linalg.cholesky(A))))


def _both_triangles(gradients: Any) -> Any:
    """The gradient by a symmetric matrix: some spellings read one triangle, some both."""
    (found,) = gradients
    return found + found.T


MODELS = [
    Model("tridiagonal", _tridiagonal_data, (
        Spelling("written into arrays", recursions.PROGRAMS["tridiagonal"]),
        Spelling("lists", _tridiagonal_lists),
        Spelling("in place", _tridiagonal_in_place),
    ), sizes=(5, 3000), usual=300, wrt=(0, 1, 2, 3), jax=_tridiagonal_jax),
    Model("triangular", _triangular_data, (
        Spelling("elements", _triangular_elements),
        Spelling("rows", _triangular_rows),
        Spelling("columns in place", _triangular_columns),
        Spelling("library", _triangular_solve),
    ), sizes=(3, 100), usual=30, wrt=(0, 1), work=lambda n: n * n, jax=_triangular_jax),
    Model("banded", _banded_data, (
        Spelling("table in place", _banded_table),
        Spelling("numbers and lists", _banded_numbers),
        Spelling("rows", _banded_vectors),
    ), sizes=(5, 2000), usual=100, wrt=(0, 1)),
    Model("factor", _factor_data, (
        Spelling("elements", _factor_elements, unpack=_both_triangles),
        Spelling("columns", _factor_columns, unpack=_both_triangles),
        Spelling("reduced", _factor_reduced, unpack=_both_triangles),
        Spelling("library", _factor_library, unpack=_both_triangles),
    ), sizes=(3, 60), usual=15, work=lambda n: n**3),
]  # fmt: skip
