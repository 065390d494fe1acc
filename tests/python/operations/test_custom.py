"""Rules in JAX's form."""

import gc
import weakref

import numpy as np
import pytest

import tapegrad as tg

X = np.array([0.3, -0.7, 1.1])


def made_vjp(kept=None):
    f = tg.custom_vjp(lambda x, y: np.sin(x) * y)

    def fwd(x, y):
        held = np.cos(x)
        if kept is not None and isinstance(held, np.ndarray):
            kept.append(held)
        return np.sin(x) * y, (held, np.sin(x), y)

    f.defvjp(fwd, lambda held, g: (g * held[0] * held[2], g * held[1]))
    return f


def plain(x, y):
    return np.sin(x) * y


def test_custom_vjp():
    f = made_vjp()
    tg.testing.check_grads(f, (X, X + 2.0))
    tg.testing.check_grads(lambda x: f(x, f(x, x)), (X,))
    for made in (
        lambda h: tg.grad(lambda x: np.sum(h(x, x) ** 2)),
        lambda h: tg.hessian(lambda x: np.sum(h(x, x) ** 2)),
        lambda h: tg.vmap(tg.grad(lambda x: h(x, x))),
    ):
        compiled = tg.compile(made(f))
        np.testing.assert_allclose(made(f)(X), made(plain)(X))
        for k in range(4):
            np.testing.assert_allclose(compiled(X + k), made(plain)(X + k), rtol=1e-10)


def test_fwd_runs_once_for_a_first_derivative():
    kept = []
    f = made_vjp(kept)
    tg.grad(lambda x: np.sum(f(x, X)))(X)
    assert len(kept) == 1
    f(X, X)
    assert len(kept) == 1


def test_what_is_kept_goes_with_the_node():
    kept = []
    f = made_vjp(kept)
    y = f(tg.Variable(X), X)
    held = weakref.ref(kept.pop())
    gc.collect()
    assert held() is not None
    del y
    gc.collect()
    assert held() is None


def test_nondiff_argnums():
    @tg.custom_vjp(nondiff_argnums=(0,))
    def apply(h, x):
        return h(x)

    apply.defvjp(lambda h, x: (h(x), x), lambda h, x, g: (g * 2.0 * x,))
    assert tg.grad(lambda x: apply(np.square, x))(3.0) == 6.0

    @tg.custom_jvp(nondiff_argnums=(1,))
    def power(x, n):
        return x**n

    @power.defjvp
    def rule(n, primals, tangents):
        (x,), (t,) = primals, tangents
        return power(x, n), n * x ** (n - 1) * t

    tg.testing.check_grads(lambda x: power(x, 3), (X,))


def test_custom_jvp():
    f = tg.custom_jvp(plain)

    @f.defjvp
    def rule(primals, tangents):
        (x, y), (s, t) = primals, tangents
        return f(x, y), np.cos(x) * y * s + np.sin(x) * t

    tg.testing.check_grads(f, (X, X + 2.0))
    compiled = tg.compile(tg.grad(lambda x: np.sum(f(x, x) ** 2)))
    for k in range(4):
        expected = tg.grad(lambda x: np.sum(plain(x, x) ** 2))(X + k)
        np.testing.assert_allclose(compiled(X + k), expected, rtol=1e-10)
    f = tg.custom_jvp(plain)
    f.defjvps(lambda t, ans, x, y: np.cos(x) * y * t, lambda t, ans, x, y: np.sin(x) * t)
    tg.testing.check_grads(f, (X, X + 2.0))


def test_wrong_rules():
    f = tg.custom_vjp(plain)
    with pytest.raises(TypeError, match="no rule"):
        tg.grad(lambda x: np.sum(f(x, X)))(X)
    f.defvjp(lambda x, y: plain(x, y), lambda kept, g: (g, g))
    with pytest.raises(TypeError, match="return the pair"):
        tg.grad(lambda x: np.sum(f(x, X)))(X)
    f.defvjp(lambda x, y: (plain(x, y), None), lambda kept, g: g)
    with pytest.raises(TypeError, match="2 differentiated arguments"):
        tg.grad(lambda x: np.sum(f(x, X)))(X)
    with pytest.raises(TypeError, match="bwd is None"):
        f.defvjp(plain, None)
    g = tg.custom_jvp(lambda x: x)
    g.defjvp(lambda primals, tangents: tangents)
    with pytest.raises(TypeError, match="return the pair"):
        tg.jvp(g, (1.0,), (1.0,))
