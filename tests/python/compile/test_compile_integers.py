"""Arithmetic on whole numbers is recorded, and guarded only where plain code learns one."""

import warnings

import numpy as np
import pytest
from compile_checks import assert_same, check, replays
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tapegrad as tg

RNG = np.random.default_rng(8)
X = RNG.normal(size=7)
STEPS = np.array([3, 1, 4, 1, 5])
INDICES = [RNG.integers(0, 7, size=5) for _ in range(6)]

# Each reads the vector at positions that are computed from others.
COMPUTED = {
    "add": lambda x, i: x[(i + 1) % 7],
    "add a plain array": lambda x, i: x[(i + STEPS) % 7],
    "subtract": lambda x, i: x[6 - i] * x[i - 1],
    "multiply": lambda x, i: x[(2 * i) % 7],
    "floor_divide": lambda x, i: x[i // 2],
    "divmod": lambda x, i: x[np.divmod(i, 3)[0]] * x[divmod(i, 3)[1]],
    "negative": lambda x, i: x[-i],
    "absolute": lambda x, i: x[np.abs(i - 3)] + x[abs(i - 6)],
    "square": lambda x, i: x[i**2 % 7],
    "minimum": lambda x, i: x[np.minimum(i, 3)] * x[np.maximum(i, i[::-1])],
    "clip": lambda x, i: x[np.clip(i + 1, 1, 6)] * x[i.clip(0, 4)],
    "where": lambda x, i: x[np.where(i > 3, 0, i)],
    "where of numbers": lambda x, i: x * np.where(x > 0, 1, 0)[i[0]],
    "where plain": lambda x, i: x[np.where(STEPS > 3, i, 6 - i)],
    "diff": lambda x, i: x[np.abs(np.diff(i))],
    "astype": lambda x, i: x[(i + 1).astype(np.int32) % 7] * x[i.astype(np.uint8)],
    "copy": lambda x, i: x[i.copy()],
    "in place": lambda x, i: _in_place(x, i),
    "one of them": lambda x, i: x[(i[0] + i[1] - i[2]) % 7] * x[(i[3] + 1) % 7],
    "sum": lambda x, i: x[np.sum(i) % 7] * np.max(i) + i.min(),
    "mean": lambda x, i: x * (np.mean(i) - i.mean(axis=0, keepdims=True)),
    "quotient": lambda x, i: x[:5] * (i / 2) + np.sqrt(i),
    "compare": lambda x, i: np.where(i[:, None] == np.arange(7), x, 0.0),
    "count": lambda x, i: x * np.sum(i < 3) + np.mean(i == 2),
    "joined": lambda x, i: x[np.concatenate([i, (i + 1) % 7])] * 2.0,
    "grid": lambda x, i: x[(i[:, None] + i) % 7],
    "sorted": lambda x, i: x[np.sort(i)] * x[np.argsort(i, kind="stable") % 7],
    "largest": lambda x, i: x[np.argmax(i) + 1] * x[i.argmin()],
    "write": lambda x, i: _write(x, i),
    "copied mask": lambda x, i: np.where((i > 3).copy(), x[:5], 0.0),
}


def _in_place(x, i):
    j = i * 1
    j += 1
    j %= 7
    return x[j]


def _write(x, i):
    y = x * 1.0
    y[i // 2] = 3.0
    y[(i + 1) % 7] += x[0]
    return y


@pytest.mark.parametrize("name", COMPUTED)
def test_computed_positions_need_no_guard(name):
    def f(x, i):
        return np.sum(np.cos(COMPUTED[name](x, i)))

    for g in (f, tg.value_and_grad(f)):
        compiled = check(g, [(X, i) for i in INDICES], least_replays=len(INDICES) - 2)
        (program,) = compiled.inspect().signatures[0].programs
        assert not program.guards


OF_ANY_LENGTH = [
    "add", "subtract", "multiply", "floor_divide", "divmod", "negative", "absolute", "square",
    "minimum", "clip", "where", "diff", "astype", "copy", "in place", "one of them", "sum", "mean",
    "compare", "count", "joined", "grid", "sorted", "write",
]  # fmt: skip


@pytest.mark.parametrize("name", OF_ANY_LENGTH)
def test_computed_positions_of_any_length(name):
    def f(x, i):
        return np.sum(np.cos(COMPUTED[name](x, i)))

    compiled = tg.compile(tg.value_and_grad(f))
    for n in (6, 9, 5, 30, 12, 4):
        i = RNG.integers(0, 7, size=n)
        assert_same(compiled(X, i), tg.value_and_grad(f)(X, i))
    assert replays(compiled) == 4, compiled.inspect()


# Each hands a whole number to plain code: what that does with it is a path of its own.
TABLE = np.arange(10.0) * 1.5
LIST = [float(k) for k in range(10)]
NAMES = {0: 5.0, 1: 6.0, 2: 7.0, 3: 8.0, 4: 9.0}
LEARNED = {
    "range": lambda x, k: sum(x[j] for j in range(k)) + x[0],
    "slice": lambda x, k: x[k : k + 2],
    "shape": lambda x, k: x[0] + np.zeros(k + 1),
    "arange": lambda x, k: x[0] + np.arange(k + 1),
    "count": lambda x, k: np.repeat(x, k + 1),
    "list": lambda x, k: x * LIST[k],
    "plain array": lambda x, k: x * TABLE[k],
    "repeated list": lambda x, k: x * len([0] * k) + len(k * (1, 2)) * len("ab" * k),
    "dict": lambda x, k: x * NAMES[k],
    "default": lambda x, k: x * NAMES.get(k + 3, -1.0),
    "set": lambda x, k: x * (k in {0, 1}),
    "text": lambda x, k: x * int(f"{k}{k:d}" + str(k) + "%d" % k),  # noqa: UP031 - the operator is under test
    "int": lambda x, k: x * int(k) + float(k),
    "item": lambda x, k: x * k.item() + k.astype(np.int8),
    "type": lambda x, k: x if isinstance(k, (int, np.integer)) else -x,
    "branch": lambda x, k: x if k == 2 else -x,
    "least": lambda x, k: x[min(k, 2)] * max(k, 1),
    "bits": lambda x, k: x * ((k & 1) + (k | 4) + (k ^ 2) + (k << 1) + (k >> 1) + ~k),
    "power": lambda x, k: x * (2**k + k**3),
    "array": lambda x, k: x[np.array([k, 0])] * np.asarray(k),
    "row": lambda x, k: np.outer(x, x)[k],
    "float32": lambda x, k: x * np.float32(k),
    "share": lambda x, k: x * float(np.mean(x[:5] > x[k])) * float(np.sum(x > 0) / len(x)),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("source", ["argument", "argmax"])
def test_what_plain_code_learns_is_guarded(name, source):
    def f(x, i):
        k = i[0] if source == "argument" else np.argmax(x[:5])
        return np.sum(np.cos(LEARNED[name](x, k)))

    calls = [(np.roll(X, k), np.array([k, 1])) for k in (1, 1, 1, 2, 3, 0, 4, 1, 2, 3)]
    check(tg.value_and_grad(f), calls)


def test_numbers_do_not_lose_their_kind_in_place():
    def halved(x, i):
        i = i * 1
        try:
            i /= 2
        except TypeError:
            return x * 3.0
        return x[i]

    calls = [(X, i) for i in INDICES]
    check(halved, calls)


def test_choices_keep_their_dtype():
    for x, y in ((1, 0), (np.int8(3), 5), (np.arange(7, dtype=np.uint16), -STEPS[:1].astype("i2"))):
        compiled = tg.compile(lambda v, x=x, y=y: np.where(v > 0, x, y))
        for k in range(4):
            found, expected = compiled(np.roll(X, k)), np.where(np.roll(X, k) > 0, x, y)
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype
        assert replays(compiled) == 2


def test_counts():
    def f(x, i):
        n = np.count_nonzero(x > 0.0, axis=0)
        return x * (n + 1) / (n * 2 + 1), i * n, n, np.count_nonzero(x[:, None] > x, axis=0)

    x, i = X.astype(np.float32), np.arange(3, dtype=np.int8)
    calls = [(np.roll(x, k) * (1 if k % 2 else -1), i) for k in range(6)]
    compiled = check(f, calls, least_replays=4)
    assert not compiled.inspect().signatures[0].programs[0].guards


BINARY = (np.add, np.subtract, np.multiply, np.floor_divide, np.remainder, np.minimum, np.maximum)
UNARY = (np.negative, np.absolute, np.positive, np.square)
DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")


def arrays():
    shapes = st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)])
    return st.tuples(st.sampled_from(DTYPES), shapes).flatmap(lambda x: hnp.arrays(*x))


def outcome(f, *args):
    try:
        return np.asarray(f(*args))
    except (TypeError, OverflowError, ValueError) as error:
        return type(error)


def assert_bits(found, expected):
    if isinstance(expected, type):
        assert found is expected
    else:
        assert found.dtype == expected.dtype or expected.ndim == 0  # a number is Python's own
        assert found.shape == expected.shape
        assert found.astype(expected.dtype).tobytes() == expected.tobytes()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(BINARY), arrays(), arrays() | st.integers(-300, 300), st.booleans())
def test_arithmetic_is_numpys(function, a, b, swapped):
    def f(x, *y):
        y = y[0] if y else b
        return function(y, x) if swapped else function(x, y)

    args = (a, b) if isinstance(b, np.ndarray) else (a,)
    if any(x.shape == () for x in args):
        args = tuple(x.reshape(1) if x.shape == () else x for x in args)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        compiled = tg.compile(f)
        for _ in range(3):
            assert_bits(outcome(compiled, *args), outcome(f, *args))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(UNARY), arrays())
def test_functions_of_one_number_are_numpys(function, a):
    a = np.atleast_1d(a)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        compiled = tg.compile(lambda x: function(x))
        for _ in range(3):
            assert_bits(outcome(compiled, a), outcome(function, a))


def test_lanes_of_computed_positions():
    lanes = np.stack(INDICES)

    def lane(i):
        return np.sum(np.cos(X[0] * i) + i // 2) * (i[0] + 1) + np.argmax(i) + np.median(i * 1.0)

    def vector(i):
        return np.sum(tg.vmap(lane)(i) * 1.0)

    each = sum(lane(i) for i in lanes)
    assert_same(vector(lanes), each)
    compiled = tg.compile(vector)
    for k in range(4):
        moved = np.roll(lanes, k)
        assert_same(compiled(moved), sum(lane(i) for i in moved))
    assert replays(compiled) == 2


def test_sorted_order_of_equal_elements_is_numpys():
    compiled = tg.compile(lambda x: np.argsort(x) * 1.0)
    for k in range(8):
        x = RNG.normal(size=200) if k % 3 else RNG.integers(0, 20, size=200) * 1.0
        np.testing.assert_array_equal(compiled(x), np.argsort(x))
    stable = check(
        lambda x: np.argsort(x, stable=True) * 1.0,
        [RNG.integers(0, 20, size=200) * 1.0 for _ in range(5)],
        least_replays=3,
    )
    assert not stable.inspect().signatures[0].programs[0].guards


FLOATS = st.floats(-3, 3, width=16) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0])


@settings(max_examples=100, deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=9), st.integers(0, 6), st.booleans())
def test_positions_are_numpys(items, axis_length, right):
    x = np.array(items)
    table = np.sort(np.linspace(-2.0, 2.0, axis_length))

    def f(x):
        return (
            np.argmax(x) * 1.0,
            np.argmin(x) * 1.0,
            np.argsort(x, kind="stable") * 1.0,
            np.searchsorted(table, x, side="right" if right else "left") * 1.0,
            np.digitize(x, table, right=right) * 1.0 if axis_length else 0.0,
            np.sort(x),
            np.median(x),
        )

    compiled = tg.compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3):
            for found, expected in zip(compiled(x), f(x), strict=True):
                np.testing.assert_array_equal(found, expected)


COMPARISONS = [np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal]
NEAR = 2**60 + np.array([-1, 0, 1, 0, 5])
ENDS = np.array([-(2**63), 2**63 - 1, 0, -1, 2**53 + 1])


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda f: f.__name__)
def test_comparisons_are_those_of_whole_numbers(compare):
    pairs = [(NEAR, NEAR[::-1].copy()), (ENDS, NEAR), (NEAR, ENDS), (ENDS, ENDS - 1), (ENDS, ENDS)]
    calls = [pair for pair in pairs for _ in range(2)]
    check(lambda i, j: np.where(compare(i, j), 1.0, 2.0), calls, 6)
    check(lambda i, j: compare(i, 2**60) & compare(2**60, j), calls, 6)
    unsigned = [(i.astype(np.uint64), j.astype(np.uint64)) for i, j in calls]
    check(lambda i, j: np.where(compare(i, j), 1.0, 2.0), unsigned, 6)


def test_branches_see_the_last_bit():
    compiled = tg.compile(lambda i, x: x * 2.0 if i[0] == i[1] else x)
    big = 2**60
    for i in ([big, big], [big, big], [big, big], [big, big + 1], [big, big]):
        assert compiled(np.array(i), 3.0) == (6.0 if i[0] == i[1] else 3.0)


@pytest.mark.parametrize("table", [2.0, np.ones((2, 2))], ids=["number", "matrix"])
def test_tables_that_are_no_vectors_are_refused_as_numpy_does(table):
    x = np.ones(3)
    with pytest.raises(ValueError, match="object") as plain:
        np.searchsorted(table, x)
    for f in (np.searchsorted, lambda t, x: np.searchsorted(t * 1.0, x * 1.0)):
        with pytest.raises(ValueError, match="object") as compiled:
            tg.compile(f)(table, x)
        assert str(compiled.value) == str(plain.value)
    with pytest.raises(ValueError, match="object"):
        tg.compile(lambda x: np.searchsorted(table, x))(x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.where(x > 0, True, False),
        lambda x: np.where(x > 0, x < 2, False),
        lambda x: np.where(x > 0, x < 2, STEPS > 3),
        lambda x: np.where(STEPS > 3, x < 2, x > 1),
        lambda x: np.where(x, STEPS > 3, False),
        lambda x: x[np.where(x > 0, x < 2, False)],
        lambda x: ~np.where(x > 0, np.True_, x < -3),
        lambda x: np.where(x > 0, True, False).sum(),
    ],
)
def test_masks_chosen_by_masks_are_masks(f):
    check(f, [np.array([-1.0, 0.5, 3.0, 0.0, 1.5]) * k for k in (1.0, 1.1, 1.2, 1.3)], 1)


def test_the_upper_half_of_unsigned_numbers():
    calls = [np.array([2**63 + k, 5 + k], np.uint64) for k in (0, 1, 2**62, 2**63 - 1)]
    for f in (
        lambda i: i[0].astype(float),
        lambda i: np.max(i).astype(np.float32),
        lambda i: i[0] * 1.5 + i[1],
    ):
        compiled = tg.compile(f)
        for i in calls:
            assert float(compiled(i)) == float(f(i))
        assert replays(compiled) >= 2


DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64",
]  # fmt: skip


@pytest.mark.parametrize("function", [np.add, np.multiply, np.floor_divide, np.power, np.less])
def test_recorded_dtypes_are_numpys_for_all_pairs(function):
    def f(x, arrays):
        return x * 2.0, [function(a, b) for a in arrays for b in arrays]

    arrays = [np.ones(2, d) for d in DTYPES]
    compiled = tg.compile(f)
    for _ in range(3):
        for got, want in zip(compiled(X, arrays)[1], f(X, arrays)[1], strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)
    if function is np.add:
        pairs = [np.result_type(a, b) for a in DTYPES for b in DTYPES]
        assert [y.dtype for y in compiled(X, arrays)[1]] == pairs


BESIDE = [3, -1, 300, 2.5, True, [1, 2]]
OPERATORS = {
    "+": lambda a, b: a + b,
    "r-": lambda a, b: b - a,
    "//": lambda a, b: a // b,
    "**": lambda a, b: a**b,
    "<": lambda a, b: a < b,
}


def _result(f, *args):
    try:
        return f(*args)
    except (OverflowError, TypeError, ValueError) as error:
        return type(error)


@pytest.mark.filterwarnings("ignore")  # overflows; functions that raise run as plain Python
@pytest.mark.parametrize("name", OPERATORS)
def test_python_numbers_beside_integers_promote_as_in_numpy(name):
    for dtype in DTYPES:
        for other in BESIDE:

            def f(x, i, other=other):
                return x * 2.0, OPERATORS[name](i, other)

            args = X, np.full(2, 2, dtype)
            want, compiled = _result(f, *args), tg.compile(f)
            for _ in range(3):
                got = _result(compiled, *args)
                if isinstance(want, type):
                    assert got is want, (dtype, other)
                else:
                    assert got[1].dtype == want[1].dtype, (dtype, other)
                    np.testing.assert_allclose(got[1], want[1], rtol=1e-15)


@pytest.mark.parametrize("dtype", [int, np.int32, np.uint8])
def test_floats_become_integers_as_numpy_has_it(dtype):
    # They are recorded, and cut anew in each call.
    functions = [
        lambda x: (x * 2.5).astype(dtype),
        lambda x: np.full_like(x, 0.5).astype(dtype) + x,
        lambda x: np.astype(np.exp(x), dtype),
    ]
    for f in functions:
        compiled = tg.compile(f)
        assert_same(compiled(np.ones(3)), f(np.ones(3)))
        for k in range(4):
            x = np.full(3, 0.7 * k)
            assert_same(compiled(x), f(x))
