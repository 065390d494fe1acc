"""Eigenvalues of any matrix and roots: real or complex by value, ties, normalisation, programs."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numerical

RNG = np.random.default_rng(11)
A = RNG.normal(size=(4, 4))
SYMMETRIC = A + A.T
ROTATION = np.array([[0.0, -1.0], [1.0, 0.0]])
DEFECTIVE = np.array([[1.0, 1.0], [0.0, 1.0]])
IMAGINARY = np.array([[0.3, 1.0, 0.2], [-0.4, 0.1, 0.8], [0.5, -0.6, 0.9]])


def weighted(y):
    n = np.arange(np.size(y)).reshape(np.shape(y))
    return np.sum(np.real(y) * np.cos(n)) + np.sum(np.imag(y) * np.sin(1 + n))


def combined(a):
    """The vectors, without their signs and their order, which follow rounding in LAPACK."""
    w, v = np.linalg.eig(a)
    v = v * np.sign(np.real(v[..., :1, :]))
    return weighted(np.sum(v * np.exp(0.3 * w)[..., None, :], axis=-1))


def assert_derivatives(f, x):
    """To second order, of a function of one array."""
    gradient = tg.grad(f)
    np.testing.assert_allclose(gradient(x), numerical.grad(f)(x), rtol=1e-6, atol=1e-7)
    d = RNG.normal(size=np.shape(x))
    steps = (gradient(x + 1e-5 * d) - gradient(x - 1e-5 * d)) / 2e-5
    found = tg.jvp(gradient, (x,), (d,))[1]
    np.testing.assert_allclose(found, steps, rtol=1e-5, atol=1e-5 * (1 + np.max(np.abs(steps))))


@pytest.mark.parametrize("a", [A, SYMMETRIC, np.triu(A), np.stack([A, SYMMETRIC]), A[:1, :1]])
def test_values_are_numpys(a):
    for dtype in (float, np.float32):
        x = a.astype(dtype)
        w, v = np.linalg.eig(tg.Variable(x))
        expected = np.linalg.eig(x)
        assert w.dtype == expected[0].dtype
        assert v.dtype == expected[1].dtype
        rtol = 1e-12 if dtype is float else 1e-4
        np.testing.assert_allclose(tg.value(w), expected[0], rtol=rtol, atol=rtol)
        np.testing.assert_allclose(tg.value(v), expected[1], rtol=rtol, atol=10 * rtol)
        np.testing.assert_array_equal(tg.value(np.linalg.eigvals(tg.Variable(x))), tg.value(w))


@pytest.mark.parametrize("a", [A, SYMMETRIC, IMAGINARY, np.stack([A, 2 * A.T])])
def test_vectors_keep_the_normalisation_of_numpys(a):
    assert_derivatives(combined, a)
    assert_derivatives(lambda a: weighted(np.sort(np.abs(np.linalg.eigvals(a)))), a)
    assert_derivatives(lambda a: combined(a * (1 + 0.5j)), a)


def test_a_rotation_whose_elements_are_all_largest():
    def projection(a):
        w, v = np.linalg.eig(a)
        return weighted(v[:, :1] @ np.linalg.inv(v)[:1]) + weighted(w)

    assert_derivatives(projection, ROTATION)
    found = tg.jvp(lambda a: np.linalg.eig(a)[1], (ROTATION,), (np.diag([1.0, 0.0]),))[1]
    real = np.imag(np.linalg.eig(ROTATION)[1]) == 0
    assert not found.imag[real].any()


def test_symmetric_functions_at_ties():
    for f, g in [
        (lambda a: np.real(np.sum(np.linalg.eigvals(a))), np.trace),
        (lambda a: np.real(np.prod(np.linalg.eigvals(a))), np.linalg.det),
        (lambda a: np.real(np.sum(np.linalg.eigvals(a) ** 3)), lambda a: np.trace(a @ a @ a)),
    ]:
        for a in (np.eye(3), np.diag([2.0, 1.0, 2.0]), np.zeros((2, 2))):
            np.testing.assert_allclose(tg.grad(f)(a), tg.grad(g)(a), atol=1e-12)
    assert np.isnan(tg.grad(lambda a: weighted(np.linalg.eig(a)[1]))(np.eye(3))).all()
    # An eigenvector beside a tie has a derivative.
    found = tg.grad(lambda a: np.real(np.linalg.eig(a)[1][0, 1]) ** 2)(np.diag([1.0, 2.0, 1.0]))
    np.testing.assert_array_equal(found, 0)


def test_what_has_no_basis_of_eigenvectors_has_no_derivative():
    assert tg.value(np.linalg.eigvals(tg.Variable(DEFECTIVE))).tolist() == [1.0, 1.0]
    found = tg.grad(lambda a: np.real(np.sum(np.linalg.eigvals(a) ** 2)))(DEFECTIVE)
    assert np.isnan(found).all()


def test_programs_guard_the_type():
    compiled = tg.compile(lambda a: np.linalg.eigvals(a))
    for a in (SYMMETRIC, SYMMETRIC, 2 * SYMMETRIC, A, A, SYMMETRIC):
        found = compiled(a)
        assert found.dtype == np.linalg.eigvals(a).dtype
        np.testing.assert_allclose(found, np.linalg.eigvals(a), rtol=1e-12)


def test_lanes_agree_on_the_type():
    lanes = np.stack([SYMMETRIC, 2 * SYMMETRIC])
    np.testing.assert_allclose(tg.vmap(np.linalg.eigvals)(lanes), np.linalg.eigvals(lanes))
    mixed = np.stack([SYMMETRIC, A])
    if np.linalg.eigvals(np.eye(1)).dtype == float:  # before NumPy 2.5
        with pytest.raises(ValueError, match="different branches"):
            tg.vmap(np.linalg.eigvals)(mixed)
    found = tg.vmap(lambda a: np.linalg.eigvals(a.astype(complex)))(mixed)
    np.testing.assert_allclose(found, np.linalg.eigvals(mixed), rtol=1e-12)


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_empty_arrays(shape):
    w, v = np.linalg.eig(tg.Variable(np.ones(shape)))
    expected = np.linalg.eig(np.ones(shape))
    assert w.shape == expected[0].shape
    assert v.shape == expected[1].shape
    found = tg.grad(lambda a: np.real(np.sum(np.linalg.eigvals(a))))(np.ones(shape))
    assert found.shape == shape


@pytest.mark.parametrize(
    "p",
    [
        [1.0, -6.0, 11.0, -6.0],
        [2.0, 0.3, 1.0, -0.5, 4.0],
        [0.0, 0.0, 1.0, 2.0, 3.0],
        [1.0, 2.0, 3.0, 0.0, 0.0],
        [0.0, 1.0, 5.0, 0.0],
        [3.0],
        [0.0, 0.0],
        [5.0, 0.0],
        [],
    ],
)
def test_roots_are_numpys(p):
    p = np.array(p)
    for x in (p, p * (1 + 2j)):
        found, expected = np.roots(tg.Variable(x)), np.roots(x)
        assert np.shape(found) == expected.shape
        np.testing.assert_allclose(tg.value(found), expected, rtol=1e-12)
        if len(expected):
            assert np.asarray(tg.value(found)).dtype == expected.dtype


def test_roots_have_derivatives():
    for p in ([1.0, -6.0, 11.0, -6.5], [2.0, 0.3, 1.0, -0.5, 4.0]):
        assert_derivatives(lambda p: weighted(np.roots(p)), np.array(p))
        assert_derivatives(lambda p: weighted(np.roots(p * np.exp(1j * p))), np.array(p))
    p = np.poly(np.arange(1.0, 9.0))
    gradient = tg.grad(lambda p: np.sum(np.roots(p)))(p)
    np.testing.assert_allclose(gradient, [-36.0, -1.0] + [0.0] * 7, atol=1e-4)
    assert np.isnan(tg.grad(lambda p: np.roots(p)[0])(np.array([1.0, -2.0, 1.0]))).all()


def test_the_polynomial_of_a_matrix():
    for a in (A, SYMMETRIC, A[:1, :1], np.zeros((0, 0)) + 0.0):
        if not a.size:
            continue
        assert_derivatives(lambda a: weighted(np.poly(a)), a)
        assert_derivatives(lambda a: weighted(np.poly(a * (1 + 1j))), a)
        found, expected = np.poly(tg.Variable(a)), np.poly(a)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(tg.value(found), expected, rtol=1e-10)
    pairs = np.array([1 + 2j, 1 - 2j])
    assert np.poly(tg.Variable(pairs)).dtype == np.poly(pairs).dtype == float


def test_what_is_refused():
    for x in (np.ones((2, 3)), np.ones(3)):
        for y in (x, x * 1j):
            with pytest.raises(np.linalg.LinAlgError):
                np.linalg.eig(tg.Variable(y))
    with pytest.raises(np.linalg.LinAlgError, match="isfinite"):
        np.linalg.eigvals(tg.Variable(np.full((2, 2), np.nan)))
    with pytest.raises(ValueError, match="rank-1"):
        np.roots(tg.Variable(np.ones((2, 2))))
