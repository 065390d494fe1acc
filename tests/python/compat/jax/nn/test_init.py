"""Activations at their kinks and far out, in all precisions and modes."""

import numpy as np
import pytest

from tapegrad.compat import jax
from tapegrad.compat.jax.test_util import check_grads

jnp, nn = jax.numpy, jax.nn


def test_kinks():
    for f, at, slope in (
        (nn.relu, 0.0, 0.0), (nn.relu6, 0.0, 0.0), (nn.relu6, 6.0, 0.0), (nn.leaky_relu, 0.0, 1.0),
        (nn.elu, 0.0, 1.0), (nn.hard_tanh, 1.0, 1.0),
    ):  # fmt: skip
        assert jax.grad(f)(at) == pytest.approx(slope), f
    assert np.isnan(nn.relu(jnp.nan))
    assert nn.relu(jnp.array([-1, 2])).tolist() == [0, 2]
    assert nn.relu(jnp.array([-1.0], jnp.float32)).dtype == np.float32


def test_far_out():
    x = jnp.array([-1000.0, 1000.0])
    np.testing.assert_array_equal(nn.softplus(x), [0.0, 1000.0])
    np.testing.assert_array_equal(nn.sigmoid(x), [0.0, 1.0])
    np.testing.assert_array_equal(nn.elu(x), [-1.0, 1000.0])
    np.testing.assert_array_equal(nn.softmax(x), [0.0, 1.0])
    np.testing.assert_array_equal(nn.log_softmax(x), [-2000.0, 0.0])
    assert nn.logsumexp(x) == 1000.0
    assert nn.logsumexp(jnp.array([-jnp.inf, -jnp.inf])) == -np.inf
    for f in (nn.softplus, nn.sigmoid, nn.elu, nn.celu, nn.selu, nn.silu, nn.mish, nn.gelu):
        assert np.all(np.isfinite(jax.vmap(jax.grad(f))(x))), f


@pytest.mark.parametrize("name", sorted(set(nn.__all__) - {"initializers", "one_hot"}))
def test_derivatives_and_precisions(name):
    f = getattr(nn, name)
    x = jnp.array([-1.7, -0.4, 0.3, 1.9])

    def total(x):
        y = f(x)
        return jnp.sum(y * jnp.cos(jnp.arange(np.size(y), dtype=y.dtype).reshape(np.shape(y))))

    check_grads(total, (x,), order=2)
    np.testing.assert_allclose(jax.jit(f)(x), f(x), rtol=1e-14)
    assert f(x.astype(jnp.float32)).dtype == np.float32
    assert jax.grad(total)(x.astype(jnp.float32)).dtype == np.float32
    both = jax.vmap(f)(jnp.stack([x, 2 * x]))
    np.testing.assert_allclose(both[0], f(x), rtol=1e-13)


def test_refusals():
    for f in (nn.softmax, nn.log_softmax, nn.logsumexp):
        with pytest.raises(NotImplementedError, match=r"jnp\.where\(mask"):
            f(jnp.ones(2), where=jnp.array([True, False]))
    sign = nn.logsumexp(jnp.array([0.0, 0.0]), b=jnp.array([1.0, -2.0]), return_sign=True)
    assert (float(sign[0]), float(sign[1])) == (0.0, -1.0)


def test_classes():
    assert nn.one_hot(jnp.array([0, 5]), 2).tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert nn.one_hot(1, 3, dtype=jnp.int32).tolist() == [0, 1, 0]
    assert nn.one_hot(jnp.array([0, 1]), 3, axis=0).shape == (3, 2)
    lanes = jax.vmap(lambda k: nn.one_hot(k, 3))(jnp.array([2, 0]))
    np.testing.assert_array_equal(lanes, [[0, 0, 1], [1, 0, 0]])
