"""The quick way of a compiled call serves plain arguments, and notices what the slow one does."""

import gc
import weakref

import numpy as np
import pytest
from compile_checks import assert_same, replays

import tapegrad as tg
from tapegrad import _core

X = np.arange(1.0, 5.0)


def compiled_at(f, *args):
    """`f` compiled, with a program for these arguments."""
    compiled = tg.compile(f)
    for _ in range(4):
        assert_same(compiled(*args), f(*args))
    assert replays(compiled) >= 1
    return compiled


@pytest.fixture
def slow_calls(monkeypatch):
    """The calls that did not go the quick way."""
    calls = []
    slow = tg.compile(lambda x: x).__class__._call
    monkeypatch.setattr(
        tg.compile(lambda x: x).__class__,
        "_call",
        lambda self, args, kwargs: calls.append(args) or slow(self, args, kwargs),
    )
    return calls


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x, y: x * y, (2.0, 3.0)),
        (lambda x, y: x * y + 1.0, (X, 3.0)),
        (lambda x, y: (x + y, {"a": [x * y, None], "b": 7}), (X, X[::-1])),
        (lambda: 2.0, ()),
        (lambda x: x @ x, (X.astype(np.float32),)),
    ],
    ids=["floats", "array and float", "containers", "nothing", "float32"],
)
def test_plain_arguments_take_it(f, args, slow_calls):
    compiled = compiled_at(f, *args)
    slow_calls.clear()
    for _ in range(3):
        assert_same(compiled(*args), f(*args))
    assert not slow_calls or not args


@pytest.mark.parametrize(
    "other",
    [(X[:2],), (X.astype(np.float32),), (np.arange(4),), (2.0,), (np.float64(2.0),), (3,),
     (X.reshape(2, 2),), (tg.Variable(X),), (np.ma.masked_array(X).data.view(np.ndarray),)],
)  # fmt: skip
def test_other_arguments_are_told_apart(other):
    f = lambda x: x * 2.0  # noqa: E731 - the code of a lambda is under test
    compiled = compiled_at(f, X)
    for _ in range(4):
        expected, found = f(*other), compiled(*other)
        assert_same(tg.value(found), tg.value(expected))
    assert_same(compiled(X), X * 2.0)


def test_keywords_take_it(slow_calls):
    def f(x, *more, a, b=1.0, **others):
        return (x - a) * b + len(more) + sum(others.values())

    compiled = tg.compile(f)
    calls = [
        ((X,), {"a": 2.0}),
        ((X,), {"a": 2.0, "b": 3.0}),
        ((X,), {"b": 3.0, "a": 2.0}),
        ((), {"a": 2.0, "x": X}),
        ((X, 3.0), {"a": 2.0}),
        ((X,), {"a": 2.0, "c": 3.0}),
    ]
    for _ in range(5):
        slow_calls.clear()
        for args, kwargs in calls:
            assert_same(compiled(*args, **kwargs), f(*args, **kwargs))
    assert not slow_calls
    names = {f"n{i}": float(i) for i in range(20)}  # more than the quick way takes
    for _ in range(4):
        assert_same(compiled(X, a=2.0, **names), X - 2.0 + 190.0)
    assert slow_calls
    name = "".join(["a"])  # equal, and another object
    assert_same(compiled(X, **{name: 5.0}), X - 5.0)


def test_keywords_and_wrong_counts():
    compiled = compiled_at(lambda x, y: x - y, X, X)
    assert_same(compiled(x=X, y=2.0 * X), -X)
    with pytest.raises(TypeError, match="missing 1 required"):
        compiled(X)


def test_views_are_read_as_they_are():
    compiled = compiled_at(lambda x: np.sum(x * x), X)
    wide = np.arange(8.0)
    for x in (wide[::2], wide[::-2], np.broadcast_to(2.0, 4)):
        assert_same(compiled(x), np.sum(x * x))


def test_choices_change_which_path_is_first(slow_calls):
    compiled = tg.compile(lambda x: x * 2.0 if x > 0 else x * 3.0)
    for _ in range(4):
        assert [compiled(1.0), compiled(-1.0)] == [2.0, -3.0]
    slow_calls.clear()
    assert [compiled(x) for x in (1.0, 2.0, -1.0, -2.0, 1.0)] == [2.0, 4.0, -3.0, -6.0, 2.0]
    assert not slow_calls


class Model:
    rate = 2.0

    def __init__(self):
        self.w = np.ones(4)
        self.layers = [1.0, 2.0]
        self.options = {"a": 1.0}

    def __call__(self, x, scale=1.0):
        return np.sum(x * self.w) * self.rate * self.layers[0] * self.options["a"] * scale


def test_every_change_is_noticed():
    model = Model()
    compiled = compiled_at(lambda x: model(x), X)

    def change(name, value):
        return lambda: setattr(model, name, value)

    def default(value):
        return lambda: setattr(Model.__call__, "__defaults__", (value,))

    changes = [
        change("rate", 5.0),
        lambda: setattr(Model, "rate", 7.0),
        lambda: delattr(model, "rate"),
        change("w", np.arange(4.0)),
        lambda: model.w.__setitem__(0, 9.0),
        lambda: model.layers.__setitem__(0, 3.0),
        lambda: model.layers.append(3.0),
        change("layers", [4.0]),
        lambda: model.options.__setitem__("a", 0.5),
        lambda: model.options.update(b=1.0),
        default(2.0),
        lambda: setattr(Model, "__call__", lambda self, x: np.sum(x) * self.rate),
    ]
    call, rate = Model.__call__, Model.rate
    try:
        for make in changes:
            make()
            for _ in range(4):
                assert_same(compiled(X), model(X))
    finally:
        Model.__call__, Model.rate = call, rate
        Model.__call__.__defaults__ = (1.0,)


def test_what_a_variable_holds_is_read_at_each_call():
    w = tg.Variable(np.ones(4))
    compiled = compiled_at(tg.grad(lambda x: np.sum(x * x * w.value)), X)
    w.value = np.full(4, 3.0)
    assert_same(compiled(X), 6.0 * X)


def test_inside_a_recording_the_function_itself_runs():
    compiled = compiled_at(lambda x: x * x, 3.0)
    assert tg.grad(compiled)(3.0) == 6.0
    outer = tg.compile(lambda x: compiled(x) + 1.0)
    assert [outer(2.0) for _ in range(4)] == [5.0] * 4


def test_errors_of_a_program_are_the_functions_own():
    compiled = compiled_at(np.linalg.inv, np.eye(2))
    for _ in range(3):
        with pytest.raises(np.linalg.LinAlgError):
            compiled(np.zeros((2, 2)))
        assert_same(compiled(2.0 * np.eye(2)), 0.5 * np.eye(2))


def test_results_are_fresh_and_writable():
    compiled = compiled_at(lambda x: x + 0.0, X)
    first, second = compiled(X), compiled(X)
    first += 1.0
    assert_same(second, X)
    same = compiled_at(lambda x: x, X)
    given = X.copy()
    same(given)[:] = 0.0
    assert_same(given, X)


def test_nothing_is_kept_alive():
    def make():
        model, big = Model(), np.ones(4)
        compiled = compiled_at(lambda x: model(x) + np.sum(big), X)
        return [weakref.ref(x) for x in (model, big, compiled)]

    seen = make()
    gc.collect()
    assert [r() for r in seen] == [None] * 3


def test_the_parts_check_what_they_are_given():
    checks = _core.SnapshotChecks()
    assert not checks.same()  # nothing was set
    with pytest.raises(TypeError, match="13 arguments"):
        checks.set_checks(1)
    with pytest.raises(TypeError):
        tg.compile(lambda x: x)._remember((1.0,), {}, object())
