"""scipy.linalg of Variables: SciPy's values, derivatives, programs, lanes, single precision."""

import linalg_cases
import numpy as np
import pytest
import scipy.linalg
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import linalg

CASES = linalg_cases.CASES


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    f, args = CASES[name]
    holds(f, args, lanes=name not in linalg_cases.ONE_BY_ONE)


@pytest.mark.parametrize("name", linalg_cases.SOLVED_BY_SCIPY)
def test_functions_that_scipy_computes(name):
    f, args = linalg_cases.SOLVED_BY_SCIPY[name]
    holds(f, args, single=False)


def test_complex_results_are_refused_by_name():
    with pytest.raises(ValueError, match=r"scipy\.linalg\.sqrtm: the result is complex"):
        linalg.sqrtm(tg.Variable(np.diag([1.0, -2.0])))


def test_exchanges_of_rows_are_integers():
    p, lower, upper = linalg.lu(tg.Variable(linalg_cases.A[::-1].copy()), p_indices=True)
    expected = scipy.linalg.lu(linalg_cases.A[::-1], p_indices=True)
    np.testing.assert_array_equal(tg.value(p), expected[0])
    np.testing.assert_allclose(tg.value(lower[p] @ upper), linalg_cases.A[::-1])


def test_bases_that_are_a_matter_of_choice_are_warned_of():
    wide = linalg_cases.matrix(2, 4)
    with pytest.warns(UserWarning, match="matter of choice"):
        z = linalg.null_space(tg.Variable(wide))
    with pytest.warns(UserWarning, match="matter of choice"):
        tg.testing.check_grads(lambda a: (lambda z: z @ z.T)(linalg.null_space(a)), (wide,))
    np.testing.assert_allclose(tg.value(z), scipy.linalg.null_space(wide))


def test_complex_vectors_of_a_pair_are_right_but_for_their_phases():
    a, b = linalg_cases.matrix(4), linalg_cases.positive(4)

    def of_pair(a, b):
        w, v = linalg.eig(a, b)
        alike = v[:, None] * np.conj(v[None])  # without a phase
        return w.real, w.imag, np.abs(v), alike.real, alike.imag

    with pytest.warns(UserWarning, match="phases of complex vectors of a pair"):
        w, v = linalg.eig(tg.Variable(a), b)
    np.testing.assert_allclose(tg.value(w), scipy.linalg.eig(a, b)[0])
    np.testing.assert_allclose(tg.value(v), scipy.linalg.eig(a, b)[1], atol=1e-12)
    with pytest.warns(UserWarning, match="phases of complex vectors of a pair"):
        tg.testing.check_grads(of_pair, (a, b))


@pytest.mark.parametrize("is_real", [True, False])
def test_complex_schur_form(is_real):
    rng = np.random.default_rng(3)
    a, step = (rng.normal(size=(4, 4)) + (0 if is_real else 1j * rng.normal(size=(4, 4)))
               for _ in range(2))  # fmt: skip
    t, z = linalg.schur(tg.Variable(a), output="complex")
    expected = scipy.linalg.schur(a, output="complex")
    np.testing.assert_allclose(tg.value(t), expected[0], atol=1e-13)
    np.testing.assert_allclose(tg.value(z), expected[1], atol=1e-13)

    def parts(s):
        t, z = linalg.schur(a + s * step, output="complex")
        return t, z, np.conj(z).T @ z

    dt, dz, unit = tg.jvp(parts, (0.0,), (1.0,))[1]
    z, t = expected[1], expected[0]
    np.testing.assert_allclose(unit, 0.0, atol=1e-13)
    np.testing.assert_allclose(np.tril(dt, -1), 0.0)
    np.testing.assert_allclose(a @ dz + step @ z, dz @ t + z @ dt, atol=1e-12)
    np.testing.assert_allclose(np.sum(np.conj(z) * dz, 0), 0.0, atol=1e-12)


def test_real_schur_form_with_complex_eigenvalues_is_refused():
    a = np.array([[0.0, -4.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 3.0]])
    with pytest.raises(TypeError, match=r"eigenvalues 0\+2j .* output='complex'"):
        linalg.schur(tg.Variable(a))
    linalg.schur(tg.Variable(a), output="complex")


def test_remedies_do_what_was_asked_for():
    a, b, s = linalg_cases.A, linalg_cases.B, 0.1 * linalg_cases.B
    q, r = linalg_cases.P, np.eye(2)
    expected = scipy.linalg.solve_continuous_are(a, b, q, r, s=s)
    with pytest.raises(TypeError, match=r"s=.* write a - b @ inv"):
        linalg.solve_continuous_are(tg.Variable(a), b, q, r, s=s)
    inv = np.linalg.inv
    left = s @ inv(r)
    found = linalg.solve_continuous_are(tg.Variable(a) - b @ left.T, b, q - left @ s.T, r)
    np.testing.assert_allclose(tg.value(found), expected, rtol=1e-10)
    with pytest.raises(TypeError, match=r"left=True.* write np.conj"):
        linalg.eig(tg.Variable(a), left=True)
    v = linalg.eig(tg.Variable(a))[1]
    _, left, _ = scipy.linalg.eig(a, left=True)
    found = tg.value(np.conj(np.linalg.inv(v)).T)
    found = found / np.linalg.norm(found, axis=0)
    np.testing.assert_allclose(np.abs(np.sum(np.conj(found) * left, 0)), 1.0)
    with pytest.raises(ValueError, match="select_range out of bounds"):
        linalg.eigh_tridiagonal(tg.Variable([1.0, 2.0]), [0.5], select="i", select_range=(0, 2))
    with pytest.raises(scipy.linalg.LinAlgError, match="near singular"):
        linalg.solve_circulant(tg.Variable([1.0, 1.0]), [1.0, 2.0])
    singular = tg.Variable(np.array([1.0, 1.0]))
    least = linalg.solve_circulant(singular, [1.0, 2.0], "lstsq")
    np.testing.assert_allclose(tg.value(least), [0.75, 0.75])


def test_arguments_that_do_not_fit():
    v = tg.Variable(linalg_cases.A)
    with pytest.raises(ValueError, match="incompatible shapes"):
        linalg.solve(v, np.ones(4))
    with pytest.raises(ValueError, match="not a recognized matrix structure"):
        linalg.solve(v, np.ones(3), assume_a="round")
    with pytest.raises(ValueError, match="infs or NaNs"):
        linalg.inv(v * np.nan)
    with pytest.raises(np.linalg.LinAlgError):
        linalg.cholesky(-v @ v.T)


def test_positions_and_ranks_have_scipys_types():
    a = linalg_cases.A
    v = tg.Variable(a)
    for f in (lambda s, x: s.lu_factor(x)[1], lambda s, x: s.lu(x, p_indices=True)[0]):
        expected = f(scipy.linalg, a)
        found = tg.value(f(linalg, v))
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    assert type(linalg.lstsq(v, a[0])[2]) is type(scipy.linalg.lstsq(a, a[0])[2])
