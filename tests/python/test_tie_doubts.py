"""A zero derivative at equal eigenvalues is right, or a RuntimeWarning names it."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

BESIDE = np.zeros((3, 3))
BESIDE[0, 1] = 1.0
LOW_RANK = np.random.default_rng(0).normal(size=(4, 2))
LOW_RANK = LOW_RANK @ LOW_RANK.T
WEIGHTS = np.arange(16.0).reshape(4, 4)


def of_matrix(f):
    def element(a):
        w, v = np.linalg.eigh(a)
        return np.sum((v * f(w)[..., None, :]) @ np.swapaxes(v, -1, -2) * BESIDE)

    return element


def of_singular_values(f):
    def element(a):
        u, s, vt = np.linalg.svd(a, full_matrices=False)
        return np.sum((u * f(s)) @ vt * BESIDE)

    return element


def backward(f):
    def gradient(a):
        v = tg.Variable(a)
        f(v).backward()
        return v.grad

    return gradient


def said(f, a):
    """The result, and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = f(a)
    return found, [str(w.message) for w in caught]


WAYS = {
    "grad": tg.grad,
    "value_and_grad": lambda f: lambda a: tg.value_and_grad(f)(a)[1],
    "vjp": lambda f: lambda a: tg.vjp(f, a)[1](1.0),
    "jacobian": tg.jacobian,
    "backward": backward,
    "recording of compile": lambda f: tg.compile(tg.grad(f)),
    "nested": lambda f: lambda a: tg.grad(lambda b: np.sum(tg.grad(f)(b)))(a),
}
HIDDEN = {
    "log at the identity": (of_matrix(np.log), np.eye(3)),
    "log beside another": (of_matrix(np.log), np.diag([1.0, 1.0, 2.0])),
    "sin at zero": (of_matrix(np.sin), np.zeros((3, 3))),
    "a stack": (of_matrix(np.log), np.stack([np.diag([1.0, 2.0, 3.0]), np.eye(3)])),
    "singular values": (of_singular_values(np.log), np.eye(3)),
    "single precision": (of_matrix(np.log), np.eye(3, dtype=np.float32)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", HIDDEN)
def test_a_zero_that_numbers_alone_make_warns(name, way):
    f, a = HIDDEN[name]
    found, texts = said(WAYS[way](f), a)
    assert texts or np.isnan(found).any()
    assert all("has equal values" in text for text in texts)


# First the leading vectors of a matrix of low rank, whose others nobody asks for.
def leading(a):
    w, v = np.linalg.eigh(a)
    return np.sum(v[:, -1] ** 2 * np.arange(4.0)) + np.sum(
        (v[:, -2:] * np.sqrt(w[-2:])) ** 2 @ [1.0, 2.0]
    )


def inverse(a):
    w, v = np.linalg.eigh(a)
    large = w > 1e-9
    return np.sum((v * np.where(large, 1.0 / np.where(large, w, 1.0), 0.0)) @ v.T * WEIGHTS)


SOUND = {
    "leading vectors": (leading, LOW_RANK),
    "an inverse on the range": (inverse, LOW_RANK),
    "a function that is flat there": (of_matrix(lambda w: (w - 1.0) ** 2), np.eye(3)),
    "values alone": (lambda a: np.sum(np.linalg.eigh(a)[0] ** 2), np.eye(3)),
    "no tie": (of_matrix(np.log), np.diag([1.0, 2.0, 3.0])),
    "vectors without values": (lambda a: np.linalg.eigh(a)[1][0, 0], np.diag([1.0, 2.0, 2.0])),
}


@pytest.mark.parametrize("way", ["grad", "jacobian", "backward", "recording of compile"])
@pytest.mark.parametrize("name", SOUND)
def test_what_is_right_does_not_warn(name, way):
    f, a = SOUND[name]
    found, texts = said(WAYS[way](f), a)
    assert not texts
    direction = np.random.default_rng(1).normal(size=(len(a), len(a)))
    direction = a @ direction @ a  # which keeps the rank
    direction = direction + direction.T
    slope = (f(a + 1e-6 * direction) - f(a - 1e-6 * direction)) / 2e-6
    np.testing.assert_allclose(np.sum(found * direction), slope, rtol=1e-5, atol=1e-6)


def test_the_remedy_is_right():
    f = of_matrix(np.log)
    _, (text,) = said(tg.grad(f), np.eye(3))
    assert "np.linalg.eigh(a + np.diag(1e-8 * np.arange(len(a))))" in text
    apart, texts = said(
        lambda a: tg.grad(lambda a: f(a + np.diag(1e-8 * np.arange(len(a)))))(a), np.eye(3)
    )
    assert not texts
    np.testing.assert_allclose(apart, (BESIDE + BESIDE.T) / 2, atol=1e-6)


def test_the_warning_as_an_error_stands_at_the_users_line():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="eigh has equal values"):
            tg.grad(of_matrix(np.log))(np.eye(3))
    with pytest.warns(RuntimeWarning, match="eigh") as caught:
        tg.grad(of_matrix(np.log))(np.eye(3))
    assert caught[0].filename == __file__
