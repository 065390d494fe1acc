"""Keys in transforms, what they refuse, and the distributions of what they give."""

import numpy as np
import pytest

from tapegrad.compat import jax
from tapegrad.compat.jax.random.draws import erfinv, threefry

jnp, random = jax.numpy, jax.random


def test_the_published_numbers_of_threefry():
    """Salmon et al. 2011, the known answers of Random123 for threefry2x32 with 20 rounds."""
    for key, counter, expected in (
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ):
        words = (np.array([word], np.uint32) for word in counter)
        found = threefry._hash(np.array(key, np.uint32), *words)
        assert tuple(int(x[0]) for x in found) == expected


def test_erfinv_to_the_last_digits():
    from math import erf, erfc

    assert [erfinv(0.0), erfinv(1.0), erfinv(-1.0)] == [0.0, np.inf, -np.inf]
    for z in (1e-8, 0.1, 0.47, 0.6, 1.0, 2.0, 3.5, 5.0):
        slope = 2 / np.sqrt(np.pi) * np.exp(-z * z)
        given = 1.0 - erfc(z)
        # What rounding of the argument itself makes of it comes on top.
        assert erfinv(given) == pytest.approx(z, rel=1e-13, abs=2e-16 / slope)
        assert erfinv(-given) == -erfinv(given)
        assert erf(float(erfinv(0.3))) == pytest.approx(0.3, rel=1e-15)


def test_distributions():
    key = random.PRNGKey(0)
    n = 20_000
    for draws, mean, deviation in (
        (random.uniform(key, (n,)), 0.5, np.sqrt(1 / 12)),
        (random.normal(key, (n,)), 0.0, 1.0),
        (random.exponential(key, (n,)), 1.0, 1.0),
        (random.gumbel(key, (n,)), np.euler_gamma, np.pi / np.sqrt(6)),
        (random.laplace(key, (n,)), 0.0, np.sqrt(2)),
        (random.logistic(key, (n,)), 0.0, np.pi / np.sqrt(3)),
        (random.bernoulli(key, 0.3, (n,)), 0.3, np.sqrt(0.21)),
        (random.rayleigh(key, 2.0, (n,)), np.sqrt(2 * np.pi), np.sqrt(8 - 2 * np.pi)),
        (random.maxwell(key, (n,)), 2 * np.sqrt(2 / np.pi), np.sqrt(3 - 8 / np.pi)),
        (random.triangular(key, 0.0, 1.0, 3.0, (n,)), 4 / 3, np.sqrt(7 / 18)),
        (random.geometric(key, 0.4, (n,)), 2.5, np.sqrt(0.6) / 0.4),
        (random.weibull_min(key, 2.0, 1.0, (n,)), 2.0, 2.0),
        (random.lognormal(key, 0.5, (n,)), np.exp(0.125), np.exp(0.125) * np.sqrt(np.expm1(0.25))),
        (random.randint(key, (n,), 0, 6), 2.5, np.sqrt(35 / 12)),
    ):
        assert abs(np.mean(draws) - mean) < 5 * deviation / np.sqrt(n)
        assert np.std(draws) == pytest.approx(deviation, rel=0.05)
    cut = random.truncated_normal(key, -1.0, 2.0, (n,))
    assert (cut.min() > -1, cut.max() < 2) == (True, True)
    permuted = random.permutation(key, 100)
    np.testing.assert_array_equal(np.sort(permuted), np.arange(100))
    assert len(np.unique(random.choice(key, 50, (50,), replace=False))) == 50


def test_programs_draw_anew_by_their_key():
    @jax.jit
    def noisy(key, x):
        first, second = random.split(key)
        return x + random.normal(first, (2,)) + random.uniform(second, ())

    keys = random.split(random.PRNGKey(3), 6)
    for key in keys:
        first, second = random.split(key)
        expected = 1.0 + random.normal(first, (2,)) + random.uniform(second, ())
        np.testing.assert_allclose(noisy(key, 1.0), expected, rtol=1e-14)
    assert noisy.inspect()[0].signatures[0].replays >= 3
    lanes = jax.vmap(noisy, in_axes=(0, None))(keys, 1.0)
    for lane, key in zip(lanes, keys, strict=True):
        np.testing.assert_allclose(lane, noisy(key, 1.0), rtol=1e-14)


def test_keys_in_scans_and_gradients():
    def walk(key, scale):
        def step(carry, key):
            carry = carry + scale * random.normal(key)
            return carry, carry

        return jax.lax.scan(step, 0.0, random.split(key, 10))[0]

    key = random.PRNGKey(1)
    noise = sum(random.normal(k) for k in random.split(key, 10))
    assert walk(key, 2.0) == pytest.approx(2.0 * noise, rel=1e-13)
    assert jax.grad(walk, argnums=1)(key, 2.0) == pytest.approx(noise, rel=1e-13)

    def carried(carry, _):
        key, total = carry
        key, own = random.split(key)
        return (key, total + random.uniform(own)), None

    (_, total), _ = jax.lax.scan(carried, (key, 0.0), None, length=5)
    expected, k = 0.0, key
    for _ in range(5):
        k, own = random.split(k)
        expected += random.uniform(own)
    assert total == pytest.approx(expected, rel=1e-14)


def test_bounds_are_differentiated():
    key = random.PRNGKey(0)
    u = random.uniform(key, (4,))
    grad = jax.grad(lambda b: jnp.sum(random.uniform(key, (4,), maxval=b)))(3.0)
    assert grad == pytest.approx(np.sum(u), rel=1e-12)
    mean, cov = jnp.zeros(2), jnp.array([[2.0, 0.3], [0.3, 1.0]])
    by_mean = jax.jacfwd(lambda m: random.multivariate_normal(key, m, cov))(mean)
    np.testing.assert_allclose(by_mean, np.eye(2))


def test_refusals():
    key = random.PRNGKey(0)
    with pytest.raises(TypeError, match=r"a key has shape \(2,\) and dtype uint32"):
        random.normal(jnp.zeros(2))
    with pytest.raises(TypeError, match=r"dtype is float64 or float32, not float16"):
        random.normal(key, (2,), np.float16)
    with pytest.raises(ValueError, match="3 elements without replacement"):
        random.choice(key, 3, (4,), replace=False)
    with pytest.raises(ValueError, match=r"must have \(3,\): one for each"):
        random.choice(key, 3, (4,), p=jnp.ones(2))
    with pytest.raises(NotImplementedError, match="impl='rbg' is not there"):
        random.PRNGKey(0, impl="rbg")
    with pytest.raises(NotImplementedError, match="'cholesky' is"):
        random.multivariate_normal(key, jnp.zeros(2), jnp.eye(2), method="svd")
