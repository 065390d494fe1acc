"""Compiled functions give what plain Python gives, whatever changes between calls."""

import collections
import copy
import functools
import gc
import os
import pickle
import random
import threading
import time
import types
import warnings
from dataclasses import dataclass
from time import perf_counter as now

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core

POINTS = [np.array([0.5, 1.0, -2.0]) * k for k in (1.0, 2.0, -1.0, 0.5, 3.0)]
DATA = np.arange(1.0, 4.0)
LARGE = np.linspace(0.0, 1.0, 10_000)
RATE = 0.5
HISTORY = []
WEIGHT = tg.Variable(2.0)


def replays(compiled):
    return sum(s.replays for s in compiled.inspect().signatures)


def programs(compiled):
    return sum(len(s.programs) for s in compiled.inspect().signatures)


def assert_same(found, expected):
    if isinstance(expected, (tuple, list)):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, (np.ndarray, float)):
        assert np.shape(found) == np.shape(expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    else:
        assert found == expected


def plainly(reason):
    """Expects the warning that says why a function runs as plain Python."""
    return pytest.warns(UserWarning, match=reason)


def check(f, calls, least_replays=1, **options):
    """Calls the compiled function as often as there are `calls`; each result is f's."""
    compiled = tg.compile(f, **options)
    for args in calls:
        args = args if isinstance(args, tuple) else (args,)
        assert_same(compiled(*args), f(*args))
    assert replays(compiled) >= least_replays, compiled.inspect()
    return compiled


# Calls and signatures.


def test_the_third_call_replays():
    compiled = check(lambda x: np.sum(np.sin(x) * x), POINTS, 3)
    (report,) = compiled.inspect().signatures
    assert report.recordings == 2
    assert report.replays == 3


def test_a_replay_runs_no_python(capsys):
    def f(x):
        print("ran")
        return x * 2.0

    compiled = tg.compile(f)
    for x in POINTS:
        assert_same(compiled(x), x * 2.0)
    assert capsys.readouterr().out == "ran\n" * 2


def test_decorator_with_and_without_options():
    @tg.compile
    def f(x):
        """Doubles."""
        return x * 2

    @tg.compile(passes={"fuse": False})
    def g(x):
        return x * 2

    assert f.__name__ == "f"
    assert f.__doc__ == "Doubles."
    for x in POINTS:
        assert_same(f(x), x * 2)
        assert_same(g(x), x * 2)
    assert replays(g) == 3


def test_unknown_passes_raise():
    with pytest.raises(TypeError, match="the passes are fold"):
        tg.compile(np.sin, passes={"magic": True})
    with pytest.raises(TypeError, match="not a function"):
        tg.compile(3.0)


def test_floats_are_inputs_and_ints_are_not():
    compiled = check(lambda x, a: x * a, [(POINTS[0], 0.1 * k) for k in range(6)], 4)
    assert programs(compiled) == 1
    compiled = check(lambda x, n: x**n, [(x, n) for n in (2, 3) for x in POINTS], 6)
    assert programs(compiled) == 2


def test_too_many_ints_run_plainly_and_say_so():
    compiled = tg.compile(lambda x, n: x * n)
    with plainly("pass a float"):
        for n in range(20):
            assert_same(compiled(POINTS[0], n), POINTS[0] * n)


def test_shapes_and_dtypes_have_programs_of_their_own():
    def f(x):
        return np.sum(x * x, axis=0)

    arrays = [np.ones(3), np.ones((2, 3)), np.ones(3, np.float32), np.float64(2.0), np.array(2.0)]
    compiled = tg.compile(f)
    for _ in range(4):
        for x in arrays[:3]:
            assert_same(compiled(x), f(x))
    assert programs(compiled) == 3


def test_integer_and_bool_arrays_are_inputs():
    check(lambda x, m: np.where(m, x, 0.0), [(x, x > 0) for x in POINTS], 3)
    calls = [(x, np.array([k % 2, 0, 2]), x > 0) for k, x in enumerate(2 * POINTS)]
    check(lambda x, i, m: np.where(m, x[i], 0.0) + i / 2, calls, 3)
    check(lambda x, i, m: (x[i * 2 % 3], i + 1, np.sum(i), ~m & (x > 0), m * x, -i), calls, 3)


def test_float32_beside_python_floats_keeps_its_dtype():
    x = np.ones(3, np.float32)
    compiled = check(lambda x, a: x * a, [(x, 0.5)] * 6, 1)
    assert compiled(x, 0.5).dtype == np.float32
    with plainly(r"np.float32\(x\)"):
        for k in range(40):
            assert_same(compiled(x, 0.1 * k), x * (0.1 * k))


def test_containers_in_and_out():
    @dataclass
    class Point:
        x: float
        y: np.ndarray

    Pair = collections.namedtuple("Pair", "a b")

    def f(p, pair, *, scale):
        return {"s": p.x * scale, "pair": Pair(pair.b * 2.0, [pair.a, None, "text", 3])}

    compiled = tg.compile(f)
    for k in range(5):
        args = Point(1.0 * k, np.ones(2)), Pair(np.ones(2) * k, 2.0)
        assert_same(compiled(*args, scale=0.5 * k), f(*args, scale=0.5 * k))
    assert replays(compiled) == 3
    point = tg.compile(lambda p: Point(p.x + 1.0, p.y * 2.0))
    for k in range(4):
        found = point(Point(1.0 * k, np.ones(2)))
        assert isinstance(found, Point)
        assert found.x == k + 1.0


def test_results_are_the_callers_own():
    compiled = tg.compile(lambda x: (x * 2.0, x))
    for _ in range(4):
        doubled, same = compiled(DATA)
        doubled += 1.0
        same += 1.0
    assert_same(DATA, np.arange(1.0, 4.0))
    assert_same(compiled(DATA)[0], DATA * 2.0)


def test_function_that_writes_to_its_argument():
    def f(x, y):
        x[0] = 5.0
        x *= 2.0
        return np.sum(x + y)

    def g(x, y):
        y[0] = 5.0
        return x[0] + 0.0

    compiled = tg.compile(f)
    for k in range(5):
        mine, plain, other = np.ones(3) * k, np.ones(3) * k, np.ones(3)
        assert_same(compiled(mine, other), f(plain, other))
        assert_same(mine, plain)
        assert_same(other, np.ones(3))
    assert replays(compiled) == 3
    compiled = tg.compile(g)
    for k in range(6):
        x = np.ones(3)
        assert compiled(x, x if k % 2 else np.ones(3)) == (5.0 if k % 2 else 1.0)


def test_writes_that_depend_on_the_path_wait_for_the_guards():
    def f(x):
        x[0] = 7.0
        if np.sum(x) > 10.0:
            return x * 1.0
        return -x

    compiled = tg.compile(f)
    for k in (1, 1, 1, 5, 1, 5, 5, 1):
        mine, plain = np.ones(3) * k, np.ones(3) * k
        assert_same(compiled(mine), f(plain))
        assert_same(mine, plain)


def test_a_changed_container_argument_runs_plainly():
    def f(d):
        d["seen"] = 1
        return d["x"] * 2.0

    compiled = tg.compile(f)
    with plainly("changes a container"):
        for _ in range(3):
            compiled({"x": np.ones(2)})
    given = {"x": np.ones(2)}
    compiled(given)
    assert given["seen"] == 1


def test_methods():
    class Model:
        def __init__(self, w):
            self.w = w
            self.rate = 2.0

        @tg.compile
        def step(self, x):
            return np.sum(self.w * x) * self.rate

    one, two = Model(np.ones(3)), Model(np.arange(3.0))
    for k, x in enumerate(POINTS):
        assert_same(one.step(x), np.sum(one.w * x) * one.rate)
        assert_same(two.step(x), np.sum(two.w * x) * two.rate)
        one.rate = 2.0 if k < 3 else 5.0
    assert replays(Model.step) >= 4


def test_unsupported_arguments_run_plainly():
    compiled = tg.compile(lambda x: x * 2)
    with plainly("complex"):
        assert compiled(2j) == 4j
    with plainly("float64, float32"):
        assert compiled(np.array([1j]))[0] == 2j
    with plainly("np.asarray"):
        assert compiled(np.ma.array([1.0]))[0] == 2.0


# Branches.


def test_branches_are_followed():
    def f(x):
        if np.sum(x) > 0:
            return x * 2
        return -x

    compiled = check(f, [POINTS[0], POINTS[2]] * 5, 6)
    assert programs(compiled) == 2


def test_loops_on_values():
    def f(x):
        n = 0
        while np.sum(x * x) > 1.0:
            x = x * 0.5
            n += 1
        return x, n

    check(f, [POINTS[k % 3] * 4 for k in range(12)], 4)


def test_int_of_a_value_and_masks():
    check(lambda x: x * int(x[0] + 2.0), [POINTS[k % 2] for k in range(10)], 6)
    check(lambda x: x[x > 0], [POINTS[k % 3] for k in range(12)], 4)
    check(lambda x: np.sum(x[np.nonzero(x > 0)]), [POINTS[k % 3] for k in range(12)], 4)


def test_a_path_that_never_comes_back_ends_in_plain_python():
    def f(x):
        return x * int(np.sum(x))

    compiled = tg.compile(f)
    with plainly(r"another path at almost every call.*test_compile.py:\d+"):
        for k in range(40):
            assert_same(compiled(DATA * k), f(DATA * k))
    assert "another path" in repr(compiled.inspect())


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
    helper = other  # noqa: F811
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
    hidden = __import__("ctypes").c_double(0.0)

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


# Transforms.

BOTH = {
    "grad": (tg.grad, lambda x: np.sum(np.sin(x) * x)),
    "value_and_grad": (tg.value_and_grad, lambda x: np.sum(np.sin(x) * x)),
    "hessian": (tg.hessian, lambda x: np.sum(np.exp(-x * x))),
    "jacobian": (tg.jacobian, lambda x: np.outer(x, x)[0] * np.sum(x)),
    "elementwise_grad": (tg.elementwise_grad, np.tanh),
}


@pytest.mark.parametrize("name", sorted(BOTH))
def test_transforms_in_both_orders(name):
    transform, f = BOTH[name]
    eager = transform(f)
    inside, outside = transform(tg.compile(f)), tg.compile(transform(f))
    for x in POINTS:
        assert_same(inside(x), eager(x))
        assert_same(outside(x), eager(x))
    assert replays(inside) == replays(outside) == 3


def test_directional_derivatives_of_compiled_functions():
    def f(x):
        return np.sum(np.sin(x) * x)

    compiled, v = tg.compile(f), np.array([1.0, -1.0, 0.5])
    both = tg.compile(lambda x, v: (tg.jvp(f, (x,), (v,)), tg.hvp(f, x, v)))
    for x in POINTS:
        assert_same(tg.jvp(compiled, (x,), (v,)), tg.jvp(f, (x,), (v,)))
        assert_same(tg.hvp(compiled, x, v), tg.hvp(f, x, v))
        assert_same(tg.vjp(compiled, x)[1](2.0), tg.vjp(f, x)[1](2.0))
        assert_same(both(x, v), (tg.jvp(f, (x,), (v,)), tg.hvp(f, x, v)))
    assert replays(both) == 3


def test_gradient_through_branches():
    def f(x):
        return np.sum(x**3) if x[0] > 0 else np.sum(x * x)

    gradient = tg.compile(tg.grad(f))
    for k in range(10):
        x = POINTS[k % 3]
        assert_same(gradient(x), tg.grad(f)(x))
    assert replays(gradient) >= 4


def test_nested_compiled_functions_and_recursion():
    inner = tg.compile(lambda x: np.sin(x))
    check(lambda x: inner(x) * inner(x + 1.0), POINTS, 3)

    @tg.compile
    def power(x, n):
        return x if n == 1 else x * power(x, n - 1)

    for x in POINTS:
        assert_same(power(x, 4), x**4)
    assert tg.compile(inner).function is inner.function


# Errors, threads, copies.


def test_errors_are_the_functions_own():
    def f(x):
        if x[0] > 0:
            raise KeyError("mine")
        return np.linalg.inv(x[1] * np.eye(2))

    compiled = tg.compile(f)
    gc.collect()
    live = _core.live_nodes()
    for _ in range(3):
        with pytest.raises(KeyError, match="mine"):
            compiled(np.ones(2))
    gc.collect()  # pytest holds on to tracebacks
    assert _core.live_nodes() <= live
    for k in range(4):
        assert_same(compiled(-np.ones(2) - k), f(-np.ones(2) - k))
    with pytest.raises(np.linalg.LinAlgError):
        compiled(np.array([-1.0, 0.0]))
    assert not _core.tracing()


def test_what_no_recording_takes_runs_plainly():
    compiled = tg.compile(lambda x: x * float(x[0]))
    with plainly("can't be recorded"):
        for x in POINTS:
            assert_same(compiled(x), x * float(x[0]))


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


@tg.compile
def by_name(x):
    return x * 2.0


def doubled(x):
    return x * 2.0


def test_copies_and_pickles():
    assert copy.copy(by_name) is by_name
    again = pickle.loads(pickle.dumps(tg.compile(doubled, passes={"fuse": False})))
    for x in POINTS:
        assert_same(again(x), x * 2.0)
    assert replays(again) == 3


def test_nothing_is_warned_about_plain_functions():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(lambda x: np.dot(x, DATA) + np.max(x) + RATE, POINTS, 3)


def test_inspection_shows_programs_and_guards():
    compiled = check(lambda x: x * 2.0 if x[0] > 0 else -x, [POINTS[0]] * 4, 2)
    text = repr(compiled.inspect())
    assert "float64[3]" in text
    assert "2 recordings, 2 replays" in text
    assert "test_compile.py:" in text
    assert "return" in compiled.inspect().signatures[0].programs[0].text
    assert "not called yet" in repr(tg.compile(np.sin).inspect())


def test_recordings_keep_no_tape():
    compiled = tg.compile(lambda x: (np.sin(x) * x, x + 1.0))
    gc.collect()
    live = _core.live_nodes()
    compiled(DATA)
    compiled(DATA)
    gc.collect()
    assert _core.live_nodes() <= live
