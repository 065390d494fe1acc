"""Compiled functions give what plain Python gives, whatever they read by name."""

import array
import collections
import colorsys
import configparser
import contextvars
import ctypes
import functools
import os
import pathlib
import random
import time
import types
import warnings
import weakref
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
    assert "captured1" in steps  # LARGE
    assert "captured0" not in steps
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


ONES = np.ones((3, 3))
HALVES = np.array([0.5, 0.5])


def by_a_total(w):
    total = (2 * HALVES).sum() / 2
    return np.sum(w) / total


# What plain code makes of captured arrays, and happens to be 0, 1, a length, a number of the code.
NUMBERS_OF_CAPTURED_DATA = {
    "element": lambda w: np.sum(w * ONES[0, 0]),
    "comparison": lambda w: np.sum(w * (ONES[0, 0] > 3.0) * 1.0),
    "a flag among results": lambda w: (np.sum(w * HALVES), float(ONES[0, 0]) > 3.0)[1] * 1.0,
    "sum": lambda w: np.sum(w * HALVES) / HALVES.sum(),
    "sum by np.sum": lambda w: np.sum(w * HALVES) / np.sum(HALVES),
    "sum of a comparison": lambda w: np.sum(w * HALVES) * float(HALVES.sum() > 3),
    "loop over elements": lambda w: sum(v * np.sum(w) for v in HALVES),
    "loop over pairs": lambda w: sum(v * u for u, v in zip(w, HALVES + 0.5, strict=True)),
    "product": lambda w: np.sum(w * (HALVES @ HALVES * 2)),
    "int": lambda w: np.sum(w) * int(HALVES[0] * 2),
    "branch": lambda w: np.sum(w) * 2 if HALVES[0] > 1 else np.sum(w),
    "a name": by_a_total,
    "text": lambda w: np.sum(w) * float(f"{HALVES[0]:.1f}"),
}


@pytest.mark.parametrize("f", NUMBERS_OF_CAPTURED_DATA.values(), ids=NUMBERS_OF_CAPTURED_DATA)
def test_a_number_computed_from_captured_data_follows_it(f):
    ONES[:], HALVES[:] = 1.0, 0.5
    compiled, w = tg.compile(f), np.array([1.0, 3.0])
    for _ in range(4):
        assert compiled(w) == f(w)
    ONES[:], HALVES[:] = 5.0, [2.0, 6.0]
    assert compiled(w) == f(w)


def test_a_number_computed_from_captured_data_and_an_argument_follows_the_data():
    data = np.array([0.5, 0.5])
    compiled = tg.compile(lambda w, n: np.sum(w * data) / np.sum(n * data))
    w = np.array([1.0, 3.0])
    for _ in range(4):
        assert compiled(w, 1) == 2.0
    data[:] = [2.0, 6.0]
    assert compiled(w, 1) == 2.5


class Scale:
    """Says that it is a value, and holds what can change."""

    def __init__(self, factors):
        self.factors = factors

    def __eq__(self, other):
        return isinstance(other, Scale)

    def __hash__(self):
        return 1


SCALE = Scale([2.0])


@pytest.mark.filterwarnings("ignore::UserWarning")  # where it is passed it may run eagerly
@pytest.mark.parametrize("passed", [False, True], ids=["captured", "passed"])
def test_objects_that_say_they_are_values_are_looked_into(passed):
    SCALE.factors = [2.0]
    if passed:
        compiled = tg.compile(lambda x, scale: x * scale.factors[0])
        calls = [lambda: compiled(3.0, SCALE)]
        calls.append(lambda: compiled(3.0, Scale([7.0])))
    else:
        compiled = tg.compile(lambda x: x * SCALE.factors[0])
        calls = [lambda: compiled(3.0)]
    for _ in range(4):
        assert calls[0]() == 6.0
    SCALE.factors[0] = 5.0
    assert calls[0]() == 15.0
    SCALE.factors = [4.0]
    assert calls[0]() == 12.0
    assert calls[-1]() == (21.0 if passed else 12.0)


def _context():
    variable = contextvars.ContextVar("factor", default=2.0)
    return variable.get, lambda: variable.set(5.0)


def _memory():
    raw = array.array("d", [2.0])
    view = memoryview(raw)
    return lambda: view[0], lambda: raw.__setitem__(0, 5.0)


def _c_number():
    number = ctypes.c_double(2.0)
    return lambda: number.value, lambda: setattr(number, "value", 5.0)


def _chain_map():
    inner = {"factor": 2.0}
    chain = collections.ChainMap({}, inner)
    return lambda: chain["factor"], lambda: inner.__setitem__("factor", 5.0)


def _config():
    config = configparser.ConfigParser()
    config.read_string("[a]\nfactor = 2.0")
    return lambda: config.getfloat("a", "factor"), lambda: config.set("a", "factor", "5.0")


def _weak():
    holder = Scale([2.0])
    weak = weakref.ref(holder)
    return lambda: weak().factors[0], lambda: holder.factors.__setitem__(0, 5.0)


def _subclass():
    class Base:
        factor = 2.0

        def scale(self):
            return 2.0

    class Derived(Base):
        pass

    made = Derived()
    return lambda: made.factor, lambda: setattr(Derived, "factor", 5.0)


def _method_of_subclass():
    class Base:
        def scale(self):
            return 2.0

    class Derived(Base):
        pass

    made = Derived()
    return lambda: made.scale(), lambda: setattr(Derived, "scale", lambda self: 5.0)


def _class_of_an_object():
    class Two:
        def scale(self):
            return 2.0

    class Five:
        def scale(self):
            return 5.0

    made = Two()
    return lambda: made.scale(), lambda: setattr(made, "__class__", Five)


@pytest.mark.filterwarnings("ignore:compile.*runs without a program:UserWarning")
@pytest.mark.parametrize(
    "make",
    [_context, _memory, _c_number, _chain_map, _config, _weak, _subclass, _method_of_subclass,
     _class_of_an_object],
)  # fmt: skip
def test_what_is_read_in_many_ways_is_never_stale(make):
    read, change = make()
    compiled = tg.compile(lambda x: x * read())
    for _ in range(4):
        assert compiled(3.0) == 6.0
    change()
    assert compiled(3.0) == 15.0


@pytest.mark.filterwarnings("ignore:compile.*runs without a program:UserWarning")
@pytest.mark.parametrize(
    "read",
    [
        lambda path: np.load(path),
        lambda path: np.fromfile(path, offset=128),
        lambda path: float(len(pathlib.Path(path).read_bytes())),
        lambda path: float(os.path.getsize(path)),
    ],
)
def test_files_are_read_at_each_call(tmp_path, read):
    path = tmp_path / "data.npy"
    np.save(path, np.array([2.0]))
    compiled = tg.compile(lambda x: x * read(path))
    first = [compiled(3.0) for _ in range(4)]
    np.save(path, np.array([5.0, 5.0]))
    assert np.all(compiled(3.0) == 3.0 * read(path))
    assert np.any(first[0] != compiled(3.0))
