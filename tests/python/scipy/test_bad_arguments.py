"""Arguments that SciPy refuses are refused with Variables too, by the name of the function."""

import numpy as np
import pytest
import scipy
import scipy.integrate
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.sparse
import scipy.stats

import tapegrad as tg
import tapegrad.scipy

V = np.array([1.0, 2.0, 3.0])
M = np.array([[2.0, 0.5, 0.1], [0.5, 3.0, 0.2], [0.1, 0.2, 4.0]])

# A call with SciPy's module, or the package's, a vector and a matrix, and what the latter says.
REFUSED = [
    (lambda s, v, m: s.linalg.svd(m, lapack_driver="zz"), "lapack_driver='zz' is not known"),
    (lambda s, v, m: s.linalg.eigh(m, driver="zz"), "driver='zz' is not known"),
    (lambda s, v, m: s.linalg.eigvalsh(m, driver=1), "driver=1 is not known"),
    (lambda s, v, m: s.linalg.lstsq(m, v, lapack_driver="zz"), "lapack_driver='zz'"),
    (lambda s, v, m: s.linalg.expm_frechet(m, m, method="zz"), "method='zz' is not known"),
    (lambda s, v, m: s.linalg.cho_solve(m, v), r"cho_solve: .* what cho_factor gives"),
    (lambda s, v, m: s.linalg.lu_solve(m, v), r"lu_solve: .* what lu_factor gives"),
    (lambda s, v, m: s.linalg.solve_banded(1, m, v), r"solve_banded: .* numbers of diagonals"),
    (lambda s, v, m: s.signal.fftconvolve(v, v, axes=()), r"fftconvolve: axes=\(\) is empty"),
    (
        lambda s, v, m: s.signal.convolve2d(m, m, fillvalue=(1.0, 2.0)),
        r"convolve2d: fillvalue= is one number, and has shape \(2,\)",
    ),
    (lambda s, v, m: s.ndimage.gaussian_filter1d(v, 1.0, radius=1.5), "radius=1.5"),
    (lambda s, v, m: s.sparse.csr_matrix((v, [0, 1], [0, 1])), r"csr_matrix: .* shapes \(3,\)"),
    (
        lambda s, v, m: s.sparse.coo_matrix((v, ([0, 9, 1], [0, 1, 1])), shape=(3, 3)),
        r"coo_matrix: row 9 is no place in a matrix of shape \(3, 3\)",
    ),
    (
        lambda s, v, m: s.sparse.coo_array((v, ([0, 1, 1], [0, -1, 1])), shape=(3, 3)),
        r"coo_array: column -1 is no place",
    ),
    (
        lambda s, v, m: s.integrate.solve_ivp(lambda t, y: -y * v[0], 1.0, [1.0]),
        r"solve_ivp: t_span is the pair \(t0, t1\), not 1\.0",
    ),
    (lambda s, v, m: s.integrate.simpson(m, dx=np.ones(7)), r"simpson: dx= is one number.* x="),
]


@pytest.mark.parametrize(("call", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_scipy_refuses(call, says):
    with pytest.raises((TypeError, ValueError)):
        call(scipy, V, M)
    with pytest.raises((TypeError, ValueError), match=says):
        call(tapegrad.scipy, tg.Variable(V), tg.Variable(M))


def test_weights_of_entropy_are_broadcast_before_they_are_divided():
    p = np.array([[0.2, 0.5], [0.3, 0.1], [0.5, 0.4]])
    for q in (2.0, np.array([1.0, 2.0]), np.array([[1.0], [2.0], [4.0]])):
        expected = scipy.stats.entropy(p, q)
        found = tapegrad.scipy.stats.entropy(tg.Variable(p), q)
        np.testing.assert_allclose(tg.value(found), expected, rtol=1e-12)
