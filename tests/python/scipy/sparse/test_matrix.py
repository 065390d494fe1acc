"""Sparse matrices whose elements are Variables."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import sparse

DATA = np.array([1.5, -2.0, 0.5, 3.0])
ROWS, COLUMNS = np.array([0, 0, 1, 1]), np.array([0, 2, 2, 3])
INDPTR = np.array([0, 2, 4, 4])
V, M = np.array([0.3, -1.2, 2.0, 0.7]), np.arange(8.0).reshape(4, 2) / 3 - 1
CLASSES = {
    "coo_array": lambda d: sparse.coo_array((d, (ROWS, COLUMNS)), shape=(3, 4)),
    "csr_array": lambda d: sparse.csr_array((d, COLUMNS, INDPTR), shape=(3, 4)),
    "csr_array places": lambda d: sparse.csr_array((d, (ROWS, COLUMNS))),
    "csc_array": lambda d: sparse.csc_array((d, COLUMNS, INDPTR)),
    "csr_matrix": lambda d: sparse.csr_matrix((d, COLUMNS, INDPTR)),
    "csc_matrix": lambda d: sparse.csc_matrix((d, (ROWS, COLUMNS)), shape=(4, 4)),
    "coo_matrix": lambda d: sparse.coo_matrix((d, (ROWS, COLUMNS))),
    "dia_array": lambda d: sparse.dia_array((d[None], [1]), shape=(4, 4)),
    "dia_matrix": lambda d: sparse.dia_matrix((np.stack([d, 2.0 * d]), [0, -1]), shape=(4, 4)),
    "diags": lambda d: sparse.diags([d, d[:3], d[:1]], [0, -1, 2]),
    "diags_array": lambda d: sparse.diags_array([d[:2]], offsets=[-2], shape=(4, 2)),
    "dense": lambda d: sparse.csr_array(np.reshape(d, (2, 2))),
}


@pytest.mark.parametrize("name", CLASSES)
def test_matrices(name):
    make = CLASSES[name]
    plain = make(DATA)
    found = make(tg.Variable(DATA))
    assert isinstance(found, sparse.SparseVariable)
    assert (found.shape, found.format) == (plain.shape, plain.format)
    n = plain.shape[1]
    holds(lambda d: make(d).toarray(), (DATA,))
    holds(lambda d, v: make(d) @ v, (DATA, V[:n]))
    holds(lambda d, v: make(d).dot(v), (DATA, M[:n]))
    holds(lambda d, v: v @ make(d), (DATA, V[: plain.shape[0]]))
    holds(lambda d, v: make(d).T @ v, (DATA, V[: plain.shape[0]]))


MAKE = CLASSES["coo_array"]


def test_methods():
    both = sp.coo_array((np.float32([1.0, 2.0]), ([0, 2], [0, 1])), shape=(3, 4))
    holds(lambda d: (MAKE(d) + both).toarray(), (DATA,))
    holds(lambda d: (both - MAKE(d)).toarray(), (DATA,))
    holds(lambda d: (-MAKE(d) * 2.0).toarray(), (DATA,))
    holds(lambda d: (MAKE(d) / 2.0).toarray(), (DATA,))
    holds(lambda d: MAKE(d).multiply(np.arange(4.0)).toarray(), (DATA,))
    holds(lambda d: MAKE(d).multiply(both).toarray(), (DATA,))
    holds(lambda d: MAKE(d) + np.ones((3, 4)), (DATA,))
    for k in (0, 1, 2, -1):
        holds(lambda d, k=k: MAKE(d).diagonal(k), (DATA,))
    holds(
        lambda d: np.asarray(MAKE(d).trace()) if type(d) is np.ndarray else MAKE(d).trace(),
        (DATA,),
        single=False,
    )
    for axis in (0, 1, -1):
        holds(lambda d, axis=axis: MAKE(d).sum(axis), (DATA,))
    repeated = (np.array([0, 0]), np.array([1, 1]))
    holds(lambda d: sparse.coo_array((d, repeated)).toarray(), (DATA[:2],))


def test_refusals():
    a = MAKE(tg.Variable(DATA))
    with pytest.raises(TypeError, match="products of two sparse matrices"):
        a @ sp.eye_array(4)
    with pytest.raises(ValueError, match="inconsistent shapes"):
        a + sp.eye_array(4)
    with pytest.raises(NotImplementedError, match="nonzero scalar"):
        a + 1.0
    with pytest.raises(TypeError, match="can't be pickled"):
        __import__("pickle").dumps(a)
    with pytest.raises(TypeError, match=r"scipy\.sparse\.csr_array: dtype="):
        sparse.csr_array((tg.Variable(DATA), COLUMNS, INDPTR), dtype=np.float32)
    assert sparse.csr_array((DATA, COLUMNS, INDPTR)).nnz == 4
    assert isinstance(sparse.csr_array((3, 4)), sp.csr_array)
