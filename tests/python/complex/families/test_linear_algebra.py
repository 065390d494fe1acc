"""Linear algebra of complex matrices: any rank, whole bases, ties, empty stacks."""

import itertools

import numpy as np
import pytest

import tapegrad as tg

RNG = np.random.default_rng(21)


def drawn(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def weighted(y):
    if isinstance(y, tuple):
        return sum(map(weighted, y))
    n = np.arange(int(np.prod(np.shape(y)))).reshape(np.shape(y))
    return np.sum(np.real(y) * np.cos(n)) + np.sum(np.imag(y) * np.sin(1 + n))


def assert_derivatives(f, z):
    """To second order, along a direction."""
    d, gradient = drawn(*z.shape), tg.grad(f)
    first = (f(z + 1e-6 * d) - f(z - 1e-6 * d)) / 2e-6
    np.testing.assert_allclose(np.sum((gradient(z) * d).real), first, rtol=1e-6, atol=1e-6)
    second = (gradient(z + 1e-5 * d) - gradient(z - 1e-5 * d)) / 2e-5
    found = tg.jvp(gradient, (z,), (d,))[1]
    np.testing.assert_allclose(found, second, rtol=1e-5, atol=1e-6 * (1 + np.max(np.abs(second))))


def density(z):
    w, v = np.linalg.eigh(z + np.conj(np.swapaxes(z, -1, -2)))
    return (v * np.exp(-w)[..., None, :]) @ np.conj(np.swapaxes(v, -1, -2))


def product(z):
    u, s, vh = np.linalg.svd(z, full_matrices=False)
    return (u * s[..., None, :] ** 2) @ vh


def rests(z):
    u, s, vh = np.linalg.svd(z)
    k = s.shape[-1]
    left, right = u[..., k:], vh[..., k:, :]
    return left @ np.conj(np.swapaxes(left, -1, -2)), np.conj(np.swapaxes(right, -1, -2)) @ right


FUNCTIONS = {
    "density": (density, True),
    "eigvalsh": (lambda z: np.linalg.eigvalsh(z, "U"), True),
    "product": (product, False),
    "svdvals": (np.linalg.svdvals, False),
    "polar": (lambda z: np.matmul(*np.linalg.svd(z, full_matrices=False)[::2]), False),
    "rests": (rests, False),
    "hermitian svd": (
        lambda z: np.matmul(
            *np.linalg.svd(z @ np.conj(np.swapaxes(z, -1, -2)), hermitian=True)[::2]
        ),
        True,
    ),
    "qr": (lambda z: tuple(np.linalg.qr(z)), False),
    "complete": (lambda z: tuple(np.linalg.qr(z, "complete")), False),
    "det": (np.linalg.det, True),
    "slogdet": (lambda z: tuple(np.linalg.slogdet(z)), True),
    "pinv": (np.linalg.pinv, False),
    "pinv rtol": (lambda z: np.linalg.pinv(z, rtol=1e-10), False),
    "pinv hermitian": (lambda z: np.linalg.pinv(z, hermitian=True), True),
    "cholesky": (
        lambda z: np.linalg.cholesky(z @ np.conj(np.swapaxes(z, -1, -2)) + np.eye(z.shape[-1])),
        True,
    ),
}
SHAPES = [(3, 3), (2, 2, 2), (1, 1), (4, 2), (2, 4), (2, 3, 2), (1, 3), (3, 1)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives(name):
    f, square = FUNCTIONS[name]
    for shape in SHAPES:
        if square and shape[-1] != shape[-2]:
            continue
        z = drawn(*shape)
        found, expected = f(tg.Variable(z)), f(z)
        pairs = (
            zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
        )
        for x, y in pairs:
            assert np.shape(x) == np.shape(y)
            np.testing.assert_allclose(tg.value(x), y, rtol=1e-10, atol=1e-12)
        assert_derivatives(lambda z: np.sin(weighted(f(z))), z)
        gradient = tg.grad(lambda z: weighted(f(z)))
        lanes = np.stack([z, z * 1.01])
        expected = np.stack([gradient(x) for x in lanes])
        np.testing.assert_allclose(tg.vmap(gradient)(lanes), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 0), (0, 0)])
def test_empty_arrays(name, shape):
    f, _ = FUNCTIONS[name]
    found, expected = f(tg.Variable(np.zeros(shape, complex))), f(np.zeros(shape, complex))
    pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
    for x, y in pairs:
        assert np.shape(x) == np.shape(y)
        assert x.dtype == y.dtype


def by_permutations(a):
    """The determinant, as a polynomial."""
    n, total = a.shape[-1], 0.0
    for p in itertools.permutations(range(n)):
        term = np.linalg.det(np.eye(n)[list(p)])
        for i, j in enumerate(p):
            term = term * a[i, j]
        total = total + term
    return total


@pytest.mark.parametrize("rank", range(4))
def test_determinants_at_any_rank(rank):
    kept = np.r_[np.ones(rank), np.zeros(3 - rank)]
    for z in (
        drawn(3, rank) @ drawn(rank, 3),
        np.diag(kept) * 1j,
        np.roll(np.diag(kept), 1, 0) + 0j,
    ):
        value = tg.value(np.linalg.det(tg.Variable(z)))
        np.testing.assert_allclose(value, np.linalg.det(z), atol=1e-13)
        d = drawn(3, 3)
        f, g = (
            tg.grad(lambda z, h=h: h(z).real + 2 * h(z).imag)
            for h in (np.linalg.det, by_permutations)
        )
        np.testing.assert_allclose(f(z), g(z), atol=1e-10)
        second = tg.jvp(f, (z,), (d,))[1]
        np.testing.assert_allclose(second, tg.jvp(g, (z,), (d,))[1], atol=1e-10)
        third, wanted = (
            tg.jvp(lambda z, h=h, d=d: tg.jvp(h, (z,), (d,))[1], (z,), (d,))[1] for h in (f, g)
        )
        np.testing.assert_allclose(third, wanted, atol=1e-9)


def test_determinants_of_small_and_of_several_matrices():
    for z in (1e-5 * drawn(3, 3), np.zeros((2, 2)) * 1j):
        f, g = (tg.grad(lambda z, h=h: h(z).real) for h in (np.linalg.det, by_permutations))
        np.testing.assert_allclose(f(z), g(z), rtol=1e-9)
    some = np.stack([drawn(3, 3), np.zeros((3, 3)) * 1j, drawn(3, 1) @ drawn(1, 3), np.eye(3) * 1j])
    found = tg.grad(lambda z: np.sum(np.linalg.det(z)).real)(some)
    for z, of_one in zip(some, found, strict=True):
        wanted = tg.grad(lambda z: by_permutations(z).real)(z)
        np.testing.assert_allclose(of_one, wanted, atol=1e-12)


def test_ties_and_zeros():
    gradient = tg.grad(lambda z: np.sum(np.linalg.eigvalsh(z) ** 3))(np.eye(3) + 0j)
    np.testing.assert_allclose(gradient, 3 * np.eye(3), atol=1e-12)
    assert np.isnan(tg.grad(lambda z: weighted(np.abs(np.linalg.eigh(z)[1])))(np.eye(2) + 0j)).any()
    low = np.diag([3.0, 0.0]) * 1j
    for order in ("nuc", 2):
        gradient = tg.grad(lambda z, k=order: np.linalg.norm(z, k))(low)
        np.testing.assert_allclose(gradient, np.diag([-1j, 0]), atol=1e-12)
    gradient = tg.grad(lambda z: np.sum(np.linalg.svdvals(z)))(low)
    np.testing.assert_allclose(gradient, np.diag([-1j, 0]), atol=1e-12)


def test_what_a_threshold_leaves_out():
    u, _, vh = np.linalg.svd(drawn(4, 3), full_matrices=False)
    z, b = (u * [3.0, 2.0, 0.01]) @ vh, drawn(4)
    for f in (
        lambda z: np.linalg.pinv(z, 0.1),
        lambda z: np.linalg.pinv(z, rtol=0.1),
        lambda z: np.linalg.lstsq(z, b, 0.1)[0],
        lambda z: np.linalg.lstsq(z, b, 0.1)[3],
    ):
        np.testing.assert_allclose(tg.value(f(tg.Variable(z))), f(z), atol=1e-12)
        assert_derivatives(lambda z, f=f: weighted(f(z)), z)
