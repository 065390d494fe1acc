"""Habits of tensors, on Variables: backward() that adds up, zero_grad, detach, retain_graph."""

import numpy as np
import pytest

import tapegrad as tg


def test_a_training_loop_of_habits():
    w, b = tg.Variable(0.0, name="w"), tg.Variable(0.0, name="b")
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])
    for _ in range(400):
        loss = np.mean((w * x + b - y) ** 2)
        loss.backward()
        with tg.no_grad():
            w -= 0.1 * w.grad
            b -= 0.1 * b.grad
        w.zero_grad()
        b.zero_grad()
    assert w.grad is None
    np.testing.assert_allclose([tg.value(w), tg.value(b)], [2.0, 1.0], rtol=1e-6)


def test_gradients_add_up_until_they_are_forgotten():
    v = tg.Variable(np.array([1.0, 2.0]))
    np.sum(v * v).backward()
    np.sum(3.0 * v).backward()
    np.testing.assert_array_equal(v.grad, [5.0, 7.0])
    v.zero_grad()
    assert v.grad is None
    np.sum(v * v).backward()
    np.testing.assert_array_equal(v.grad, [2.0, 4.0])


def test_what_is_detached_is_held_constant():
    v = tg.Variable(3.0)
    (v * (v * v).detach()).backward()
    assert v.grad == 9.0
    assert tg.grad(lambda x: x * x.detach())(3.0) == 3.0
    assert tg.hessian(lambda x: np.sum(x**3 * x.detach()))(np.array([2.0])) == 24.0
    compiled = tg.compile(tg.grad(lambda x: np.sum(x * x.detach())))
    for scale in (1.0, 1.0, 1.0, 2.0):
        point = scale * np.arange(3.0)
        np.testing.assert_array_equal(compiled(point), point)


def test_retain_graph_is_the_opposite_of_free():
    v = tg.Variable(2.0)
    loss = v * v
    loss.backward(retain_graph=True)
    loss.backward(retain_graph=False)
    assert v.grad == 8.0
    with pytest.raises(RuntimeError):
        loss.backward()


def test_create_graph_is_refused_with_a_remedy_that_works():
    w = tg.Variable(2.0)
    loss = w**3
    with pytest.raises(TypeError, match=r"write tg\.grad\(v, w, record=True\)"):
        loss.backward(create_graph=True)
    slope = tg.grad(loss, w, record=True)
    assert tg.grad(slope, w) == 12.0
