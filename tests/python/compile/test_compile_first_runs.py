"""The first runs of a program, before passes: those of short programs, where passes take longer."""

import threading

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core

FIRST = 3  # runs


@pytest.fixture(autouse=True)
def first_runs():
    before = _core.set_runs_as_recorded(FIRST)
    yield
    _core.set_runs_as_recorded(before)


def waiting(compiled):
    """Of each program, whether its next run comes before passes."""
    return [
        program.program.runs_as_recorded
        for signature in compiled.signatures.by_key.values()
        for cache in signature.caches
        for program in cache.programs
    ]


def chain(x):
    y = x
    for _ in range(6):
        y = y * np.tanh(x) + 0.5
    return np.sum(y**2)


def arm(angles):
    frame = np.eye(2)
    for a in angles:
        c, s = np.cos(a), np.sin(a)
        frame = frame @ np.stack([np.stack([c, -s]), np.stack([s, c])])
    return np.sum((frame - np.ones((2, 2))) ** 2)


def written(x):
    out = np.zeros_like(x)
    for i in range(1, len(x)):
        out[i] = 0.5 * out[i - 1] + x[i]
    return np.sum(out**3)


def branching(x):
    return np.sum(x * x) if x[0] > 0 else np.sum(np.sin(x))


X = np.linspace(-1.0, 1.0, 5)


def test_passes_come_after_the_first_runs():
    compiled = tg.compile(tg.grad(chain))
    seen = []
    for _ in range(2 + FIRST + 2):
        compiled(X)
        seen.append(waiting(compiled))
    assert seen == [[], *[[True]] * (1 + FIRST), [False], [False]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("f", [chain, arm, written])
@pytest.mark.parametrize("transform", [tg.grad, tg.hessian])
def test_calls_before_and_after_the_passes_give_the_functions_results(f, dtype, transform):
    g = transform(f)
    compiled = tg.compile(g)
    for k in range(2 + FIRST + 3):
        x = (X + k / 10).astype(dtype)
        got, want = compiled(x), g(x)
        assert got.dtype == want.dtype == dtype
        np.testing.assert_allclose(got, want, rtol=1e-12 if dtype is np.float64 else 2e-4)
    assert waiting(compiled) == [False]


def test_who_inspects_sees_what_passes_make_and_runs_it_from_then_on():
    compiled = tg.compile(tg.grad(chain))
    for _ in range(3):
        compiled(X)
    assert waiting(compiled) == [True]
    (program,) = compiled.inspect().signatures[0].programs
    assert program.n_steps < program.n_recorded
    assert waiting(compiled) == [False]
    np.testing.assert_allclose(compiled(X), tg.grad(chain)(X), rtol=1e-12)


def test_the_number_of_runs_is_the_same_every_time():
    def bits():
        compiled = tg.compile(tg.grad(arm))
        return [compiled(X).tobytes() for _ in range(2 + FIRST + 2)]

    assert bits() == bits()


def test_each_path_has_first_runs_of_its_own():
    compiled = tg.compile(tg.grad(branching))
    for k in range(30):
        x = X + (2.0 if k % 2 else 0.0)
        np.testing.assert_allclose(compiled(x), tg.grad(branching)(x), rtol=1e-12)
    assert waiting(compiled) == [False, False]


def test_long_arrays_go_through_the_passes_at_once():
    compiled = tg.compile(tg.grad(chain))
    for _ in range(2):
        compiled(np.linspace(-1.0, 1.0, 100_000))
    assert waiting(compiled) == [False]


def test_derivatives_of_a_program_in_its_first_runs():
    compiled = tg.compile(chain)
    for k in range(2 + FIRST + 2):
        compiled(X)
        np.testing.assert_allclose(tg.grad(compiled)(X + k / 10), tg.grad(chain)(X + k / 10))


def test_what_is_written_to_arguments_is_written_in_the_first_runs_too():
    def doubled(x):
        x *= 2.0
        return np.sum(x)

    compiled = tg.compile(doubled)
    for _ in range(2 + FIRST + 2):
        x = X + 1
        assert compiled(x) == np.sum(2 * (X + 1))
        np.testing.assert_array_equal(x, 2 * (X + 1))


def test_an_error_is_that_of_the_function():
    compiled = tg.compile(lambda a: np.linalg.inv(a) + 1)
    for _ in range(3):
        compiled(np.eye(2))
    for _ in range(4):
        with pytest.raises(np.linalg.LinAlgError):
            compiled(np.zeros((2, 2)))
    np.testing.assert_array_equal(compiled(np.eye(2)), np.eye(2) + 1)


@pytest.mark.parametrize("x", [np.zeros(()), np.zeros((0,)), np.zeros((2, 0))])
def test_numbers_and_empty_arrays(x):
    compiled = tg.compile(tg.grad(chain))
    for k in range(2 + FIRST + 2):
        np.testing.assert_allclose(compiled(x + k), tg.grad(chain)(x + k), rtol=1e-12)


def test_threads_in_the_first_runs():
    compiled = tg.compile(tg.grad(arm))
    want = tg.grad(arm)(X)
    compiled(X)
    compiled(X)
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(compiled(X) for _ in range(6)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 24
    for got in found:
        np.testing.assert_allclose(got, want, rtol=1e-12)
    assert waiting(compiled) == [False]
