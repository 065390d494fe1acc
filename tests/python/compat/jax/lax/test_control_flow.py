"""Loops and choices: structures, refusals, and programs of them."""

import numpy as np
import pytest

from tapegrad.compat import jax

jnp, lax = jax.numpy, jax.lax


def test_structures_are_kept():
    with pytest.raises(TypeError, match=r"the body returned \(\*, \*\) and got \*"):
        lax.fori_loop(0, 2, lambda i, x: (x, x), 0.0)
    with pytest.raises(TypeError, match=r"returned shape \(2,\) and got \(\)"):
        lax.while_loop(lambda x: x < 3, lambda x: jnp.ones(2), 0.0)
    with pytest.raises(TypeError, match="a carry keeps its shape and dtype"):
        lax.scan(lambda c, x: (jnp.ones(2), x), 0.0, jnp.ones(3))
    with pytest.raises(TypeError, match=r"the branches return \* and \(\*,\)"):
        jax.vmap(lambda x: lax.cond(x > 0, lambda x: x, lambda x: (x,), x))(jnp.ones(2))
    with pytest.raises(TypeError, match=r"the branches return shapes \(\) and \(2,\)"):
        jax.vmap(lambda x: lax.cond(x > 0, lambda x: x, lambda x: jnp.ones(2), x))(jnp.ones(2))


def test_choices():
    assert lax.cond(True, lambda x: x + 1, lambda x: x - 1, 1.0) == 2.0
    assert lax.cond(jnp.array(False), lambda: 1.0, lambda: 2.0) == 2.0
    assert lax.cond(True, lambda x: x, lambda x: -x, operand=3.0) == 3.0
    branches = [lambda x: x, lambda x: 2 * x, lambda x: 3 * x]
    assert [lax.switch(k, branches, 1.0) for k in (-1, 0, 1, 2, 9)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    fast = jax.jit(lambda k, x: lax.switch(k, branches, x))
    assert [fast(k, 1.0) for k in (-1, 0, 1, 2, 9)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    with pytest.raises(TypeError, match="is not a function"):
        lax.cond(True, 1.0, 2.0)
    with pytest.raises(TypeError, match=r"pred has shape \(2,\) and must be one flag"):
        lax.cond(jnp.array([True, False]), lambda: 1.0, lambda: 2.0)
    with pytest.raises(ValueError, match="no branches"):
        lax.switch(0, [])


def test_the_branch_that_is_not_taken_sends_nothing_back():
    def safe(x):
        return lax.cond(x > 0, jnp.log, lambda x: 0.0 * x, x)

    assert jax.grad(safe)(-1.0) == 0.0
    with np.errstate(all="ignore"):
        assert jax.jit(jax.grad(safe))(-1.0) == 0.0
        np.testing.assert_array_equal(
            jax.vmap(jax.grad(safe))(jnp.array([-1.0, 0.0, 2.0])), [0.0, 0.0, 0.5]
        )


def test_loops_run_backwards_and_in_programs():
    def power(x, n):
        return lax.fori_loop(0, n, lambda i, y: y * x, 1.0)

    assert jax.grad(power)(3.0, 4) == 108.0
    fast = jax.jit(jax.grad(power), static_argnums=1)
    assert [float(fast(3.0, n)) for n in (1, 2, 3)] == [1.0, 6.0, 27.0]
    x = jnp.array([1.0, 2.0, 3.0])
    rows = jax.vmap(power, in_axes=(None, 0))(2.0, jnp.array([0, 1, 5]))
    np.testing.assert_array_equal(rows, [1.0, 2.0, 32.0])

    def filled(x):
        def body(i, carry):
            y, total = carry
            return y.at[i].set(total * x[i]), total + x[i]

        return lax.fori_loop(0, 3, body, (jnp.zeros(3), 1.0))[0]

    expected = jax.jacfwd(lambda x: jnp.stack([x[0], (1 + x[0]) * x[1], (1 + x[0] + x[1]) * x[2]]))
    np.testing.assert_allclose(jax.jacrev(filled)(x), expected(x))


def test_scans_of_nestings():
    xs = {"a": jnp.arange(3.0), "b": (jnp.ones((3, 2)),)}

    def step(carry, x):
        carry = {"n": carry["n"] + 1, "v": carry["v"].at[0].add(x["a"]) + x["b"][0]}
        return carry, [carry["v"], None]

    init = {"n": 0, "v": jnp.zeros(2)}
    last, (vs, nothing) = lax.scan(step, init, xs)
    assert last["n"] == 3
    assert nothing is None
    np.testing.assert_array_equal(last["v"], [6.0, 3.0])
    assert vs.shape == (3, 2)
    assert isinstance(vs, jax.Array)
    empty = lax.scan(lambda c, x: (c + x, c), 1.0, jnp.zeros(0))
    assert empty[0] == 1.0
    assert empty[1].shape == (0,)
    assert lax.map(lambda x: (x, 2 * x), jnp.arange(2.0))[1][1] == 2.0


def test_associative_scans():
    x = jnp.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    np.testing.assert_array_equal(lax.associative_scan(jnp.add, x, axis=1), np.cumsum(x, axis=1))
    pairs = lax.associative_scan(
        lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]), (jnp.full(4, 0.5), jnp.ones(4))
    )
    np.testing.assert_allclose(pairs[1], [1.0, 1.5, 1.75, 1.875])
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        lax.associative_scan(jnp.add, (jnp.ones(2), jnp.ones(3)))


def test_a_body_that_returns_no_number():
    with pytest.raises(TypeError, match=r"lax\.while_loop: the body returned 'a' and got 1\.0"):
        lax.while_loop(lambda c: True, lambda c: "a", 1.0)
    with pytest.raises(TypeError, match=r"jnp\.array: a value of type str"):
        jnp.array("a")


def test_halves_are_rounded_away_from_zero():
    x = jnp.array([0.5, 1.5, -0.5, 2.4, -2.5, 0.49999999999999994])
    np.testing.assert_array_equal(lax.round(x), [1.0, 2.0, -1.0, 2.0, -3.0, 0.0])
    np.testing.assert_array_equal(lax.round(x, 1), [0.0, 2.0, 0.0, 2.0, -2.0, 0.0])
