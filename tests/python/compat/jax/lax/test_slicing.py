"""Slices at computed places."""

import numpy as np
import pytest

from tapegrad.compat import jax

jnp, lax = jax.numpy, jax.lax


def test_starts_are_moved_inside():
    x = jnp.arange(5.0)
    assert list(lax.dynamic_slice(x, (4,), (3,))) == [2.0, 3.0, 4.0]
    assert list(lax.dynamic_slice(x, (-2,), (2,))) == [3.0, 4.0]
    assert list(lax.dynamic_update_slice(x, jnp.zeros(2), (9,))) == [0.0, 1.0, 2.0, 0.0, 0.0]
    moved = jax.vmap(lambda i: lax.dynamic_slice_in_dim(x, i, 2))(jnp.array([-1, 0, 7]))
    np.testing.assert_array_equal(moved, [[3.0, 4.0], [0.0, 1.0], [3.0, 4.0]])
    with pytest.raises(TypeError, match=r"sizes \(6,\) exceed shape \(5,\)"):
        lax.dynamic_slice(x, (0,), (6,))
    with pytest.raises(TypeError, match="give one of each for every axis"):
        lax.dynamic_slice(x, (0, 0), (1, 1))


def test_derivatives_and_programs():
    def f(x, i):
        y = lax.dynamic_update_slice(x, x[:1, :2] * 10.0, (i, 1))
        return jnp.sum(lax.dynamic_slice(y, (i, 0), (1, 3)) ** 2)

    x = jnp.arange(6.0).reshape(2, 3) + 1
    for i in (0, 1):
        expected = jax.grad(f)(x, i)
        np.testing.assert_allclose(jax.jit(jax.grad(f))(x, i), expected)
    both = jax.vmap(jax.grad(f), in_axes=(None, 0))(x, jnp.array([0, 1]))
    np.testing.assert_allclose(both[1], expected)


def test_the_largest():
    x = jnp.array([[1.0, 3.0, 3.0, 2.0], [0.0, -1.0, 5.0, 5.0]])
    values, places = lax.top_k(x, 3)
    np.testing.assert_array_equal(values, [[3.0, 3.0, 2.0], [5.0, 5.0, 0.0]])
    np.testing.assert_array_equal(places, [[1, 2, 3], [2, 3, 0]])
    slope = jax.grad(lambda x: jnp.sum(lax.top_k(x, 1)[0]))(x)
    np.testing.assert_array_equal(slope, [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    columns, _ = lax.top_k(x, 1, axis=0)
    np.testing.assert_array_equal(columns, [[1.0, 3.0, 5.0, 5.0]])
