"""What a function reads besides its arguments is found, and every change of it is seen."""

import collections
import functools
import random
import types

import numpy as np
import numpy.random as draws
import pytest

import tapegrad as tg
from tapegrad.compile.reads.captured_data import generator_states, have_moved, same_value, stamp
from tapegrad.compile.reads.code_names import names_of
from tapegrad.compile.reads.snapshot import Snapshot, UnwatchableError, snapshot_of

RATE = 0.5
DATA = np.arange(3.0)
LIMITS = [1, 2.0, {"low": 0.25}]
NUMBER = np.array(2.0)
WEIGHT = tg.Variable(1.0)
SPACE = types.SimpleNamespace(rate=1.0, other=2.0)
CONFIG = types.ModuleType("user_config")
CONFIG.step = 0.1
CONFIG.unused = 1


class Layer:
    scale = 3.0

    def __init__(self):
        self.w = np.ones(2)
        self.name = "layer"

    def apply(self, x):
        return x * self.w * self.scale + self.shift

    @property
    def shift(self):
        return OFFSET


class Slotted:
    __slots__ = ("rate",)

    def __init__(self):
        self.rate = 1.0


OFFSET = 0.0
LAYER = Layer()
SLOTTED = Slotted()


def helper(x):
    return x * RATE


def f(x, power=2.0):
    return (
        np.sum(helper(x) * DATA) ** power
        + LIMITS[2]["low"]
        + LAYER.apply(x)
        + SPACE.rate
        + CONFIG.step
        + NUMBER
        + WEIGHT
        + SLOTTED.rate
    )


CHANGES = {
    "RATE": lambda set_: set_("RATE", 0.75),
    "helper": lambda set_: set_("helper", lambda x: x),
    "LIMITS[2]['low']": lambda set_: LIMITS[2].update(low=0.5),
    "LIMITS": lambda set_: LIMITS.append(1),
    "LAYER.w": lambda set_: setattr(LAYER, "w", np.ones(3)),
    "OFFSET": lambda set_: set_("OFFSET", 1.0),
    "Layer.scale": lambda set_: setattr(Layer, "scale", 4.0),
    "SPACE.rate": lambda set_: setattr(SPACE, "rate", 2.0),
    "user_config.step": lambda set_: setattr(CONFIG, "step", 0.2),
    "NUMBER": lambda set_: NUMBER.fill(5.0),
    "WEIGHT": lambda set_: set_("WEIGHT", tg.Variable(1.0)),
    "SLOTTED.rate": lambda set_: setattr(SLOTTED, "rate", 2.0),
    "f.__defaults__[0]": lambda set_: setattr(f, "__defaults__", (3.0,)),
}


@pytest.fixture
def restored(monkeypatch):
    """Sets a global of this module; puts everything back."""
    kept = Layer.scale, LAYER.w, SPACE.rate, CONFIG.step, f.__defaults__
    yield lambda name, value: monkeypatch.setitem(globals(), name, value)
    Layer.scale, LAYER.w, SPACE.rate, CONFIG.step, f.__defaults__ = kept
    SLOTTED.rate = 1.0
    NUMBER.fill(2.0)
    LIMITS[2]["low"] = 0.25
    del LIMITS[3:]


def test_nothing_changed(restored):
    snapshot = Snapshot([("f", f)])
    assert snapshot.same()
    assert snapshot.compare(snapshot.again()) == ("", {})
    assert {label for label, _ in snapshot.arrays} == {"DATA", "LAYER.w"}
    assert [label for label, _ in snapshot.variables] == ["WEIGHT"]


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_every_change_is_seen_and_named(what, restored):
    snapshot = Snapshot([("f", f)])
    CHANGES[what](restored)
    assert not snapshot.same()
    label, _ = snapshot.compare(snapshot.again())
    assert label.replace("CONFIG", "user_config").startswith(what.split("[")[0]) or what == "helper"


def test_what_is_not_named_may_change(restored):
    snapshot = Snapshot([("f", f)])
    SPACE.other = 5.0
    CONFIG.unused = 2
    assert snapshot.same()
    LAYER.name = "renamed"
    assert snapshot.same()


def test_equal_things_are_the_same(restored):
    snapshot = Snapshot([("f", f)])
    restored("RATE", float("0.5"))
    restored("LIMITS", [1, 2.0, {"low": 0.25}])
    restored("helper", types.FunctionType(helper.__code__, helper.__globals__))
    assert not snapshot.same()
    fresh = snapshot.again()
    assert snapshot.compare(fresh) == ("", {})
    assert fresh.same()


def test_an_array_in_place_of_another(restored):
    snapshot = Snapshot([("f", f)])
    old, new = DATA, np.ones(3)
    restored("DATA", new)
    label, replaced = snapshot.compare(snapshot.again())
    assert label == ""
    assert replaced == {id(old): new} or replaced[id(old)] is new
    restored("DATA", np.ones(4))
    assert snapshot.compare(snapshot.again())[0].startswith("DATA")
    restored("DATA", np.ones(3, np.float32))
    assert snapshot.compare(snapshot.again())[0] == "DATA"


def test_closures_partials_and_methods():
    scale = 2.0

    def inner(x, factor):
        return x * scale * factor

    for function in (
        functools.partial(inner, factor=3.0),
        tg.grad(lambda x: inner(x, 2.0)),
        tg.compile(lambda x: inner(x, 2.0)),
    ):
        scale = 2.0
        snapshot = Snapshot([("g", function)])
        assert snapshot.same()
        scale = 3.0
        assert not snapshot.same()
        assert snapshot.compare(snapshot.again())[0] == "scale"
    snapshot = Snapshot([("m", LAYER.apply)])
    assert {label for label, _ in snapshot.arrays} == {"m.__self__.w"}


def test_containers_of_many_kinds():
    held = {
        "deque": collections.deque([1.0]),
        "set": {1, 2},
        "array": np.array([1.0, None], dtype=object),
        "bytes": bytearray(b"ab"),
        "ordered": collections.OrderedDict(a=1),
    }
    snapshot = Snapshot([("g", lambda x: x * len(held))])
    for change in (
        lambda: held["deque"].append(2.0),
        lambda: held["set"].add(3),
        lambda: held["array"].__setitem__(1, 2.0),
        lambda: held["bytes"].extend(b"c"),
        lambda: held["ordered"].update(a=2),
    ):
        assert snapshot.same()
        change()
        assert not snapshot.same()
        assert snapshot.compare(snapshot.again())[0].startswith("held")
        snapshot = snapshot.again()


def test_cycles_end():
    ring = [1.0]
    ring.append(ring)
    snapshot = Snapshot([("g", lambda x: x * ring[0])])
    assert snapshot.same()
    ring[0] = 2.0
    assert not snapshot.same()


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: eval("x"), "eval"),
        (lambda x: locals()["x"], "locals"),
        (lambda x: open("name"), "reads a file"),  # noqa: SIM115 - the call is under test
    ],
)
def test_what_nobody_can_watch(function, why):
    with pytest.raises(UnwatchableError, match=why):
        Snapshot([("g", function)])


def test_iterators_and_huge_containers():
    numbers, huge = iter([1]), list(range(20_000))
    with pytest.raises(UnwatchableError, match="next item"):
        Snapshot([("g", lambda x: x * next(numbers))])
    with pytest.raises(UnwatchableError, match="more than 10000"):
        Snapshot([("g", lambda x: x * huge[0])])


def test_methods_named_like_builtins_are_fine():
    model = types.SimpleNamespace(eval=lambda x: x, open=1)
    assert Snapshot([("g", lambda x: model.eval(x) + model.open)]).same()


def test_generators_are_found_and_their_moves_seen():
    sources = np.random.default_rng(0), np.random.RandomState(0), random.Random(0)
    snapshot = Snapshot([("g", lambda x: x * sources[0].normal() * sources[1].rand())])
    assert len(snapshot.generators) == 3
    for move in (
        sources[0].normal,
        sources[1].rand,
        sources[2].random,
        np.random.rand,
        random.random,
    ):
        before = generator_states(snapshot.generators)
        assert not have_moved(before, generator_states(snapshot.generators))
        move()
        assert have_moved(before, generator_states(snapshot.generators))


def test_gradients_of_captured_variables_are_read_by_content():
    w = tg.Variable([1.0, 2.0])
    w.grad = np.ones(2)
    snapshot = Snapshot([("g", lambda x: x * w.grad)])
    assert snapshot.same()
    w.grad = np.ones(2)
    assert snapshot.same()
    w.grad = np.zeros(2)
    assert not snapshot.same()


def test_values_and_contents():
    nan = float("nan")
    assert same_value(nan, float("nan"))
    assert same_value((1, "a"), (1, "a"))
    assert not same_value(1, 1.0)
    assert not same_value(1, True)
    assert not same_value(0.0, -0.0)
    for n in (4, 5000):
        x = np.arange(float(n))
        before = stamp(x)
        assert stamp(x.copy()) == before
        x[n // 2] += 1e-12
        assert stamp(x) != before
    assert stamp(np.array(["a", "b"])) != stamp(np.array(["a", "c"]))


def test_names_in_code():
    def g(x):
        x[0] = RATE * -3.0
        return [LAYER.w for _ in range(2)], getattr(LAYER, "name")  # noqa: B009 - the call is under test

    names = names_of(g.__code__)
    assert {"RATE", "LAYER", "range", "getattr"} <= names.globals_
    assert {"w", "name"} <= names.attributes
    assert names.writes
    assert names.dynamic
    assert not names_of(helper.__code__).writes


@pytest.mark.parametrize(
    "body", ["x[0] = 1.0", "x[:1] = 1.0", "x[a:b] *= 2.0", "x += 1.0", "x.fill(1.0)", "del x[0]"]
)
def test_code_that_writes_is_told(body):
    assert names_of(compile(body, "f.py", "exec")).writes
    assert not names_of(compile("y = x[0] + x[a:b]", "f.py", "exec")).writes


def test_a_second_snapshot_of_one_code_knows_the_names():
    def reader(space):
        return lambda x: x * space.rate

    first, second = types.SimpleNamespace(rate=1.0), types.SimpleNamespace(rate=2.0)
    for space in (first, second):
        found = snapshot_of(reader(space), "f")
        assert [value for label, _, value in found.items if label == "space.rate"] == [space.rate]
        assert found.same()
        space.rate += 1.0
        assert not found.same()
    others = [("more", [1.0])]
    assert ("more[0]", "value", 1.0) in snapshot_of(reader(first), "f", others).items


@pytest.mark.parametrize(
    ("f", "draws"),
    [
        (lambda x: np.sum(x) * RATE, False),
        (lambda x: x * np.random.normal(), True),
        (lambda x: x * draws.normal(), True),
        (lambda x: x * random.random(), True),
        (functools.partial(lambda rng, x: x * rng.random(), random.Random(1)), True),
        (lambda x: x * collections.Counter("a")["a"], False),
    ],
)
def test_code_that_may_draw_random_numbers(f, draws):
    assert snapshot_of(f, "f").may_draw() == draws
