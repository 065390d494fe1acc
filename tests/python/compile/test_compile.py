"""Compiled functions give what plain Python gives, whatever they are called with."""

import collections
import copy
import gc
import pickle
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from compile_checks import POINTS, assert_same, check, plainly, programs, replays

import tapegrad as tg
from tapegrad import _core

DATA = np.arange(1.0, 4.0)
RATE = 0.5


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
    with pytest.raises(TypeError, match="the passes are roll"):
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
    compiled = check(lambda x, a: x * a, [(x, 0.5)] * 6, 4)
    assert compiled(x, 0.5).dtype == np.float32
    compiled = check(lambda x, a: x * np.array([a])[0], [(x, 0.5 + k) for k in range(6)], 4)
    assert compiled(x, 0.5).dtype == np.float64
    compiled = check(lambda x, a: x * round(a, 9), [(x, 0.5)] * 6, 1)
    assert compiled(x, 0.5).dtype == np.float32
    with plainly(r"np.float32\(x\)"):
        for k in range(40):
            assert_same(compiled(x, 0.1 * k), x * round(0.1 * k, 9))


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

    def element(x, y):
        y[0] = 5.0
        return x[0] + 0.0

    def part(x, y):
        y[:1] = 5.0
        return x[0] + 0.0

    compiled = tg.compile(f)
    for k in range(5):
        mine, plain, other = np.ones(3) * k, np.ones(3) * k, np.ones(3)
        assert_same(compiled(mine, other), f(plain, other))
        assert_same(mine, plain)
        assert_same(other, np.ones(3))
    assert replays(compiled) == 3
    for writer in (element, part):
        compiled = tg.compile(writer)
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
            given = {"x": np.ones(2)}
            assert_same(compiled(given), np.full(2, 2.0))
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
    with plainly("float64, float32"):
        assert compiled(np.array([1.0], np.float16))[0] == 2.0
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


@pytest.mark.parametrize(
    "f",
    [
        lambda x: [x],
        lambda x: [x[1:], x.sum()],
        lambda x: [x.T, x],
        lambda x: [np.reshape(x, (-1,)), 2.0 * x],
    ],
)
def test_results_are_in_memory_of_their_own(f):
    compiled = tg.compile(f)
    for _ in range(5):
        x = np.arange(6.0).reshape(2, 3)
        found = compiled(x)
        arrays = [y for y in found if isinstance(y, np.ndarray)]
        for y in arrays:
            others = [x, *(z for z in arrays if z is not y)]
            assert not any(np.shares_memory(y, z) for z in others)
        for y, expected in zip(found, f(x), strict=True):
            assert_same(y, expected)


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


def test_a_function_that_raises_again_and_again_is_recorded_in_the_end():
    def f(x):
        if len(calls) < 20:
            raise ValueError("not yet")
        return x * 2.0

    calls, compiled = [], tg.compile(f)
    for _ in range(20):
        with pytest.raises(ValueError, match="not yet"):
            compiled(1.0)
    calls += [0] * 20
    assert [compiled(float(k)) for k in range(4)] == [0.0, 2.0, 4.0, 6.0]
    assert replays(compiled) == 2
