"""Rules: what they are asked for, what follows from them, what is refused."""

import numpy as np
import pytest

import tapegrad as tg

X = np.array([0.3, -0.7, 1.1])
Y = np.array([2.0, 0.5, -1.5])


def wave(x, y):
    return np.sin(x) * y


def by_vjp(**settings):
    f = tg.primitive(wave, **settings)
    f.defvjp(
        lambda ans, x, y: lambda g: g * np.cos(x) * y, lambda ans, x, y: lambda g: g * np.sin(x)
    )
    return f


def test_linear_and_zero():
    double = tg.primitive(lambda x: x + x)
    tg.def_linear(double)
    tg.testing.check_grads(double, (X,))
    floor = tg.notrace_primitive(np.floor)
    assert tg.grad(lambda x: x * floor(x))(2.5) == 2.0
    compiled = tg.compile(tg.grad(lambda x: x * floor(x)))
    assert [compiled(k + 0.5) for k in range(5)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    f = tg.primitive(wave)
    f.defvjp(None, lambda ans, x, y: lambda g: g * np.sin(x))
    zeros, slope = tg.grad(lambda x, y: np.sum(f(x, y)), argnum=(0, 1))(X, Y)
    np.testing.assert_array_equal(zeros, np.zeros(3))
    np.testing.assert_allclose(slope, np.sin(X))


def test_argnum_forms():
    def each(argnum, ans, args, kwargs):
        x, y = args
        return lambda g: g * (np.cos(x) * y if argnum == 0 else np.sin(x))

    f = tg.primitive(wave)
    tg.defvjp_argnum(f, each)
    tg.testing.check_grads(f, (X, Y))
    f = tg.primitive(wave)
    tg.defjvp_argnum(f, lambda argnum, g, ans, args, kwargs: each(argnum, ans, args, kwargs)(g))
    tg.testing.check_grads(f, (X, Y))
    f = tg.primitive(wave)
    tg.defjvp_argnums(
        f,
        lambda argnums, gs, ans, args, kwargs: sum(
            each(i, ans, args, kwargs)(g) for i, g in zip(argnums, gs, strict=True)
        ),
    )
    tg.testing.check_grads(f, (X, Y))


def test_vmap_at_once():
    calls = []

    def counted(x, y):
        calls.append(np.shape(x))
        return wave(x, y)

    f = by_vjp(vectorized=True)
    f.fun = counted
    np.testing.assert_allclose(tg.vmap(f)(X, Y), wave(X, Y))
    assert calls[-1] == (3,)
    assert len(calls) == 2
    np.testing.assert_allclose(tg.vmap(f, in_axes=(0, None))(X, 2.0), wave(X, 2.0))
    np.testing.assert_allclose(tg.grad(lambda x: np.sum(tg.vmap(f)(x, Y)))(X), np.cos(X) * Y)
    f = by_vjp()
    f.defvmap(lambda n, has, x, y: (f(x, y), has[0] or has[1]))
    np.testing.assert_allclose(tg.vmap(f, in_axes=(0, None))(X, 2.0), wave(X, 2.0))
    f.defvmap(lambda n, has, x, y: (f(x, y)[:1], True))
    with pytest.raises(ValueError, match="3 lanes"):
        tg.vmap(f)(X, Y)


def test_missing_rules_are_named():
    f = tg.primitive(wave)
    with pytest.raises(TypeError, match=r"wave: .* argument 0 \('x'\).*defvjp"):
        tg.grad(lambda x: np.sum(f(x, Y)))(X)
    with pytest.raises(TypeError, match=r"wave: a tangent sweep .* argument 1 \('y'\)"):
        tg.jvp(lambda y: f(X, y), (Y,), (Y,))
    f.defvjp(lambda ans, x, y: lambda g: g * np.cos(x) * y)
    with pytest.raises(TypeError, match=r"argument 1 \('y'\)"):
        tg.grad(lambda y: np.sum(f(X, y)))(Y)


def test_wrong_rules_are_named():
    f = tg.primitive(wave)
    loss = tg.grad(lambda x: np.sum(f(x, Y)))
    f.defvjp(lambda ans, x, y: lambda g: np.sum(g))
    with pytest.raises(ValueError, match=r"wave: the vjp gave shape \(\) for argument 0 \('x'\)"):
        loss(X)
    f.defvjp(lambda ans, x, y: lambda g: g * 1j)
    with pytest.raises(TypeError, match="which is real"):
        loss(X)
    f.defvjp(lambda ans, x, y: lambda g: {"x": g})
    with pytest.raises(TypeError, match="argument 0"):
        loss(X)
    f.defvjp(lambda ans, x, y: lambda g: "text")
    with pytest.raises(TypeError, match="argument 0"):
        loss(X)
    f = tg.primitive(wave)
    f.defjvp(lambda g, ans, x, y: np.sum(g))
    with pytest.raises(ValueError, match="the jvp gave shape"):
        tg.jvp(lambda x: f(x, Y), (X,), (X,))
    with pytest.raises(TypeError, match="rule 0"):
        f.defvjp("same")


def test_rules_may_sweep_themselves():
    f = tg.primitive(wave)
    f.defvjp(
        lambda ans, x, y: lambda g: tg.grad(lambda x: np.sum(g * wave(x, y)))(x),
        lambda ans, x, y: lambda g: tg.vjp(lambda y: wave(x, y), y)[1](g)[0],
    )
    tg.testing.check_grads(f, (X, Y))
    compiled = tg.compile(tg.hessian(lambda x: np.sum(f(x, Y) ** 2)))
    expected = tg.hessian(lambda x: np.sum(wave(x, Y) ** 2))
    for k in range(4):
        np.testing.assert_allclose(compiled(X + k), expected(X + k), rtol=1e-10)
