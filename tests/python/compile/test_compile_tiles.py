"""Models over large arrays: compiled, they run tile by tile along an axis."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_compile_batch import ENDS, MODEL, check, data_of, model_of

import tapegrad as tg


def tiles(compiled):
    """The lengths of tiles and of what they cut."""
    text = compiled.inspect().signatures[0].programs[0].text
    return [(int(m), int(n)) for m, n in re.findall(r"tiles of (\d+) of (\d+)", text)]


def ready(f, *args, **options):
    compiled = tg.compile(f, **options)
    for _ in range(4):
        found = compiled(*args)
    return compiled, found


def layers_of(n, wide, dtype=np.float64):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, wide)).astype(dtype)
    w, u = (rng.normal(size=(wide, wide)).astype(dtype) / dtype(wide) for _ in range(2))

    def loss(w, u):
        return np.sum(np.tanh(np.tanh(x @ w) @ u) ** 2)

    return loss, w, u


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MODEL, st.sampled_from(sorted(ENDS)), st.integers(0, 2))
def test_random_models(steps, end, place):
    check(model_of(steps, end, place), *data_of(60013, place), passes={"batch": False})


def test_sums_over_tiles():
    rng = np.random.default_rng(2)
    x, shift = rng.normal(size=(30011, 24)), rng.normal(size=24)

    def f(shift):
        y = np.where(x > shift, x - shift, 0.5 * x)  # to the bit, in whatever block
        return y.T @ (y + shift), np.sum(y, axis=0), np.max(y, axis=1), y.T @ y

    compiled, (products, sums, largest, squares) = ready(f, shift)
    assert tiles(compiled)
    y = np.where(x > shift, x - shift, 0.5 * x)
    assert np.array_equal(largest, np.max(y, axis=1))
    eps, exact, sizes = np.finfo(float).eps, y.astype(np.longdouble), np.abs(y)
    by_squares, by_products = exact.T @ exact, exact.T @ (y + shift)
    assert np.all(np.abs(squares - by_squares) <= 8 * eps * (sizes.T @ sizes))
    assert np.all(np.abs(products - by_products) <= 8 * eps * (sizes.T @ np.abs(y + shift)))
    assert np.all(np.abs(sums - np.sum(exact, axis=0)) <= 8 * eps * np.sum(sizes, axis=0))


@pytest.mark.parametrize(("n", "dtype"), [(20011, np.float64), (30000, np.float32)])
def test_gradients(n, dtype):
    loss, w, u = layers_of(n, 48, dtype)
    gradient = tg.value_and_grad(loss, (0, 1))
    compiled, (value, found) = ready(gradient, w, u)
    assert tiles(compiled)[0][1] == n
    expected_value, expected = gradient(w, u)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(value, expected_value, rtol=64 * eps)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=1e3 * eps, atol=1e3 * eps * np.abs(b).max())


def test_a_stack_of_matrices_is_cut_between_them():
    rng = np.random.default_rng(3)
    q, k, v = (rng.normal(size=(12, 256, 48)) for _ in range(3))

    def attended(q, k, v):
        e = np.exp(q @ np.swapaxes(k, 1, 2) / 7.0)
        return np.sum((e / np.sum(e, axis=2, keepdims=True) @ v) ** 2)

    gradient = tg.grad(attended, (0, 1, 2))
    compiled, found = ready(gradient, q, k, v)
    assert {n for _, n in tiles(compiled)} == {12}
    for a, b in zip(found, gradient(q, k, v), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


def test_threads_and_runs_give_the_same_bits():
    loss, w, u = layers_of(20011, 48)
    compiled, first = ready(tg.grad(loss, (0, 1)), w, u)
    assert tiles(compiled)
    before = tg.get_num_threads()
    try:
        for threads in (1, 2, 3, 8):
            tg.set_num_threads(threads)
            for a, b in zip(compiled(w, u), first, strict=True):
                assert np.array_equal(a, b)
    finally:
        tg.set_num_threads(before)


def test_switched_off_the_recorded_order_is_kept():
    loss, w, u = layers_of(20011, 48)
    gradient = tg.grad(loss, (0, 1))
    compiled, found = ready(gradient, w, u, passes={"tiles": False})
    assert not tiles(compiled)
    for a, b in zip(found, gradient(w, u), strict=True):
        assert np.array_equal(a, b)


def test_what_is_cut_may_change_between_calls():
    loss, w, u = layers_of(20011, 48)
    x = np.ones((20011, 48))

    def scaled(w, u):
        return loss(w, u) + np.sum(np.tanh(x @ w) @ u)

    compiled, _ = ready(tg.grad(scaled, (0, 1)), w, u)
    assert tiles(compiled)
    x *= 0.5
    for a, b in zip(compiled(w, u), tg.grad(scaled, (0, 1))(w, u), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-9)


def test_branches_are_still_taken():
    loss, w, u = layers_of(20011, 48)

    def branching(w, u):
        found = loss(w, u)
        return found if found > 1.0 else 2.0 * found

    compiled, _ = ready(tg.grad(branching, (0, 1)), w, u)
    for scale in (1.0, 1e-6, 1.0, 1e-6, 1e-6, 1e-6):
        for a, b in zip(
            compiled(scale * w, u), tg.grad(branching, (0, 1))(scale * w, u), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.abs(b).max())
