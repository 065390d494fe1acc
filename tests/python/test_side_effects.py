"""Lanes of functions that change what is around them: each by itself, as in plain Python."""

import gc
import itertools
import random
import types
import weakref

import numpy as np
import numpy.random as draws
import pytest

import tapegrad as tg

X = np.array([0.5, 1.5, -2.0])


class _Effects:
    """Functions of one number, made anew for each run, that leave something behind."""

    @staticmethod
    def array_written():
        kept = np.zeros(2)

        def f(x):
            kept[1] += 1
            return x * kept[1]

        return f

    @staticmethod
    def array_written_through_a_view():
        kept = np.zeros(3)
        view = kept[1:]

        def f(x):
            view[0] += 1
            return x * kept[1]

        return f

    @staticmethod
    def array_updated():
        kept = np.zeros(3)

        def f(x):
            nonlocal kept
            kept += 1
            return x * kept[1]

        return f

    @staticmethod
    def large_array_written():
        kept = np.zeros(200_000)

        def f(x):
            kept[7] += 1
            return x * kept[7]

        return f

    @staticmethod
    def item_counted():
        kept = [0.0]

        def f(x):
            kept[0] += 1
            return x * kept[0]

        return f

    @staticmethod
    def number_counted():
        n = 0

        def f(x):
            nonlocal n
            n += 1
            return x * n

        return f

    @staticmethod
    def length_counted():
        kept = []

        def f(x):
            kept.append(1)
            return x * len(kept)

        return f

    @staticmethod
    def attribute_counted():
        kept = types.SimpleNamespace(n=0)

        def f(x):
            kept.n += 1
            return x * kept.n

        return f

    @staticmethod
    def entry_counted():
        kept = {}

        def f(x):
            kept["n"] = kept.get("n", 0) + 1
            return x * kept["n"]

        return f

    @staticmethod
    def item_of_an_iterator():
        numbers = itertools.count(1)

        def f(x):
            return x * next(numbers)

        return f

    @staticmethod
    def random_draw():
        rng = np.random.default_rng(0)

        def f(x):
            return x * rng.normal()

        return f

    @staticmethod
    def last_one_kept():
        last = [1.0]

        def f(x):
            y = x * last[0]
            last[0] = x * x
            return y

        return f

    @staticmethod
    def last_one_kept_by_name():
        last = 1.0

        def f(x):
            nonlocal last
            y = x * last
            last = np.sin(x)
            return y

        return f


EFFECTS = [name for name in vars(_Effects) if not name.startswith("_")]


@pytest.mark.parametrize("name", EFFECTS)
def test_lanes_run_one_by_one_where_they_change_what_they_read(name):
    make = getattr(_Effects, name)
    f = make()
    expected = [f(x) for x in X]
    with pytest.warns(UserWarning, match=r"^vmap\(f\): runs lane by lane: it "):
        found = tg.vmap(make())(X)
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.filterwarnings("ignore:vmap")
@pytest.mark.parametrize("name", EFFECTS)
def test_what_lanes_leave_behind_keeps_its_derivative(name):
    make = getattr(_Effects, name)

    def lanes(x):
        return np.sum(tg.vmap(make())(x) ** 2)

    def loop(x):
        f = make()
        return sum(f(v) ** 2 for v in x)

    if "array" in name:  # arrays that are made where a derivative is taken hold Variables
        with pytest.raises(RuntimeError, match="it writes to a Variable that was made outside"):
            tg.grad(lanes)(X)
        return
    value, slope = tg.value_and_grad(lanes)(X)
    expected = tg.value_and_grad(loop)(X)
    np.testing.assert_allclose(value, expected[0], rtol=1e-14)
    np.testing.assert_allclose(slope, expected[1], rtol=1e-14)
    np.testing.assert_allclose(tg.hessian(lanes)(X), tg.hessian(loop)(X), rtol=1e-13, atol=1e-15)


@pytest.mark.filterwarnings("ignore:(vmap|compile)")
@pytest.mark.parametrize("name", EFFECTS)
def test_compiled_lanes_do_the_same(name):
    make = getattr(_Effects, name)
    f, compiled = make(), tg.compile(tg.vmap(make()))
    for _ in range(5):
        np.testing.assert_allclose(compiled(X), [f(x) for x in X], rtol=1e-15)


@pytest.mark.filterwarnings("ignore:vmap")
def test_everything_that_is_collected():
    def loss(x):
        squares = []

        def f(v):
            squares.append(v * v)
            return v

        return np.sum(tg.vmap(f)(x)) + squares[0] * x[1] + squares[2] * x[0]

    value, slope = tg.value_and_grad(loss)(X)
    a, b, c = X
    assert value == pytest.approx(a + b + c + a * a * b + c * c * a, rel=1e-15)
    np.testing.assert_allclose(slope, [1 + 2 * a * b + c * c, 1 + a * a, 1 + 2 * c * a], rtol=1e-15)


@pytest.mark.filterwarnings("ignore:vmap")
def test_objects_that_all_lanes_get():
    class Counter:
        n = 0

        def next(self):
            self.n += 1
            return self.n

    def f(x, counter):
        return x * counter.next()

    np.testing.assert_allclose(tg.vmap(f, in_axes=(0, None))(X, Counter()), X * [1, 2, 3])

    def g(x, kept):
        kept["sum"] = kept["sum"] + x
        return kept["sum"] * 1.0

    kept = {"sum": 0.0}
    np.testing.assert_allclose(tg.vmap(g, in_axes=(0, None))(X, kept), np.cumsum(X))
    assert kept["sum"] == X.sum()


def test_functions_without_effects_are_recorded_once():
    calls = []
    weights, model = np.arange(3.0), types.SimpleNamespace(scale=2.0)

    def noted(x):
        calls.append(1)
        return x

    def f(x):
        return np.sum(weights * x) * model.scale

    with pytest.warns(UserWarning, match=r"it changes calls"):
        tg.vmap(noted)(X)
    assert len(calls) == 3
    mapped = tg.vmap(f)
    for scale in (2.0, 3.0, 3.0):
        model.scale = scale  # what is kept of the last call is looked at again
        np.testing.assert_allclose(mapped(X), X * 3.0 * scale)


@pytest.mark.filterwarnings("ignore:vmap")
def test_one_lane_and_none():
    n = [0]

    def f(x):
        n[0] += 1
        return x * n[0]

    np.testing.assert_allclose(tg.vmap(f)(np.array([2.0])), [2.0])
    assert tg.vmap(f)(np.zeros(0)).shape == (0,)
    assert tg.vmap(f)(tg.Variable(np.zeros(0))).shape == (0,)


def test_the_generators_of_modules():
    def of_numpy(x):
        return x * np.random.normal()

    def of_python(x):
        return x * random.random()

    def of_numpy_by_another_name(x):
        return x * draws.normal()

    def seeded():
        np.random.seed(3)
        random.seed(3)

    for f in (of_numpy, of_python, of_numpy_by_another_name):
        seeded()
        expected = [f(x) for x in X]
        seeded()
        with pytest.warns(UserWarning, match="it draws random numbers"):
            found = tg.vmap(f)(X)
        np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_nothing_recorded_is_kept():
    held = []
    box = [None]
    mapped = tg.vmap(lambda x: x * box[0])

    def loss(w):
        box[0] = w * 2.0
        held.append(weakref.ref(box[0]))
        return np.sum(mapped(X))

    assert tg.grad(loss)(3.0) == 2.0 * X.sum()
    box[0] = None
    gc.collect()
    assert held[0]() is None
