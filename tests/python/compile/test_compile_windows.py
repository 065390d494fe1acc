"""Windows of arrays, x[i:i+w] in a loop over i: of captured arrays and of arguments."""

import time

import numpy as np
import pytest
from compile_checks import replays, text_of

import tapegrad as tg

WIDTH = 5
RNG = np.random.default_rng(21)
KERNEL = RNG.normal(size=WIDTH)


def summed(x, k):
    total = 0.0
    for i in range(len(x) - WIDTH + 1):
        total = total + np.tanh(np.sum(x[i : i + WIDTH] * k))
    return total


def dotted(x, k):
    return np.sum(np.tanh([np.dot(x[i : i + WIDTH], k) for i in range(len(x) - WIDTH + 1)]))


def stored(x, k):
    y = np.zeros(len(x) - WIDTH + 1, x.dtype)
    for i in range(len(y)):
        y[i] = x[i : i + WIDTH] @ k
    return np.sum(np.sin(y))


def by_hand(x, k):
    y = np.zeros(len(x) - WIDTH + 1)
    for i in range(len(y)):
        for j in range(WIDTH):
            y[i] += k[j] * x[i + j]
    return np.sum(np.tanh(y))


def apart(x, k):
    """Windows that lie end to end."""
    total = 0.0
    for i in range(0, len(x) - WIDTH + 1, WIDTH):
        total = total + np.sin(np.sum(x[i : i + WIDTH] * k))
    return total


def backwards(x, k):
    state = np.zeros(WIDTH)
    for i in range(len(x) - WIDTH, -1, -1):
        state = np.tanh(state + x[i : i + WIDTH] * k)
    return np.sum(state)


def clipped(x, k):
    """The windows at the ends are shorter."""
    y = np.array([np.mean(x[max(i - 2, 0) : i + 3]) for i in range(len(x))])
    return np.sum(np.sin(y * k[0]))


SPELLINGS = [summed, dotted, stored, by_hand, apart, backwards, clipped]


def layouts(n):
    """Arrays of n elements each, as they may lie in memory."""
    rng = np.random.default_rng(22)
    wide = rng.normal(size=(n, 3))
    fixed = rng.normal(size=n)
    fixed.flags.writeable = False
    return {
        "own": rng.normal(size=n),
        "part of a longer one": rng.normal(size=n + 40)[7 : 7 + n],
        "column": wide[:, 1],
        "every other": rng.normal(size=2 * n)[::2],
        "reversed": rng.normal(size=n)[::-1],
        "of a matrix": rng.normal(size=(n // 4, 4)).reshape(-1),
        "read-only": fixed,
    }


def same(found, expected):
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12, atol=1e-13)
    for a, b in zip(found[1], expected[1], strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("f", SPELLINGS, ids=lambda f: f.__name__)
def test_windows_of_an_argument(f):
    gradient = tg.value_and_grad(f, (0, 1))
    compiled = tg.compile(gradient)
    for scale in (1.0, 0.5, 2.0, -1.0):
        x = scale * np.random.default_rng(3).normal(size=60)
        same(compiled(x, KERNEL), gradient(x, KERNEL))
    assert replays(compiled) >= 2


@pytest.mark.parametrize("layout", layouts(60))
@pytest.mark.parametrize("f", SPELLINGS, ids=lambda f: f.__name__)
def test_windows_of_a_captured_array_are_read_where_they_are(f, layout):
    data = layouts(60)[layout]
    gradient = tg.value_and_grad(lambda k: f(data, k))
    compiled = tg.compile(gradient)
    for step in range(8):
        if step > 3 and data.flags.writeable:
            data[step * 7] += 1.0
            data[-step] *= -1.0
        found, expected = compiled(KERNEL * step), gradient(KERNEL * step)
        same((found[0], [found[1]]), (expected[0], [expected[1]]))
    assert replays(compiled) >= (2 if data.flags.writeable else 6)


def test_many_views_of_one_array_are_one_capture():
    data = RNG.normal(size=200)
    compiled = tg.compile(tg.grad(lambda k: summed(data, k)))
    for _ in range(3):
        compiled(KERNEL)
    assert text_of(compiled).startswith("program(in0: float64(5,); captured0: float64(200,))")
    assert text_of(compiled).count("\n") < 20


def test_another_array_under_the_name_is_read():
    data = first = RNG.normal(size=100)

    def f(k):
        return summed(data, k)

    compiled = tg.compile(f)
    for data in (first, RNG.normal(size=100), RNG.normal(size=80), first):
        for _ in range(4):
            assert abs(compiled(KERNEL) - f(KERNEL)) < 1e-12
            data[3] += 1.0
    assert replays(compiled) >= 6


def test_a_list_of_views_may_get_other_arrays():
    data = RNG.normal(size=100)
    views = [data[i : i + WIDTH] for i in range(0, 90, 3)]
    compiled = tg.compile(lambda k: sum(np.tanh(np.sum(v * k)) for v in views))
    for step in range(12):
        if step > 3:
            views[step] = RNG.normal(size=WIDTH) if step % 2 else data[step : step + WIDTH]
            data[2 * step] = step
        expected = sum(np.tanh(np.sum(v * KERNEL)) for v in views)
        assert abs(compiled(KERNEL) - expected) < 1e-12


def test_views_of_an_array_made_in_the_function_are_constants():
    def f(k):
        steps = np.linspace(0.0, 1.0, 60)
        return sum(np.tanh(np.sum(steps[i : i + WIDTH] * k)) for i in range(50))

    compiled = tg.compile(f)
    for scale in range(5):
        assert abs(compiled(KERNEL * scale) - f(KERNEL * scale)) < 1e-12
    assert replays(compiled) == 3


def test_blocks_rows_and_columns_of_a_captured_matrix():
    image, shape = RNG.normal(size=(12, 15)), (3, 3)
    functions = [
        lambda k: sum(
            np.tanh(np.sum(image[i : i + 3, j : j + 3] * k)) for i in range(10) for j in range(13)
        ),
        lambda k: sum(np.tanh(np.sum(image[i, 3:6] * k)) for i in range(12)),
        lambda k: sum(
            np.tanh(np.sum(image[i : i + 3, j] * k)) for i in range(10) for j in range(9)
        ),
        lambda k: sum(np.tanh(np.sum(image[2:5, j] * k)) for j in range(15)),
        lambda k: sum(np.tanh(np.sum(image.T[j : j + 3, 4:7] * k)) for j in range(13)),
        lambda k: sum(np.tanh(np.sum(row * row[:, None] * k[0, 0])) for row in image),
        lambda k: sum(np.tanh(np.sum(image[i : i + 1] * k[0, 0])) for i in range(12)),
    ]
    for f in functions:
        gradient = tg.value_and_grad(f)
        compiled = tg.compile(gradient)
        for step in range(6):
            if step > 3:
                image[step, step] += 1.0
            k = RNG.normal(size=shape)
            found, expected = compiled(k), gradient(k)
            same((found[0], [found[1]]), (expected[0], [expected[1]]))
        assert replays(compiled) >= 2  # where plain code may read numbers, changes record again


def test_float32_and_higher_derivatives():
    x, k = (RNG.normal(size=n).astype(np.float32) for n in (40, WIDTH))
    compiled = tg.compile(tg.value_and_grad(summed, (0, 1)))
    for _ in range(3):
        found = compiled(x, k)
    expected = tg.value_and_grad(summed, (0, 1))(x, k)
    for a, b in zip(found[1], expected[1], strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for transform in (tg.hessian, tg.jacobian):
        plain = transform(lambda k: stored(x.astype(float), k))
        curved = tg.compile(plain)
        for scale in (1.0, 0.5, 2.0):
            point = scale * k.astype(float)
            np.testing.assert_allclose(curved(point), plain(point), rtol=1e-10, atol=1e-11)


def test_lanes_and_tangents_of_windows():
    data = RNG.normal(size=60)
    many = RNG.normal(size=(7, WIDTH))
    lanes = tg.vmap(lambda k: summed(data, k))
    compiled = tg.compile(lanes)
    for scale in (1.0, 2.0, 0.5):
        np.testing.assert_allclose(compiled(scale * many), lanes(scale * many), rtol=1e-12)

    def tangent(k, v):
        return tg.jvp(lambda k: dotted(data, k), (k,), (v,))

    followed = tg.compile(tangent)
    for scale in (1.0, 2.0, 0.5):
        for a, b in zip(
            followed(scale * KERNEL, KERNEL), tangent(scale * KERNEL, KERNEL), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-11)


def test_first_calls_take_time_that_grows_with_the_number_of_windows():
    took = []
    for n in (1000, 4000):
        data = RNG.normal(size=n)
        begun = time.process_time()
        compiled = tg.compile(tg.grad(lambda k, data=data: summed(data, k)))
        for _ in range(3):
            compiled(KERNEL)
        took.append(time.process_time() - begun)
        assert replays(compiled) == 1
    assert took[1] < 9 * took[0]
