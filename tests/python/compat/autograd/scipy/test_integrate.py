"""odeint, whose function may take nestings."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat.autograd.scipy.integrate import odeint, quad

pytest.importorskip("scipy")
T = np.linspace(0.0, 1.0, 5)


def test_arguments_may_be_nested():
    def slope(y, t, p):
        return p["rates"][0] * y + p["rates"][1]

    def end(p):
        return np.sum(odeint(slope, np.array([1.0, 2.0]), T, (p,), rtol=1e-10, atol=1e-12)[-1])

    p = {"rates": [np.array([0.5, -1.0]), 0.0]}
    assert end(p) == pytest.approx(np.exp(0.5) + 2 * np.exp(-1.0))
    found = tg.grad(end)(p)
    assert np.allclose(found["rates"][0], [np.exp(0.5), 2 * np.exp(-1.0)], atol=1e-6)


def test_plain_arguments_go_through():
    def end(rate):
        return odeint(lambda y, t, r: r * y, np.array([1.0]), T, (rate,), rtol=1e-10)[-1, 0]

    assert tg.grad(end)(0.5) == pytest.approx(np.exp(0.5), abs=1e-6)
    assert quad(np.sin, 0.0, np.pi)[0] == pytest.approx(2.0)
