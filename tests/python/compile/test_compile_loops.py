"""Python loops inside compiled functions: recorded turn by turn, found again, run as scans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from compile_checks import as_eager_to_the_bit, text_of

import tapegrad as tg


def _check(f: Callable[..., Any], *args: Any, rolled: bool = True) -> Any:
    """Value and derivatives of the compiled function are those of `f`, to the bit."""
    compiled, _ = as_eager_to_the_bit(f, *args)
    assert ("scan(" in text_of(compiled)) == rolled
    assert compiled.inspect().signatures[0].replays in (2, 3)  # a long one begins a call later
    return compiled


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def test_a_recurrent_net() -> None:
    def loss(w: Any, h: Any, xs: Any) -> Any:
        total = 0.0
        for t in range(len(xs)):
            h = np.tanh(w * h + xs[t])
            total = total + np.sum(h**2)
        return total

    compiled = _check(loss, _numbers(5), _numbers(5), _numbers(60, 5))
    assert len(text_of(compiled).splitlines()) < 80


def test_iteration_over_the_rows_of_an_array() -> None:
    def loss(w: Any, h: Any, xs: Any) -> Any:
        for x in xs:
            h = np.sin(w * h) + np.exp(-x * x) * np.cos(h)
        return np.sum(h)

    _check(loss, _numbers(4), _numbers(4), _numbers(80, 4))


def test_an_ode_integrator() -> None:
    def energy(x: Any, v: Any, k: Any) -> Any:
        for _ in range(100):
            a = -k * np.sin(x)
            v = v + 0.01 * a
            x = x + 0.01 * v - 0.001 * np.tanh(v)
        return np.sum(v**2) / 2 + np.sum(k * (1 - np.cos(x)))

    _check(energy, _numbers(6), _numbers(6), np.abs(_numbers(6)))


def test_results_of_every_turn_are_stacked() -> None:
    def path(x: Any, k: Any) -> Any:
        seen = []
        for _ in range(90):
            x = x - 0.1 * k * np.sin(x) + 0.01 * np.cos(k * x)
            seen.append(x)
        return np.sum(np.stack(seen) ** 2)

    _check(path, _numbers(3), _numbers(3))


def test_two_turns_back() -> None:
    def fibonacci(a: Any, b: Any) -> Any:
        for _ in range(400):  # shorter ones are cheaper as one kernel
            a, b = b, np.tanh(a * b + 0.1 * np.sin(a)) - 0.3 * b
        return np.sum(b)

    _check(fibonacci, _numbers(3), _numbers(3))


def test_bodies_with_products_of_matrices_are_scans_of_programs() -> None:
    def loss(w: Any, h: Any) -> Any:
        for _ in range(400):
            h = np.tanh(w @ h) + 0.1 * np.sin(h)
            h = h / (1.0 + np.sum(h * h))
        return np.sum(h)

    _check(loss, _numbers(3, 3), _numbers(3))


@pytest.mark.parametrize("batch", [0, 3])
def test_gradients_of_large_weights_are_added_up_behind_the_loop(batch: int) -> None:
    w, u, xs, h0 = _numbers(70, 70), _numbers(2, 70), _numbers(90, *[batch][: batch > 0], 2), 0.1

    def loss(w: Any, u: Any, xs: Any) -> Any:
        h = np.full((batch, 70) if batch else 70, h0)
        total = 0.0
        for x in xs:
            h = np.tanh(0.1 * h @ w + x @ u)
            total = total + np.sum(h[..., 0] ** 2)
        return total + np.sum(h**2)

    f, g = tg.compile(tg.grad(loss, (0, 1, 2))), tg.grad(loss, (0, 1, 2))
    for factor in (1.0, 1.0, 1.0, 0.7):
        for got, want in zip(f(factor * w, u, xs), g(factor * w, u, xs), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)
    assert text_of(f).count("scan(") == 2


@pytest.mark.parametrize("batch", [0, 1, 3, 8])
def test_rows_that_are_iterated_over_get_their_gradients_at_once(batch: int) -> None:
    w, u, h0 = 0.3 * _numbers(8, 8), _numbers(2, 8), np.full((batch, 8) if batch else 8, 0.1)

    def loss(w: Any, u: Any, xs: Any) -> Any:
        h = h0
        for x in xs:
            h = np.tanh(h @ w + x @ u)
        return np.sum(h**2)

    steps = []
    for turns in (150, 300):
        xs = _numbers(turns, *[batch][: batch > 0], 2)
        f, g = tg.compile(tg.grad(loss, (0, 1, 2))), tg.grad(loss, (0, 1, 2))
        for factor in (1.0, 1.0, 1.0, 0.7):
            for got, want in zip(f(w, u, factor * xs), g(w, u, factor * xs), strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
        steps.append(text_of(f).count("\n"))
    assert max(steps) < 60


def test_a_branch_inside_the_loop() -> None:
    def loss(w: Any, x: Any) -> Any:
        for _ in range(60):
            x = np.tanh(w * x) + 0.1 * np.cos(x)
            if x[0] > 100.0:
                x = x - w
        return np.sum(x)

    compiled = _check(loss, _numbers(4), _numbers(4))
    w, x = np.array([1e9, 1.0, 1.0, 1.0]), np.ones(4)
    assert compiled(w, x)[0] == tg.value_and_grad(loss, (0, 1))(w, x)[0]


def test_a_loop_until_it_converges() -> None:
    def root(a: Any) -> Any:
        x = a
        while np.max(np.abs(x * x - a)) > 1e-10:
            x = 0.5 * (x + a / x)
        return np.sum(x)

    f, g = tg.compile(tg.grad(root)), tg.grad(root)
    for a in (np.array([2.0, 3.0]), np.array([2.5, 3.5]), np.array([4e8, 5.0])) * 3:
        for _ in range(3):
            np.testing.assert_array_equal(f(a), g(a))


def test_second_order() -> None:
    def loss(w: Any) -> Any:
        x = w
        for _ in range(40):
            x = np.sin(w * x) + 0.5 * np.cos(x)
        return np.sum(x)

    w, v = _numbers(4), _numbers(4)
    compiled = tg.compile(lambda w, v: tg.hvp(loss, w, v))
    for _ in range(3):
        np.testing.assert_allclose(compiled(w, v), tg.hvp(loss, w, v), rtol=1e-13)


def test_large_arrays_are_not_rolled() -> None:
    def loss(x: Any) -> Any:
        for _ in range(30):
            x = np.sin(x) + 0.1 * x * np.cos(x)
        return np.sum(x)

    _check(loss, _numbers(20_000), rolled=False)


def test_rolling_can_be_switched_off() -> None:
    def loss(x: Any) -> Any:
        for _ in range(80):
            x = np.sin(x) + 0.1 * x * np.cos(x)
        return np.sum(x)

    f = tg.compile(tg.grad(loss), passes={"roll": False})
    for _ in range(3):
        f(_numbers(4))
    assert "scan(" not in text_of(f)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masks_and_precisions(dtype: Any) -> None:
    w, x0 = _numbers(7).astype(dtype), _numbers(7).astype(dtype)

    def loss(w: Any, x: Any) -> Any:
        for t in range(70):
            x = np.where(x > 0, np.tanh(w * x), x * w) + dtype(0.01) * np.sin(x)
            x = np.maximum(x, -w) if t % 2 == 0 else x
        return np.sum(x)

    f, g = tg.compile(tg.grad(loss)), tg.grad(loss)
    for _ in range(3):
        got, want = f(w, x0), g(w, x0)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


def _neighbours(x: Any) -> Any:
    total = 0.0
    for i in range(len(x) - 1):
        total = total + (x[i + 1] - x[i] ** 2) ** 2
    return total


def _filtered(x: Any) -> Any:
    y = np.zeros(len(x))
    for i in range(1, len(x)):
        y[i] = 0.5 * y[i - 1] + np.sin(x[i])
    return np.sum(y**2)


@pytest.mark.parametrize("f", [_neighbours, _filtered])
@pytest.mark.parametrize("lanes", [1, 2, 80])
def test_elements_of_lanes(f: Callable[..., Any], lanes: int) -> None:
    """The elements of an axis behind that of the lanes, which is not the first in memory."""
    x = np.random.default_rng(0).normal(size=(lanes, 80))
    compiled = tg.compile(tg.vmap(tg.value_and_grad(f)))
    for scale in (1.0, 1.0, 1.0, 1.0, 0.5):
        values, slopes = compiled(scale * x)
        for lane in range(lanes):
            value, slope = tg.value_and_grad(f)(scale * x[lane])
            assert values[lane] == pytest.approx(value, rel=1e-12)
            np.testing.assert_allclose(slopes[lane], slope, rtol=1e-9, atol=1e-12)
    assert compiled.inspect().signatures[0].replays >= 2


@pytest.mark.parametrize("length", [400, 1200])
def test_long_turns_over_numbers_are_a_loop(length):
    """The best path through five states, maxima taken two by two; 25 sums that turns add to."""

    def best_path(moves, seen):
        best = [seen[j, 0] for j in range(5)]
        for t in range(1, length):
            row = []
            for j in range(5):
                top = best[0] + moves[0, j]
                for i in range(1, 5):
                    top = np.maximum(top, best[i] + moves[i, j])
                row.append(top + seen[j, t])
            best = row
        return np.max(np.stack(best))

    rng = np.random.default_rng(length)
    moves, seen = rng.normal(size=(5, 5)), rng.normal(size=(5, length))
    compiled = tg.compile(tg.grad(best_path, (0, 1)))
    for _ in range(3):
        of_moves, of_seen = compiled(moves, seen)
    expected = tg.grad(best_path, (0, 1))(moves, seen)
    np.testing.assert_array_equal(of_moves, expected[0])
    np.testing.assert_array_equal(of_seen, expected[1])
    (report,) = compiled.inspect().signatures
    assert report.programs[0].n_steps < 200  # and they don't grow with the length


@pytest.mark.parametrize("length", [600, 7000])
@pytest.mark.parametrize("packed", [True, False])
def test_sums_that_turns_add_to_are_carried_by_the_sweep(length, packed):
    """A difference equation of five coefficients, of which each turn adds to all gradients."""

    def misfit(p, u, seen):
        b0, b1, b2, a1, a2 = p if packed else (p[0], p[1], p[2], p[3], p[4])
        y, before, total = 0.0, 0.0, 0.0
        for t in range(2, length):
            now = b0 * u[t] + b1 * u[t - 1] + b2 * u[t - 2] - a1 * y - a2 * before
            y, before = now, y
            total = total + (now - seen[t]) ** 2
        return total

    rng = np.random.default_rng(length)
    p = np.array([0.3, -0.2, 0.1, 0.5, 0.2])
    u, seen = rng.normal(size=(2, length))
    compiled = tg.compile(tg.grad(misfit))
    for _ in range(3):
        found = compiled(p, u, seen)
    np.testing.assert_array_equal(found, tg.grad(misfit)(p, u, seen))
    (report,) = compiled.inspect().signatures
    program = report.programs[0]
    assert program.text.count(" = scan(") <= 2  # there and back: the sums have no loop of their own
    assert program.n_steps < 30
