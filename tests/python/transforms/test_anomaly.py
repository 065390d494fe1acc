"""Bad numbers are found where they are made."""

import asyncio
import contextvars
import gc
import re
import threading

import numpy as np
import pytest

import tapegrad as tg

X = np.array([[2.0, 3.0], [0.5, -1.0]])


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def line_of(f, offset):
    return f"test_anomaly.py:{f.__code__.co_firstlineno + offset}"


def message(f, *args, **settings):
    with tg.detect_anomaly(**settings), pytest.raises(tg.AnomalyError) as info:
        f(*args)
    return str(info.value)


def test_values_as_they_are_recorded():
    def f(x):
        y = x * 2.0
        return np.sum(np.log(y))

    text = message(tg.grad(f), X)
    assert text.startswith("log at ")
    assert line_of(f, 2) in text
    assert "gave nan at index (1, 1) of shape (2, 2)" in text
    assert "0 is -2 there" in text
    assert issubclass(tg.AnomalyError, FloatingPointError)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kinds_of_operations(dtype):
    x = X.astype(dtype)
    wrong = {
        "sqrt": lambda x: np.sqrt(x),
        "multiply": lambda x: x * np.where(X > 0, 1.0, np.nan),
        "matmul": lambda x: x @ np.array([[np.nan, 1.0], [1.0, 1.0]]),
        "sum": lambda x: np.sum(x, where=X > 0, initial=np.nan),
        "subtract": lambda x: (x * np.inf) - (x * np.inf),
    }
    for name, f in wrong.items():
        text = message(lambda f=f: f(tg.Variable(x)))
        assert "nan" in text, name
    assert "0 is nan there" in message(lambda: tg.Variable(np.array([1.0, np.nan])) + 1.0)


def test_scalars():
    def f(x):
        return np.log(x) * 2.0

    assert "log at" in message(tg.grad(f), -1.0)
    assert "0 is -1" in message(tg.grad(f), -1.0)
    assert message(lambda x: x * float("nan"), tg.Variable(2.0)).startswith("multiply at ")


def test_infinities_on_request():
    with tg.detect_anomaly():
        assert np.isinf(tg.value(1.0 / tg.Variable(0.0)))
    assert "gave inf" in message(lambda: 1.0 / tg.Variable(0.0), inf=True)
    assert "log at" in message(tg.grad(lambda x: np.sum(np.log(x))), np.array([1.0, 0.0]), inf=True)


def test_reverse_sweeps():
    def f(x):
        return np.sum(np.sqrt(x * x))

    bad = np.array([1.0, 0.0])
    text = message(tg.grad(f), bad)
    assert text.startswith("the derivative of multiply, recorded at ")
    assert line_of(f, 1) in text
    assert "gave nan as the cotangent of input 0 at index (1,) of shape (2,)" in text
    assert "0 is 0 there, 1 is 0 there" in text
    assert message(tg.grad(f), bad, inf=True).startswith("the derivative of sqrt, recorded at ")


def test_every_way_of_a_reverse_sweep():
    bad = np.array([1.0, 0.0])

    def square_root(x):
        return np.sqrt(x)

    for transform in (
        lambda x: tg.grad(lambda x: np.sum(square_root(x)))(x),
        lambda x: tg.jacobian(square_root)(x),
        lambda x: tg.jvp(square_root, (x,), (np.ones(2),)),
        lambda x: tg.vjp(square_root, x)[1](np.ones(2)),
        lambda x: tg.hessian(lambda x: np.sum(square_root(x)))(x),
        lambda x: tg.hvp(lambda x: np.sum(square_root(x)), x, np.ones(2)),
        lambda x: tg.vmap(tg.grad(square_root))(x),
        lambda x: tg.grad(lambda x: np.sum(tg.vmap(square_root)(x)))(x),
        lambda x: np.sum(square_root(tg.Variable(x))).backward(),
        lambda x: tg.compile(tg.grad(lambda x: np.sum(square_root(x))))(x),
        lambda x: tg.grad(lambda x: np.sum(tg.checkpoint(square_root)(x)))(x),
        lambda x: tg.grad(lambda x: tg.scan(lambda c, x: (c + square_root(x), None), 0.0, x)[0])(x),
    ):
        text = message(transform, bad, inf=True)
        assert text.startswith("the derivative of sqrt, recorded at "), text
        assert line_of(square_root, 1) in text


def test_tangent_sweeps():
    def f(x):
        return np.sqrt(x)

    text = message(lambda: tg.jvp(f, (0.0,), (1.0,)), inf=True)
    assert text.startswith("the derivative of sqrt, recorded at ")
    assert "the tangent of its result" in text


def test_seeds_and_sums():
    x = tg.Variable(np.ones(2))
    y = x * 2.0
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match="seed"):
        tg.grad(y, x, np.array([1.0, np.nan]))


def test_own_operations():
    @tg.primitive
    def twice(x):
        return x * 2.0

    twice.defvjp(lambda ans, x: lambda g: g * np.nan)
    assert message(tg.grad(twice), 1.0).startswith("the derivative of twice, recorded at ")
    twice.fun = lambda x: np.float64(np.nan)
    assert message(tg.grad(twice), 1.0).startswith("twice at ")


def test_good_programs_are_what_they_were():
    def f(x):
        return np.sum(np.tanh(x @ x) * x) + np.linalg.det(x)

    for transform in (tg.grad(f), tg.hessian(f), lambda x: tg.jvp(f, (x,), (x,))[1]):
        expected = transform(X)
        with tg.detect_anomaly(inf=True):
            np.testing.assert_array_equal(transform(X), expected)


def test_masked_branches_when_only_derivatives_count():
    f = tg.grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)))
    assert message(f, X).startswith("log at")
    with tg.detect_anomaly(values=False):
        np.testing.assert_allclose(f(X), np.where(X > 0, 1.0 / X, 0.0))


def test_state_after_an_error():
    x = tg.Variable(np.array([1.0, 0.0]))
    y = np.sum(np.sqrt(x))
    gc.collect()  # of what other tests left
    live = tg._core.live_nodes()
    message(y.backward, inf=True)
    assert x.grad is None
    assert tg._core.live_nodes() == live
    message(lambda: np.log(x - 2.0))
    assert tg._core.live_nodes() == live
    y.backward()
    np.testing.assert_array_equal(x.grad, [0.5, np.inf])


def test_it_ends_with_its_block():
    x = tg.Variable(-1.0)
    with tg.detect_anomaly():
        with tg.detect_anomaly(inf=True):
            assert tg._core.watching()
        with pytest.raises(tg.AnomalyError):
            np.log(x)
    assert not tg._core.watching()
    assert np.isnan(tg.value(np.log(x)))

    @tg.detect_anomaly()
    def f(x):
        return np.log(x)

    with pytest.raises(tg.AnomalyError):
        f(x)
    assert np.isnan(tg.value(np.log(x)))


def test_other_threads_and_tasks_do_not_notice():
    found = []

    def other():
        found.append(np.isnan(tg.value(np.log(tg.Variable(-1.0)))))

    with tg.detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert found == [True]

    async def watched(go, done):
        with tg.detect_anomaly():
            go.set()
            await done.wait()
            with pytest.raises(tg.AnomalyError):
                np.log(tg.Variable(-1.0))

    async def plain(go, done):
        await go.wait()
        other()
        done.set()

    async def both():
        go, done = asyncio.Event(), asyncio.Event()
        await asyncio.gather(watched(go, done), plain(go, done))

    asyncio.run(both())
    assert found == [True, True]
    contextvars.copy_context().run(other)
    assert found == [True] * 3


def test_training_names_the_line():
    def loss(p, x):
        return np.mean(np.log(x * p["w"]))

    data = np.array([1.0, 2.0])
    with tg.detect_anomaly(), pytest.raises(tg.AnomalyError, match="log at"):
        tg.optim.train(loss, {"w": -1.0}, data, optimizer=tg.optim.sgd(0.1))


def test_a_line_is_kept_while_watching():
    with tg.detect_anomaly():
        x = tg.Variable(np.array([4.0, 0.0]))
        y = np.sqrt(x)
    with tg.detect_anomaly(inf=True), pytest.raises(tg.AnomalyError) as info:
        tg.grad(np.sum(y), x)
    assert re.search(r"recorded at .*test_anomaly\.py:\d+, gave inf", str(info.value))
