"""Tables that compiled functions write by rows, columns and elements, and read otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg


def _data(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).uniform(0.2, 0.9, size=shape)


def _rows_of_vectors(v: Any, xs: Any) -> Any:
    states = np.zeros((len(xs) + 1, len(v)))
    for t in range(len(xs)):
        states[t + 1] = np.tanh(v * states[t] + xs[t])
    return np.sum(states**2)


def _rows_of_products(v: Any, xs: Any) -> Any:
    states, turn = np.zeros((len(xs) + 1, len(v))), np.outer(v, v)
    for t in range(len(xs)):
        states[t + 1] = np.tanh(turn @ states[t] + xs[t])
    return np.sum(states**2)


def _rows_of_numbers(v: Any, xs: Any) -> Any:
    y = np.zeros((len(xs), 2))
    for i in range(1, len(xs)):
        y[i] = np.array([v[0] * xs[i, 0] + v[1] * y[i - 1, 1], np.sin(v[2] + y[i - 1, 0])])
    return np.sum(y**2)


def _columns_backwards(v: Any, xs: Any) -> Any:
    y = np.zeros((len(v), 2 * len(xs)))
    for t in range(len(xs) - 1, 0, -1):
        y[:, 2 * t] = np.cos(v * xs[t])
        y[:, 2 * t - 1] += np.sin(y[:, 2 * t] + xs.T[:, t - 1])
    return np.sum(y**2)


def _written_twice(v: Any, xs: Any) -> Any:
    y = np.zeros((len(xs) + 2, len(v)))
    for t in range(len(xs)):
        y[t] += v * xs[t]
        y[t + 2] = np.sin(y[t] + xs[t])
    return np.sum(y**2)


def _best_path(v: Any, xs: Any) -> Any:
    best = np.zeros_like(xs)
    best[0] = xs[0]
    for t in range(1, len(xs)):
        for j in range(3):
            best[t, j] = np.max(best[t - 1, :3] + v[:3]) * xs[t, j]
    return np.max(best[-1])


def _scaled(v: Any, xs: Any) -> Any:
    alpha, total = np.zeros((len(xs), 3)), 0.0
    for t in range(len(xs)):
        for j in range(3):
            if t == 0:
                alpha[t, j] = xs[t, j]
            else:
                arrived = 0.0
                for i in range(3):
                    arrived += alpha[t - 1, i] * v[(i + j) % 4]
                alpha[t, j] = arrived * xs[t, j]
        scale = alpha[t].sum()
        alpha[t] /= scale
        total += np.log(scale)
    return total


def _alignment(v: Any, xs: Any) -> Any:
    n, m = xs.shape
    table = np.zeros((n + 1, m + 1))
    for i in range(1, n + 1):
        table[i, 0] = table[i - 1, 0] + v[0]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            change = table[i - 1, j - 1] + xs[i - 1, j - 1] * v[1]
            table[i, j] = np.minimum(change, np.minimum(table[i - 1, j], table[i, j - 1]) + v[2])
    return table[-1, -1]


def _soft_alignment(v: Any, xs: Any) -> Any:
    table = np.full((len(xs) + 1, 5), 1e10)
    table[0, 0] = 0.0
    for i in range(1, len(xs) + 1):
        for j in range(1, 5):
            ways = -np.array([table[i - 1, j], table[i, j - 1], table[i - 1, j - 1]])
            most = np.max(ways)
            table[i, j] = v[j - 1] * xs[i - 1, j - 1] - (np.log(np.sum(np.exp(ways - most))) + most)
    return table[-1, -1]


def _relaxed(v: Any, xs: Any) -> Any:
    u = v * xs
    for _ in range(3):
        for i in range(1, len(xs) - 1):
            for j in range(1, 3):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1])
    return np.sum(u * u)


def _columns(v: Any, xs: Any) -> Any:
    states = np.zeros((len(v), len(xs) + 1))
    states[:, 0] = v
    for t in range(len(xs)):
        states[:, t + 1] = np.tanh(np.outer(v, xs[t]) @ states[:, t] + xs[t])
    return np.sum(states**2)


def _last_axis(v: Any, xs: Any) -> Any:
    turn, spread = np.diag(v), np.zeros((len(v), len(v), len(xs)))
    spread[..., 0] = np.outer(v, v)
    for t in range(1, len(xs)):
        spread[:, :, t] = turn @ spread[:, :, t - 1] @ turn.T + np.diag(xs[t])
    return np.sum(spread[0, 0]) + np.trace(spread[:, :, -1])


def _middle_axis(v: Any, xs: Any) -> Any:
    y = np.zeros((2, len(xs), 3))
    for t in range(1, len(xs)):
        y[0, t] = np.sin(v[:3] + y[1, t - 1])
        y[1, t, 1:] += y[0, t, :2] * xs[t, :2]
    return np.sum(y[:, -1] ** 2) + np.sum(y[1])


def _interior(v: Any, xs: Any) -> Any:
    n = 6
    u = np.zeros((len(xs) + 1, n))
    u[0, :4] = v
    for t in range(len(xs)):
        u[t + 1, 1:-1] = u[t, 1:-1] + xs[t, 0] * (u[t, 2:] - 2 * u[t, 1:-1] + u[t, :-2])
    return np.sum(u[-1] ** 2) + u[1, 2]


def _eliminated(v: Any, xs: Any) -> Any:
    m = np.array(xs[:9])
    for k in range(3):
        for i in range(k + 1, len(m)):
            m[i, k:] = m[i, k:] - m[i, k] / (2 + m[k, k]) * m[k, k:] * v[k:]
    return np.sum(m**2)


LOOPS = [_rows_of_vectors, _rows_of_products, _rows_of_numbers, _columns_backwards, _written_twice,
         _best_path, _scaled, _alignment, _soft_alignment, _relaxed,
         _columns, _last_axis, _middle_axis, _interior, _eliminated]  # fmt: skip
LENGTHS = [3, 20, 90]


def _replayed(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    compiled = tg.compile(f, **options)
    for _ in range(4):
        found = compiled(*args)
    assert compiled.inspect().signatures[0].replays >= 1
    return found


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("loop", LOOPS)
def test_values_and_gradients(loop: Any, n: int) -> None:
    args = _data(4), _data(n, 4)
    value, slopes = tg.value_and_grad(loop, (0, 1))(*args)
    got, got_slopes = _replayed(tg.value_and_grad(loop, (0, 1)), *args, passes={"batch": False})
    assert got == value
    for a, b in zip(got_slopes, slopes, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("loop", LOOPS)
def test_other_modes(loop: Any) -> None:
    v, xs = _data(4), _data(40, 4)

    def product(v: Any, xs: Any) -> Any:
        return tg.hvp(lambda w: loop(w, xs), v, np.arange(1.0, 5.0))

    np.testing.assert_allclose(_replayed(product, v, xs), product(v, xs), rtol=1e-11, atol=1e-12)
    lanes = np.stack([v, 0.5 * v, v[::-1]])
    each = tg.vmap(tg.grad(loop), (0, None))
    np.testing.assert_allclose(
        _replayed(each, lanes, xs), [tg.grad(loop)(w, xs) for w in lanes], rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("loop", LOOPS)
def test_single_precision(loop: Any) -> None:
    args = _data(4).astype(np.float32), _data(30, 4).astype(np.float32)
    slope = tg.grad(loop)(*args)
    got = _replayed(tg.grad(loop), *args, passes={"batch": False})
    assert got.dtype == slope.dtype
    np.testing.assert_array_equal(got, slope)


def test_rows_of_a_table_leave_a_short_program() -> None:
    compiled = tg.compile(tg.grad(_rows_of_vectors))
    for _ in range(4):
        compiled(_data(4), _data(300, 4))
    text = str(compiled.inspect().signatures[0].programs[0].text)
    assert "scan(" in text
    assert len(text.splitlines()) < 60


@pytest.mark.parametrize("loop", [_columns, _last_axis, _interior])
def test_what_is_written_along_other_axes_is_rolled(loop: Any) -> None:
    compiled = tg.compile(tg.grad(loop))
    for _ in range(4):
        compiled(_data(4), _data(300, 4))
    text = str(compiled.inspect().signatures[0].programs[0].text)
    assert "scan(" in text
    assert len(text.splitlines()) < 60, text


@pytest.mark.parametrize(("loop", "n"), [(_relaxed, 40), (_soft_alignment, 700)])
def test_what_is_written_and_read_by_elements_leaves_no_step_for_each(loop: Any, n: int) -> None:
    compiled = tg.compile(tg.grad(loop))
    for _ in range(4):
        compiled(_data(4), _data(n, 4))
    text = str(compiled.inspect().signatures[0].programs[0].text)
    assert len(text.splitlines()) < 80, text


def test_a_long_alignment_is_loops_of_loops() -> None:
    compiled = tg.compile(tg.grad(_alignment))
    v, xs = _data(3), _data(176, 176)
    for _ in range(4):
        found = compiled(v, xs)
    text = str(compiled.inspect().signatures[0].programs[0].text)
    assert 3 <= text.count("scan(") < 20  # not one for each row
    assert "(173, 176)" in text  # what rows make, over the rows
    np.testing.assert_allclose(found, tg.grad(_alignment)(v, xs), rtol=1e-12)


@pytest.mark.parametrize("turns", [40, 160])
def test_short_loops_that_write_columns_are_not_rolled(turns: int) -> None:
    """Positions of another axis may be lanes of one kernel, as the rows of a Jacobian are."""
    weights = np.eye(9) * 0.5 + 0.05

    def f(x: Any) -> Any:
        table = np.zeros((9, turns))
        h = x
        for t in range(turns):
            h = np.tanh(h @ weights)
            table[:, t] = h[:, 0]
        return np.sum(table**2)

    x = np.linspace(0.0, 1.0, 81).reshape(9, 9)
    compiled = tg.compile(tg.grad(f))
    for _ in range(4):
        found = compiled(x)
    np.testing.assert_allclose(found, tg.grad(f)(x), rtol=1e-12)
    text = str(compiled.inspect().signatures[0].programs[0].text)
    assert ("scan(" in text) == (turns == 160)


@pytest.mark.parametrize("joints", [12, 24])
def test_lanes_of_a_hessian_are_cheaper_than_loops(joints: int) -> None:
    """The program is made with loops and without, and the cheaper one is kept."""

    def reach(angles: Any) -> Any:
        frame = np.eye(3)
        for angle in angles:
            c, s = np.cos(angle), np.sin(angle)
            frame = frame @ np.array([[c, -s, c], [s, c, s], [0.0 * c, 0.0 * c, 1.0]])
        return np.sum((frame[:2, 2] - np.array([2.0, 1.0])) ** 2)

    angles = np.linspace(-1.0, 1.0, joints)
    compiled = tg.compile(tg.hessian(reach))
    for _ in range(4):
        found = compiled(angles)
    text = str(compiled.inspect().signatures[0].programs[0].text)
    assert "scan(" not in text
    assert "slice_add(" not in text
    np.testing.assert_allclose(found, tg.hessian(reach)(angles), rtol=1e-10, atol=1e-10)


def test_a_short_recursion_of_two_numbers_is_one_tape() -> None:
    def descent(x: Any, rate: Any) -> Any:
        for _ in range(100):
            x = x - rate * np.array([x[0] - x[1] ** 2, x[1] + 0.5 * x[0]])
        return np.sum(x**2)

    compiled = tg.compile(tg.grad(descent, (0, 1)))
    arguments = np.array([0.5, -0.25]), 0.01
    for _ in range(4):
        found = compiled(*arguments)
    assert len(str(compiled.inspect().signatures[0].programs[0].text).splitlines()) == 3
    for left, right in zip(found, tg.grad(descent, (0, 1))(*arguments), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)
