"""What jax.numpy does in another way than NumPy."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat import jax

jnp = jax.numpy


def test_arrays_of_lists_that_hold_variables():
    def f(x):
        return jnp.sum(jnp.array([[x, 0.0], [1.0, x**2]]) @ jnp.array([x, 1.0]))

    assert jax.grad(f)(2.0) == pytest.approx(2 * 2.0 + 1.0 + 2 * 2.0)
    stacked = jax.grad(lambda x: jnp.sum(jnp.array([x, 2 * x]) ** 2))(jnp.ones(2))
    np.testing.assert_array_equal(stacked, [10.0, 10.0])
    assert jnp.array([1, 2.5]).dtype == float
    assert jnp.array([jnp.array(1.0), 2]).shape == (2,)
    assert jnp.array([1.0], dtype=jnp.float32).dtype == np.float32
    assert jnp.array(3, ndmin=2).shape == (1, 1)


def test_new_arrays_are_plain_ones():
    def f(x):
        y = jnp.zeros(3)
        assert type(y) is jax.Array
        return jnp.sum(y.at[1].set(x) * jnp.ones_like(y) * jnp.full(3, x))

    assert jax.grad(f)(3.0) == 6.0
    assert jnp.zeros_like(jnp.arange(3)).dtype == int
    assert jnp.full_like(jnp.ones(2, jnp.float32), 2.0).dtype == np.float32
    assert jnp.arange(2, 8, 3).tolist() == [2, 5]
    assert jnp.empty((2,)).tolist() == [0.0, 0.0]
    with tg.patch_numpy():
        assert type(jnp.zeros(2)) is jax.Array


def test_settings_of_jaxs_own():
    x = jnp.ones((2, 2))
    assert jnp.matmul(x, x, precision="highest").shape == (2, 2)
    assert jnp.dot(x, x, preferred_element_type=float)[0, 0] == 2.0
    with pytest.raises(NotImplementedError, match=r"jnp\.add: out= is not there"):
        jnp.add(x, x, out=np.zeros((2, 2)))
    with pytest.raises(NotImplementedError, match="size= is not there"):
        jnp.where(x > 0, size=2)
    with pytest.raises(ValueError, match="both x and y"):
        jnp.where(x > 0, x)
    with pytest.raises(NotImplementedError, match="inplace=False"):
        jnp.fill_diagonal(x, 0.0)
    with pytest.raises(NotImplementedError, match="inplace=False"):
        jnp.put_along_axis(x, jnp.array([[0], [1]]), 5.0, 1)
    placed = jnp.put_along_axis(x, jnp.array([[0], [1]]), 5.0, 1, inplace=False)
    np.testing.assert_array_equal(placed, [[5.0, 1.0], [1.0, 5.0]])


def test_results_are_jaxs_arrays():
    x = jnp.array([[2.0, 0.5], [0.3, 1.5]])
    q, r = jnp.linalg.qr(x)
    assert type(q) is type(r) is jax.Array
    found = jnp.linalg.eigh(x @ x.T)
    assert type(found.eigenvalues) is jax.Array
    assert all(type(part) is jax.Array for part in jnp.split(x, 2))
    assert type(jnp.fft.fft(x)) is jax.Array
    assert jnp.shape(x) == (2, 2)
    assert type(jnp.shape(x)) is tuple
    assert jnp.issubdtype(x.dtype, jnp.floating)
    assert jnp.finfo(jnp.float32).bits == 32
    assert isinstance(jnp.pi, float)
    assert type(jnp.isnan(x).any()) is jax.Array
    assert type(jnp.allclose(x, x)) is jax.Array


def test_vectorize():
    f = jnp.vectorize(lambda x, y: x * y)
    np.testing.assert_array_equal(f(jnp.ones((2, 1)), jnp.arange(3.0)), [[0, 1, 2], [0, 1, 2]])
    assert f(2.0, 3.0) == 6.0
    with pytest.raises(NotImplementedError, match=r"jax\.vmap\(f, in_axes=\.\.\.\)"):
        jnp.vectorize(f, signature="(n)->()")


def test_others():
    x = jnp.arange(3.0)
    np.testing.assert_array_equal(jnp.clip(x, 0.5), [0.5, 1.0, 2.0])
    np.testing.assert_array_equal(jnp.clip(a=x, a_min=0.5, a_max=1.5), [0.5, 1.0, 1.5])
    np.testing.assert_array_equal(jnp.clip(x), x)
    np.testing.assert_array_equal(jnp.concat([x, x]), [0, 1, 2, 0, 1, 2])
    assert jnp.permute_dims(jnp.ones((2, 3)), (1, 0)).shape == (3, 2)
    assert jnp.astype(x, int).dtype == int
    assert jnp.asarray(x) is x
    assert jnp.copy(x) is not x
    assert jnp.apply_over_axes(jnp.sum, jnp.ones((2, 3)), [0, 1]).shape == (1, 1)
    assert jnp.ndarray is jax.Array
