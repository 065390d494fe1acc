import numpy as np
import pytest

import tapegrad as tg

special = pytest.importorskip("scipy.special")

from tapegrad.scipy import special as ours  # noqa: E402 - needs SciPy

X = np.array([[0.3, -1.2, 2.5], [700.0, 701.0, 699.5], [-3.0, 0.0, -800.0]])
W = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("weights", [None, W, -W])
@pytest.mark.parametrize("sign", [False, True])
def test_logsumexp(axis, keepdims, weights, sign):
    options = {"axis": axis, "keepdims": keepdims, "return_sign": sign}
    with np.errstate(all="ignore"):
        wanted = special.logsumexp(X, b=weights, **options)
        found = ours.logsumexp(tg.Variable(X), b=weights, **options)
    if sign:
        np.testing.assert_array_equal(found[1], wanted[1])
        found, wanted = found[0], wanted[0]
    np.testing.assert_allclose(tg.value(found), wanted, rtol=1e-14)
    assert np.shape(tg.value(found)) == np.shape(wanted)


def test_derivatives_of_logsumexp():
    x, b = np.array([0.3, -1.2, 2.5]), np.array([1.0, 0.0, -0.4])
    tg.testing.check_grads(lambda x: ours.logsumexp(x, axis=0), (X[[0, 2], :2],), order=2)
    tg.testing.check_grads(
        lambda x, b: ours.logsumexp(x, b=b, return_sign=True)[0], (x, b), order=2
    )
    found = tg.grad(lambda b: ours.logsumexp(x, b=b))(np.array([1.0, 0.0, 0.4]))
    np.testing.assert_allclose(found, np.exp(x) / np.sum(np.exp(x) * [1.0, 0.0, 0.4]))
    infinite = np.array([-np.inf, 0.0, 1.0])
    np.testing.assert_allclose(
        tg.grad(ours.logsumexp)(infinite), special.softmax(infinite), rtol=1e-14
    )
    np.testing.assert_allclose(
        tg.grad(lambda x: ours.logsumexp(x, b=np.array([2.0, 1.0, 1.0])))(infinite),
        special.softmax(infinite),
        rtol=1e-14,
    )


def test_logsumexp_of_nothing():
    for shape, axis in (((0,), None), ((2, 0), 1)):
        with np.errstate(all="ignore"):
            wanted = special.logsumexp(np.zeros(shape), axis=axis)
        found = ours.logsumexp(tg.Variable(np.zeros(shape)), axis=axis)
        np.testing.assert_array_equal(tg.value(found), wanted)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_softmax(name, axis):
    f, theirs = getattr(ours, name), getattr(special, name)
    np.testing.assert_allclose(
        tg.value(f(tg.Variable(X), axis=axis)), theirs(X, axis=axis), rtol=1e-13
    )
    near = X[[0, 2], :2]
    tg.testing.check_grads(lambda x: f(x, axis=axis), (near,), order=2)


CALLS = {
    "polygamma": (lambda s, x: s.polygamma([0, 1, 3], x), 1.7),
    "multigammaln": (lambda s, x: s.multigammaln(x, 3), 4.2),
    "multigammaln of an array": (lambda s, x: s.multigammaln(x, 2), np.array([1.7, 4.2])),
    "comb": (lambda s, x: s.comb(x, 2.0), 5.3),
    "comb by k": (lambda s, x: s.comb(6.2, x), np.array([2.3, 1.1])),
    "comb with repetition": (lambda s, x: s.comb(x, 2.0, repetition=True), 5.3),
    "perm": (lambda s, x: s.perm(x, 2.0), np.array([5.3, 3.1])),
    "factorial": (lambda s, x: s.factorial(x), 3.4),
    "zeta": (lambda s, x: s.zeta(x), np.array([2.5, 4.0])),
    "zeta of two": (lambda s, x: s.zeta(x, 1.3), np.array([2.5, 4.0])),
    "zeta by q": (lambda s, x: s.zeta(2.5, x), np.array([0.5, 4.0])),
    "softplus": (lambda s, x: s.softplus(x), np.array([0.5, -4.0])),
}


@pytest.mark.parametrize("name", CALLS)
def test_functions(name):
    f, x = CALLS[name]
    np.testing.assert_allclose(tg.value(f(ours, tg.Variable(x))), f(special, x), rtol=1e-13)
    tg.testing.check_grads(lambda x: f(ours, x), (x,), order=2)
    compiled = tg.compile(tg.grad(lambda x: np.sum(f(ours, x))))
    for _ in range(3):
        np.testing.assert_allclose(compiled(x), tg.grad(lambda x: np.sum(f(ours, x)))(x))


def test_plain_arguments_give_what_scipy_gives():
    assert ours.logsumexp([0.0, 1.0]) == special.logsumexp([0.0, 1.0])
    assert ours.comb(5, 2, exact=True) == 10
    assert ours.factorial(4) == 24
    assert ours.jv is special.jv


def test_outside_of_their_domain_combinations_are_0():
    assert tg.value(ours.comb(tg.Variable(2.0), 3.0)) == 0
    assert tg.grad(lambda n: ours.comb(n, 3.0))(2.0) == 0
    assert tg.value(ours.factorial(tg.Variable(-2.0))) == 0


def test_refusals():
    v = tg.Variable(3.0)
    for call in (lambda: ours.comb(v, 2, exact=True), lambda: ours.factorial(v, exact=True)):
        with pytest.raises(TypeError, match="exact=True is arithmetic of integers"):
            call()
    with pytest.raises(TypeError, match=r"no derivative by the order n.*tg\.value\(n\)"):
        ours.polygamma(v, 1.0)
    with pytest.raises(TypeError, match="takes real numbers"):
        ours.softmax(tg.Variable(1j))
    for name in ("logsumexp", "softmax", "log_softmax"):
        with pytest.raises(TypeError, match=rf"write tapegrad\.scipy\.special\.{name}\(v\)"):
            getattr(special, name)(tg.Variable([1.0, 2.0]) * 1.0)
