"""SGD against its rules written out."""

import itertools

import numpy as np
import pytest

import tapegrad as tg

SETTINGS = [
    {"momentum": m, "dampening": d, "nesterov": n, "weight_decay": w}
    for m, d, n, w in itertools.product([0.0, 0.9], [0.0, 0.5], [False, True], [0.0, 0.1])
    if not n or (m > 0 and d == 0)
]


def steps_by_hand(p, gradients, lr, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0):
    velocity = None
    for g in gradients:
        g = g + weight_decay * p
        if momentum:
            velocity = g if velocity is None else momentum * velocity + (1 - dampening) * g
            g = g + momentum * velocity if nesterov else velocity
        p = p - lr * g
    return p


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("start", [1.5, np.array([1.0, -2.0]), np.ones((40, 50))], ids=np.shape)
def test_steps(settings, start):
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal(np.shape(start))[()] for _ in range(4)]
    w = tg.Variable(start)
    optimizer = tg.SGD([w], lr=0.1, **settings)
    for g in gradients:
        w.grad = g
        optimizer.step()
    expected = steps_by_hand(start, gradients, 0.1, **settings)
    np.testing.assert_allclose(w.value, expected, rtol=1e-14)


def test_parameters_without_a_gradient_stay():
    w, b = tg.Variable(1.0), tg.Variable(2.0)
    optimizer = tg.optim.SGD([w, b], lr=0.5, momentum=0.9)
    (w * 3).backward()
    optimizer.step()
    assert (w.value, b.value) == (-0.5, 2.0)
    optimizer.zero_grad()
    assert w.grad is None
    optimizer.step()
    assert (w.value, b.value) == (-0.5, 2.0)


def test_the_step_size_may_change():
    w = tg.Variable(1.0)
    optimizer = tg.SGD([w], lr=0.5)
    w.grad = 1.0
    optimizer.lr = 0.25
    optimizer.step()
    assert w.value == 0.75
    assert optimizer.lr == 0.25


def test_float32_stays():
    w = tg.Variable(np.ones(3, np.float32))
    optimizer = tg.SGD([w], lr=0.1, momentum=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        np.sum(w * w).backward()
        assert w.grad.dtype == np.float32
        optimizer.step()
    assert w.value.dtype == np.float32
    expected = steps_by_hand_of_squares(3, 0.1, 0.5)
    np.testing.assert_allclose(w.value, expected, rtol=1e-6)


def steps_by_hand_of_squares(n, lr, momentum):
    p, velocity = 1.0, None
    for _ in range(n):
        velocity = 2 * p if velocity is None else momentum * velocity + 2 * p
        p -= lr * velocity
    return p


def test_a_step_is_a_write_that_views_and_records_see():
    w = tg.Variable(np.array([1.0, 2.0]))
    view, before = w[:1], w.value
    loss = np.sum(w**2)  # reads the old value in its derivative
    w.grad = np.array([1.0, 1.0])
    tg.SGD([w], lr=0.5).step()
    np.testing.assert_array_equal(w.value, [0.5, 1.5])
    np.testing.assert_array_equal(view.value, [0.5])
    np.testing.assert_array_equal(before, [1.0, 2.0])
    np.testing.assert_array_equal(tg.grad(loss, w), [2.0, 4.0])


def test_wrong_settings_are_named():
    w = tg.Variable(1.0)
    for settings in [
        {"lr": -1.0},
        {"lr": float("nan")},
        {"momentum": -0.1},
        {"weight_decay": -1.0},
    ]:
        with pytest.raises(ValueError, match=next(iter(settings))):
            tg.SGD([w], **{"lr": 0.1, **settings})
    with pytest.raises(ValueError, match="nesterov"):
        tg.SGD([w], lr=0.1, nesterov=True)
    with pytest.raises(ValueError, match=r"leaves|leaf"):
        tg.SGD([w * 2], lr=0.1)
    with pytest.raises(TypeError, match=r"tg\.Variable"):
        tg.SGD([1.0], lr=0.1)
    with pytest.raises(TypeError, match=r"\[w\]"):
        tg.SGD(w, lr=0.1)


def test_the_articles_way_of_training():
    x = np.linspace(0, 1, 20)
    y = 3 * x - 1
    w, b = tg.Variable(0.0, name="w"), tg.Variable(0.0, name="b")
    optimizer = tg.SGD([w, b], lr=0.5, momentum=0.5)
    for _ in range(300):
        optimizer.zero_grad()
        loss = np.mean((w * x + b - y) ** 2)
        loss.backward()
        optimizer.step()
    assert w.value == pytest.approx(3, abs=1e-6)
    assert b.value == pytest.approx(-1, abs=1e-6)
