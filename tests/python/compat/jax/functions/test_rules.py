"""Rules of one's own, checkpoints and calls of the host, in every transform."""

from functools import partial

import numpy as np
import pytest

from tapegrad.compat import jax
from tapegrad.compat.jax.test_util import check_grads

jnp = jax.numpy


@jax.custom_vjp
def scaled(params, x):
    """A layer whose rule is right."""
    return params["w"] * x + params["b"]


def scaled_fwd(params, x):
    return scaled(params, x), (params, x)


def scaled_bwd(kept, g):
    params, x = kept
    return {"w": jnp.sum(g * x), "b": jnp.sum(g)}, g * params["w"]


scaled.defvjp(scaled_fwd, scaled_bwd)


def test_rules_of_nestings_in_every_transform():
    def f(p, x):
        return jnp.sum(jnp.sin(scaled(p, x)))

    def plain(p, x):
        return jnp.sum(jnp.sin(p["w"] * x + p["b"]))

    p, x = {"w": 2.0, "b": 0.5}, jnp.array([0.1, 0.2])
    for transform in (
        lambda f: jax.grad(f, (0, 1)),
        lambda f: jax.jit(jax.grad(f, (0, 1))),
        lambda f: jax.hessian(f, 1),
        lambda f: jax.vmap(jax.grad(f, 1), (None, 0)),
    ):
        given = x[:, None] if transform(f).__class__.__name__ == "x" else x
        found, expected = transform(f)(p, given), transform(plain)(p, given)
        pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
        for a, b in pairs:
            np.testing.assert_allclose(a, b, rtol=1e-13)
    assert scaled.__doc__ == "A layer whose rule is right."
    assert scaled(p, 1.0) == scaled(params=p, x=1.0) == 2.5


def test_rules_get_arrays_with_at():
    @jax.custom_vjp
    def first(x):
        return x.at[0].get()

    first.defvjp(lambda x: (x[0], x), lambda x, g: (jnp.zeros_like(x).at[0].set(g),))
    np.testing.assert_array_equal(jax.grad(first)(jnp.ones(3)), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(jax.jit(jax.grad(first))(jnp.ones(3)), [1.0, 0.0, 0.0])


def test_arguments_without_a_derivative():
    @partial(jax.custom_vjp, nondiff_argnums=(0, 2))
    def apply(f, x, n):
        for _ in range(n):
            x = f(x)
        return x

    apply.defvjp(lambda f, x, n: (apply(f, x, n), x), lambda f, n, x, g: (g * n * 10.0,))
    assert apply(jnp.sin, 0.5, 2) == np.sin(np.sin(0.5))
    assert jax.grad(apply, argnums=1)(jnp.sin, 0.5, 3) == 30.0

    @partial(jax.custom_jvp, nondiff_argnums=(0,))
    def call(f, x):
        return f(x)

    @call.defjvp
    def rule(f, primals, tangents):
        return f(primals[0]), 5.0 * tangents[0]

    assert jax.grad(call, argnums=1)(jnp.sin, 0.5) == 5.0
    assert jax.jvp(lambda x: call(jnp.cos, x), (0.5,), (2.0,))[1] == 10.0


def test_rules_that_are_not_there_yet():
    bare = jax.custom_vjp(jnp.sin)
    with pytest.raises(AttributeError, match=r"sin has no rule yet; call sin\.defvjp\(fwd, bwd\)"):
        bare(1.0)
    with pytest.raises(AttributeError, match=r"defjvp\(rule\)"):
        jax.custom_jvp(jnp.sin)(1.0)
    with pytest.raises(NotImplementedError, match="symbolic_zeros=True is not there"):
        bare.defvjp(lambda x: (x, None), lambda r, g: (g,), symbolic_zeros=True)
    with pytest.raises(TypeError, match=r"write @jax\.custom_vjp above one"):
        jax.custom_vjp(3)


def test_tangent_rules_are_transposed():
    @jax.custom_jvp
    def f(x, y):
        return jnp.sin(x) * y

    f.defjvps(lambda t, ans, x, y: jnp.cos(x) * t * y, None)
    assert jax.grad(f, (0, 1))(0.5, 2.0) == (2.0 * np.cos(0.5), 0.0)

    @jax.custom_jvp
    def g(x):
        return jnp.exp(x)

    g.defjvps(lambda t, ans, x: t * ans)
    check_grads(lambda x: jnp.sum(g(x) ** 2), (jnp.array([0.1, 0.5]),), order=2)


def test_checkpoints():
    @jax.checkpoint
    def block(x, w):
        return jnp.tanh(w @ x)

    w, x = jnp.array([[0.5, -1.0], [1.0, 0.5]]), jnp.array([0.1, 0.2])

    def f(x):
        return jnp.sum(block(block(x, w), w))

    def g(x):
        return jnp.sum(jnp.tanh(w @ jnp.tanh(w @ x)))

    np.testing.assert_allclose(jax.grad(f)(x), jax.grad(g)(x), rtol=1e-14)
    np.testing.assert_allclose(jax.jit(jax.grad(f))(x), jax.grad(g)(x), rtol=1e-14)
    assert block.__name__ == "block"
    assert jax.remat(prevent_cse=False)(jnp.sin)(0.5) == np.sin(0.5)
    with pytest.raises(NotImplementedError, match="policy= is not there"):
        jax.checkpoint(jnp.sin, policy=len)


def test_the_host_is_called_at_each_replay():
    def host(x):
        return np.asarray(x).copy() * 2

    shape = jax.ShapeDtypeStruct((2,), np.dtype(float))
    f = jax.jit(lambda x: jnp.sum(jax.pure_callback(host, shape, x) + x))
    for k in range(5):
        assert f(jnp.full(2, float(k))) == 6.0 * k
    assert f.inspect()[0].signatures[0].replays >= 2
    grad = jax.grad(lambda x: jnp.sum(jax.pure_callback(host, shape, x) * x))(jnp.ones(2))
    np.testing.assert_array_equal(grad, [2.0, 2.0])  # what the host gives is constant
