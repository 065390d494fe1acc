"""Time steps over short arrays: loops whose bodies have a place in memory for each value."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tapegrad as tg


def rolled(u, c):
    return np.roll(u, 1, axis=0) - 2 * u + np.roll(u, -1, axis=1)


def gathered(u, c):
    return u[c.rows] * 0.5 + u[:, c.columns]


def masked(u, c):
    return np.where(c.mask, u, np.sin(u)) + np.where(u > 0, 0.1 * u, u * u)


def padded(u, c):
    inner = u[1:-1, 1:-1]
    return np.pad(inner * inner, 1) + 0.1 * np.pad(inner, ((0, 2), (2, 0)))


def written(u, c):
    v = u * 0.5
    v[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] - 4 * u[1:-1, 1:-1]
    v[0] = u[-1]
    return v


def added(u, c):
    v = np.zeros_like(u)
    v[1:, :-1] += u[:-1, 1:]
    v[:, 2:] += np.cos(u[:, :-2])
    return v


def multiplied(u, c):
    return np.tanh(u @ c.right) + c.left.T @ u


def differences(u, c):
    flux = np.diff(np.concatenate([u[:, -1:], u, u[:, :1]], axis=1), axis=1)
    return np.where(c.mask, flux[:, :-1], flux[:, 1:])


def row_by_row(u, c):
    return np.stack([np.sum(u * u[i], axis=1) * 0.1 for i in range(len(u))]) @ u


def alone(u, c):
    return -u


STEPS = [rolled, gathered, masked, padded, written, added, multiplied, differences, row_by_row]
STEPS.append(alone)


class Constants:
    def __init__(self, rng, rows, columns, dtype):
        self.rows = rng.integers(0, rows, rows)
        self.columns = rng.permutation(columns)
        self.mask = rng.random((rows, columns)) < 0.5
        self.right = rng.normal(size=(columns, columns)).astype(dtype) * 0.3
        self.left = rng.normal(size=(rows, rows)).astype(dtype) * 0.3


def model(steps, c, turns, keeps_inner):
    def f(u, rate):
        last = u[1:-1, 1:-1]
        for _ in range(turns):
            change = sum(step(u, c) for step in steps)
            inner = u[1:-1, 1:-1]
            u = np.tanh(u + rate * change)
            if keeps_inner:  # a part of the state that is there a step later
                u[1:-1, 1:-1] += 0.1 * last
                last = inner
        return np.sum(u * u) + np.sum(last)

    return f


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=3, unique=True),
    st.sampled_from([(3, 3), (4, 9), (9, 4), (21, 25)]),
    st.sampled_from([np.float64, np.float32]),
    st.booleans(),
    st.sampled_from([70, 100]),
    st.integers(0, 1000),
)
def test_gradients_are_those_of_eager_code(steps, shape, dtype, keeps_inner, turns, seed):
    rng = np.random.default_rng(seed)
    c = Constants(rng, *shape, dtype)
    f = model(steps, c, turns, keeps_inner)
    compiled = tg.compile(tg.value_and_grad(f, argnums=(0, 1)))
    for _ in range(4):
        u = rng.normal(size=shape).astype(dtype) * dtype(0.1)
        rate = dtype(0.01)
        value, grads = compiled(u, rate)
        expected, expected_grads = tg.value_and_grad(f, argnums=(0, 1))(u, rate)
        tolerance = 1e-10 if dtype is np.float64 else 2e-3
        assert value == pytest.approx(expected, rel=tolerance)
        for a, b in zip(grads, expected_grads, strict=True):
            assert np.asarray(a).dtype == np.asarray(b).dtype
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.max(np.abs(b)))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_derivatives_of_a_step_alone(step):
    rng = np.random.default_rng(7)
    c = Constants(rng, 4, 5, float)
    f = model([step], c, 70, True)
    compiled = tg.compile(tg.grad(f))
    u = rng.normal(size=(4, 5)) * 0.1
    for _ in range(4):
        g = compiled(u, 0.02)
    np.testing.assert_allclose(g, tg.grad(f)(u, 0.02), rtol=1e-12, atol=1e-14)
    direction = rng.normal(size=u.shape)
    h = 1e-5
    slope = (f(u + h * direction, 0.02) - f(u - h * direction, 0.02)) / (2 * h)
    assert np.sum(g * direction) == pytest.approx(slope, rel=1e-4, abs=1e-6)
