"""Arguments that JAX refuses, and structures of what comes back."""

import numpy as np
import pytest

from tapegrad.compat import jax
from tapegrad.compat.jax.test_util import check_grads

jnp = jax.numpy


def refuses(error, match, f, *args, **kwargs):
    with pytest.raises(error, match=match):
        f(*args, **kwargs)


def test_integers_are_refused_by_name():
    def square(x):
        return x**2

    for given in (3, jnp.array(3), True, np.int32(2)):
        refuses(TypeError, "argument 0 is .*: integers and flags", jax.grad(square), given)
    refuses(
        TypeError, r"argument 0\['n'\] is int 3", jax.grad(lambda p: p["w"]), {"w": 1.0, "n": 3}
    )
    refuses(TypeError, "jacfwd of square: argument 0", jax.jacfwd(square), 3)
    refuses(TypeError, "jvp of square: argument 0", jax.jvp, square, (3,), (1.0,))
    assert jax.grad(square)(3.0) == 6.0
    nothing = jax.grad(lambda n, x: n * x, argnums=(0, 1), allow_int=True)(3, 2.0)
    assert nothing[0].dtype == jax.float0
    assert nothing[1] == 3.0
    value, pullback = jax.vjp(lambda n, x: n * x, 3, 2.0)
    assert pullback(1.0)[0].dtype == jax.float0
    assert (value, pullback(1.0)[1]) == (6.0, 3.0)
    mixed = jax.grad(lambda p: p["n"] * p["x"] ** 2, allow_int=True)({"n": 3, "x": 2.0})
    assert mixed["x"] == 12.0
    assert mixed["n"].dtype == jax.float0


def test_results_that_are_no_single_number_are_refused():
    refuses(TypeError, r"this one has shape \(2,\)", jax.grad(lambda x: x), jnp.ones(2))
    refuses(TypeError, r"this one has shape \(1,\)", jax.grad(lambda x: x), jnp.ones(1))
    refuses(TypeError, "the result is complex", jax.grad(lambda x: x * 1j), 2.0)
    refuses(TypeError, "integers have no derivative", jax.grad(lambda x: 3), 2.0)
    refuses(TypeError, "pair", jax.grad(lambda x: x, has_aux=True), 2.0)
    refuses(TypeError, "is for complex arguments", jax.grad(lambda x: x, holomorphic=True), 2.0)
    refuses(TypeError, "is for complex results", jax.grad(lambda z: z.real, holomorphic=True), 2j)
    refuses(TypeError, r"jax\.jvp\(f, \(x,\), \(t,\)\)", jax.jvp, jnp.sin, 1.0, 1.0)


def test_what_comes_back_is_jaxs():
    value, gradient = jax.value_and_grad(lambda p: jnp.sum(p["w"] ** 2))({"w": jnp.ones(2)})
    assert type(value) is type(gradient["w"]) is jax.Array
    (value, aux), gradient = jax.value_and_grad(lambda x: (x**2, {"x": x}), has_aux=True)(3.0)
    assert (value, aux, gradient) == (9.0, {"x": 3.0}, 6.0)
    assert jax.grad(lambda x: 0.0 * x)(jnp.float32(2.0)).dtype == np.float32
    outer = jax.jacrev(lambda p: [p["a"] * p["b"]])({"a": jnp.ones(2), "b": 2.0})
    assert outer[0]["a"].shape == (2, 2)
    assert outer[0]["b"].shape == (2,)
    assert jax.grad(jnp.sum).__name__ == "sum"


def test_empty_containers_are_arguments_too():
    assert jax.grad(lambda p, x: 2.0 * x, argnums=(0, 1))([], 3.0) == ([], 2.0)
    assert jax.grad(lambda p: p["w"] ** 2)({"w": 3.0, "none": None, "more": ()})["w"] == 6.0


def test_linear_functions():
    value, linear = jax.linearize(lambda x, y: x * y, 2.0, 3.0)
    assert (value, linear(1.0, 0.0), linear(0.0, 1.0)) == (6.0, 3.0, 2.0)
    value, linear, aux = jax.linearize(lambda x: (x**2, x + 1.0), 2.0, has_aux=True)
    assert (value, linear(1.0), aux) == (4.0, 4.0, 3.0)
    shaped = jax.ShapeDtypeStruct((2,), np.dtype(float))
    (found,) = jax.linear_transpose(lambda x: jnp.array([[1.0, 2.0]]) @ x, shaped)(jnp.ones(1))
    np.testing.assert_array_equal(found, [1.0, 2.0])


def test_transforms_of_transforms():
    def f(x):
        return jnp.sum(jnp.sin(x) * x**2)

    x = jnp.array([0.3, 1.2])
    expected = jax.hessian(f)(x)
    for second in (
        jax.jacfwd(jax.grad(f)), jax.jacrev(jax.grad(f)), jax.jit(jax.jacfwd(jax.jit(jax.grad(f)))),
        jax.jacrev(jax.jacfwd(f)), jax.jacfwd(jax.jacfwd(f)),
    ):  # fmt: skip
        np.testing.assert_allclose(second(x), expected, rtol=1e-13)
    stacked = jax.vmap(jax.hessian(f))(jnp.stack([x, x]))
    np.testing.assert_allclose(stacked[1], expected, rtol=1e-13)
    check_grads(f, (x,), order=2)
    check_grads(f, (x,), order=1, modes="rev")
    with pytest.raises(AssertionError):
        check_grads(lambda x: jnp.sum(jax.lax.stop_gradient(x) * x), (x,), order=1)
