"""Rules of the user's own, in each of the forms that Autograd has."""

import itertools

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat import autograd
from tapegrad.compat.autograd import core, extend
from tapegrad.compat.autograd.test_util import check_grads

X = np.array([0.3, -1.2, 2.0])


def scaled_sine():
    """A new primitive sin(x) * k, which NumPy computes of plain arrays."""

    @extend.primitive
    def f(x, k=1.0):
        assert type(x) in (np.ndarray, float, np.float64)
        return np.sin(x) * k

    return f


def by_argument(f):
    extend.defvjp(
        f,
        lambda ans, x, k=1.0: lambda g: g * np.cos(x) * k,
        lambda ans, x, k=1.0: lambda g: np.sum(g * np.sin(x)),
    )


def by_positions(f):
    extend.defvjp(f, lambda ans, x, k=1.0: lambda g: np.sum(g * np.sin(x)), argnums=(1,))
    extend.defvjp(f, lambda ans, x, k=1.0: lambda g: g * np.cos(x) * k, argnums=itertools.count())


def by_number(f):
    def maker(argnum, ans, args, kwargs):
        x, k = (*args, 1.0)[:2]
        return lambda g: g * np.cos(x) * k if argnum == 0 else np.sum(g * np.sin(x))

    extend.defvjp_argnum(f, maker)


def at_once(f):
    def maker(argnums, ans, args, kwargs):
        x, k = (*args, 1.0)[:2]
        rules = (lambda g: g * np.cos(x) * k, lambda g: np.sum(g * np.sin(x)))
        return lambda g: (rules[i](g) for i in argnums)

    extend.defvjp_argnums(f, maker)


def forward(f):
    extend.defjvp(
        f,
        lambda g, ans, x, k=1.0: g * np.cos(x) * k,
        lambda g, ans, x, k=1.0: g * np.sin(x),
    )


def forward_by_number(f):
    def maker(argnum, g, ans, args, kwargs):
        x, k = (*args, 1.0)[:2]
        return g * np.cos(x) * k if argnum == 0 else g * np.sin(x)

    extend.defjvp_argnum(f, maker)


def forward_at_once(f):
    def maker(argnums, gs, ans, args, kwargs):
        x, k = (*args, 1.0)[:2]
        rules = (lambda g: g * np.cos(x) * k, lambda g: g * np.sin(x))
        return sum(rules[i](g) for i, g in zip(argnums, gs, strict=True))

    extend.defjvp_argnums(f, maker)


FORMS = (by_argument, by_positions, by_number, at_once, forward, forward_by_number, forward_at_once)


@pytest.mark.parametrize("give", FORMS)
def test_every_form_gives_every_derivative(give):
    f = scaled_sine()
    give(f)
    assert np.array_equal(f(X, 2.0), np.sin(X) * 2.0)
    check_grads(f, (0, 1))(X, 2.0)
    check_grads(lambda x: f(x) * f(x, 3.0))(0.5)
    assert np.allclose(tg.vmap(tg.grad(f))(X), np.cos(X))
    compiled = tg.compile(tg.grad(lambda x: np.sum(f(x, 2.0))))
    for x in (X, 2 * X, X, 3 * X):
        assert np.allclose(compiled(x), 2 * np.cos(x))


def test_linear_functions():
    f = extend.primitive(lambda x, y: np.outer(x, y))
    extend.def_linear(f)
    check_grads(f, (0, 1), modes=["fwd"])(X, X[:2])
    extend.defvjp(f, lambda ans, x, y: lambda g: g @ y, lambda ans, x, y: lambda g: x @ g)
    check_grads(f, (0, 1))(X, X[:2])
    g = extend.primitive(lambda x: 3.0 * x)
    extend.defjvp(g, "same")
    assert tg.jvp(g, (2.0,), (1.0,)) == (6.0, 3.0)


def test_zeros():
    f = extend.primitive(lambda x, k: x * k)
    extend.defvjp(f, lambda ans, x, k: lambda g: g * k, None)
    assert autograd.grad(f, (0, 1))(2.0, 3.0) == (3.0, 0.0)
    step = extend.primitive(np.floor)
    extend.register_notrace(extend.VJPNode, step)
    extend.register_notrace(extend.JVPNode, step)
    assert autograd.grad(lambda x: x * step(x))(2.5) == 2.0
    assert autograd.deriv(lambda x: x * step(x))(2.5) == 2.0
    with pytest.raises(TypeError, match="neither VJPNode nor JVPNode"):
        extend.register_notrace(int, step)


def test_without_rules_a_derivative_is_refused():
    f = extend.primitive(lambda x: 2.0 * x)
    assert f(1.0) == 2.0
    for derivative in (autograd.grad, autograd.deriv):
        with pytest.raises(NotImplementedError, match=r"there is no rule for it; say it with"):
            derivative(f)(1.0)


def test_rules_are_of_primitives_alone():
    with pytest.raises(TypeError, match=r"sin .* is no primitive: make one, f = primitive\(sin\)"):
        extend.defvjp(np.sin, lambda ans, x: lambda g: g)
    f = extend.primitive(np.sin)
    assert f not in core.primitive_vjps
    assert np.sin not in core.primitive_vjps
    assert core.primitive_vjps.pop(np.iscomplex, 7) == 7
    core.primitive_vjps[f] = lambda argnums, ans, args, kwargs: lambda g: [g * np.cos(args[0])]
    assert f in core.primitive_vjps
    assert autograd.grad(f)(0.0) == 1.0
    with pytest.raises(NotImplementedError, match="are not taken away"):
        core.primitive_vjps.pop(f)


def test_methods_of_older_days():
    @autograd.primitive
    def product(x, y):
        return x * y

    with pytest.warns(DeprecationWarning, match=r"product\.defgrad is deprecated"):
        product.defgrad(lambda ans, x, y: lambda g: g * y)
    with pytest.warns(DeprecationWarning, match="defvjp is deprecated"):
        product.defvjp(lambda g, ans, vs, gvs, x, y: g * x + 0.0 * vs.size, argnum=1)
    assert autograd.grad(product, (0, 1))(2.0, 3.0) == (3.0, 2.0)
    with pytest.warns(DeprecationWarning, match="defvjp_is_zero is deprecated"):
        product.defvjp_is_zero([1])
    assert autograd.grad(product, (0, 1))(2.0, 3.0) == (3.0, 0.0)


def test_wrong_rules_are_found():
    f = extend.primitive(lambda x: x * 2.0)
    extend.defvjp(f, lambda ans, x: lambda g: g * 2.001)
    with pytest.raises(
        AssertionError, match=r"\(VJP\) check of .* failed at .* is .* and differences say"
    ):
        check_grads(f, modes=["rev"])(1.0)


def test_rules_of_a_plain_function_are_not_used():
    def square(x):
        return x * x

    with pytest.warns(UserWarning, match=r"defvjp: square is a plain function.* never used"):
        extend.defvjp(square, lambda ans, x: lambda g: 100.0 * g)
    assert autograd.grad(square)(3.0) == 6.0


def test_of_a_complex_cotangent_a_real_argument_gets_the_real_part():
    """Rules by adjoint methods of complex fields give such for real parameters."""

    @extend.primitive
    def scaled(x):
        return x * (2.0 + 3.0j)

    extend.defvjp(scaled, lambda ans, x: lambda g: g * (2.0 + 3.0j))
    x = np.array([1.0, 2.0])
    by_hand = autograd.grad(lambda x: np.sum(np.abs(x * (2.0 + 3.0j)) ** 2))(x)
    found = autograd.grad(lambda x: np.sum(np.abs(scaled(x)) ** 2))(x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, by_hand, rtol=1e-15)
    np.testing.assert_allclose(found, 26.0 * x, rtol=1e-15)
