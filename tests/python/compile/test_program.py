"""Compiled functions that are differentiated from outside: one operation of a program."""

import numpy as np
import pytest
from compile_checks import assert_same, plainly, programs, replays

import tapegrad as tg
from tapegrad import _core

X = np.array([0.5, 1.0, -2.0])


def wave(x, a):
    for _ in range(5):
        x = np.sin(a * x) + 0.1 * x
    return np.sum(x * x)


def test_the_record_holds_one_operation():
    compiled = tg.compile(wave)
    for _ in range(2):
        compiled(X, 0.5)
    x, a = tg.Variable(X), tg.Variable(0.5)
    before = _core.live_nodes()
    y = compiled(x, a)
    assert _core.live_nodes() - before <= 4
    y.backward()
    assert_same((x.grad, a.grad), tg.grad(wave, (0, 1))(X, 0.5))


def test_calls_under_a_gradient_alone_make_the_program():
    compiled = tg.compile(wave)

    def loss(f):
        return lambda a: f(X, a) * f(2 * X, a * a)

    for a in (0.3, 0.5, 0.7, 0.9):
        found, expected = tg.grad(loss(compiled))(a), tg.grad(loss(wave))(a)
        assert found == pytest.approx(expected, rel=1e-12)
    assert programs(compiled) == 1
    assert replays(compiled) >= 6
    assert_same(compiled(X, 0.5), wave(X, 0.5))


def test_every_order():
    compiled = tg.compile(wave)
    compiled(X, 0.5), compiled(X, 0.5)
    ours, theirs = (lambda a, f=f: f(X * a, a) ** 2 for f in (compiled, wave))
    for transform in (
        tg.grad,
        lambda f: tg.grad(tg.grad(f)),
        lambda f: tg.grad(tg.grad(tg.grad(f))),
        lambda f: lambda a: tg.jvp(f, (a,), (1.0,))[1],
        lambda f: lambda a: tg.hvp(f, a, 1.0),
        lambda f: lambda a: tg.jvp(lambda b: tg.grad(f)(b), (a,), (1.0,))[1],
    ):
        before = replays(compiled)
        assert transform(ours)(0.4) == pytest.approx(transform(theirs)(0.4), rel=1e-9)
        assert replays(compiled) > before


def test_branches_follow_the_values():
    def f(x):
        return np.sum(np.exp(-x)) if np.sum(x) > 0 else np.sum(x**2)

    compiled = tg.compile(f)
    for sign in (1, 1, 1, -1, -1, -1, 1, -1, 1):
        found, expected = (
            tg.grad(lambda x, g=g, sign=sign: g(sign * x) * 2.0)(X * X) for g in (compiled, f)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert programs(compiled) == 2
    assert replays(compiled) == 5


def test_results_that_depend_on_plain_arguments_are_plain():
    compiled = tg.compile(lambda x, data: (np.sum(x * data), np.mean(data), x > 0))
    for _ in range(3):
        x = tg.Variable(X)
        loss, mean, mask = compiled(x, X)
        assert isinstance(loss, tg.Variable)
        assert isinstance(mean, float)
        assert type(mask) is np.ndarray
    assert replays(compiled) == 1


def test_arrays_that_it_reads_are_read_at_each_call():
    data = np.ones(3)
    compiled = tg.compile(lambda x: np.sum(np.sin(x * data)))
    for k in range(5):
        data[:] = k
        found = tg.grad(lambda x: compiled(x) * 3.0)(X)
        np.testing.assert_allclose(found, 3.0 * k * np.cos(k * X), rtol=1e-13)


def test_variables_that_it_reads_keep_their_gradients():
    w = tg.Variable(2.0)
    compiled = tg.compile(lambda x: np.sum(w * x**2))
    for _ in range(4):
        w.grad = None
        x = tg.Variable(X)
        compiled(x).backward()
        assert_same((w.grad, x.grad), (float(np.sum(X**2)), 4.0 * X))


def test_what_leaves_a_trace_runs_once_a_call():
    seen = []

    def f(x):
        seen.append(0)
        return np.sum(x * len(seen))

    compiled = tg.compile(f)
    for k in range(1, 5):
        assert_same(tg.grad(lambda x: compiled(x) * 1.0)(X), np.full(3, float(k)))
    assert len(seen) == 4
    with plainly("it changes seen"):
        for _ in range(20):
            tg.grad(lambda x: compiled(x) * 1.0)(X)
    assert len(seen) == 24


def test_random_numbers_are_drawn_anew():
    rng, same = np.random.default_rng(5), np.random.default_rng(5)
    compiled = tg.compile(lambda x: np.sum(x * rng.normal()))
    for _ in range(4):
        found = tg.grad(lambda x: compiled(x) * 1.0)(X)
        np.testing.assert_array_equal(found, np.full(3, same.normal()))


def test_writing_to_an_argument_is_left_to_the_function():
    def f(x):
        x[0] = x[1] * 2.0
        return np.sum(x**2)

    compiled = tg.compile(f)
    for _ in range(4):
        found = tg.grad(lambda x: compiled(x * 1.0))(X)
        np.testing.assert_allclose(found, tg.grad(lambda x: f(x * 1.0))(X))
        inner = X.copy()
        compiled(inner)
        assert inner[0] == 2.0


def test_containers_and_single_precision():
    def f(p):
        return {"y": np.tanh(p["w"] * p["x"][0]), "n": 3}

    compiled = tg.compile(f)
    for dtype in (np.float64, np.float32):
        for _ in range(3):
            w = X.astype(dtype)
            found, expected = (
                tg.grad(lambda w, g=g: np.sum(g({"w": w, "x": [w * 2, 1.0]})["y"]))(w)
                for g in (compiled, f)
            )
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == np.float32 else 1e-13)


def test_an_error_is_the_function_s_own():
    compiled = tg.compile(lambda m: np.sum(np.linalg.inv(m)))
    for _ in range(3):
        tg.grad(lambda m: compiled(m) * 1.0)(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        tg.grad(lambda m: compiled(m) * 1.0)(np.zeros((2, 2)))


def test_what_can_not_be_watched_runs_plainly():
    ticks = iter(range(10))
    compiled = tg.compile(lambda x: np.sum(x * next(ticks)))
    with plainly("it reads ticks"):
        found = [tg.grad(lambda x: compiled(x) * 1.0)(X)[0] for _ in range(4)]
    assert found == [0.0, 1.0, 2.0, 3.0]
