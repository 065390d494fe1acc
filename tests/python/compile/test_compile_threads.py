"""Compiled functions that several threads call, that run steps in threads, and after a fork."""

import os
import signal
import threading

import numpy as np
import pytest
from compile_checks import replays

import tapegrad as tg
from tapegrad import _core

DATA = np.arange(1.0, 4.0)


def test_several_threads_at_once():
    rate = np.ones(3)
    compiled = tg.compile(lambda x: np.sum(np.exp(-x * rate) * x))
    expected = [compiled.function(DATA * k) for k in range(50)]
    wrong = []

    def work():
        for _ in range(20):
            wrong.extend(k for k in range(50) if abs(compiled(DATA * k) - expected[k]) > 1e-12)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert replays(compiled) > 1000


def _branches(pairs):
    """Steps that run at the same time, each with a choice and an inverse of its own."""
    total = 0.0
    for a, x in pairs:
        y = a @ (a @ x)
        if y[0, 0] > 1e6:
            y = y * 2.0
        total = total + np.sum(np.linalg.inv(y))
    return total


def _pairs(seed):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(40, 40)), rng.normal(size=(40, 40))) for _ in range(8)]


@pytest.fixture
def two_threads():
    tg.set_num_threads(2)
    yield
    tg.set_num_threads(0)


@pytest.mark.usefixtures("two_threads")
def test_threads_and_errors_among_parallel_steps():
    compiled = tg.compile(_branches)
    good, far, singular = _pairs(1), _pairs(2), _pairs(3)
    far[5] = (np.full((40, 40), 100.0), far[5][1] + 100.0)  # takes the other branch, then fails
    singular[2] = (np.zeros((40, 40)), np.zeros((40, 40)))
    expected = compiled(good)
    np.testing.assert_allclose(expected, _branches(good), rtol=1e-9)
    for _ in range(3):
        assert compiled(good) == expected
    regions = _core.parallel_regions_run()
    right = []

    def fails(pairs):
        try:
            compiled(pairs)
        except np.linalg.LinAlgError:
            return True
        return False

    def work():
        for _ in range(5):
            outcome = fails(far), fails(singular), compiled(good) == expected
            right.append(all(outcome))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert right == [True] * 15
    assert _core.parallel_regions_run() > regions
    assert compiled(good) == expected


@pytest.mark.usefixtures("two_threads")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_replays():
    compiled, pairs = tg.compile(_branches), _pairs(1)
    expected = compiled(pairs)
    for _ in range(3):
        assert compiled(pairs) == expected
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends a child that hangs
        os._exit(0 if compiled(pairs) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert compiled(pairs) == expected
