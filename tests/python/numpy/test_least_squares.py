"""Pseudo-inverses and least squares that leave singular values out, equal ones among them."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import numerical

RNG = np.random.default_rng(4)
SYMMETRIC = np.array([[2.0, 0.3, 0.1], [0.3, -3.0, 0.2], [0.1, 0.2, 1.0]])
TALL = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize("share", [1e-9, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("a", [TALL, TALL.T, SYMMETRIC, np.stack([SYMMETRIC, SYMMETRIC + 1.0])])
def test_inverses_that_leave_singular_values_out(a, share):
    def inverse(a):
        return np.linalg.pinv(a, share)

    np.testing.assert_allclose(tg.value(inverse(tg.Variable(a))), inverse(a), rtol=1e-12)
    tg.testing.check_grads(inverse, (a,))
    compiled = tg.compile(tg.elementwise_grad(lambda a: inverse(a) ** 2))
    for k in range(6):  # other values are left out later on
        x = a + 0.3 * k * np.eye(*a.shape[-2:])
        expected = tg.elementwise_grad(lambda a: inverse(a) ** 2)(x)
        np.testing.assert_allclose(compiled(x), expected, rtol=1e-9)
    if a.ndim == 2:
        b = np.cos(np.arange(2.0 * len(a))).reshape(-1, 2)
        for right in (b, b[:, 0]):
            tg.testing.check_grads(lambda a, b: np.linalg.lstsq(a, b, share)[0], (a, right))
            found = np.linalg.lstsq(tg.Variable(a), right, share)
            for x, e in zip(found, np.linalg.lstsq(a, right, share), strict=True):
                np.testing.assert_allclose(tg.value(x), e, rtol=1e-9, atol=1e-12)


def test_a_share_for_each_matrix():
    stack = np.stack([SYMMETRIC, TALL[:3]])
    for shares in (np.array([0.5, 1e-9]), [0.2, 0.7]):
        expected = np.linalg.pinv(stack, shares)
        found = np.linalg.pinv(tg.Variable(stack), rtol=shares)
        np.testing.assert_allclose(tg.value(found), expected, rtol=1e-10)
        tg.testing.check_grads(lambda a, shares=shares: np.linalg.pinv(a, shares), (stack,))


# Singular values (4, 4, 1, 1, 0.5): equal ones among those that count and among those left out.
_U, _V = (np.linalg.qr(np.random.default_rng(k).normal(size=(5, 5)))[0] for k in (1, 2))
EQUAL = (_U * [4.0, 4.0, 1.0, 1.0, 0.5]) @ _V
OF_EQUAL = {
    "square": EQUAL,
    "tall": np.concatenate((EQUAL, EQUAL)),
    "wide": (EQUAL @ EQUAL.T)[:2] @ _V,
    "symmetric": np.full((3, 3), 0.5) + np.eye(3),
    "stack": np.stack((EQUAL, EQUAL.T)),
}


@pytest.mark.parametrize("name", OF_EQUAL)
def test_inverses_that_leave_equal_singular_values_out(name):
    a = OF_EQUAL[name]

    def inverse(a):
        return np.linalg.pinv(a, 0.5)

    tg.testing.check_grads(inverse, (a,), order=2)
    weights = np.cos(np.arange(a.size)).reshape(inverse(a).shape)

    def f(a):
        return np.sum(weights * inverse(a))

    step = np.sin(np.arange(a.size)).reshape(a.shape)
    second = tg.grad(tg.grad(lambda t: f(a + t * step)))
    np.testing.assert_allclose(tg.grad(second)(0.0), numerical.grad(second)(0.0), rtol=1e-5)
    compiled = tg.compile(tg.grad(f))
    for _ in range(4):
        np.testing.assert_allclose(compiled(a), tg.grad(f)(a), rtol=1e-12)
    both = tg.vmap(tg.grad(f))(np.stack((a, a)))
    np.testing.assert_allclose(both[1], tg.grad(f)(a), rtol=1e-12)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("rows", [3, 4])
def test_complex_inverses_that_leave_equal_singular_values_out(rows, turned):
    u, v = (
        np.linalg.qr(RNG.normal(size=(n, 3)) + 1j * RNG.normal(size=(n, 3)))[0] for n in (rows, 3)
    )
    a = (u * [2.0, 2.0, 0.5]) @ np.conj(v.T)
    a = a.T if turned else a

    def inverse(re, im):
        found = np.linalg.pinv(re + 1j * im, 0.6)
        return np.real(found), np.imag(found)

    np.testing.assert_allclose(
        tg.value(inverse(tg.Variable(a.real), a.imag)[1]), np.linalg.pinv(a, 0.6).imag, atol=1e-12
    )
    tg.testing.check_grads(inverse, (a.real, a.imag), order=2)


def test_least_squares_that_leave_equal_singular_values_out():
    b = np.arange(5.0)
    tg.testing.check_grads(lambda a, b: np.linalg.lstsq(a, b, 0.5)[0], (EQUAL, b), order=2)

    def of_parts(re, im):
        x = np.linalg.lstsq(re + 1j * im, b, 0.5)[0]
        return np.real(x), np.imag(x)

    tg.testing.check_grads(of_parts, (EQUAL, np.zeros((5, 5))), order=2)


def test_a_singular_value_at_the_threshold_is_named():
    a = np.diag([2.0, 1.0, 0.3])
    with pytest.warns(RuntimeWarning, match=r"0\.5 times the largest one.*jumps"):
        tg.grad(lambda a: np.sum(np.linalg.pinv(a, 0.5)))(a)
    with pytest.warns(RuntimeWarning, match="jumps"):
        tg.grad(lambda a: np.sum(np.linalg.lstsq(a, a[0], 0.5)[0]))(a)
    assert not tg.grad(lambda a: np.sum(np.linalg.pinv(a, 1.0)))(np.eye(3)).any()
    compiled = tg.compile(tg.grad(lambda a: np.sum(np.linalg.pinv(a, 0.5))))
    for k in range(4):
        compiled(np.diag([2.0, 0.9 - 0.01 * k, 0.3]))
    with pytest.warns(RuntimeWarning, match="jumps"):
        compiled(a)
