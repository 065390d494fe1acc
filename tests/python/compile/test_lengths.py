"""One program for arrays of many lengths: what serves them, what is recorded again, what is shown.

Results are held against the function run on Variables, to the bit where no pass reorders sums.
"""

import numpy as np
import pytest
from compile_checks import assert_same, replays
from length_cases import ANY, SERVED, WEIGHTS

import tapegrad as tg
from tapegrad import _core
from tapegrad.compile.lengths import MOST_SERVED

LENGTHS = (17, 8, 5, 100, 17, 33, 2)
WEIGHTS_OF_TEN = np.linspace(0.5, 2.0, 10)
SEVENTEEN = np.linspace(-1.0, 1.0, 17)


def recordings(compiled):
    return sum(s.recordings for s in compiled.inspect().signatures)


def points(n, seed=0):
    return np.random.default_rng([seed, n]).normal(size=n)


def outcome(f, *args):
    """The result of a call, or its error's type."""
    try:
        return f(*args)
    except Exception as error:
        return type(error)


def bits(x):
    """All bits of an array, but for those of NaNs, which have no meaning."""
    x = np.asarray(x)
    return np.where(np.isnan(x), np.array(np.nan, x.dtype), x).tobytes()


def assert_equal(found, expected):
    if isinstance(expected, (tuple, list)):
        for a, b in zip(found, expected, strict=True):
            assert_equal(a, b)
    elif isinstance(expected, type):
        assert found is expected
    else:
        assert np.shape(found) == np.shape(expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        assert bits(found) == bits(expected)


def eager(f):
    """`f` on Variables, as the recording runs it."""

    def on_variables(*args):
        with tg.no_grad():
            found = f(*(tg.Variable(x) if np.asarray(x).dtype.kind == "f" else x for x in args))
        return tg.value(found)

    return on_variables


def follow(f, lengths=LENGTHS, arguments=lambda n: (points(n),), plain=None, **options):
    """Calls compiled `f` at each length; each result is that of the plain function."""
    compiled = tg.compile(f, **options)
    plain = plain or f
    for n in lengths:
        args = arguments(n)
        assert_equal(outcome(compiled, *args), outcome(plain, *args))
    return compiled


def loss(x):
    return np.mean(np.tanh(x) ** 2)


def test_a_scalar_a_vector_and_another_vector():
    def f(x):
        return np.sum(np.sin(x) * x) / 2.0

    compiled = tg.compile(tg.grad(f))
    gradient = tg.grad(f)
    for x in (2.0, points(17), points(8), points(5), points(100), points(17, 1)):
        assert_equal(compiled(x), gradient(x))
    assert recordings(compiled) == 3
    assert replays(compiled) == 3
    lines = str(compiled.inspect())
    assert "(float64[n]) of any length: 0 recordings, 2 replays" in lines


def test_gradients_of_a_batch():
    def f(w, x, y):
        return np.mean((np.tanh(x @ w[:3] + w[3]) - y) ** 2)

    def arguments(n):
        return points(4), points(3 * n).reshape(n, 3), points(n, 1)

    for transform in (tg.grad, tg.value_and_grad, lambda f: tg.grad(f, argnum=(0, 1))):
        plain = transform(f)
        compiled = follow(plain, arguments=arguments)
        assert recordings(compiled) == 2
    assert "float64[n, 3], float64[n]) of any length" in repr(compiled.inspect())


@pytest.mark.parametrize("name", SERVED)
def test_served(name):
    f = SERVED[name]
    compiled = follow(f, plain=eager(f))
    assert recordings(compiled) <= 3, compiled.inspect()  # 2 of them, and where 2 is too short
    assert replays(compiled) >= len(LENGTHS) - 3


@pytest.mark.parametrize("name", SERVED)
def test_served_with_gradients(name):
    f = SERVED[name]

    def weighed(x):
        return np.sum(np.cos(f(x)))

    compiled = follow(tg.value_and_grad(weighed))
    assert recordings(compiled) <= 3, compiled.inspect()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", SERVED)
def test_lengths_0_and_1_among_others(name):
    f = SERVED[name]

    def weighed(x):
        return np.sum(np.cos(f(x)) + 0.0 * np.sum(x))

    compiled = follow(tg.value_and_grad(weighed), (9, 6, 1, 30, 0, 12, 64, 7, 1, 0))
    two_that_are_recorded_and_the_short_ones = 2 + 4
    assert recordings(compiled) <= two_that_are_recorded_and_the_short_ones, compiled.inspect()
    assert replays(compiled) >= 4


@pytest.mark.parametrize("name", ["elementwise", "mean", "var", "tail", "outer", "pairs", "tile"])
def test_served_with_second_derivatives(name):
    f = SERVED[name]

    def product(x, v):
        return tg.grad(lambda x: np.sum(tg.grad(lambda x: np.sum(np.cos(f(x))))(x) * v))(x)

    compiled = follow(product, arguments=lambda n: (points(n), points(n, 1)))
    assert recordings(compiled) <= 3, compiled.inspect()


def helper(x):
    return x.shape[0]


# Each depends on the length in a way that no two recordings show: every length by itself.
RECORDED = {
    "shape": lambda x: x * float(helper(x)),
    "len": lambda x: x / len(x),
    "size": lambda x: np.sum(x) / x.size,
    "np.size": lambda x: x * np.size(x),
    "np.shape": lambda x: x * np.shape(x)[0],
    "iteration": lambda x: sum(v * v for v in x),
    "unpacking": lambda x: _first(x) * x,
    "enumerate": lambda x: sum(i * v for i, v in enumerate(x)),
    "reversed": lambda x: next(reversed(x)) * x,
    "nbytes": lambda x: x * x.nbytes,
    "arange": lambda x: x * np.arange(len(x)),
    "steps": lambda x: x[::2],
    "try": lambda x: _guess(x),
    "try to add": lambda x: _guess_to_add(x),
    "split": lambda x: np.array_split(x, 3)[1],
    "masked": lambda x: x[x > 0.0],
    "integers": lambda x: x * np.zeros_like(x, dtype=int).sum() + np.ones_like(x, dtype=int).size,
    "zeros of nothing": lambda x: x * len(_constant_gradient(x)),
    "condition": lambda x: x * 2.0 if x.shape[0] > 10 else x,
    "lanes": lambda x: tg.vmap(lambda t: t * 2.0)(x) * len(x),
    "lanes read": lambda x: np.sum(tg.vmap(lambda t: t * t.shape[0])(np.outer(x, x))),
    "lanes alike": lambda x: x * len(tg.vmap(lambda t: 1.0)(x)),
}


def _first(x):
    first, *_ = x
    return first


def _guess(x):
    try:
        return x[20] * x
    except IndexError:
        return x


def _guess_to_add(x):
    try:
        return x + SEVENTEEN
    except ValueError:
        return x


def _constant_gradient(x):
    return tg.grad(lambda x: 2.0)(x)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_by_themselves(name):
    f = RECORDED[name]
    compiled = tg.compile(f)
    for n in (17, 15, 11, 12, 8, 5, 40, 3, 30, 9):
        assert_same(compiled(points(n)), f(points(n)))
    assert replays(compiled) == 0, compiled.inspect()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ANY)
def test_every_length_gives_what_plain_code_gives(name):
    def f(x):
        return tg.value_and_grad(lambda x: np.sum(np.cos(ANY[name](x))) + 0.0 * np.sum(x))(x)

    for lengths in ((11, 8, 3, 2, 4, 12, 5), (2, 3, 9, 10, 6), (12, 4, 7, 3, 2, 13), (5, 10, 2, 9)):
        follow(f, lengths)


@pytest.mark.parametrize(
    ("f", "lengths"),
    [
        (lambda x: x[:10], (17, 12, 8, 30, 10, 11)),
        (lambda x: x[-3:], (17, 12, 2, 3, 4, 30)),
        (lambda x: x[2:-1], (17, 12, 2, 3, 4, 30)),
        (lambda x: x[5], (17, 12, 5, 6, 30)),
        (lambda x: x[-5], (17, 12, 4, 5, 30)),
        (lambda x: x[10:2:-2], (17, 12, 5, 11, 10, 30)),
        (lambda x: np.reshape(x, (-1, 2)), (16, 12, 5, 4, 30)),
        (lambda x: np.reshape(x, (4, -1)), (16, 12, 5, 4, 30)),
        (lambda x: x + SEVENTEEN, (17, 17, 12, 1, 17)),
        (lambda x: x[:, None] * SEVENTEEN, (17, 12, 1, 17, 5)),
        (lambda x: np.repeat(x, np.arange(17)), (17, 17, 12, 17)),
        (lambda x: x[np.arange(17) % 2 == 0], (17, 17, 12, 17)),
        (lambda x: x[[0, 3, -1]], (17, 12, 3, 4, 30)),
        (lambda x: np.pad(x, 2, mode="reflect"), (17, 12, 2, 4, 30)),
        (lambda x: np.squeeze(x[:, None][:1]), (17, 12, 2, 4, 1)),
    ],
)
def test_where_lengths_meet_numbers(f, lengths):
    def weighed(x):
        return np.sum(np.cos(f(x)) ** 2)

    follow(f, lengths, plain=eager(f))
    follow(tg.grad(weighed), lengths)


def test_lengths_0_and_1_are_recorded():
    compiled = follow(tg.value_and_grad(lambda x: np.sum(x * x)), (17, 8, 1, 0, 1, 0, 2, 1))
    assert recordings(compiled) == 6


def test_two_arguments_with_lengths_of_their_own():
    def f(x, y):
        return np.sum(np.sin(x)) * np.sum(y * y) + np.sum(np.concatenate([x, y, x]) ** 3)

    gradient = tg.grad(f, argnum=(0, 1))
    compiled = tg.compile(gradient)
    for n, m in ((17, 8), (9, 5), (4, 30), (30, 4), (12, 12), (12, 11), (40, 41)):
        args = points(n), points(m, 1)
        assert_equal(compiled(*args), gradient(*args))
    assert recordings(compiled) <= 4


def test_lengths_that_belong_together():
    compiled = follow(lambda x, y: x[1:] * y, arguments=lambda n: (points(n), points(n - 1)))
    assert recordings(compiled) <= 3
    for n in (7, 9):
        with pytest.raises(ValueError, match="broadcast"):
            compiled(points(n), points(n))


def test_a_length_equal_to_another_is_recorded():
    def f(x):
        return np.sum(x @ WEIGHTS)

    compiled = follow(tg.grad(f), (8, 5, 3, 3, 6), lambda n: (points(3 * n).reshape(n, 3),))
    assert recordings(compiled) == 3


def test_captured_arrays_keep_their_length():
    data = points(17)

    def f(x):
        return np.sum(x[:, None] * data)

    gradient = tg.grad(f)
    compiled = tg.compile(gradient)
    for n in (17, 8, 5, 100):
        data[0] = n
        assert_equal(compiled(points(n)), gradient(points(n)))
    assert recordings(compiled) == 2
    data = points(9)
    for n in (17, 8, 5, 100):
        assert_equal(compiled(points(n)), gradient(points(n)))
    assert recordings(compiled) == 4


def test_settings_are_watched():
    rate = 2.0

    def f(x):
        return np.sum(x * x) * rate

    gradient = tg.grad(f)
    compiled = tg.compile(gradient)
    for n in (17, 8, 5):
        assert_equal(compiled(points(n)), gradient(points(n)))
    rate = 3.0
    for n in (6, 5, 17, 40):
        assert_equal(compiled(points(n)), gradient(points(n)))
    assert replays(compiled) == 3  # at 5, and after two recordings with the new rate


def test_contents_that_plain_code_looks_into_are_watched():
    data = np.array([1.0, 2.0])

    def f(x):
        return np.sum(x * x) * float(data.mean())

    gradient = tg.grad(f)
    compiled = tg.compile(gradient)
    for n in (17, 8, 5, 9):
        assert_equal(compiled(points(n)), gradient(points(n)))
    assert replays(compiled) == 2
    data[0] = 5.0
    for n in (5, 9, 12, 17):
        assert_equal(compiled(points(n)), gradient(points(n)))


def test_numbers_that_change_are_not_taken_for_lengths():
    held = [0.0]

    def scaled(x):
        return np.sum(x * tg.grad(lambda y: y * held[0])(1.0))

    compiled = tg.compile(scaled)
    for n in (17, 8, 5, 12):
        held[0] = float(n) if n > 6 else 1.0
        assert_same(compiled(points(n)), scaled(points(n)))


def test_each_branch_serves_lengths():
    def f(x):
        return np.sum(x * x) if np.sum(x) > 0 else np.sum(np.sin(x))

    gradient = tg.grad(f)
    compiled = tg.compile(gradient)
    for n in (17, 8, 5, 9, 6):
        for sign in (1.0, -1.0):
            x = sign * np.abs(points(n))
            assert_equal(compiled(x), gradient(x))
    assert recordings(compiled) == 4
    assert replays(compiled) == 6


def test_errors_are_those_of_the_function():
    compiled = tg.compile(lambda x: np.linalg.inv(x))
    for n in (4, 3, 5):
        compiled(np.eye(n))
    for n in (5, 6):
        with pytest.raises(np.linalg.LinAlgError):
            compiled(np.zeros((n, n)))


def test_programs_for_lengths_are_bounded():
    gradient = tg.grad(loss)
    compiled = tg.compile(gradient)
    for n in range(3, 160):
        assert_equal(compiled(points(n)), gradient(points(n)))
    assert recordings(compiled) == 2
    assert replays(compiled) == 155
    assert len(compiled.signatures) <= 2 + MOST_SERVED


def test_floats_beside_float32_arrays():
    def f(x, a):
        return np.sum(x * a)

    gradient = tg.grad(f)
    compiled = tg.compile(gradient)
    for n in (17, 8, 5, 9, 30):
        for a in (0.1, 0.3):
            x = points(n).astype(np.float32)
            assert_equal(compiled(x, a), gradient(x, a))
    assert replays(compiled) >= 5


def test_inspection_says_why_a_length_is_recorded():
    compiled = follow(lambda x: x * len(x), (17, 8, 9))
    assert "each length is recorded by itself: a length is read at" in repr(compiled.inspect())
    assert "test_lengths.py" in repr(compiled.inspect())


def record(f, *args):
    with _core.Tracer() as tracer:
        out = f(*(tracer.argument(x) for x in args))
        return tracer.freeze(list(out) if isinstance(out, tuple) else [out])


@pytest.mark.parametrize("name", [name for name in SERVED if name != "median of rows"])
def test_the_program_for_a_length_is_the_one_that_recording_gives(name):
    def f(x):
        return tg.value_and_grad(lambda x: np.sum(np.cos(SERVED[name](x))))(x)

    found, why = _core.across_lengths(record(f, points(17)), record(f, points(8)))
    assert found is not None, why
    assert found.free_axes == [[0]]
    for n in (5, 100, 17, 8):
        made = found.at([points(n)])
        assert made.same_as(record(f, points(n)))
        assert str(made) == str(record(f, points(n)))


def test_a_result_that_nothing_needs_raises_as_in_plain_code():
    def f(x):
        x[3]
        return np.sum(np.sin(x))

    compiled = follow(tg.grad(f), (4, 5, 9, 2, 30, 3))
    assert replays(compiled) >= 2


def test_a_lane_s_result_that_nothing_needs_raises_as_in_plain_code():
    def lane(row):
        row[3300]
        return np.sum(row * row)

    def f(x):
        return np.sum(tg.vmap(lane)(x))

    follow(f, (4000, 5000, 6000, 3000), arguments=lambda n: (np.ones((3, n)),))


def test_dropped_pieces_that_do_not_fit():
    def f(x):
        first = x[:10] * 2.0
        first + WEIGHTS_OF_TEN
        return np.sum(np.cos(x))

    follow(tg.value_and_grad(f), (17, 12, 30, 8, 25))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("spread", [np.var, np.std])
def test_a_spread_of_one_element_that_is_not_chosen(spread):
    gradient = tg.grad(lambda x: np.sum(np.where(x > 1e9, spread(x, ddof=1), x * x)))
    compiled = follow(gradient, (1, 1, 1))
    assert_equal(compiled(np.array([3.0])), np.array([6.0]))
