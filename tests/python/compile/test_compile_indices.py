"""Whole numbers that choose elements are inputs of a program: others replay it."""

from functools import partial

import numpy as np
import pytest
from compile_checks import assert_same, replays

import tapegrad as tg

RNG = np.random.default_rng(5)
TABLE = RNG.normal(size=(6, 4))
VECTOR = RNG.normal(size=6)
UPDATE = RNG.normal(size=5)
INDICES = [
    np.array([0, 5, 3, 3, -1]),
    np.array([1, 1, 1, 1, 1]),
    np.array([-6, 2, -3, 4, 0]),
    np.array([5, 4, 3, 2, 1]),
    np.array([0, 0, 2, 2, 0]),
]

READS = {
    "elements": lambda x, i: x[i],
    "rows": lambda x, i: np.outer(x, x)[i],
    "columns": lambda x, i: np.outer(x, x)[:, i],
    "beside a slice": lambda x, i: np.outer(x, x)[i, 1:3],
    "two arrays": lambda x, i: np.outer(x, x)[i, i[::-1]],
    "a number and an array": lambda x, i: np.outer(x, x)[2, i],
    "divided": lambda x, i: np.multiply.outer(np.outer(x, x), x)[i, :, i],
    "new axis": lambda x, i: x[None, i],
    "ellipsis": lambda x, i: np.outer(x, x)[..., i],
    "in a matrix": lambda x, i: x[i.reshape(1, 5)] * x[i[:, None]],
    "of indices": lambda x, i: x[np.abs(np.array([0, 1, 2]))] * x[i[[0, 2, 1]]],
    "one": lambda x, i: x[i[0]],
    "one of a matrix": lambda x, i: np.outer(x, x)[i[0], i[1]] * np.outer(x, x)[3, i[2]],
    "with a plain array": lambda x, i: np.outer(x, x)[i, np.arange(5)],
    "take": lambda x, i: np.take(x, i) + x.take(i),
    "take along an axis": lambda x, i: np.take(np.outer(x, x), i, axis=1),
    "take_along_axis": lambda x, i: np.take_along_axis(np.outer(x, x), i[:, None][[0] * 6], axis=1),
    "twice": lambda x, i: x[i][i[:2] * 0 + 1],
}


def _set(x, i, v):
    y = x * 1.0
    y[i] = v
    return y


def _add(x, i, v):
    y = x * 1.0
    y[i] += v
    return y


def _set_one(x, i, v):
    y = x * 1.0
    y[i[0]] = v[0] * x[1]
    y[i[1]] += v[1]
    return y


def _set_rows(x, i, v):
    y = np.outer(x, x)
    y[i] = v[:, None]
    y[i, 1] = v * v
    y[:, i] *= 0.5
    return y


def _through_a_row(x, i, v):
    y = np.outer(x, x)
    row = y[i[0]]
    row[1] = v[0]
    row *= 2.0
    return y


def _through_a_slice(x, i, v):
    y = x * 1.0
    tail = y[::-1]
    tail[i] = v
    return y


WRITES = {
    "set": _set,
    "add": _add,
    "one": _set_one,
    "rows": _set_rows,
    "view": _through_a_row,
    "slice": _through_a_slice,
}


def _read(f, x, i, v):
    return f(x, i) * v[0]


def total(f):
    return lambda x, i, v: np.sum(np.cos(f(x, i, v)) * 1.5)


FUNCTIONS = {name: partial(_read, f) for name, f in READS.items()}
FUNCTIONS |= {f"write {name}": f for name, f in WRITES.items()}


def follow(compiled, plain, indices=INDICES):
    for k, i in enumerate(indices):
        x, v = VECTOR * (1.0 + 0.1 * k), UPDATE - k
        assert_same(compiled(x, i, v), plain(x, i, v))
        assert_same(compiled(x, i, v), plain(x, i, v))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: f,
        lambda f: tg.grad(total(f), argnum=(0, 2)),
        lambda f: lambda x, i, v: tg.grad(lambda x: np.sum(tg.grad(total(f))(x, i, v) * x * x))(x),
        lambda f: lambda x, i, v: tg.hvp(lambda x: total(f)(x, i, v), x, x * x),
        lambda f: lambda x, i, v: tg.jvp(lambda x: f(x, i, v), (x,), (x * x,)),
    ],
    ids=["value", "gradient", "second order", "hvp", "jvp"],
)
def test_other_indices_replay(name, transform):
    f = transform(FUNCTIONS[name])
    compiled = tg.compile(f)
    follow(compiled, f)
    assert replays(compiled) == 2 * len(INDICES) - 2, compiled.inspect()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64])
def test_every_kind_of_whole_number(dtype):
    def f(x, i, v):
        return np.sum(_set(x, i, v)[i] * v)

    compiled = tg.compile(tg.grad(f, argnum=(0, 2)))
    indices = [np.abs(i).astype(dtype) % 6 for i in INDICES]
    follow(compiled, tg.grad(f, argnum=(0, 2)), indices)
    assert replays(compiled) == 2 * len(INDICES) - 2


@pytest.mark.parametrize("bad", [6, -7, 100])
def test_out_of_range_raises_what_plain_code_raises(bad):
    def f(x, i, v):
        return np.sum(_set(x, i, v))

    for function in (f, lambda x, i, v: np.sum(x[i] * v), lambda x, i, v: x[i[1]]):
        gradient = tg.grad(function)
        compiled = tg.compile(gradient)
        follow(compiled, gradient)
        i = np.array([0, bad, 0, 0, 0])
        with pytest.raises(IndexError) as expected:
            gradient(VECTOR, i, UPDATE)
        with pytest.raises(IndexError) as found:
            compiled(VECTOR, i, UPDATE)
        assert str(found.value) == str(expected.value)
        follow(compiled, gradient)


def test_an_error_that_is_caught():
    def f(x, i, v):
        try:
            return x[i] * v
        except IndexError:
            return v

    compiled = tg.compile(f)
    for i in (*INDICES, np.full(5, 7), *INDICES, np.full(5, 8)):
        assert_same(compiled(VECTOR, i, UPDATE), f(VECTOR, i, UPDATE))


def test_the_last_write_to_a_place_gets_the_derivative():
    gradient = tg.grad(lambda x, i, v: np.sum(_set(x, i, v) * VECTOR), argnum=(0, 2))
    compiled = tg.compile(gradient)
    follow(compiled, gradient)
    found = compiled(VECTOR, np.array([0, 0, 1, 1, 0]), UPDATE)[1]
    assert_same(found, np.array([0.0, 0.0, 0.0, VECTOR[1], VECTOR[0]]))


def test_masks_are_guarded():
    def f(x, mask):
        return x[mask] * 2.0

    compiled = tg.compile(f)
    for mask in (VECTOR > 0, VECTOR > 0, VECTOR > 0, VECTOR < 0, VECTOR < 0.5):
        assert_same(compiled(VECTOR, mask), f(VECTOR, mask))
    assert len(compiled.inspect().signatures[0].programs[0].guards) == 1


def test_the_shape_of_an_index_that_does_not_fit():
    compiled = tg.compile(lambda x, i: x[i, i])
    with pytest.raises(IndexError, match="too many indices"):
        compiled(VECTOR, INDICES[0])


def test_lookups_of_any_length():
    def f(table, i, v):
        return np.mean((table[i] @ v) ** 2)

    gradient = tg.grad(f)
    compiled = tg.compile(gradient)
    for n in (17, 8, 5, 30, 12):
        i = RNG.integers(-6, 6, size=n)
        assert_same(compiled(TABLE, i, UPDATE[:4]), gradient(TABLE, i, UPDATE[:4]))
    assert replays(compiled) == 3


LANES = np.stack([INDICES[0], INDICES[2], INDICES[4]])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_indices_in_lanes(name):
    f = FUNCTIONS[name]

    def of_all(x, v):  # one array for all lanes
        return np.sum(np.cos(tg.vmap(lambda i: f(x, i, v))(LANES)))

    def of_each(x, v):
        return np.sum(np.cos(np.stack([f(x, i, v) for i in LANES])))

    for g in (tg.value_and_grad, lambda f: tg.grad(f, argnum=(0, 1))):
        assert_same(g(of_all)(VECTOR, UPDATE), g(of_each)(VECTOR, UPDATE))
    xs, vs = np.stack([VECTOR, VECTOR + 1.0, -VECTOR]), np.stack([UPDATE, -UPDATE, 2.0 * UPDATE])
    each = [f(x, i, v) for x, i, v in zip(xs, LANES, vs, strict=True)]
    assert_same(tg.vmap(f)(xs, LANES, vs), np.stack(each))
    gradient = tg.grad(total(f), argnum=(0, 2))
    each = [gradient(x, i, v) for x, i, v in zip(xs, LANES, vs, strict=True)]
    lanes = tg.vmap(gradient)
    expected = tuple(map(np.stack, zip(*each, strict=True)))
    assert_same(lanes(xs, LANES, vs), expected)
    compiled = tg.compile(lanes)
    for _ in range(3):
        assert_same(compiled(xs, LANES, vs), expected)
    assert_same(compiled(xs, LANES[::-1].copy(), vs), lanes(xs, LANES[::-1].copy(), vs))
    assert replays(compiled) == 2


OF_MADE_ARRAYS = {
    "positions": lambda i: np.arange(5.0)[i],
    "sum of made": lambda i: (np.ones(5) + np.arange(5.0))[i],
    "of a list": lambda i: np.array([3.0, 1.0, 2.0, 5.0])[i],
    "two axes": lambda i: np.eye(4)[i, 0] + np.eye(4)[0, i],
    "rows": lambda i: np.sum(np.arange(12.0).reshape(4, 3)[i], axis=-1),
    "mask": lambda i: np.where(i > 1, np.arange(4.0)[i], -1.0),
    "take": lambda i: np.take(np.arange(4.0), i),
    "take along": lambda i: np.take_along_axis(np.arange(4.0), np.atleast_1d(i), 0).sum(),
    "choose": lambda i: np.choose(i, [np.zeros(()), np.ones(()), np.full((), 2.0), np.ones(())]),
    "written": lambda i: written(i),
}


def written(i):
    y = np.zeros(4)
    y[i] = 2.0
    return y * np.arange(4.0)


@pytest.mark.parametrize("name", OF_MADE_ARRAYS)
def test_arrays_that_a_function_makes_are_read_by_its_arguments(name):
    f = OF_MADE_ARRAYS[name]
    compiled = tg.compile(f)
    for given in ([1, 2], [1, 2], [1, 2], [3, 0], [2, 2]):
        i = np.array(given)
        np.testing.assert_array_equal(compiled(i), f(i))
    one = tg.compile(lambda i: f(i[0]))
    for given in ([1, 2], [1, 2], [1, 2], [3, 0], [2, 2]):
        np.testing.assert_array_equal(one(np.array(given)), f(np.int64(given[0])))


@pytest.mark.parametrize("name", OF_MADE_ARRAYS)
def test_each_lane_reads_made_arrays_at_its_own_place(name):
    f = OF_MADE_ARRAYS[name]
    rows = np.array([[1, 2], [3, 0]])
    if name == "choose":  # it reads its choices
        with pytest.raises(ValueError, match="take different branches"):
            tg.vmap(f)(rows[:, 0])
        return
    lanes = np.array([1, 3, 0, 1])
    expected = np.stack([f(i) for i in lanes])
    np.testing.assert_array_equal(tg.vmap(f)(lanes), expected)
    np.testing.assert_array_equal(tg.vmap(f)(rows), np.stack([f(i) for i in rows]))
