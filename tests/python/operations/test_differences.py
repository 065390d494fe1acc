"""Derivatives by differences."""

import numpy as np
import pytest

import tapegrad as tg

X = np.array([0.3, -0.7, 1.1])
Y = np.array([2.0, 0.5, -1.5])


def wave(x, y):
    return np.sin(x) * y


def test_numerical():
    f = tg.primitive(wave, derivative="numerical")
    np.testing.assert_allclose(
        tg.grad(lambda x: np.sum(f(x, Y) ** 2))(X),
        tg.grad(lambda x: np.sum(wave(x, Y) ** 2))(X),
        rtol=1e-8,
    )
    np.testing.assert_allclose(tg.jvp(f, (X, Y), (Y, X))[1], tg.jvp(wave, (X, Y), (Y, X))[1], 1e-8)
    compiled = tg.compile(tg.grad(lambda x: np.sum(f(x, Y) ** 2)))
    for k in range(4):
        np.testing.assert_allclose(
            compiled(X + k), tg.grad(lambda x: np.sum(wave(x, Y) ** 2))(X + k), rtol=1e-7
        )
    with pytest.raises(TypeError, match="first order alone"):
        tg.hessian(lambda x: np.sum(f(x, Y) ** 2))(X)
    with pytest.raises(ValueError, match=r"'rules' .* or 'numerical'"):
        tg.primitive(wave, derivative="exact")
