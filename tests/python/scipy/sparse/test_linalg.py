"""Sparse systems of Variables, in the elements and in the right sides."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy_checks import holds

import tapegrad as tg
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


def test_refusals():
    with pytest.raises(TypeError, match=r"scipy\.sparse\.linalg\.spsolve: A is no sparse matrix"):
        linalg.spsolve(tg.Variable(np.eye(3)), B)
    with pytest.raises(ValueError, match="do not fit"):
        linalg.spsolve(matrix(tg.Variable(DATA)), np.ones(4))
    with pytest.raises(TypeError, match=r"scipy\.sparse\.linalg\.cg: M="):
        linalg.cg(PLAIN, tg.Variable(B), M=np.eye(3))
