"""jit is tg.compile, with JAX's static arguments."""

from functools import partial

import numpy as np
import pytest

from tapegrad.compat import jax

jnp = jax.numpy
SCALE = 2.0


def test_whole_numbers_and_flags_are_inputs():
    @jax.jit
    def f(x, n, flag):
        return jnp.where(flag, x * n, -x)

    for n in range(30):
        assert f(1.5, n, n % 2 == 0) == (1.5 * n if n % 2 == 0 else -1.5)
    (report,) = f.inspect()
    assert len(report.signatures) == 1
    assert report.signatures[0].replays >= 27


def test_captured_arrays_and_numbers():
    X = jnp.arange(3.0)
    f = jax.jit(lambda w: jnp.sum(w * X) * SCALE)
    assert [float(f(float(k))) for k in range(4)] == [0.0, 6.0, 12.0, 18.0]
    (report,) = f.inspect()
    assert report.signatures[0].replays >= 1
    X = X + 1.0
    assert f(1.0) == 12.0


def test_static_arguments():
    @partial(jax.jit, static_argnums=(1,), static_argnames="way")
    def f(x, n, way="sin"):
        assert type(n) is int
        return getattr(jnp, way)(x) ** n

    assert f(0.5, 2) == jnp.sin(0.5) ** 2
    assert f(0.5, 2, way="cos") == jnp.cos(0.5) ** 2
    assert f(0.5, n=3) == jnp.sin(0.5) ** 3
    assert jax.grad(f)(0.5, 1) == jnp.cos(0.5)
    with pytest.raises(ValueError, match="a static argument has no hash"):
        f(0.5, 2, way=["sin"])
    with pytest.raises(ValueError, match="static_argnames names wrong"):
        jax.jit(lambda x: x, static_argnames="wrong")
    with pytest.raises(TypeError, match="there is no setting wrong"):
        jax.jit(lambda x: x, wrong=1)
    with pytest.raises(TypeError, match=r"call jax\.jit\(f\)\(x\)"):
        jax.jit(3)


def test_one_and_true_are_two_static_arguments():
    f = jax.jit(lambda x, n: x + (10.0 if n is True else 20.0), static_argnums=1)
    assert [f(0.0, 1), f(0.0, True), f(0.0, 1.0)] == [20.0, 10.0, 20.0]


def test_methods_and_blocks():
    class Model:
        def __init__(self):
            self.w = jnp.array([1.0, 2.0])

        @jax.jit
        def __call__(self, x):
            return jnp.sum(self.w * x)

        @partial(jax.jit, static_argnums=0)
        def twice(self, x):
            return 2 * jnp.sum(self.w * x)

    model = Model()
    for _ in range(3):
        assert model(jnp.ones(2)) == 3.0
        assert model.twice(jnp.ones(2)) == 6.0
    calls = []
    f = jax.jit(lambda x: calls.append(1) or x)
    with jax.disable_jit():
        for _ in range(5):
            f(1.0)
    assert len(calls) == 5


def test_loops_that_depend_on_values():
    root = jax.jit(lambda a: jax.lax.while_loop(
        lambda c: jnp.abs(c * c - a) > 1e-12, lambda c: 0.5 * (c + a / c), a))  # fmt: skip
    for a in (2.0, 3.0, 2.0, 5.0, 2.0):
        assert root(a) == pytest.approx(np.sqrt(a), rel=1e-12)


def test_programs_of_programs():
    inner = jax.jit(lambda x: jnp.tanh(x))
    outer = jax.jit(lambda x: jnp.sum(inner(x) * inner(2 * x)))
    x = jnp.array([0.1, 0.2])
    expected = np.sum(np.tanh(x) * np.tanh(2 * np.asarray(x)))
    for _ in range(4):
        assert outer(x) == pytest.approx(expected, rel=1e-14)
    f = jax.jit(lambda x: x)
    with pytest.raises(NotImplementedError, match=r"jax\.jit\.lower is not there"):
        f.lower(1.0)
    f(1.0)
    f.clear_cache()
    assert f.inspect() == []


def test_scans_in_programs_run_without_python():
    @jax.jit
    def total(xs):
        return jax.lax.scan(lambda c, x: (c + jnp.sin(x), None), 0.0, xs)[0]

    xs = jnp.linspace(0.0, 1.0, 50)
    for _ in range(6):
        assert total(xs) == pytest.approx(np.sum(np.sin(xs)), rel=1e-13)
    (report,) = total.inspect()
    assert report.signatures[0].programs[0].n_steps < 10


def test_what_an_inner_program_reads_is_seen_by_the_outer_one():
    factor = 2.0
    inner = jax.jit(lambda x: x * factor)
    outer = jax.jit(lambda x: inner(x) + 1.0)
    assert [float(outer(float(k))) for k in range(4)] == [1.0, 3.0, 5.0, 7.0]
    factor = 10.0
    assert outer(1.0) == 11.0
