"""Derivatives of fixed points, against what they are in closed form."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat.autograd.misc.fixed_points import fixed_point
from tapegrad.compat.autograd.test_util import check_grads


def distance(x, y):
    return np.max(np.abs(x - y))


def root(a):
    return fixed_point(lambda a: lambda x: 0.5 * (x + a / x), a, 1.0, distance, 1e-13)


def test_square_roots():
    assert root(4.0) == pytest.approx(2.0)
    assert tg.grad(root)(4.0) == pytest.approx(0.25)
    assert tg.grad(tg.grad(root))(4.0) == pytest.approx(-1 / 32)
    assert tg.jvp(root, (4.0,), (2.0,))[1] == pytest.approx(0.5)


def test_linear_systems():
    rng = np.random.default_rng(0)
    m, b = 0.2 * rng.normal(size=(3, 3)), rng.normal(size=3)

    def solve(params):
        step = lambda p: lambda x: p["m"] @ x + p["b"]  # noqa: E731 - as it is called
        return fixed_point(step, params, np.zeros(3), distance, 1e-14)

    def direct(params):
        return np.linalg.solve(np.eye(3) - params["m"], params["b"])

    params = {"m": m, "b": b}
    assert np.allclose(solve(params), direct(params))
    found, expected = (tg.grad(lambda p: np.sum(f(p) ** 2))(params) for f in (solve, direct))  # noqa: B023 - called at once
    assert np.allclose(found["m"], expected["m"])
    assert np.allclose(found["b"], expected["b"])
    check_grads(lambda p: np.sum(solve(p) ** 2), modes=["rev"])(params)
