"""The proof that recorded operations alone read the captured arrays."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compile.flow import plain_reads
from tapegrad.compile.reads.captured_data import PlainReads
from tapegrad.compile.reads.snapshot import Snapshot


def only_recorded(snapshot):
    return plain_reads(snapshot) is not PlainReads.ANYTHING


X = np.ones((5, 3))
Y = np.ones(5)
PLACES = np.array([0, 1])


class Model:
    flag = True

    def predict(self, x):
        return x * self.w if self.flag else x

    def looks(self, x):
        return x if self.w[0] > 0 else -x

    def passes_on(self, x):
        return self.looks(x)

    @property
    def positive(self):
        return self.w[0] > 0


MODEL = Model()
MODEL.w = np.ones(3)


def squared_error(a, b):
    return np.mean((a - b) ** 2)


def chosen(z):
    return 2.0 if z > 1 else 3.0


def doubled_data():
    return X * 2


def in_place(w):
    total = 0.0
    for i in range(len(Y)):
        total = total + (X[i] @ w - Y[i]) ** 2
    return total


def rows(w):
    for row, target in zip(X, Y, strict=True):
        w = w - 0.1 * (row @ w - target) * row
    return w


def own_branch(w):
    if np.sum(w) > 0:
        w = w * 2
    return w[: X.shape[1]] @ X.T


def late(w):
    z = w * 1.0
    for _ in range(2):
        if np.sum(z) > 0:
            w = -w
        z = X[0]
    return w


def through_a_helper(w):
    data = doubled_data()
    return w if data[0, 0] > 0 else -w


def while_loop(w):
    while Y.any():
        return w
    return -w


def alias(w):
    model = MODEL
    return model.looks(w)


PROVEN = {
    "product": lambda w: np.mean((X @ w - Y) ** 2),
    "helper": lambda w: squared_error(X @ w, Y),
    "method": lambda w: np.sum(MODEL.predict(w)),
    "shape": lambda w: w * len(X) + X.shape[0],
    "where": lambda w: np.where(X > 0, X, w),
    "loop": in_place,
    "rows": rows,
    "own branch": own_branch,
}
NOT_PROVEN = {
    "branch": lambda w: w if X[0, 0] > 0 else -w,
    "position": lambda w: w[int(Y[0])],
    "positions": lambda w: w[PLACES],
    "length": lambda w: np.arange(Y[0]) * w[0],
    "axis": lambda w: np.sum(w, axis=int(Y[0])),
    "computed": lambda w: chosen(X.mean()) * w,
    "and": lambda w: X[0, 0] and w,
    "not": lambda w: w * (not X[0, 0]),
    "sorted": lambda w: sorted(Y)[0] * w,
    "method": lambda w: MODEL.looks(w),
    "method of a method": lambda w: MODEL.passes_on(w),
    "property": lambda w: w if MODEL.positive else -w,
    "late": late,
    "through a helper": through_a_helper,
    "while": while_loop,
    "alias": alias,
    "getattr": lambda w: w if getattr(MODEL, "w")[0] > 0 else -w,  # noqa: B009 - the call is under test
}


@pytest.mark.parametrize("name", sorted(PROVEN))
def test_proven(name):
    assert only_recorded(Snapshot([(name, PROVEN[name])]))


@pytest.mark.parametrize("name", sorted(NOT_PROVEN))
def test_not_proven(name):
    assert not only_recorded(Snapshot([(name, NOT_PROVEN[name])]))


def test_through_a_transform_and_for_methods():
    assert only_recorded(Snapshot([("g", tg.grad(PROVEN["product"]))]))
    assert not only_recorded(Snapshot([("g", tg.grad(NOT_PROVEN["branch"]))]))
    assert only_recorded(Snapshot([("f", Model.predict), ("argument 0", MODEL)]))
    assert not only_recorded(Snapshot([("f", Model.looks), ("argument 0", MODEL)]))
    assert only_recorded(Snapshot([("f", MODEL.predict)]))
    assert not only_recorded(Snapshot([("f", MODEL.looks)]))


def test_code_without_source_is_not_proven():
    names = {"X": X}
    exec("def f(w): return X @ w", names)
    assert not only_recorded(Snapshot([("f", names["f"])]))
    assert only_recorded(Snapshot([("f", lambda w: w * 2.0)]))  # no arrays: nothing to prove


def test_a_proven_function_reads_arrays_that_change_at_every_call():
    data = np.ones(3)
    compiled = tg.compile(lambda w: np.sum(w * data))
    for k in range(20):
        data[:] = k
        assert compiled(np.ones(3)) == 3.0 * k
    assert compiled.inspect().signatures[0].replays == 18


def by_a_total(w):
    data = 2.0 * Y
    return w / data.sum()


WITHOUT_NUMBERS = {
    "product": lambda w: np.mean((X @ w - Y) ** 2) * 0.5,
    "rows of an array": lambda w: np.sum(X[1:] @ w) + np.sum(X[0] * w),
    "helper": lambda w: squared_error(X @ w, Y),
    "method": lambda w: np.sum(MODEL.predict(w)) * 2.0,
    "shape": lambda w: w * len(X) + X.shape[0],
    "view": lambda w: np.sum(X.T * w[:, None]),
}
WITH_NUMBERS = {
    "element": lambda w: w * X[0, 0],
    "element by loop": in_place,
    "rows": rows,
    "sum": lambda w: w / Y.sum(),
    "product": lambda w: w * (Y @ Y),
    "comparison": lambda w: w * (X[0, 0] > 3.0),
    "float": lambda w: w * float(Y[0]),
    "pairs": lambda w: sum(a * b for a, b in zip(w, Y, strict=False)),
    "a local name": by_a_total,
}


@pytest.mark.parametrize("name", sorted(WITHOUT_NUMBERS))
def test_no_numbers_of_captured_arrays(name):
    assert plain_reads(Snapshot([(name, WITHOUT_NUMBERS[name])])) is PlainReads.NOTHING


@pytest.mark.parametrize("name", sorted(WITH_NUMBERS))
def test_numbers_of_captured_arrays(name):
    assert plain_reads(Snapshot([(name, WITH_NUMBERS[name])])) is PlainReads.NUMBERS
