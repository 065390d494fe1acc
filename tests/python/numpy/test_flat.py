"""v.flat: elements in order, read, iterated and assigned."""

import itertools

import numpy as np
import pytest

import tapegrad as tg

X = np.random.default_rng(0).normal(size=(3, 4))
VIEWS = {
    "y": lambda y: y,
    "y.T": lambda y: y.T,
    "y[:, ::2]": lambda y: y[:, ::2],
    "y[1]": lambda y: y[1],
    "y[0, 0, ...]": lambda y: y[0, 0, ...],
}


def assigned(target, value):
    target.flat = value


WRITES = {
    "one": lambda a: a.flat.__setitem__(0, 5.0),
    "the last": lambda a: a.flat.__setitem__(-1, a.flat[0] * 2.0),
    "a slice": lambda a: a.flat.__setitem__(slice(1, None, 2), [8.0, 9.0, 7.0]),
    "repeated": lambda a: a.flat.__setitem__([0, 0, 2], [1.0, 2.0]),
    "by a mask": lambda a: a.flat.__setitem__(np.ravel(a > 0), [5.0, 6.0]),
    "all": lambda a: a.flat.__setitem__(..., 4.0),
    "nothing": lambda a: a.flat.__setitem__(slice(None), []),
    "two axes": lambda a: a.flat.__setitem__(np.array([[0, 1], [2, 3]]), [1.0, 2.0, 3.0]),
    "a.flat = x": lambda a: assigned(a, [1.0, 2.0, 3.0]),
    "its square": lambda a: assigned(a, a * a),
    "none": lambda a: assigned(a, []),
}
READS = {
    "one": lambda a: a.flat[1] * 2.0,
    "the last": lambda a: a.flat[-1] * 2.0,
    "a slice": lambda a: a.flat[::-2],
    "some": lambda a: a.flat[[0, 0, 3]],
    "two axes": lambda a: a.flat[np.array([[0, 1], [2, 3]])],
    "by a mask": lambda a: a.flat[np.ravel(a > 0)],
    "all": lambda a: a.flat[...],
    "()": lambda a: a.flat[()],
    "in a tuple": lambda a: a.flat[(1,)] * 2.0,
    "none": lambda a: a.flat[[]],
    "a sum": lambda a: np.sum(a.flat) * 2.0,
    "joined": lambda a: np.concatenate([a.flat, a.flat[1:3]]),
    "a ufunc": lambda a: np.multiply(a.flat, 3.0),
    "stacked": lambda a: np.stack([x**2 for x in a.flat]),
    "a product": lambda a: np.multiply.reduce(a.flat),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", WRITES)
def test_writes_show(name, view):
    def f(x):
        y = x * 1.0
        WRITES[name](VIEWS[view](y))
        return y

    try:
        expected = f(X)
    except IndexError:
        with pytest.raises(IndexError):
            f(tg.Variable(X))
        return
    np.testing.assert_array_equal(tg.value(f(tg.Variable(X))), expected)
    tg.testing.check_grads(f, (X,))
    compiled = tg.compile(f)
    for scale in (1.0, 2.0, 0.5):
        np.testing.assert_array_equal(compiled(X * scale), f(X * scale))
    if name != "by a mask":
        np.testing.assert_array_equal(tg.vmap(f)(np.stack([X, X[::-1]])), [f(X), f(X[::-1])])


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", READS)
def test_elements_are_copies(name, view):
    if name == "()" and X.flat[()].ndim > 1:
        return  # the array itself, in older NumPy

    def f(x):
        y = x * 1.0
        found = READS[name](VIEWS[view](y))
        y[...] = 9.0
        return found

    try:
        expected = f(X)
    except IndexError:
        with pytest.raises(IndexError):
            f(tg.Variable(X))
        return
    found = tg.value(f(tg.Variable(X)))
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    if np.size(expected):
        tg.testing.check_grads(f, (X,))


def test_iteration_is_numpys():
    v, plain = tg.Variable(X), X.copy()
    found, expected = v.flat, plain.flat
    assert found.base is v
    assert len(found) == len(expected) == 12
    for _ in range(13):
        assert (found.index, found.coords) == (expected.index, expected.coords)
        assert tg.value(next(found, None)) == next(expected, None)
    assert iter(found) is found
    assert [tg.value(x) for x in itertools.islice(v.flat, 3)] == list(X.flat)[:3]
    np.testing.assert_array_equal(tg.value(v.flat.copy()), X.flat.copy())
    np.testing.assert_array_equal(v.flat == X.flat[...], np.ones(12, bool))
    np.testing.assert_array_equal(v.flat != v.flat, np.zeros(12, bool))
    for name in ("__lt__", "__le__", "__gt__", "__ge__"):
        np.testing.assert_array_equal(getattr(v.flat, name)(0.0), getattr(X.flat, name)(0.0))


def test_recorded_positions():
    def f(x, i):
        y = x * 1.0
        y.flat[i] = [3.0, 4.0]
        return y, y.flat[i] * x.flat[0]

    compiled = tg.compile(f)
    for k in range(4):
        i = np.array([k, 11 - k, -k - 1])
        for found, expected in zip(compiled(X, i), f(X, i), strict=True):
            np.testing.assert_array_equal(found, expected)
    (signature,) = compiled.inspect().signatures
    assert signature.replays == 2


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda a: a.flat[1, 2], IndexError),
        (lambda a: a.flat[99], IndexError),
        (lambda a: a.flat[None], IndexError),
        (lambda a: a.flat[a > 0], IndexError),
        (lambda a: a.flat[np.array([True, False])], IndexError),
        (lambda a: a.flat.__setitem__(0, [1.0, 2.0]), ValueError),
        (lambda a: a.flat.__setitem__([0, 99], 1.0), IndexError),
        (lambda a: a.flat.__setitem__((), 1.0), IndexError),
        (lambda a: assigned(np.broadcast_to(a, (2, 3, 4)), 1.0), ValueError),
        (lambda a: hash(a.flat) if isinstance(a, tg.Variable) else hash([]), TypeError),
    ],
)
def test_what_numpy_refuses_is_refused(call, error):
    arrays = [tg.Variable(X) * 1.0]
    if tuple(map(int, np.__version__.split(".")[:2])) >= (2, 4):  # older ones write beyond the end
        arrays.append(X.copy())
    for x in arrays:
        with pytest.raises(error):
            call(x)


def test_a_plain_array_of_it_is_refused():
    with pytest.raises(TypeError, match=r"tg\.value"):
        np.array(tg.Variable(X).flat)


def test_ndenumerate():
    x = np.array([[0.5, 1.5, -2.0], [3.0, 0.25, 1.0]])

    def f(v):
        return sum((i + 2 * j + 1) * e**2 for (i, j), e in np.ndenumerate(v))

    assert tg.value(f(tg.Variable(x))) == f(x)
    expected = 2 * x * (np.arange(2)[:, None] + 2 * np.arange(3) + 1)
    program, hessian = tg.compile(tg.grad(f)), tg.hessian(f)(x)
    for _ in range(3):
        np.testing.assert_array_equal(program(x), expected)
    np.testing.assert_array_equal(hessian.reshape(6, 6), np.diag((expected / x).ravel()))
    single = tg.grad(f)(x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(tg.vmap(f)(np.stack([x, 2 * x])), [f(x), f(2 * x)])
    assert list(np.ndenumerate(tg.Variable(np.ones((0, 2))))) == []
    ((at, only),) = np.ndenumerate(tg.Variable(2.0) * 1.5)
    assert (at, tg.value(only)) == ((), 3.0)
    seen = dict(np.ndenumerate(tg.Variable(x)[:, ::-2]))
    assert tg.value(seen[1, 1]) == 3.0
