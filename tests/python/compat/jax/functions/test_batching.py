"""vmap: axes of nestings, and lanes that go ways of their own."""

import numpy as np
import pytest

from tapegrad.compat import jax

jnp = jax.numpy


def test_axes_as_jax_has_them():
    x = jnp.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(jax.vmap(jnp.sum)(x), [3.0, 12.0])
    np.testing.assert_array_equal(jax.vmap(jnp.sum, in_axes=[1])(x), [3.0, 5.0, 7.0])
    np.testing.assert_array_equal(jax.vmap(jnp.sin, in_axes=1, out_axes=-1)(x), np.sin(x))
    weights = {"w": x, "b": 1.0}
    for axes in ({"w": 0, "b": None}, {"b": None, "w": 0}):  # keys in any order
        found = jax.vmap(lambda p: jnp.sum(p["w"]) + p["b"], in_axes=(axes,))(weights)
        np.testing.assert_array_equal(found, [4.0, 13.0])
    constant = jax.vmap(lambda x: (x, 2.0), out_axes=(0, None))(jnp.ones(3))
    assert constant[1] == 2.0
    np.testing.assert_array_equal(jax.vmap(lambda x: 2.0)(jnp.ones(3)), [2.0, 2.0, 2.0])
    by_name = jax.vmap(lambda x, y: x * y)(jnp.ones(2), y=jnp.arange(2.0))
    np.testing.assert_array_equal(by_name, [0.0, 1.0])


def test_sizes():
    np.testing.assert_array_equal(jax.vmap(lambda: 3.0, axis_size=2)(), [3.0, 3.0])
    with pytest.raises(ValueError, match="axis_size=3, and the arguments have 2 lanes"):
        jax.vmap(jnp.sin, axis_size=3)(jnp.ones(2))
    with pytest.raises(ValueError, match="no argument has lanes"):
        jax.vmap(jnp.sin, in_axes=None)(1.0)
    with pytest.raises(ValueError, match="in_axes has 1 entries and the call 2"):
        jax.vmap(jnp.add, in_axes=(0,))(jnp.ones(2), jnp.ones(2))
    with pytest.raises(NotImplementedError, match=r"vmap\(axis_name=\.\.\.\) is not there"):
        jax.vmap(jnp.sin, axis_name="i")


def halved(x):
    return jax.lax.while_loop(lambda c: c[0] > 1.0, lambda c: (c[0] / 2, c[1] + 1), (x, 0))


def test_loops_of_different_lengths_run_lane_by_lane():
    xs = jnp.array([1.0, 5.0, 100.0])
    values, counts = jax.vmap(halved)(xs)
    np.testing.assert_array_equal(counts, [0, 3, 7])
    np.testing.assert_array_equal(values, [1.0, 0.625, 0.78125])
    slopes = jax.vmap(jax.grad(lambda x: halved(x)[0]))(xs)
    np.testing.assert_array_equal(slopes, [1.0, 0.125, 1 / 128])

    def summed(xs):
        return jnp.sum(jax.vmap(halved)(xs)[0])

    np.testing.assert_array_equal(jax.grad(summed)(xs), slopes)
    tree = jax.vmap(lambda p: {"y": halved(p["x"])[0]}, out_axes={"y": 0})({"x": xs})
    np.testing.assert_array_equal(tree["y"], values)


def test_branches_of_plain_python_run_lane_by_lane_and_say_so():
    with pytest.warns(UserWarning, match=r"one by one: .*write the branch with np\.where"):
        found = jax.vmap(lambda x: x if x > 0 else -2.0 * x)(jnp.array([1.0, -1.0]))
    np.testing.assert_array_equal(found, [1.0, 2.0])
    x = jnp.arange(6.0).reshape(2, 3)
    by_row = lambda x: jnp.sum(jax.vmap(lambda i: x[:, i] ** 2)(jnp.array([0, 2])))  # noqa: E731 - it is one line
    # Which part a lane reads is no branch.
    np.testing.assert_array_equal(jax.grad(by_row)(x), 2 * np.asarray(x) * [1.0, 0.0, 1.0])
    # Errors of the user's own stay what they are.
    with pytest.raises(ValueError, match="broadcast"):
        jax.vmap(lambda x: x + jnp.ones(3))(jnp.ones((2, 2)))
    with pytest.raises(ValueError, match="has 3 lanes"):
        jax.vmap(jnp.add)(jnp.ones(2), jnp.ones(3))


def test_choices_are_computed_for_all_lanes():
    def f(x):
        return jax.lax.cond(x > 0, jnp.sqrt, lambda x: x * 0.0, x)

    xs = jnp.array([4.0, -4.0, 0.0])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(jax.vmap(f)(xs), [2.0, 0.0, 0.0])
        slopes = jax.vmap(jax.grad(f))(xs)
    np.testing.assert_array_equal(slopes, [0.25, 0.0, 0.0])
