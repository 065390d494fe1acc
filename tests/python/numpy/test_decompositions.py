"""Decompositions where values are equal, zero or many, compiled, under vmap; least squares."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numerical
from tapegrad._core import apply

RNG = np.random.default_rng(4)
A = RNG.normal(size=(4, 3, 3))
C = RNG.normal(size=(3, 3))
Q = np.linalg.qr(C)[0]
TIED = (Q * [1.0, 2.0, 2.0]) @ Q.T  # equal up to rounding alone
LOW = RNG.normal(size=(5, 2)) @ RNG.normal(size=(2, 4))


@pytest.mark.parametrize("a", [np.eye(3), np.diag([2.0, 1.0, 2.0]), TIED, np.zeros((3, 3))])
def test_functions_of_all_eigenvalues_are_smooth_at_ties(a):
    def f(a):
        return np.sum(np.sin(np.linalg.eigvalsh(a)))

    def both(a):
        return np.sum(np.sin(np.linalg.eigh(a).eigenvalues))

    expected = numerical.grad(lambda a: f((a + a.T) / 2))(a)
    np.testing.assert_allclose(tg.grad(f)(a), expected, atol=1e-8)
    np.testing.assert_allclose(tg.grad(both)(a), expected, atol=1e-8)
    np.testing.assert_allclose(tg.jvp(f, (a,), (C,))[1], np.sum(expected * C), atol=1e-8)


def test_an_eigenvalue_of_a_tie_gets_its_share_in_any_basis():
    gradient = tg.grad(lambda a: np.linalg.eigvalsh(a)[2])(TIED)
    np.testing.assert_allclose(gradient, (Q * [0, 0.5, 0.5]) @ Q.T, atol=1e-14)
    gradient = tg.grad(lambda a: np.linalg.svdvals(a)[0])(3 * Q)
    np.testing.assert_allclose(gradient, Q / 3, atol=1e-14)


def leading(a):
    """Reads the vector that belongs to no tie, and its eigenvalue."""
    w, v = np.linalg.eigh(a)
    return np.sum(np.outer(v[:, 0], v[:, 0]) * C) * w[0]


@pytest.mark.parametrize("a", [np.diag([1.0, 2.0, 2.0]), TIED])
def test_other_vectors_have_derivatives_beside_a_tie(a):
    def symmetric(f):
        return lambda a: f((a + a.T) / 2)

    expected = numerical.grad(symmetric(leading))(a)
    np.testing.assert_allclose(tg.grad(leading)(a), expected, atol=1e-7)
    tangent = tg.jvp(leading, (a,), (C,))[1]
    np.testing.assert_allclose(tangent, np.sum(expected * C), atol=1e-7)
    second = tg.hessian(lambda a: np.linalg.eigvalsh(a)[0])(a)
    first = symmetric(tg.grad(lambda a: np.linalg.eigvalsh(a)[0]))
    steps = (first(a + 1e-6 * C) - first(a - 1e-6 * C)) / 2e-6
    np.testing.assert_allclose(np.tensordot(second, C), steps, atol=1e-6)


@pytest.mark.parametrize("a", [np.eye(3), TIED])
def test_vectors_of_a_tie_have_nan(a):
    def matrix_function(a):
        w, v = np.linalg.eigh(a)
        return np.sum((v * np.exp(w)) @ v.T * C)

    def of_svd(a):
        u, s, vt = np.linalg.svd(a)
        return np.sum((u * np.exp(s)) @ vt * C)

    for f in (matrix_function, of_svd, lambda a: np.linalg.eigh(a)[1][0, 1]):
        assert np.isnan(tg.grad(f)(a)).any()
        assert np.isnan(tg.jvp(f, (a,), (C,))[1])


def test_logarithm_of_the_identity_is_not_taken_for_flat():
    def f(a):
        w, v = np.linalg.eigh(a)
        return np.sum((v * np.log(w)) @ v.T * C)

    assert np.isnan(tg.grad(f)(np.eye(3))).any()


def test_low_rank():
    def nuclear(a):
        return np.linalg.norm(a, "nuc")

    u, _, vt = np.linalg.svd(LOW, full_matrices=False)
    np.testing.assert_allclose(tg.grad(nuclear)(LOW), u[:, :2] @ vt[:2], atol=1e-12)
    for order in (2, "nuc"):
        assert not tg.grad(lambda a, k=order: np.linalg.norm(a, k))(np.zeros((2, 3))).any()

    def pseudo(x, y):
        return np.linalg.pinv(x @ y)

    tg.testing.check_grads(pseudo, (LOW[:, :2], RNG.normal(size=(2, 4))), order=2)

    def solution(x, y, b):
        return np.linalg.lstsq(x @ y, b)[0]

    arguments = (LOW[:, :2], RNG.normal(size=(2, 4)), RNG.normal(size=5))
    tg.testing.check_grads(solution, arguments, order=2)
    single = LOW.astype(np.float32)[:, :2] @ np.ones((2, 3), np.float32)
    found = np.linalg.pinv(tg.Variable(single))
    np.testing.assert_allclose(tg.value(found), np.linalg.pinv(single), rtol=1e-5)


def test_third_order():
    def f(t):
        a = C + C.T + t * Q + t * Q.T + t * t * np.ones((3, 3))
        w, v = np.linalg.eigh(a)
        u, s, vt = np.linalg.svd(C + t * Q)
        q, r = np.linalg.qr(C + t * Q)
        p = np.linalg.pinv(C[:, :2] + t * Q[:, :2])
        return w[0] * v[1, 0] ** 2 + s[1] * u[0, 1] * vt[1, 0] + q[0, 1] * r[1, 2] + np.sum(p)

    second = tg.grad(tg.grad(f))
    np.testing.assert_allclose(tg.grad(second)(0.3), numerical.grad(second)(0.3), rtol=1e-5)


def everything(a):
    w, v = np.linalg.eigh(a + a.T)
    u, s, vt = np.linalg.svd(a[:, :2], full_matrices=False)
    q, r = np.linalg.qr(a[:2])
    x, residuals, _, _ = np.linalg.lstsq(a[:, :2], a[:, 2])
    total = np.sum(v[:, 1] ** 2 * w) + np.sum(u[:, 0] * s[1]) * vt[0, 1] + q[0, 0] * r[1, 2]
    return total + np.sum(x) + np.sum(residuals) + np.linalg.cond(a) + np.linalg.norm(a, "nuc")


def test_compiled_and_under_vmap():
    expected = [tg.value_and_grad(everything)(a) for a in A]
    compiled = tg.compile(tg.value_and_grad(everything))
    for a, (value, gradient) in zip(A, expected, strict=True):
        found = compiled(a)
        np.testing.assert_allclose(found[0], value, rtol=1e-12)
        np.testing.assert_allclose(found[1], gradient, rtol=1e-9, atol=1e-12)
    assert compiled.inspect().signatures[0].replays >= 2
    values, gradients = tg.vmap(tg.value_and_grad(everything))(A)
    np.testing.assert_allclose(values, [value for value, _ in expected], rtol=1e-12)
    np.testing.assert_allclose(gradients, [g for _, g in expected], rtol=1e-9, atol=1e-12)


def test_a_program_sees_ties_of_later_arguments():
    compiled = tg.compile(tg.grad(leading))
    unlike = np.diag([1.0, 2.0, 3.0])
    for a in (unlike, unlike, unlike, np.diag([1.0, 2.0, 2.0])):
        np.testing.assert_allclose(compiled(a), tg.grad(leading)(a), atol=1e-14)
    vector = tg.compile(tg.grad(lambda a: np.linalg.eigh(a)[1][1, 1]))
    for _ in range(3):
        assert np.isfinite(vector(unlike)).all()
    assert np.isnan(vector(np.eye(3))).any()


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 0, 0), (0, 3, 3)])
@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "svdvals", "qr", "pinv"])
def test_empty_arrays(name, shape):
    f, x = getattr(np.linalg, name), np.ones(shape)
    if name.startswith("eig") and shape[-1] != shape[-2]:
        with pytest.raises(np.linalg.LinAlgError):
            f(tg.Variable(x))
        return

    def parts(x):
        found = f(x)
        return tuple(found) if isinstance(found, tuple) else found

    value, pullback = tg.vjp(parts, x)
    expected = parts(x)
    if isinstance(value, tuple):
        assert [v.shape for v in value] == [e.shape for e in expected]
    else:
        assert value.shape == expected.shape
    assert pullback(value)[0].shape == shape


def test_least_squares_gives_what_numpy_gives():
    cases = [((5, 3), (5,)), ((5, 3), (5, 2)), ((3, 5), (3,)), ((3, 3), (3, 1)), ((5, 0), (5,))]
    for left, right in [*cases, ((0, 3), (0,)), ((5, 3), (5, 0))]:
        a, b = RNG.normal(size=left), RNG.normal(size=right)
        for found, expected in zip(
            np.linalg.lstsq(tg.Variable(a), b), np.linalg.lstsq(a, b), strict=True
        ):
            assert np.shape(found) == np.shape(expected)
            np.testing.assert_allclose(tg.value(found), expected, rtol=1e-9, atol=1e-12)
    for rcond in (None, -1, 0.5):
        found = np.linalg.lstsq(tg.Variable(LOW), LOW[:, 0], rcond)
        expected = np.linalg.lstsq(LOW, LOW[:, 0], rcond)
        assert found[2] == expected[2]
        if rcond != -1:
            np.testing.assert_allclose(tg.value(found[0]), expected[0], atol=1e-12)


def test_a_fit_of_an_ill_conditioned_system_is_as_good_as_numpys():
    a = np.vander(np.linspace(0.0, 1.0, 20), 12)  # its condition number is 1e9
    b = a @ np.ones(12)
    x = np.linalg.lstsq(tg.Variable(a), b)[0]
    assert np.max(np.abs(a @ tg.value(x) - b)) < 1e-13


def test_polynomials_give_what_numpy_gives():
    x, y = np.linspace(0.0, 2.0, 7), RNG.normal(size=(7, 2))
    for right in (y, y[:, 0]):
        for options in ({}, {"full": True}, {"cov": True}, {"w": 1 + x}, {"cov": "unscaled"}):
            found = np.polyfit(x, tg.Variable(right), 2, **options)
            expected = np.polyfit(x, right, 2, **options)
            pairs = [(found, expected)]
            if isinstance(expected, tuple):
                pairs = list(zip(found, expected, strict=True))
            for f, e in pairs:
                np.testing.assert_allclose(tg.value(f), e, rtol=1e-9)
    with pytest.warns(np.exceptions.RankWarning):
        np.polyfit(tg.Variable(np.ones(4)), x[:4], 2)
    integers = np.polyfit(np.arange(4), tg.Variable(y[:4, 0]), 3)
    np.testing.assert_allclose(tg.value(integers), np.polyfit(np.arange(4), y[:4, 0], 3))


@pytest.mark.parametrize(
    ("f", "kind", "said"),
    [
        (lambda v: np.linalg.qr(v, "raw"), ValueError, "mode='raw'"),
        (lambda v: np.linalg.eigh(v[:, :2], "X"), ValueError, "UPLO"),
        (lambda v: np.linalg.pinv(v, [1e-9, 1e-9]), ValueError, "rcond="),
        (lambda v: np.linalg.pinv(v, 1e-9, rtol=1e-9), ValueError, "both"),
        (lambda v: np.linalg.lstsq(v, v[0]), np.linalg.LinAlgError, "Incompatible"),
        (lambda v: np.linalg.cond(v[:0]), np.linalg.LinAlgError, "empty"),
        (lambda v: np.linalg.svdvals(v * np.nan), np.linalg.LinAlgError, "did not converge"),
        (lambda v: np.polyfit(v, v, 1), TypeError, "vector of points"),
        (lambda v: np.polyfit(v[0], v[1], -1), ValueError, "deg"),
        (lambda v: np.polyfit(v[0], v[1], 1, w=[1.0]), TypeError, "weight"),
    ],
)
def test_what_is_refused_is_named(f, kind, said):
    with pytest.raises(kind, match=said):
        f(tg.Variable(A[0, :2]))


def test_shapes_of_no_decomposition_are_refused():
    three, square = np.ones(3), np.ones((3, 3))
    for name, inputs in [
        ("divide_by_gaps", (three, np.ones((3, 4)), three)),
        ("divide_by_gaps", (np.float64(1.0), square, three)),
        ("divide_by_gaps", (three, square, np.ones(2))),
        ("share_ties", (three, np.ones(4))),
        ("scaled_product", (square, np.ones(2), square)),
        ("scaled_product", (three, three, square)),
    ]:
        with pytest.raises(ValueError, match=f"{name}: shapes"):
            apply(name, inputs)


def test_conditions_of_singular_matrices_are_numpys():
    for a in (np.zeros((2, 2)), np.diag([1.0, 0.0])):
        with np.errstate(all="ignore"):
            assert tg.value(np.linalg.cond(tg.Variable(a))) == np.linalg.cond(a) == np.inf


def test_columns_that_depend_have_no_qr_derivative():
    for f in (lambda a: np.linalg.qr(a)[0][0, 0], lambda a: np.linalg.qr(a)[1][1, 1]):
        with pytest.raises(np.linalg.LinAlgError, match="qr: Singular"):
            tg.grad(f)(np.zeros((3, 2)))


SYMMETRIC = np.array([[2.0, 0.3, 0.1], [0.3, -3.0, 0.2], [0.1, 0.2, 1.0]])
ONE_TRIANGLE = np.triu(np.full((3, 3), 5.0), 1) + np.tril(SYMMETRIC)
HERMITIAN = {
    "svd": lambda a: [x**2 for x in np.linalg.svd(a, hermitian=True)],
    "products of vectors": lambda a: (
        lambda u, s, vt: np.matmul(u * s[..., None, :], vt)
    )(*np.linalg.svd(a, hermitian=True)),
    "values": lambda a: np.linalg.svd(a, compute_uv=False, hermitian=True),
    "pinv": lambda a: np.linalg.pinv(a, hermitian=True),
    "truncated": lambda a: np.linalg.pinv(a, 0.5, True),
}  # fmt: skip


@pytest.mark.parametrize("name", HERMITIAN)
def test_hermitian_matrices_are_told_by_one_triangle(name):
    f = HERMITIAN[name]

    def of_symmetric(a):
        return f((a + np.swapaxes(a, -1, -2)) / 2)

    for a in (SYMMETRIC, ONE_TRIANGLE, np.stack([SYMMETRIC, 2 * ONE_TRIANGLE])):
        for x, e in zip(f(tg.Variable(a)), f(a), strict=True):
            np.testing.assert_allclose(tg.value(x), e, rtol=1e-12, atol=1e-14)
    tg.testing.check_grads(lambda a: list(of_symmetric(a)), (SYMMETRIC,))
    weights = np.cos(np.arange(3.0))
    gradient = tg.grad(lambda a: sum(np.sum(weights * x) for x in f(a)))(ONE_TRIANGLE)
    np.testing.assert_allclose(gradient, gradient.T)
