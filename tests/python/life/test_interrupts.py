"""Ctrl-C in a long computation: answered soon, by a thread that then works as before."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg

SOON = 0.1  # seconds; machines that run tests are busy, so that one attempt of a few has to do
ATTEMPTS = 4


def assert_answered_soon(seconds: float, f: Callable[[], Any]) -> None:
    """Interrupts `f`, which takes long, after so many seconds."""
    waited = []
    while len(waited) < ATTEMPTS:
        waited.append(interrupted_after(seconds, f))
        if waited[-1] < SOON:
            return
    raise AssertionError(f"it took {waited} seconds each time")


def interrupted_after(seconds: float, f: Callable[[], Any]) -> float:
    """Runs `f`, which takes long, and says how long after the signal KeyboardInterrupt came."""
    sent: list[float] = []

    def send() -> None:
        sent.append(time.perf_counter())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(seconds, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            f()
        return time.perf_counter() - sent[0]
    finally:
        timer.cancel()
        timer.join()


@pytest.fixture(autouse=True)
def works_afterwards() -> Any:
    # A process that was started in the background ignores Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
    x = np.array([1.0, 2.0])
    assert np.array_equal(tg.grad(lambda v: np.sum(v**3))(x), 3 * x**2)
    assert np.array_equal(tg.hessian(lambda v: np.sum(v**3))(x), np.diag(6 * x))


def long_chain(v: Any) -> Any:
    for _ in range(40):
        v = np.sin(v) * 1.01 + v * 0.1
    return v


def test_jacobian() -> None:
    x = np.ones(3000)
    a = np.random.default_rng(0).standard_normal((3000, 3000)) * 0.01
    assert_answered_soon(0.5, lambda: tg.jacobian(lambda v: np.tanh(a @ long_chain(v)))(x))


def test_hessian() -> None:
    x = np.linspace(0, 1, 3000)
    assert_answered_soon(0.5, lambda: tg.hessian(lambda v: np.sum(long_chain(v)) ** 2)(x))


@pytest.mark.parametrize("threads", [1, 2])
def test_replay(threads: int) -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for k in range(200):
            total = total + np.sum(np.exp(np.sin(x + k)) * np.cos(x))
        return total

    before = tg.get_num_threads()
    tg.set_num_threads(threads)
    try:
        compiled = tg.compile(f)
        x = np.linspace(0, 1, 10_000)
        expected = [compiled(x) for _ in range(3)][-1]
        large = np.linspace(0, 1, 3_000_000)
        small = compiled(x)

        def run() -> None:
            for _ in range(20):
                compiled(large)

        assert_answered_soon(1.0, run)
        assert compiled(x) == expected == small
    finally:
        tg.set_num_threads(before)


def test_replay_of_a_loop() -> None:
    @tg.compile
    def f(x: Any) -> Any:
        return tg.scan(lambda c, y: (np.tanh(c * 0.9 + y), None), x, np.ones(500_000))[0]

    x = np.linspace(0, 1, 700)
    assert_answered_soon(0.5, lambda: [f(x) for _ in range(10)])


def test_gradient_of_a_loop() -> None:
    def f(x: Any) -> Any:
        return np.sum(tg.scan(lambda c, y: (np.tanh(c @ c * 0.1 + y), None), x, np.ones(50_000))[0])

    x = np.eye(20)
    assert_answered_soon(0.5, lambda: [tg.grad(f)(x) for _ in range(30)])


def test_vmap() -> None:
    x = np.linspace(0, 1, 400_000).reshape(200_000, 2)

    def f(v: Any) -> Any:
        for _ in range(10):
            v = long_chain(v)
        return np.sum(v)

    assert_answered_soon(0.5, lambda: [tg.vmap(f)(x) for _ in range(50)])


def test_small_sweeps_of_many_seeds() -> None:
    x = np.linspace(0, 1, 1900)

    def f(v: Any) -> Any:
        for _ in range(5):
            v = long_chain(v)
        return v

    assert_answered_soon(0.5, lambda: [tg.jacobian(f)(x) for _ in range(50)])


def test_state_is_what_it_was() -> None:
    w = tg.Variable(np.ones(400_000))
    with tg.no_grad():
        pass
    y = w
    for _ in range(60):
        y = np.sin(y) * 1.01 + y * 0.1
    total = np.sum(y)
    total.backward()
    grad = np.array(w.grad)
    w.grad = None
    assert_answered_soon(0.01, lambda: [total.backward() for _ in range(1000)])
    w.grad = None
    total.backward()
    assert np.array_equal(w.grad, grad)


def test_handlers_that_compute_are_recorded() -> None:
    found: list[Any] = []
    v = tg.Variable(2.0)

    def handler(number: int, frame: Any) -> None:
        found.append(v * v)

    before = signal.signal(signal.SIGINT, handler)
    try:
        timer = threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT))
        timer.start()
        x = np.linspace(0, 1, 1500)
        expected = tg.hessian(lambda u: np.sum(long_chain(u)) ** 2)(x)
        timer.join()
        again = tg.hessian(lambda u: np.sum(long_chain(u)) ** 2)(x)
    finally:
        signal.signal(signal.SIGINT, before)
    assert np.array_equal(expected, again)
    assert len(found) == 1
    assert tg.grad(found[0], v) == 4.0


def test_handlers_own_exception_comes_through() -> None:
    class StopError(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        raise StopError("enough")

    before = signal.signal(signal.SIGINT, handler)
    try:
        timer = threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGINT))
        timer.start()
        with pytest.raises(StopError, match="enough"):
            tg.hessian(lambda v: np.sum(long_chain(v)) ** 2)(np.linspace(0, 1, 5000))
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
