"""Functions of one's own, with their own rules, in every transform."""

import pickle

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


def by_jvp():
    f = tg.primitive(wave)
    f.defjvp(lambda g, ans, x, y: g * np.cos(x) * y, lambda g, ans, x, y: g * np.sin(x))
    return f


def by_both():
    f = by_vjp()
    by = by_jvp()
    f._tangent = by._tangent
    return f


FORMS = {"vjp": by_vjp, "jvp": by_jvp, "both": by_both}


@pytest.fixture(params=FORMS, name="f")
def _form(request):
    return FORMS[request.param]()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_derivatives(f, dtype):
    x, y = X.astype(dtype), Y.astype(dtype)
    rounding = 1e-12 if dtype is np.float64 else 1e-5
    for transform in (
        lambda h: tg.grad(lambda x, y: np.sum(h(x, y) ** 2), argnum=(0, 1)),
        lambda h: tg.jacobian(h, argnum=1),
        lambda h: tg.hessian(lambda x, y: np.sum(h(x, y) ** 2)),
        lambda h: lambda x, y: tg.jvp(h, (x, y), (y, x)),
        lambda h: lambda x, y: tg.vjp(h, x, y)[1](x),
        lambda h: lambda x, y: tg.hvp(lambda x: np.sum(h(x, y) ** 3), x, y),
        lambda h: tg.vmap(h),
        lambda h: tg.grad(lambda x, y: np.sum(tg.vmap(h, in_axes=(0, None))(x, y[0]) ** 2)),
        lambda h: tg.vmap(tg.grad(h)),
    ):
        found, expected = transform(f)(x, y), transform(wave)(x, y)
        pairs = zip(leaves(found), leaves(expected), strict=True)
        for a, b in pairs:
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=rounding, atol=rounding)


def leaves(tree):
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [np.asarray(tree)]


def test_check_grads(f):
    tg.testing.check_grads(f, (X, Y))
    tg.testing.check_grads(f, (0.4, 0.5))
    tg.testing.check_grads(f, (np.zeros((0, 2)), np.zeros((0, 2))))
    tg.testing.check_grads(f, (np.array(0.4), np.array(0.5)))


def test_compiled(f):
    calls = []

    def counted(x, y):
        calls.append(1)
        return wave(x, y)

    f.fun = counted
    for made in (
        lambda h: lambda x: np.sum(h(x, Y) ** 2),
        lambda h: tg.grad(lambda x: np.sum(h(x, Y) ** 2)),
        lambda h: tg.hessian(lambda x: np.sum(h(x, Y) ** 2)),
        lambda h: lambda x: tg.jvp(lambda x: h(x, Y) ** 2, (x,), (Y,))[1],
        lambda h: tg.grad(lambda x: np.sum(tg.vmap(h)(x, Y))),
    ):
        compiled, plain = tg.compile(made(f)), made(wave)
        for k in range(5):
            before = len(calls)
            np.testing.assert_allclose(compiled(X + k), plain(X + k), rtol=1e-11, atol=1e-12)
            assert len(calls) > before
        assert compiled.inspect().signatures[0].programs


def test_scan_and_checkpoint(f):
    def loop(h):
        def step(carry, x):
            return h(carry, x) + 1.0, carry

        return lambda x: np.sum(tg.scan(step, x[0] * np.ones(2), np.stack([x, x], 1))[1] ** 2)

    np.testing.assert_allclose(tg.grad(loop(f))(X), tg.grad(loop(wave))(X))
    np.testing.assert_allclose(tg.hessian(loop(f))(X), tg.hessian(loop(wave))(X))
    inner = tg.checkpoint(lambda x: f(np.tanh(x), Y))
    plain = tg.grad(lambda x: np.sum(wave(np.tanh(x), Y) ** 2))
    np.testing.assert_allclose(tg.grad(lambda x: np.sum(inner(x) ** 2))(X), plain(X))


def test_plain_calls_are_the_function():
    f = by_vjp()
    seen = []
    f.fun = lambda *args: seen.append(args)
    f(X, Y)
    assert seen[0][0] is X
    assert seen[0][1] is Y


def test_keywords_are_bound_to_positions(f):
    found = tg.grad(lambda y: np.sum(f(x=X, y=y)))(Y)
    np.testing.assert_allclose(found, np.sin(X))


@tg.primitive
def of_the_module(x):
    return x * 2.0


of_the_module.defvjp(lambda ans, x: lambda g: 2.0 * g)


def test_pickling():
    assert pickle.loads(pickle.dumps(of_the_module)) is of_the_module


def test_methods():
    class Model:
        def __init__(self, k):
            self.k = k

        @tg.primitive
        def scaled(self, x):
            return self.k * x

    Model.scaled.defvjp(lambda ans, self, x: lambda g: self.k * g, argnums=(1,))
    assert tg.grad(Model(3.0).scaled)(1.0) == 3.0


def test_no_grad_and_stop_gradient():
    f = by_vjp()
    x = tg.Variable(X)
    with tg.no_grad():
        y = f(x, Y)
    np.testing.assert_allclose(tg.value(y), wave(X, Y))
    assert not tg._core.is_leaf(f(x, Y))


def test_an_exception_of_a_replay_is_that_of_plain_python():
    calls = []

    @tg.primitive
    def small(x):
        calls.append(x)
        if x > 5.0:
            raise ValueError("too large")
        return 2.0 * x

    small.defvjp(lambda ans, x: lambda g: 2.0 * g)

    def caught(x):
        try:
            return small(x) ** 2
        except ValueError:
            return 0.0 * x

    for f, expected in ((lambda x: small(x) ** 2, ValueError), (caught, 0.0)):
        program = tg.compile(f)
        for k in (1.0, 2.0, 3.0, 4.0):
            assert program(k) == 4.0 * k * k
        calls.clear()
        if expected is ValueError:
            with pytest.raises(ValueError, match="too large"):
                program(6.0)
        else:
            assert program(6.0) == expected
        assert calls == [6.0, 6.0]  # the replay, and the function itself
        assert program(3.0) == 36.0
