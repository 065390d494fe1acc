"""Loops over numbers and rows in compiled functions: what recurs stays a loop, the rest is made at
once. Values and derivatives are those of the plain function."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from compile_checks import as_eager_to_the_bit, text_of

import tapegrad as tg


def _numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(0.2, 0.9, size=shape)


def _check(f: Callable[..., Any], *args: Any) -> str:
    """Values and derivatives are the eager ones, to the bit, and those of finite differences."""
    scales = (1.0, 1.0, 1.0, 1.0, 0.75)
    compiled, got_slopes = as_eager_to_the_bit(f, *args, scales=scales)
    point = [scales[-1] * x for x in args]
    rng = np.random.default_rng(0)
    along = [rng.normal(size=np.shape(x)) for x in args]
    h = 1e-6
    ahead = f(*(x + h * v for x, v in zip(point, along, strict=True)))
    behind = f(*(x - h * v for x, v in zip(point, along, strict=True)))
    slope = sum(np.sum(g * v) for g, v in zip(got_slopes, along, strict=True))
    assert slope == pytest.approx((ahead - behind) / (2 * h), rel=1e-5, abs=1e-6)
    assert compiled.inspect().signatures[0].replays in (2, 3)
    return text_of(compiled)


def _terms(p: Any, x: Any) -> Any:
    total = 0.0
    for v in x:
        total += np.exp(p[0] * v) / (1.0 + p[1] * v)
    return total


def _variance(p: Any, r: Any) -> Any:
    h = p[0]
    total = 0.0
    for t in range(1, len(r)):
        h = p[0] + p[1] * r[t - 1] ** 2 + p[2] * h
        total += np.log(h) + r[t] ** 2 / h
    return total


def _list_backwards(p: Any, x: Any) -> Any:
    y = [p[0]]
    for v, w in zip(reversed(x), x, strict=True):
        y.append(0.5 * y[-1] + np.sin(v * p[1]) / np.cosh(w))
    return np.sum(np.sqrt(np.array(y)))


def _two_averages(p: Any, x: Any) -> Any:
    fast = slow = x[0]
    gain = 0.0
    for before, now in itertools.pairwise(x):
        gain += np.tanh(fast - slow) * (now - before)
        fast += p[0] * (now - fast)
        slow += p[1] * (now - slow)
    return gain


def _dictionary(p: Any, x: Any) -> Any:
    sums = {"even": 0.0, "odd": 0.0}
    for k, v in enumerate(x):
        sums["odd" if k % 2 else "even"] += np.tanh(p[k % 2] * v)
    return sums["even"] * sums["odd"]


class _Filter:
    def __init__(self, p: Any) -> None:
        self.p, self.state = p, 0.0

    def step(self, v: Any) -> Any:
        self.state = self.p[0] * self.state + self.p[1] * np.exp(-v)
        return self.state


def _class_and_while(p: Any, x: Any) -> Any:
    keeps, k, total = _Filter(p), len(x), 0.0
    while k > 0:
        k -= 1
        total = total + np.log(1.0 + keeps.step(x[k]) ** 2)
    return total


def _points_of_a_line(p: Any, x: Any) -> Any:
    u = x
    for _ in range(12):
        new = np.zeros(len(u))
        for i in range(len(u)):
            around = u[i - 1] - 2 * u[i] + u[(i + 1) % len(u)]
            new[i] = u[i] + p[0] * around + p[1] * np.sin(u[i])
        u = new
    return np.sum(u**2)


@pytest.mark.parametrize("n", [40, 200, 1500])
@pytest.mark.parametrize(
    "f",
    [_terms, _variance, _list_backwards, _two_averages, _dictionary, _class_and_while],
)
def test_loops_of_numbers(f: Callable[..., Any], n: int) -> None:
    _check(f, _numbers(3), _numbers(n))


def test_loops_of_points_in_a_loop() -> None:
    _check(_points_of_a_line, _numbers(3), _numbers(60))


def test_functions_are_called_for_all_turns_at_once() -> None:
    assert "over (500,)" in _check(_terms, _numbers(3), _numbers(500))
    assert "over (498,)" not in _check(_variance, _numbers(3), _numbers(500))  # too little


def test_single_precision_and_second_order() -> None:
    p, x = _numbers(3).astype(np.float32), _numbers(90).astype(np.float32)
    compiled, plain = tg.compile(tg.grad(_variance)), tg.grad(_variance)
    for _ in range(4):
        got = compiled(p, x)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, plain(p, x))
    p, x = _numbers(3), _numbers(60)
    hessian, expected = tg.compile(tg.hessian(_variance)), tg.hessian(_variance)(p, x)
    moved = tg.compile(lambda p, x, v: tg.jvp(lambda q: _variance(q, x), (p,), (v,)))
    for _ in range(4):
        np.testing.assert_allclose(hessian(p, x), expected, rtol=1e-11)
        assert moved(p, x, p)[1] == pytest.approx(np.sum(plain(p, x) * p), rel=1e-11)


def test_complex_steps() -> None:
    """The exact derivative of an analytic loop, without differences."""

    def loss(p: Any) -> Any:
        h, total = p[0], 0.0
        for v in np.linspace(0.1, 0.9, 64):
            h = 0.5 * h + np.exp(-p[1] * v)
            total = total + np.sin(h) / (1.0 + p[2] * v)
        return total

    p = _numbers(3)
    compiled = tg.compile(tg.grad(loss))
    for _ in range(4):
        found = compiled(p)
    for k in range(3):
        ahead = p.astype(complex)
        ahead[k] += 1e-30j
        assert found[k] == pytest.approx(loss(ahead).imag / 1e-30, rel=1e-13)


def test_rows_that_are_written_one_by_one() -> None:
    def loss(w: Any, x: Any) -> Any:
        y = np.zeros((len(x), 5))
        for t in range(len(x) - 1, -1, -1):
            y[t] = np.tanh(w * x[t] + (y[t + 1] if t + 1 < len(x) else 1.0))
        return np.sum(y**2)

    text = _check(loss, _numbers(5), _numbers(90, 5))
    assert text.count("slice_set") < 5  # of some at the ends, instead of one a row


@pytest.mark.parametrize("columns", [False, True])
def test_rows_at_the_same_positions(columns: bool) -> None:
    places = np.array([2, 0, 2, 1])

    def loss(p: Any) -> Any:
        alpha, total = np.ones(4), 0.0
        for t in range(p.shape[1 if columns else 0]):
            alpha = (alpha + np.concatenate((np.zeros(1), alpha[:-1]))) * (
                p[places, t] if columns else p[t, places]
            )
            scale = np.sum(alpha)
            total, alpha = total - np.log(scale), alpha / scale
        return total

    text = _check(loss, _numbers(3, 80) if columns else _numbers(80, 3))
    assert text.count("= gather_add(") <= 1


def test_pieces_without_elements() -> None:
    def loss(w: Any, x: Any) -> Any:
        h = x
        for k in range(40):
            at = k % 3
            h = np.tanh(np.concatenate((np.zeros(at), w[: 4 - at])) * h)
            h = h + np.concatenate((np.zeros(0), w[:2], np.zeros(2)))
        return np.sum(h)

    _check(loss, _numbers(4), _numbers(4))


def test_a_step_of_a_scan_reads_elements_of_parameters() -> None:
    def loss(p: Any, x: Any) -> Any:
        def step(carry: Any, v: Any) -> Any:
            (scale, state) = carry
            state = p[0] * np.sin(p[1]) * state + scale * v
            return (scale, state), state * p[2]

        (scale, state), ys = tg.scan(step, (p[1] * 2.0, p[2]), x)
        return np.sum(ys**2) + state * scale

    _check(loss, _numbers(3), _numbers(120))
    p, x = _numbers(3), _numbers(20)
    found = tg.compile(tg.hessian(loss))
    for _ in range(4):
        np.testing.assert_allclose(found(p, x), tg.hessian(loss)(p, x), rtol=1e-10)


def _samples(w: Any, x: Any) -> Any:
    """A sample at a time, a branch on captured data, two kinds of terms."""
    total = 0.0
    for k, row in enumerate(x):
        z = np.sum(row * w)
        total += np.log1p(np.exp(z)) - (z if k % 3 else 0.5 * z)
    return total


def _samples_while(w: Any, x: Any) -> Any:
    k, total = 0, np.zeros(len(w))
    while k < len(x):
        total = total + np.tanh(x[k] * w) / (1.0 + np.max(x[k]))
        k += 1
    return np.sum(total**2)


def _two_lists(w: Any, x: Any) -> Any:
    """Several results a turn, in lists."""
    highs, lows = [], []
    for row in x:
        e = np.exp(row * w)
        e = e / np.sum(e)
        highs.append(e @ e)
        lows.append(np.sum(e[1:] * e[:-1]))
    return np.sum(np.array(highs) / np.array(lows))


def _tables(w: Any, x: Any) -> Any:
    """Matrices made in a turn, added up, and a table that is written row by row."""
    spread, out = np.zeros((len(w), len(w))), np.zeros((len(x), len(w)))
    for t in range(len(x)):
        centred = x[t] - np.mean(x[t])
        spread += np.outer(centred * w, centred)
        out[t] = np.sin(w + centred)
    return np.sum(spread**2) + np.sum(out * x)


def _half_recursive(w: Any, x: Any) -> Any:
    """Something recurs, what leads to it and what follows does not."""
    state, total = np.zeros(len(w)), 0.0
    for row in x:
        driven = np.exp(-row) * w
        state = 0.5 * np.tanh(state) + driven
        total += np.sum(np.sqrt(1.0 + state**2) * row)
    return total


@pytest.mark.parametrize("n", [40, 150])
@pytest.mark.parametrize("f", [_samples, _samples_while, _two_lists, _tables, _half_recursive])
def test_loops_of_rows(f: Callable[..., Any], n: int) -> None:
    _check(f, _numbers(4), _numbers(n, 4))


def test_rows_are_no_loop_where_nothing_recurs() -> None:
    text = _check(_samples_while, _numbers(4), _numbers(200, 4))
    assert len(text.splitlines()) < 40


def test_products_of_rows() -> None:
    """Products with one matrix become one product of matrices: other sums, near the last bit."""

    def loss(w: Any, x: Any) -> Any:
        total = 0.0
        for row in x:
            total += np.sum(np.tanh(row @ w) ** 2)
        return total

    w, x = _numbers(6, 5), _numbers(80, 6)
    compiled, plain = tg.compile(tg.value_and_grad(loss)), tg.value_and_grad(loss)
    for _ in range(4):
        for found, expected in zip(compiled(w, x), plain(w, x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert text_of(compiled).count("= matmul(") <= 3


def test_rows_in_single_precision_and_second_order() -> None:
    w, x = _numbers(4).astype(np.float32), _numbers(60, 4).astype(np.float32)
    for f in (_samples, _samples_while):
        compiled, plain = tg.compile(tg.grad(f)), tg.grad(f)
        for _ in range(4):
            got = compiled(w, x)
            assert got.dtype == np.float32
            np.testing.assert_array_equal(got, plain(w, x))
        hessian = tg.compile(tg.hessian(f))
        expected = tg.hessian(f)(_numbers(4), _numbers(40, 4))
        for _ in range(4):
            found = hessian(_numbers(4), _numbers(40, 4))
        np.testing.assert_allclose(found, expected, rtol=1e-11)


def _forward(scores: Any, jump: Any) -> Any:
    alpha, total = scores[0], 0.0
    for row in scores[1:]:
        once = np.concatenate((np.zeros(1), alpha[:-1]))
        alpha = (alpha + jump * once) * row
        scale = np.sum(alpha)
        total -= np.log(scale)
        alpha = alpha / scale
    return total - np.log(alpha[-1])


def test_turns_that_become_numbers_are_no_stacks_of_their_parts() -> None:
    """Short turns as one kernel: what was distributed over them is not put together and apart."""
    compiled = tg.compile(tg.value_and_grad(_forward, argnums=(0, 1)))
    for scale in (1.0, 1.0, 1.0, 0.75):
        point = scale * _numbers(80, 7), scale * _numbers(7)
        value, grads = compiled(*point)
        expected, expected_grads = tg.value_and_grad(_forward, argnums=(0, 1))(*point)
        assert value == pytest.approx(expected, rel=1e-13)
        for a, b in zip(grads, expected_grads, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11)
    stacks = [line for line in text_of(compiled).splitlines() if "= stack(" in line]
    assert sum(line.count("%") for line in stacks) < 100
