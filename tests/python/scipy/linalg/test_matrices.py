"""scipy.linalg of complex Variables: SciPy's values, derivatives of real and imaginary parts."""

import numpy as np
import pytest
import scipy.linalg
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import linalg

RNG = np.random.default_rng(9)
RE, IM = RNG.standard_normal((2, 3, 3)) + 2.0 * np.eye(3)
BR, BI = RNG.standard_normal((2, 3, 2))


def positive(z):
    return z @ np.conj(z.T) + 2.0 * np.eye(3)


def without_phases(w, v):
    return w, v * np.conj(v[:1]) / np.abs(v[:1])


OF_MATRIX = {
    "expm": linalg.expm,
    "inv": linalg.inv,
    "det": linalg.det,
    "cholesky": lambda z: linalg.cholesky(positive(z)),
    "cholesky lower": lambda z: linalg.cholesky(positive(z), lower=True),
    "cho_factor": lambda z: np.triu(linalg.cho_factor(positive(z))[0]),
    "lu": lambda z: linalg.lu(z)[1:],
    "lu_factor": lambda z: linalg.lu_factor(z)[0],
    "eigh": lambda z: without_phases(*linalg.eigh(positive(z))),
    "eigvalsh upper": lambda z: linalg.eigvalsh(positive(z), lower=False),
    "eigh pair": lambda z: without_phases(*linalg.eigh(z + np.conj(z.T), positive(z))),
    "eigh pair 2": lambda z: linalg.eigvalsh(z + np.conj(z.T), positive(z), type=2),
    "svdvals": linalg.svdvals,
}
OF_SYSTEM = {
    "solve": linalg.solve,
    "solve pos": lambda z, b: linalg.solve(positive(z), b, assume_a="pos"),
    "solve her": lambda z, b: linalg.solve(z + np.conj(z.T), b, assume_a="her", lower=True),
    "solve sym": lambda z, b: linalg.solve(z + z.T, b, assume_a="sym"),
    "solve upper": lambda z, b: linalg.solve(z, b, assume_a="upper triangular"),
    "solve_triangular": linalg.solve_triangular,
    "solve_triangular lower": lambda z, b: linalg.solve_triangular(z, b, "T", lower=True),
    "solve_triangular adjoint": lambda z, b: linalg.solve_triangular(z, b[:, 0], "C"),
    "solve_triangular unit": lambda z, b: linalg.solve_triangular(z, b, 0, True, True),
    "cho_solve": lambda z, b: linalg.cho_solve((z, False), b),
    "cho_solve lower": lambda z, b: linalg.cho_solve((z, True), b),
    "lu_solve": lambda z, b: linalg.lu_solve(linalg.lu_factor(z), b),
    "lu_solve T": lambda z, b: linalg.lu_solve(linalg.lu_factor(z), b, 1),
    "lu_solve C": lambda z, b: linalg.lu_solve(linalg.lu_factor(z), b, 2),
}
# Computed by SciPy, a lane at a time.
ONE_BY_ONE = ("lu", "lu_factor", "lu_solve", "lu_solve T", "lu_solve C")


def halves(found):
    """Real arrays of a result."""
    found = found if isinstance(found, tuple) else (found,)
    return tuple(part for z in found for part in (np.real(z), np.imag(z) + 0.0 * np.real(z)))


@pytest.mark.parametrize("name", OF_MATRIX)
def test_functions_of_a_matrix(name):
    f = OF_MATRIX[name]
    holds(lambda re, im: halves(f(re + 1j * im)), (RE, IM), single=False, lanes=False, rtol=1e-9)


@pytest.mark.parametrize("name", OF_SYSTEM)
def test_systems(name):
    f = OF_SYSTEM[name]

    def parts(re, im, bre, bim):
        return halves(f(re + 1j * im, bre + 1j * bim))

    holds(parts, (RE, IM, BR, BI), single=False, lanes=False, rtol=1e-9)
    # A real right side of a complex matrix, and the other way round.
    holds(lambda re, im, b: halves(f(re + 1j * im, b)), (RE, IM, BR), single=False, lanes=False)
    if "her" not in name:
        holds(lambda a, b: halves(f(a, b * 1j)), (RE, BR), single=False, lanes=False, rtol=1e-9)


def test_transposed_is_what_scipy_says():
    z, b = RE + 1j * IM, BR[:, 0]
    with pytest.raises(NotImplementedError):
        scipy.linalg.solve(z, b, transposed=True)
    with pytest.raises(NotImplementedError, match="transposed=True is for real matrices"):
        linalg.solve(tg.Variable(z), b, transposed=True)
    np.testing.assert_allclose(
        tg.value(linalg.solve(tg.Variable(z).T, b)), scipy.linalg.solve(z.T, b), rtol=1e-12
    )
