"""Small linear systems: compiled, they are scalars with the bits and the errors of the arrays."""

import functools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg

ORDERED = {"batch": False, "tiles": False}
ODD = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, np.inf, -np.inf, np.nan]

FUNCTIONS = {
    "solve": lambda a, b: np.linalg.solve(a, b),
    "columns": lambda a, b: np.linalg.solve(a, np.stack([b, b * b], axis=1)),
    "inv": lambda a, b: np.linalg.inv(a) @ b,
    "det": lambda a, b: np.linalg.det(a) * b,
    "slogdet": lambda a, b: np.linalg.slogdet(a)[1] * b + np.linalg.slogdet(a)[0],
    "cholesky": lambda a, b: np.linalg.cholesky(a @ a.T + 0.1 * np.eye(len(a))) @ b,
    "both": lambda a, b: np.linalg.solve(a.T, np.linalg.solve(a, b)) / np.linalg.det(a),
}


def loss_of(name):
    def loss(a, b):
        r = FUNCTIONS[name](a, b)
        for _ in range(3):  # more than one step, so that a kernel pays
            r = np.sin(r) + np.sum(np.cos(r))
        return np.sum(r * r)

    return loss


def gradient_of(name):
    return tg.grad(loss_of(name), argnum=(0, 1))


def texts(compiled):
    return [p.text for s in compiled.inspect().signatures for p in s.programs]


def arrays(f):
    """f compiled as it was before: NumPy rounds some functions otherwise."""
    return tg.compile(f, passes={**ORDERED, "expand": False})


def outcome(f, *args, may_fail_to_record=False):
    """What `f` gives, or the text of its LinAlgError; every warning but NumPy's own is an error.

    With `may_fail_to_record`, not the one that says that a singular matrix ended a recording.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        if may_fail_to_record:
            warnings.filterwarnings("ignore", ".*it can't be recorded: .*Singular matrix")
        try:
            return f(*args)
        except np.linalg.LinAlgError as error:
            return str(error)


def regular(rng, n, dtype=np.float64):
    return (rng.normal(size=(n, n)) + 2.0 * np.eye(n)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_gradients_keep_their_bits(name, n, dtype):
    rng = np.random.default_rng(n)
    f = gradient_of(name)
    compiled = tg.compile(f, passes=ORDERED)
    for _ in range(6):
        a, b = regular(rng, n, dtype), rng.normal(size=n).astype(dtype)
        for x, y in zip(compiled(a, b), f(a, b), strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
    if not (dtype is np.float32 and name in ("det", "slogdet", "both")):
        assert all(op not in text for text in texts(compiled) for op in ("solve(", "inv("))


def test_hessians_keep_their_bits():
    rng = np.random.default_rng(4)
    f = tg.hessian(lambda a: np.sum(np.linalg.solve(a, np.array([1.0, 2.0])) ** 2))
    compiled = tg.compile(f, passes=ORDERED)
    for _ in range(5):
        a = regular(rng, 2)
        np.testing.assert_array_equal(compiled(a), f(a))
    reordered = tg.compile(f)
    for _ in range(5):
        a = regular(rng, 2)
        np.testing.assert_allclose(reordered(a), f(a), rtol=1e-10)


@pytest.mark.parametrize(
    "a",
    [
        [[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]],  # a leading zero
        [[0.0, 0.0, 2.0], [0.0, 3.0, 1.0], [1.0, 1.0, 0.0]],
        [[2.0, 1.0, 0.5], [-2.0, 1.0, 3.0], [2.0, -1.0, 1.0]],  # ties
        [[1.0, 1.0, 0.5], [1.0, -1.0, 3.0], [2.0, 0.0, 1.0]],
        [[np.nan, 1.0, 2.0], [3.0, 4.0, 1.0], [1.0, 1.0, 5.0]],
        [[1.0, 2.0, 3.0], [np.inf, 4.0, 1.0], [np.nan, 1.0, 5.0]],
        [[-0.0, -1.0, 0.0], [1.0, -0.0, -0.0], [-0.0, 0.0, -1.0]],
        [[1e300, 0.0, 0.0], [0.0, 1e300, 0.0], [0.0, 0.0, 1e-300]],  # det leaves its range between
        [[1e-200, 0.0, 0.0], [0.0, 1e-200, 0.0], [0.0, 0.0, 1e-10]],
    ],
)
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_pivots(name, a):
    def f(a, b):
        r = FUNCTIONS[name](a, b)
        return r * 2.0 + np.sum(r * b.sum())

    rng = np.random.default_rng(0)
    compiled, plain = tg.compile(f, passes=ORDERED), arrays(f)
    b = np.array([1.0, -2.0, 0.5])
    for _ in range(3):
        start = regular(rng, 3)
        compiled(start, b), plain(start, b)
    assert "kernel" in texts(compiled)[0]
    found, expected = outcome(compiled, np.array(a), b), outcome(plain, np.array(a), b)
    np.testing.assert_array_equal(found, expected)
    if not isinstance(expected, str):
        known = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(found)[known], np.signbit(expected)[known])


@pytest.mark.parametrize("name", ["solve", "columns", "inv", "both"])
def test_singular_matrices_raise_and_the_program_goes_on(name):
    f = gradient_of(name)
    rng = np.random.default_rng(1)
    compiled = tg.compile(f)
    b = np.array([1.0, -2.0, 0.5])
    for _ in range(3):
        compiled(regular(rng, 3), b)
    replays = sum(s.replays for s in compiled.inspect().signatures)
    singular = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(40):
            message = outcome(f, singular, b)
            assert "Singular matrix" in message
            assert outcome(compiled, singular, b) == message
            a = regular(rng, 3)
            for x, y in zip(compiled(a, b), f(a, b), strict=True):
                np.testing.assert_allclose(x, y, rtol=1e-9)
    assert sum(s.replays for s in compiled.inspect().signatures) == replays + 40


def test_matrices_that_are_not_positive_definite_raise():
    def f(a):
        factor = np.linalg.cholesky(a)
        return np.sum(np.tanh(factor @ factor) * factor)

    compiled = tg.compile(tg.grad(f), passes=ORDERED)
    good, bad = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, 2.0], [2.0, 1.0]])
    for k in range(3):
        compiled(good + k)
    assert "cholesky" not in texts(compiled)[0]
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        compiled(bad)
    np.testing.assert_array_equal(compiled(good), tg.grad(f)(good))


def test_a_guarded_branch_comes_before_a_singular_matrix():
    def f(a, b):
        if np.linalg.det(a) != 0.0:
            return np.sum(np.sin(np.linalg.solve(a, b)) ** 2)
        return np.sum(a) + np.sum(b)

    compiled = tg.compile(tg.grad(f, argnum=(0, 1)))
    rng = np.random.default_rng(1)
    b, singular = np.array([1.0, -2.0]), np.array([[1.0, 2.0], [2.0, 4.0]])
    for _ in range(3):
        compiled(regular(rng, 2), b)
    np.testing.assert_array_equal(compiled(singular, b)[1], [1.0, 1.0])
    a = regular(rng, 2)
    np.testing.assert_allclose(compiled(a, b)[0], tg.grad(f, argnum=(0, 1))(a, b)[0])


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["solve", "columns", "inv", "both"])
def test_many_systems(name, dtype, n):
    f = tg.vmap(gradient_of(name))
    compiled = tg.compile(f)
    rng = np.random.default_rng(n)
    a = np.stack([regular(rng, n, dtype) for _ in range(1000)])
    b = rng.normal(size=(1000, n)).astype(dtype)
    tolerance = 1e-8 if dtype is np.float64 else 2e-2
    for _ in range(4):
        for x, y in zip(compiled(a, b), f(a, b), strict=True):
            scale = 1e-30 + np.abs(y).reshape(1000, -1).max(axis=1)
            error = np.abs(x - y).reshape(1000, -1).max(axis=1)
            assert np.median(error / scale) < tolerance
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for position in (0, 431, 999):
            broken = a.copy()
            broken[position, 1] = broken[position, 0]
            message = outcome(f, broken, b)
            assert "Singular matrix" in message
            assert outcome(compiled, broken, b) == message
    compiled(a, b)


@pytest.mark.parametrize("passes", [{}, ORDERED])
def test_loops_raise_and_go_on(passes):
    def f(x, shift):
        offset = shift * np.ones((2, 2))
        for _ in range(60):
            a = np.stack([np.cos(x[:2]), np.sin(x[1:])]) + offset
            x = 0.5 * x + np.concatenate([np.linalg.solve(a, x[:2]), x[:1]])
            x = x / np.sqrt(np.sum(x * x))
        return np.sum(x * x[0])

    g = tg.grad(f)
    compiled, plain = tg.compile(g, passes=passes), tg.compile(g, passes={"expand": False})
    rng = np.random.default_rng(3)
    for k in range(6):
        x = rng.normal(size=3)
        np.testing.assert_allclose(compiled(x, 0.01 * k), plain(x, 0.01 * k), rtol=1e-6)
    zero = np.array([0.0, 0.0, 0.0])  # (1, 1), (0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            assert "Singular matrix" in outcome(g, zero, 0.0)
            assert outcome(compiled, zero, 0.0) == outcome(g, zero, 0.0)
    np.testing.assert_allclose(compiled(x, 0.05), plain(x, 0.05), rtol=1e-6)


def test_scans_whose_determinants_leave_their_range():
    scales = np.ones((60, 3))
    scales[20:40:3] = [1e200, 1e200, 1e-300]

    def step(x, scale):
        found = np.linalg.det((np.outer(x, x[::-1]) + np.eye(3)) * scale)
        return np.sin(x) + 1e-3 * np.log(np.abs(found)), found

    def scanned(x):
        x, found = tg.scan(step, x, scales)
        return np.sum(x * x) + np.sum(np.log(np.abs(found)))

    def looped(x):
        total = 0.0
        for scale in scales:
            x, found = step(x, scale)
            total = total + np.log(np.abs(found))
        return np.sum(x * x) + total

    compiled = tg.compile(tg.grad(scanned))
    for k in range(4):
        x = np.array([0.4, 0.3, -0.2 + 0.1 * k])
        np.testing.assert_allclose(compiled(x), tg.grad(looped)(x), rtol=1e-9)


def test_scans_raise_and_go_on():
    def step(x, push):
        a = np.stack([np.cos(x), np.sin(x)]) + push * np.eye(2)
        return 0.5 * x + 0.1 * np.linalg.solve(a, np.sin(x)), x

    def f(x, pushes):
        last, found = tg.scan(step, x, pushes)
        return np.sum(last**2) + np.sum(found)

    g = tg.grad(f)
    compiled, pushes = tg.compile(g), np.linspace(1.0, 2.0, 40)
    x = np.array([0.3, 0.7])
    for _ in range(4):
        np.testing.assert_allclose(compiled(x, pushes), g(x, pushes), rtol=1e-12)
    for _ in range(3):
        message = outcome(g, np.zeros(2), np.zeros(40))
        assert "Singular matrix" in message
        assert outcome(compiled, np.zeros(2), np.zeros(40)) == message
        np.testing.assert_allclose(compiled(x, pushes), g(x, pushes), rtol=1e-12)


@functools.cache
def ready(name, n):
    rng = np.random.default_rng(0)
    both = tg.compile(loss_of(name), passes=ORDERED), arrays(loss_of(name))
    for _ in range(3):
        a, b = regular(rng, n), rng.normal(size=n)
        for compiled in both:
            compiled(a, b)
    return both


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FUNCTIONS)), st.integers(1, 4), st.data())
def test_random_small_matrices(name, n, data):
    compiled, plain = ready(name, n)
    numbers = st.one_of(st.sampled_from(ODD), st.floats(-4.0, 4.0))
    a = np.array(data.draw(st.lists(numbers, min_size=n * n, max_size=n * n))).reshape(n, n)
    b = np.array(data.draw(st.lists(numbers, min_size=n, max_size=n)))
    found, expected = (outcome(f, a, b, may_fail_to_record=True) for f in (compiled, plain))
    np.testing.assert_array_equal(found, expected)


SUBSCRIPTS = st.sampled_from(
    ["ij,jk->ik", "ij,kj->ki", "ij,jk,k->i", "i,ij,j->", "i,j->ji", "ij,ij->i", "ij,ij->", "ij,i->"]
)


@settings(max_examples=60, deadline=None)
@given(SUBSCRIPTS, st.lists(st.integers(1, 4), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_random_einsums(subscripts, lengths, seed):
    length = dict(zip("ijk", lengths, strict=True))

    def f(*x):
        r = np.einsum(subscripts, *x)
        return np.sum(np.sin(r) * np.sum(r * r))

    gradient = tg.grad(f)
    compiled = tg.compile(gradient, passes=ORDERED)
    rng = np.random.default_rng(seed)
    for _ in range(4):
        terms = subscripts.split("->")[0].split(",")
        x = [rng.normal(size=[length[k] for k in term]) for term in terms]
        np.testing.assert_array_equal(compiled(*x), gradient(*x))
    assert "einsum" not in texts(compiled)[0] or lengths[0] * lengths[1] > 8


def test_a_loop_of_systems_of_which_one_has_no_pivot() -> None:
    """A zero where a turn would divide: the loop is run by the arrays' own operations."""

    def loss(xs, b):
        h, total = b, 0.0
        for x in xs:
            h = np.tanh(np.linalg.solve(x, h) + b)
            total = total + np.sum(h * h)
        return total

    rng = np.random.default_rng(0)
    xs, b = rng.normal(size=(100, 2, 2)) + 3 * np.eye(2), np.array([0.3, 0.5])
    gradient = tg.grad(loss, (0, 1))
    compiled = tg.compile(gradient)
    turning = xs.copy()
    turning[60] = np.array([[0.0, 1.0], [1.0, 0.0]])
    singular = xs.copy()
    singular[60] = 0.0
    for data in (xs, xs, xs, turning, xs):
        for got, wanted in zip(compiled(data, b), gradient(data, b), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-13)
    with pytest.raises(np.linalg.LinAlgError):
        compiled(singular, b)
