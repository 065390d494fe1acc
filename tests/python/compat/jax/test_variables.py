"""Variables that behave like JAX's arrays in its transforms, and nowhere else."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat import jax

jnp = jax.numpy


def test_numpy_takes_numbers_for_what_they_are():
    z = np.zeros(2)
    with pytest.raises(TypeError, match=r"z\[0\] = v: a plain number would lose the derivative"):
        z[0] = tg.Variable(2.5)


def test_writes_in_a_transform_are_refused_and_names_stay_apart():
    def writes(x):
        x[0] = 1.0
        return jnp.sum(x)

    for transform in (jax.grad, jax.jit, jax.jacfwd, jax.vmap):
        given = jnp.ones((2, 2)) if transform is jax.vmap else jnp.ones(2)
        with pytest.raises(TypeError, match=r"x = x\.at\[0\]\.set\(v\)"):
            transform(writes)(given)

    def apart(x):
        y = x
        y *= 2.0
        return jnp.sum(x * y)

    x = jnp.array([1.0, 2.0])
    np.testing.assert_array_equal(jax.grad(apart)(x), 4 * x)

    # Outside of JAX's transforms Variables are written to, as ever.
    def together(x):
        y = x
        y *= 2.0
        x[0] = 0.0
        return np.sum(x * y)

    np.testing.assert_array_equal(tg.grad(together)(np.array([1.0, 2.0])), [0.0, 16.0])
    m = tg.Variable([[1.0, 2.0], [3.0, 4.0]])
    m[0] = m[1]
    np.testing.assert_array_equal(m.value, [[3.0, 4.0], [3.0, 4.0]])
    with (
        pytest.warns(UserWarning, match="shuffling"),
        pytest.raises(TypeError, match=r"rng\.permutation"),
    ):
        np.random.default_rng(0).shuffle(tg.Variable(np.ones((9, 2))))
    v = tg.Variable([1.0, 2.0])
    v[0] = 7.0
    v += 1.0
    np.testing.assert_array_equal(v.value, [8.0, 3.0])


def test_library_code_still_writes_in_a_transform():
    """Functions of tapegrad's own fill arrays, also where the user may not."""
    m = np.array([[4.0, 1.0], [1.0, 3.0]])

    def f(a):
        return jnp.sum(jnp.linalg.cholesky(a)) + jnp.sum(jnp.interp(a[0], a[1], a[0]))

    assert np.all(np.isfinite(jax.grad(f)(jnp.array(m))))


def test_tables_are_read_at_computed_places():
    table = jnp.array([10.0, 20.0, 30.0])
    np.testing.assert_array_equal(
        jax.vmap(lambda i, s: s * table[i])(jnp.array([2, 0]), jnp.ones(2)), [30.0, 10.0]
    )


def test_rows_and_columns_at_computed_places():
    x = jnp.arange(24.0).reshape(2, 3, 4)
    i, j = jnp.array([1, 0]), jnp.array([2, 1])
    plain = np.asarray(x)
    for f, expected in (
        (lambda i, j: x[i], [plain[1], plain[0]]),
        (lambda i, j: x[i, :, 1], [plain[1, :, 1], plain[0, :, 1]]),
        (lambda i, j: x[:, j], [plain[:, 2], plain[:, 1]]),
        (lambda i, j: x[..., j], [plain[..., 2], plain[..., 1]]),
        (lambda i, j: x[i, None, j, 1:], [plain[1, None, 2, 1:], plain[0, None, 1, 1:]]),
        (lambda i, j: x[i, ..., j], [plain[1, ..., 2], plain[0, ..., 1]]),
        (lambda i, j: x[i, j, -1], [plain[1, 2, -1], plain[0, 1, -1]]),
        (lambda i, j: x[-1, -i], [plain[-1, -1], plain[-1, 0]]),
        (lambda i, j: jnp.take(x, j, axis=1), [plain[:, 2], plain[:, 1]]),
        (lambda i, j: jnp.take(x, i), [1.0, 0.0]),
    ):
        np.testing.assert_array_equal(jax.vmap(f)(i, j), expected)
        stacked = jax.lax.scan(lambda c, k, f=f: (c, f(*k)), 0.0, (i, j))[1]
        np.testing.assert_array_equal(stacked, expected)
        fast = jax.jit(f)
        for k in (0, 1, 0, 1):
            np.testing.assert_array_equal(fast(i[k], j[k]), expected[k])
    total = lambda x: jnp.sum(jax.vmap(lambda k: jnp.take(x, k, axis=1) ** 2)(j))  # noqa: E731 - it is one line
    expected = np.zeros_like(plain)
    expected[:, 1:3] = 2 * plain[:, 1:3]
    np.testing.assert_array_equal(jax.grad(total)(x), expected)
