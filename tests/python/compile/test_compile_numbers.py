"""Whole numbers as arguments: one program serves them all where they are positions alone."""

import warnings

import numpy as np
import pytest
from compile_checks import assert_same

import tapegrad as tg

X = np.random.default_rng(3).normal(size=(6, 6))
NUMBERS = (3, 0, 5, -1, 2, 2, -6, 4, 1, 3) * 3
OF_A_NUMBER = {
    "row": lambda x, k: x[k],
    "element": lambda x, k: x[0, k] * x[k, 1],
    "computed %": lambda x, k: x[(k + 1) % 6] * x[2 * k // 3 % 6],
    "backwards": lambda x, k: x[-k] * x[0, k - 1],
    "stretch %": lambda x, k: x[0, k % 4 : k % 4 + 3],
    "write": lambda x, k: _write_at(x, k),
    "column": lambda x, k: x[:, k] * np.take(x, k, axis=0),
}


def _write_at(x, k):
    y = x * 1.0
    y[k] = 2.0 * x[0]
    y[k, k] += 1.0
    y[:, k] *= 3.0
    return y


@pytest.mark.parametrize("kind", [int, np.int64, np.int32])
@pytest.mark.parametrize("name", OF_A_NUMBER)
def test_numbers_that_are_positions_alone_share_a_program(name, kind):
    def f(x, k):
        return np.sum(np.cos(OF_A_NUMBER[name](x, k) * 1.3))

    g = tg.value_and_grad(f)
    compiled = tg.compile(g)
    numbers = [k for k in NUMBERS if name != "backwards" or 0 <= k < 6]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n, k in enumerate(numbers):
            assert_same(compiled(X + n, kind(k)), g(X + n, kind(k)))
    reports = compiled.inspect().signatures
    assert sum(r.recordings for r in reports) <= 6, reports
    if "%" not in name:
        with pytest.raises(IndexError, match="out of bounds"):
            compiled(X, kind(60))


WITH_A_NUMBER = {
    "range": lambda x, k: sum(x[j] for j in range(k % 4 + 1)),
    "list": lambda x, k: x * [1.0, 2.0, 3.0, 4.0][k % 4],
    "dict": lambda x, k: x * {-1: 5.0}.get(k, 2.0) * len({k: 1.0}),
    "text": lambda x, k: x * len(f"{k:+d}"),
    "product": lambda x, k: x * k + k,
    "quotient": lambda x, k: x[0] * (k / 4) + (k + 1) // 2 * x[0],
    "power": lambda x, k: x**2 * 2 ** (k % 3),
    "shape": lambda x, k: np.sum(x) + np.zeros(abs(k) + 1),
    "branch": lambda x, k: x[k] if k else x[1],
    "equal": lambda x, k: x * 2.0 if k == 3 else x[k],
    "chosen": lambda x, k: np.where(k == 3, x, 2.0 * x),
    "result": lambda x, k: (x[k], k, k + 1)[0],
    "kind": lambda x, k: x[k] if isinstance(k, int) else -x[k],
    "digits": lambda x, k: x * k.bit_length(),
    "plain array": lambda x, k: x * X[k],
    "large": lambda x, k: x[(k * 10**6 * 10**6 * 10**6) % 6],
    "default": lambda x, k: x[k] * max(k, 2) + min(3, k),
    "float": lambda x, k: x * float(k),
    "array": lambda x, k: x * np.array([k, k, 0, 0, 0, 0]) + np.full(6, k),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", WITH_A_NUMBER)
def test_numbers_that_plain_code_learns_are_fixed(name, dtype):
    f = WITH_A_NUMBER[name]
    x = X.astype(dtype)
    compiled = tg.compile(f)
    for k in NUMBERS:
        found, expected = compiled(x, k), f(x, k)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(found, expected, rtol=1e-13 if dtype is np.float64 else 1e-6)


def test_numbers_in_the_result_are_those_of_python():
    compiled = tg.compile(lambda x, k: (x[k], k, k + 1, {"k": k}))
    for k in range(6):
        row, same, after, other = compiled(X, k)
        np.testing.assert_array_equal(row, X[k])
        assert (same, after, other) == (k, k + 1, {"k": k})
        assert type(same) is type(after) is type(other["k"]) is int


class Model:
    def __init__(self):
        self.scale = 2.0

    @tg.compile
    def score(self, x, k):
        return self.scale * x[k]


def test_numbers_beside_objects():
    models = Model(), Model()
    for k in range(8):
        models[0].scale = 1.0 + k // 4
        for model in models:
            assert_same(model.score(X, k % 6), model.scale * X[k % 6])
    reports = Model.score.inspect().signatures
    assert sum(r.recordings for r in reports) <= 14
    assert not any(r.eager for r in reports)


def test_numbers_in_containers_and_by_name():
    compiled = tg.compile(lambda x, where, *, column: x[where["row"], column] * where["w"])
    for k in range(6):
        where = {"row": k, "w": 1.5 * k}
        assert_same(compiled(X, where, column=5 - k), np.float64(X[k, 5 - k] * 1.5 * k))
    assert sum(r.recordings for r in compiled.inspect().signatures) == 4


def test_large_numbers_are_fixed():
    compiled = tg.compile(lambda x, k: x[k - 2**40])
    for k in range(6):
        assert_same(compiled(X, 2**40 + k), X[k])
        with pytest.raises(IndexError):
            compiled(X, 2**60)


def test_a_path_that_learns_a_number_does_not_end_the_others():
    def f(x, k, flag):
        if flag > 0:
            return x[k] * 2.0
        return x[k] * k

    compiled = tg.compile(f)
    for k in (*range(6), *range(6)):
        assert_same(compiled(X, k, 1.0), f(X, k, 1.0))
        if k > 3:
            assert_same(compiled(X, k, -1.0), f(X, k, -1.0))
