"""Sparse systems of Variables, in the elements and in the right sides."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import linalg as scipy_linalg
from tapegrad.scipy import sparse
from tapegrad.scipy.sparse import linalg

ROWS, COLUMNS = np.array([0, 1, 2, 0, 1, 2, 1]), np.array([0, 1, 2, 1, 2, 0, 0])
DATA = np.array([4.0, 5.0, 3.5, 1.0, -0.7, 0.4, 0.6])
B, M = np.array([1.0, -2.0, 0.5]), np.arange(6.0).reshape(3, 2) - 2
PLAIN = sp.csc_array((DATA, (ROWS, COLUMNS)))


def matrix(d):
    return sparse.csc_array((d, (ROWS, COLUMNS)), shape=(3, 3))


def test_spsolve():
    holds(lambda d, b: linalg.spsolve(matrix(d), b), (DATA, B), single=False)
    holds(lambda d, b: linalg.spsolve(matrix(d), b, "NATURAL"), (DATA, M), single=False)
    holds(lambda b: linalg.spsolve(PLAIN, b), (B,), single=False)
    holds(lambda d: linalg.spsolve(matrix(d), B), (DATA,), single=False)


def test_splu_and_factorized():
    for trans in ("N", "T"):
        holds(lambda b, trans=trans: linalg.splu(PLAIN).solve(b, trans), (B,), single=False)
        holds(
            lambda d, b, trans=trans: linalg.splu(matrix(d)).solve(b, trans),
            (DATA, M),
            single=False,
        )
    holds(lambda b: linalg.factorized(PLAIN)(b), (B,), single=False)
    assert linalg.splu(PLAIN).shape == (3, 3)


def test_cg():
    def symmetric(d):
        off = d[3:6]
        data = np.concatenate([d[:3], off, off])
        at = (np.array([0, 1, 2, 0, 1, 2, 1, 2, 0]), np.array([0, 1, 2, 1, 2, 0, 0, 1, 2]))
        return sparse.csr_array((data, at), shape=(3, 3))

    def solved(d, b):
        return linalg.cg(symmetric(d), b, rtol=1e-13)[0]

    holds(solved, (DATA[:6], B), single=False, rtol=1e-8)
    x, info = linalg.cg(symmetric(tg.Variable(DATA[:6])), B, np.ones(3), maxiter=30)
    assert tg.value(info) == 0
    np.testing.assert_allclose(symmetric(DATA[:6]) @ tg.value(x), B, rtol=1e-4)


@pytest.mark.parametrize("name", ["gmres", "bicgstab"])
def test_iterations(name):
    solve = getattr(linalg, name)
    holds(lambda d, b: solve(matrix(d), b, rtol=1e-13)[0], (DATA, B), single=False, rtol=1e-8)
    holds(lambda b: solve(PLAIN, b, rtol=1e-13)[0], (B,), single=False, rtol=1e-8)
    x, info = solve(matrix(tg.Variable(DATA)), B, np.ones(3), rtol=1e-10, maxiter=40)
    assert tg.value(info) == 0
    np.testing.assert_allclose(PLAIN @ tg.value(x), B, rtol=1e-8)
    with pytest.raises(TypeError, match=rf"scipy\.sparse\.linalg\.{name}: callback="):
        solve(PLAIN, tg.Variable(B), callback=print)


def test_expm_multiply():
    expected = linalg.expm_multiply(PLAIN, B)

    def f(d, b):
        return linalg.expm_multiply(matrix(d), b)

    found = f(tg.Variable(DATA), tg.Variable(B))
    np.testing.assert_allclose(tg.value(found), expected, rtol=1e-12)

    def written(d, b):
        a = np.zeros((3, 3)) + tg.Variable(0.0)
        a[ROWS, COLUMNS] = d
        return scipy_linalg.expm(a) @ b

    def squares(g):
        return lambda d, b: np.sum(g(d, b) ** 2)

    found, wanted = (tg.jacobian(g, (0, 1))(DATA, B) for g in (f, written))
    for x, e in zip(found, wanted, strict=True):
        np.testing.assert_allclose(x, e, rtol=1e-9)
    found, wanted = (tg.hessian(squares(g))(DATA, B) for g in (f, written))
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    holds(lambda b: linalg.expm_multiply(PLAIN, b), (M,), single=False)
    holds(lambda a, b: linalg.expm_multiply(a, b), (PLAIN.toarray(), B), single=False, rtol=1e-11)
    with pytest.raises(TypeError, match=r"expm_multiply: stop=.* compute expm_multiply\(t"):
        linalg.expm_multiply(PLAIN, tg.Variable(B), stop=2.0)
    with pytest.raises(ValueError, match="square"):
        linalg.expm_multiply(np.ones((2, 3)), tg.Variable(B))


def test_refusals():
    with pytest.raises(TypeError, match=r"scipy\.sparse\.linalg\.spsolve: A is no sparse matrix"):
        linalg.spsolve(tg.Variable(np.eye(3)), B)
    with pytest.raises(ValueError, match="do not fit"):
        linalg.spsolve(matrix(tg.Variable(DATA)), np.ones(4))
    with pytest.raises(TypeError, match=r"scipy\.sparse\.linalg\.cg: M="):
        linalg.cg(PLAIN, tg.Variable(B), M=np.eye(3))
