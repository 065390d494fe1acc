"""Descent on nestings: Autograd's update rules, step by step."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat.autograd.misc.optimizers import adam, rmsprop, sgd

START = {"w": np.array([1.0, -2.0]), "b": (0.5,)}


def gradient(p, i):
    return tg.grad(lambda p: np.sum((p["w"] - 3.0) ** 2) + p["b"][0] ** 2)(p)


@pytest.mark.parametrize("optimize", [sgd, rmsprop, adam])
def test_they_reach_the_minimum(optimize):
    found = optimize(gradient, START, num_iters=800, step_size=0.05)
    assert np.allclose(found["w"], 3.0, atol=0.03)
    assert abs(found["b"][0]) < 0.03


@pytest.mark.parametrize("optimize", [sgd, rmsprop, adam])
def test_callbacks_see_nestings_before_each_step(optimize):
    seen = []
    optimize(gradient, START, callback=lambda x, i, g: seen.append((x, i, g)), num_iters=3)
    assert [i for _, i, _ in seen] == [0, 1, 2]
    x, _, g = seen[0]
    assert np.array_equal(x["w"], START["w"])
    assert np.array_equal(g["w"], 2 * (START["w"] - 3.0))
    assert isinstance(g["b"], tuple)


def test_first_steps():
    g, step = 4.0, 0.1
    assert sgd(lambda x, i: g, 1.0, num_iters=1, step_size=step) == pytest.approx(
        1 - step * 0.1 * g
    )
    after = 1 - step * g / (np.sqrt(0.9 + 0.1 * g**2) + 1e-8)
    assert rmsprop(lambda x, i: g, 1.0, num_iters=1, step_size=step) == pytest.approx(after)
    assert adam(lambda x, i: g, 1.0, num_iters=1, step_size=step) == pytest.approx(1 - step)


def test_training_is_differentiated():
    def loss_after(rate):
        x = sgd(lambda x, i: 2 * (x - 3.0), 0.0, num_iters=5, step_size=rate)
        return (x - 3.0) ** 2

    slope = (loss_after(0.1 + 1e-6) - loss_after(0.1 - 1e-6)) / 2e-6
    assert tg.grad(loss_after)(0.1) == pytest.approx(slope, rel=1e-6)
