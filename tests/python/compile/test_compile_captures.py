"""Compiled functions give what plain Python gives, whatever they read by name."""

import colorsys
import functools
import os
import random
import time
import types
import warnings
from time import perf_counter as now

import numpy as np
import pytest
from compile_checks import POINTS, assert_same, check, plainly, replays

import tapegrad as tg

DATA = np.arange(1.0, 4.0)
LARGE = np.linspace(0.0, 1.0, 10_000)
RATE = 0.5


# What is captured.


def test_captured_numbers_are_watched():
    global RATE
    compiled = tg.compile(lambda x: x * RATE)
    before = RATE
    try:
        for rate in (0.5, 0.5, 0.5, 2.0, 2.0, 2.0, 0.5, 2.0):
            RATE = rate
            assert_same(compiled(DATA), DATA * rate)
    finally:
        RATE = before
    assert replays(compiled) == 4


def test_a_captured_number_that_always_changes_is_named():
    state = {"rate": 0.0}
    compiled = tg.compile(lambda x: x * state["rate"])
    with plainly(r"state\['rate'\] changes from call to call"):
        for k in range(30):
            state["rate"] = 0.1 * k
            assert_same(compiled(DATA), DATA * state["rate"])


def test_captured_arrays_are_read_by_reference_or_noticed():
    data, large = DATA.copy(), LARGE.copy()

    def f(x):
        return np.sum(x[0] * large) + np.sum(data * x)

    compiled = tg.compile(f)
    for k in range(12):
        assert_same(compiled(DATA), f(DATA))
        if k % 4 == 3:
            data[0] += 1.0
            large[5] += 1.0


def test_what_is_computed_from_captured_arrays_is_never_stale():
    data = DATA.copy()

    def f(x):
        scale = data.mean()
        if data[0] > 2.0:
            return x[int(data[1]) % 3] * scale
        return x * scale + data[::2].sum()

    compiled = tg.compile(f)
    for k in range(16):
        assert_same(compiled(DATA), f(DATA))
        if k in (3, 7, 11):
            data[:] = data[::-1].copy() + k % 2
    assert replays(compiled) >= 4


def test_arrays_that_every_call_makes_anew_are_constants():
    def f(x):
        ones = np.ones(3)
        return x * ones + LARGE[:3], ones

    compiled = tg.compile(f)
    for _ in range(4):
        found, ones = compiled(DATA)
        assert_same(found, DATA + LARGE[:3])
        ones[:] = 7.0  # the caller's own
    steps = compiled.inspect().signatures[0].programs[0].text.split("\n", 1)[1]
    assert "captured0" in steps  # LARGE
    assert "captured1" not in steps
    assert "multiply" not in steps


def test_views_of_a_hidden_array_are_read_where_they_are():
    hidden = colorsys  # the modules of Python itself are not looked into
    hidden.rows = memoryview(np.arange(6.0))
    compiled = tg.compile(lambda x: x + np.asarray(hidden.rows)[:3])
    for k in range(6):
        hidden.rows[0] = float(k)
        assert_same(compiled(DATA), DATA + np.asarray(hidden.rows)[:3])


def test_a_captured_array_bound_to_another():
    data = DATA

    def f(x):
        return np.sum(data * x)

    compiled = tg.compile(f)
    for k in range(12):
        if k % 4 == 0:
            data = DATA + k
        assert_same(compiled(POINTS[k % 5]), f(POINTS[k % 5]))
    assert replays(compiled) >= 4


@pytest.mark.parametrize("change", ["write", "bind"])
@pytest.mark.parametrize("n", [3, 10_000])
def test_parts_and_means_of_captured_arrays(change, n):
    # No branch and no position depends on the contents, but what meets the record is computed.
    data = np.linspace(0.0, 1.0, n)
    functions = [
        lambda x: x * data[1:],
        lambda x: x * data[::-2],
        lambda x: x * data.mean(),
        lambda x: x + np.sqrt(data),
        lambda x: (x * 2.0, data),
        lambda x: (x * 2.0, data.sum()),
    ]
    for f in functions:
        compiled = tg.compile(f)
        for k in range(12):
            if k % 4 == 3 and change == "write":
                data[-1] += 1.0
            elif k % 4 == 3:
                data = data + 1.0
            assert_same(compiled(0.5 * k), f(0.5 * k))
        assert replays(compiled) >= 3


def test_a_captured_array_of_another_shape():
    data = DATA
    compiled = tg.compile(lambda x: np.sum(data * x))
    for k in range(9):
        if k == 4:
            data = np.ones((2, 3))
        assert_same(compiled(DATA), np.sum(data * DATA))


def test_functions_called_by_name_are_watched():
    scale = 2.0

    def helper(x):
        return x * scale

    def other(x):
        return x - scale

    def f(x):
        return helper(x) + 1.0

    compiled = tg.compile(f)
    for k in range(8):
        if k == 4:
            scale = 3.0
        assert_same(compiled(DATA), DATA * scale + 1.0)
    helper = other  # noqa: F811 - the name is bound again on purpose
    for _ in range(4):
        assert_same(compiled(DATA), DATA - scale + 1.0)


def test_functions_as_arguments():
    compiled = tg.compile(lambda f, x: f(x) * 2.0)
    for _ in range(4):
        assert_same(compiled(np.sin, DATA), np.sin(DATA) * 2.0)
        assert_same(compiled(np.cos, DATA), np.cos(DATA) * 2.0)
    assert replays(compiled) == 4


def test_side_effects_on_names_run_plainly():
    history = []

    def appends(x):
        history.append(1)
        return x * 2.0

    compiled = tg.compile(appends)
    with plainly("it changes history"):
        for k in range(5):
            compiled(DATA)
            assert len(history) == k + 1

    count = 0

    def counts(x):
        nonlocal count
        count += 1
        return x * 2.0

    compiled = tg.compile(counts)
    with plainly("it changes count"):
        for k in range(5):
            compiled(DATA)
            assert count == k + 1


def test_writes_to_captured_arrays_run_plainly():
    data = np.zeros(3)

    def f(x):
        data[0] += 1.0
        return x + data

    compiled = tg.compile(f)
    with plainly("it writes to the array data"):
        for k in range(5):
            assert compiled(np.zeros(3))[0] == k + 1.0


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, legacy, plain: np.random.rand(),
        lambda rng, legacy, plain: rng.normal(),
        lambda rng, legacy, plain: legacy.rand(),
        lambda rng, legacy, plain: plain.random(),
        lambda rng, legacy, plain: random.random(),
    ],
)
def test_random_draws_run_plainly(draw):
    sources = np.random.default_rng(0), np.random.RandomState(0), random.Random(0)

    def f(x):
        return x * draw(*sources)

    compiled = tg.compile(f)
    with plainly("draws random numbers.*outside"):
        found = [float(compiled(DATA)[0]) for _ in range(5)]
    assert len(set(found)) == 5


def test_a_hidden_change_is_a_disagreement():
    hidden = colorsys  # the modules of Python itself are not looked into
    hidden.value = 0.0

    def f(x):
        hidden.value += 1.0
        return x * hidden.value

    compiled = tg.compile(f)
    with plainly("changes from call to call"):
        for k in range(12):
            assert_same(compiled(DATA), DATA * (k + 1.0))


def test_iterators_and_files_run_plainly():
    numbers = iter(range(100))
    compiled = tg.compile(lambda x: x * next(numbers))
    with plainly("next item"):
        for k in range(5):
            assert_same(compiled(DATA), DATA * k)


def test_the_clock_and_the_environment_run_plainly():
    for f in (lambda x: x * (time.time() > 0), lambda x: x * len(os.environ), lambda x: x * now()):
        compiled = tg.compile(f)
        with plainly("changes by itself"):
            for x in POINTS:
                compiled(x)
        assert replays(compiled) == 0


def test_what_a_recording_leaves_behind_is_plain():
    held, last = types.SimpleNamespace(value=None), [None]

    def f(x):
        held.value = x * 2.0
        last[0] = x + 1.0
        return x * 3.0

    compiled = tg.compile(f)
    with plainly("it changes"):
        for x in POINTS:
            assert_same(compiled(x), x * 3.0)
            assert_same(held.value, x * 2.0)
            assert_same(last[0], x + 1.0)


def test_caches_vectorised_functions_and_attributes_are_seen_through():
    factor = 2.0

    @functools.lru_cache
    def table():
        return len(POINTS)

    @functools.wraps(np.sin)
    def wrapper(x):
        return x * factor * wrapper.gain + table()

    wrapper.gain = 1.0
    compiled = tg.compile(lambda x: wrapper(x))
    for k in range(12):
        factor, wrapper.gain = 2.0 + (k > 3), 1.0 + (k > 7)
        assert_same(compiled(DATA), wrapper(DATA))
    assert replays(compiled) == 6


def test_results_that_no_program_gives():
    class Box:
        def __init__(self, x):
            self.x = x

    compiled = tg.compile(lambda x: Box(x * 2.0))
    with plainly("it returns an object of type Box"):
        for x in POINTS:
            assert_same(compiled(x).x, x * 2.0)
    with pytest.raises(TypeError, match="generator"):
        tg.compile(lambda x: (yield x))


def test_an_array_reshaped_in_place():
    data = np.arange(4.0)
    compiled = tg.compile(lambda x: x + data)
    for _ in range(4):
        compiled(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.shape = (2, 2)
    assert compiled(1.0).shape == (2, 2)


def test_layouts_of_inputs_and_captures():
    data = np.arange(12.0).reshape(3, 4)

    def f(x):
        return x * data + np.sum(x, axis=0)

    compiled = tg.compile(f)
    base = np.arange(24.0).reshape(4, 6)
    layouts = [base[:3, :4], base.T[:3, ::1], base[::-1][:3, 2:], np.asfortranarray(base[:3, :4])]
    for k in range(16):
        if k == 8:
            data = np.asfortranarray(data)[::-1]
        assert_same(compiled(layouts[k % 4]), f(layouts[k % 4]))
    assert replays(compiled) == 14


@pytest.mark.parametrize("dtype", ["?", "b", "B", "h", "H", "i", "I", "l", "L"])
def test_whole_numbers_beside_floats_have_numpys_dtypes(dtype):
    n = np.array([1, 0, 3]).astype(dtype)
    for x in (np.ones(3), np.ones(3, np.float32)):
        calls = [(x * k, n) for k in range(4)]
        check(lambda x, n: (x * n, n / 2, n + n, x + n[0], n > 0, np.sum(n), x[n > 0]), calls, 1)


# Variables.


def test_variables_as_arguments_are_recorded_by_who_records():
    compiled = tg.compile(lambda x: np.sum(x * x))
    v = tg.Variable([1.0, 2.0])
    for _ in range(4):
        compiled(np.ones(2))
        loss = compiled(v)
        assert isinstance(loss, tg.Variable)
    loss.backward()
    assert_same(v.grad, np.array([2.0, 4.0]))


def test_captured_variables_keep_their_derivatives():
    w = tg.Variable(3.0)
    compiled = tg.compile(lambda x: w * x)
    for k in range(4):
        loss = compiled(float(k))
        assert isinstance(loss, tg.Variable)
    loss.backward()
    assert w.grad == 3.0
    assert "depends on Variables" in repr(compiled.inspect())


def test_gradients_with_respect_to_captured_variables():
    w = tg.Variable([1.0, 2.0])

    @tg.compile
    def gradient(x):
        return tg.grad(np.sum(w * w * x), w)

    for k in range(8):
        assert_same(gradient(1.0 + k), 2.0 * w.value * (1.0 + k))
        if k == 5:
            w.value = np.array([5.0, 6.0])
    assert replays(gradient) >= 3


def test_training_step_runs_plainly():
    w = tg.Variable([1.0, 2.0])
    sgd = tg.SGD([w], lr=0.1)

    @tg.compile
    def step(x):
        loss = np.sum(w * w * x)
        loss.backward()
        sgd.step()
        sgd.zero_grad()
        return tg.value(loss)

    with plainly("backward"):
        losses = [step(np.ones(2)) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == 5


def test_inside_an_outer_derivative():
    compiled = tg.compile(lambda x: np.sum(x**3))
    for _ in range(4):
        assert_same(tg.grad(lambda x: compiled(x) * 2.0)(DATA), 6.0 * DATA**2)

    # Closed over by an inner function that the outer derivative must see through.
    def outer(w):
        return tg.compile(lambda x: w * x)(2.0)

    for _ in range(4):
        assert tg.grad(outer)(3.0) == 2.0
