"""What compiled functions read besides their arguments is never stale."""

import array
import collections
import configparser
import contextvars
import ctypes
import os
import pathlib
import weakref

import numpy as np
import pytest

import tapegrad as tg

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


WHOLE = np.array([0.5, 1.0, 2.0])
VIEWS_OF_CAPTURED_DATA = {
    "used": lambda w: w * WHOLE[1:],
    "used beside a branch on the content": lambda w: w * WHOLE[1:] if WHOLE[0] > 0.2 else w,
    "used, reversed": lambda w: w * WHOLE[1:][::-1] * int(WHOLE[2]),
    "used, reshaped": lambda w: w * WHOLE.reshape(-1)[: int(WHOLE[2])],
    "returned": lambda w: WHOLE[1:],
    "returned beside a branch": lambda w: WHOLE[int(WHOLE[2]) - 1 :],
    "all returned beside a branch": lambda w: WHOLE if WHOLE[0] > 0.2 else w,
    "used, of a dict": lambda w: w * vars(SCALE)["factors"][1:] * int(SCALE.factors[2]),
}


@pytest.mark.filterwarnings("ignore:compile.*runs without a program:UserWarning")
@pytest.mark.parametrize("f", VIEWS_OF_CAPTURED_DATA.values(), ids=VIEWS_OF_CAPTURED_DATA)
def test_views_are_those_of_the_array_that_stands_there_now(f):
    global WHOLE
    WHOLE = SCALE.factors = np.array([0.5, 1.0, 2.0])
    compiled, w = tg.compile(f), np.array([1.0, 3.0])
    for k in range(8):
        assert np.array_equal(compiled(w), f(w))
        if k >= 3:  # another array of the same content, while the first one goes its own way
            before = WHOLE
            WHOLE = SCALE.factors = WHOLE.copy()
            before[:] = 9.0 + k
