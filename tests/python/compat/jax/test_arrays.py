"""Arrays that nobody writes to, and Variables that behave like them in JAX's transforms."""

import pickle

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat import jax
from tapegrad.compat.jax.test_util import check_grads

jnp = jax.numpy


def test_arrays_are_numpys_that_are_not_written_to():
    x = jnp.array([3.0, 1.0, 2.0])
    assert isinstance(x, jax.Array)
    assert isinstance(x, np.ndarray)
    assert repr(x) == "Array([3., 1., 2.], dtype=float64)"
    assert repr(jnp.float32(2.0) * jnp.ones((), jnp.float32)) == "Array(2., dtype=float32)"
    assert repr(jnp.zeros((0, 2))) == "Array([], shape=(0, 2), dtype=float64)"
    with pytest.raises(TypeError, match=r"write x = x\.at\[0\]\.set\(v\)"):
        x[0] = 5.0
    for name in ("fill", "put", "partition", "resize"):
        with pytest.raises(TypeError, match=rf"x\.{name}\(\.\.\.\) would write"):
            getattr(x, name)(0)
    np.testing.assert_array_equal(x.sort(), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(np.sort(x), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(x, [3.0, 1.0, 2.0])
    y = x
    y += 1.0
    assert (x[0], y[0]) == (3.0, 4.0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    assert type(pickle.loads(pickle.dumps(x))) is jax.Array
    assert x.block_until_ready() is x


def test_elements_and_sums_are_arrays_without_axes():
    x = jnp.arange(3.0)
    for number in (x[1], x.sum(), jnp.sum(x), x[0] + x[1], next(iter(x)), jnp.dot(x, x)):
        assert type(number) is jax.Array
        assert number.shape == ()
    for name in ("sum", "mean", "std", "var", "max", "argmin", "prod", "any", "round", "cumsum",
                 "copy", "ravel", "argsort", "squeeze", "flatten"):  # fmt: skip
        found = getattr(x, name)()
        assert type(found) is jax.Array, name
        np.testing.assert_array_equal(found, getattr(np.asarray(x), name)())
    assert type(x.nonzero()[0]) is jax.Array
    assert x.reshape(3, 1).T.shape == (1, 3)
    assert jax.grad(lambda v: x.dot(v) + v.sum() * x.mean())(x).tolist() == [1.0, 2.0, 3.0]
    n = jnp.argmax(x)
    assert [10, 20, 30][n] == 30
    assert list(range(n)) == [0, 1]
    assert f"{x[1]:.2f}" == "1.00"
    assert round(x[1] / 3, 2) == 0.33
    assert float(x[2]) == 2.0


def test_the_callers_own_array_is_copied():
    for made in (jnp.ones(2), jnp.ones(2) * 3.0, jnp.sin(jnp.ones(2)), jnp.ones((2, 2))[0]):
        with pytest.raises(ValueError, match="read-only"):
            np.asarray(made)[0] = 5.0
    own = np.zeros(2)
    x = jnp.asarray(own)
    own[0] = 5.0
    np.testing.assert_array_equal(x, [0.0, 0.0])


def test_sizes_and_bounds_have_jaxs_slopes():
    for f in (abs, jnp.abs, jnp.absolute, jax.lax.abs):
        assert jax.grad(f)(0.0) == jax.jit(jax.grad(f))(0.0) == 1.0
        assert jax.grad(f)(-2.0) == -1.0
        assert jax.grad(lambda z, f=f: f(z))(3 + 4j) == pytest.approx(0.6 - 0.8j)
        assert f(jnp.array(-2.0)) == 2.0
    assert tg.grad(abs)(0.0) == 0.0  # outside, as ever
    clipped = jax.vmap(jax.grad(lambda x: jnp.clip(x, -1.0, 1.0)))(jnp.array([-1.0, 0.0, 3.0]))
    np.testing.assert_array_equal(clipped, [0.5, 1.0, 0.0])


def test_changed_copies_refuse_what_would_lose_something():
    i = jnp.arange(3)
    with pytest.raises(TypeError, match=r"make it of floats|make x of floats"):
        jax.grad(lambda v: jnp.sum(i.at[0].set(v)))(2.0)
    with pytest.raises(NotImplementedError, match=r"mode='drop' is not there"):
        i.at[5].set(1, mode="drop")
    with pytest.raises(IndexError):
        i.at[5].set(1)
    with pytest.raises(TypeError, match="there is no setting wrong"):
        i.at[0].set(1, wrong=2)
    np.testing.assert_array_equal(i.at[0].set(9, mode="promise_in_bounds"), [9, 1, 2])
    assert i.at[1].get() == 1


def test_at_in_every_mode():
    def f(x):
        return jnp.sum(x.at[jnp.array([0, 0, 1])].add(x[::-1]).at[2].set(x[0] * x[1]) ** 3)

    x = jnp.array([1.0, 2.0, 0.5])
    exact = jax.grad(f)(x)
    np.testing.assert_allclose(jax.jit(jax.grad(f))(x), exact, rtol=1e-14)
    np.testing.assert_allclose(jax.jacfwd(f)(x), exact, rtol=1e-14)
    both = jax.vmap(jax.grad(f))(jnp.stack([x, 2 * x]))
    np.testing.assert_allclose(both[0], exact, rtol=1e-14)
    check_grads(f, (x,), order=2)
    single = jax.grad(f)(x.astype(jnp.float32))
    assert single.dtype == np.float32
