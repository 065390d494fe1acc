"""Products of SciPy's sparse matrices with Variables, as SciPy spells them."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy_checks import holds

import tapegrad as tg

DENSE = np.array([[1.5, 0.0, -2.0, 0.0], [0.0, 0.0, 0.5, 3.0], [0.0, 0.0, 0.0, 0.0]])
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "dok", "lil")
ARRAYS = {f: sp.csr_array(DENSE).asformat(f) for f in FORMATS}
MATRICES = {f"{f} matrix": sp.csr_matrix(DENSE).asformat(f) for f in FORMATS}
ALL = ARRAYS | MATRICES
V, W = np.array([0.3, -1.2, 2.0, 0.7]), np.array([1.1, -0.4, 0.6])
M = np.arange(8.0).reshape(4, 2) / 3 - 1


@pytest.mark.parametrize("name", ALL)
def test_products(name):
    a = ALL[name]
    holds(lambda v: a @ v, (V,))
    if "coo" not in name:  # whose method asks nobody
        holds(lambda v: a.dot(v), (V,))
    holds(lambda v: a @ v, (M,))
    holds(lambda w: w @ a, (W,))
    holds(lambda m: m @ a, (M[:3].T,))
    holds(lambda w: a.T @ w, (W,))


@pytest.mark.parametrize("name", ["csr matrix", "coo matrix"])
def test_products_by_the_sign_of_matrices(name):
    holds(lambda v: ALL[name] * v, (V,))
    holds(lambda w: w * ALL[name], (W,))


def dense(found):
    return found.toarray() if hasattr(found, "toarray") else found


@pytest.mark.parametrize("name", ["csr", "csc", "coo", "dia"])
def test_elementwise(name):
    a = ARRAYS[name]
    full = np.arange(12.0).reshape(3, 4) / 5 + 1
    for x in (V + 3, W[:, None], full):
        holds(lambda x: dense(a * x), (x,))
        holds(lambda x: dense(x * a), (x,))
        holds(lambda x: dense(a / x), (x,))
    holds(lambda x: a + x, (full,))
    holds(lambda x: x - a, (full,))
    holds(lambda x: a - x, (full,))
    holds(lambda s: dense(s * a), (np.array(1.5),), lanes=False, single=False)


def test_single_elements_and_empty_ones():
    holds(lambda v: sp.csr_array((3, 4)) @ v, (V,))
    holds(lambda v: sp.csr_array(np.array([[2.0]])) @ v, (np.array([1.5]),))
    integers = sp.csr_array(np.array([[2, 0], [1, 3]]))
    holds(lambda v: integers @ v, (V[:2],), single=False)


def test_what_has_no_derivative_is_named():
    a, v = ARRAYS["csr"], tg.Variable(V)
    with pytest.raises(TypeError, match=r"write v \* a for a\.multiply\(v\)"):
        a.multiply(v)
    with pytest.raises(TypeError, match=r"scipy\.sparse\.dot: .*write a @ v of"):
        ARRAYS["coo"].dot(v)
    with pytest.raises(ValueError, match=r"\(n,k=4\),\(k=3,m\)"):
        a @ tg.Variable(W)
    with pytest.raises(TypeError, match=r"write a\.toarray\(\)"):
        v**a
    with pytest.raises(TypeError, match="complex sparse"):
        (a * 1j) @ v
    with pytest.raises(TypeError, match="complex Variable"):
        a @ (v * 1j)


@pytest.mark.filterwarnings("ignore:.*runs without a program.*unhashable")  # of those that hash not
@pytest.mark.parametrize("name", ALL)
def test_a_matrix_that_changes_is_seen(name):
    a = ALL[name].copy()

    @tg.compile
    def f(v):
        return np.sum(a @ v)

    @tg.compile
    def g(v, b):
        return np.sum(b @ v)

    for k in range(6):
        np.testing.assert_allclose(tg.value(f(V)), np.sum(a @ V))
        np.testing.assert_allclose(tg.value(g(V, a)), np.sum(a @ V))
        if k % 2:
            if hasattr(a, "data") and a.format not in ("dok", "lil"):
                a.data[0] += 1.0
            else:
                a[0, 2] = 5.0 + k


def test_a_matrix_that_changes_before_the_sweep():
    a = ARRAYS["csr"].copy()
    v = tg.Variable(V)
    y = np.sum(a @ v)
    a.data[0] = 7.0
    try:
        (found,) = tg._core.grad([y], [v])
    except RuntimeError:
        return
    np.testing.assert_allclose(found, DENSE.sum(0))
