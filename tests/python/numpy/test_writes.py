"""Functions that write into an array: NumPy's elements, views, derivatives, recorded positions."""

import numpy as np
import pytest

import tapegrad as tg

X = np.random.default_rng(0).normal(size=(3, 4))
VIEWS = {
    "y": lambda y: y,
    "y.T": lambda y: y.T,
    "y[:, ::2]": lambda y: y[:, ::2],
    "y[::-1]": lambda y: y[::-1],
    "y[1]": lambda y: y[1],
    "y[0, 0, ...]": lambda y: y[0, 0, ...],
}
WRITES = {
    "put": lambda a: np.put(a, [0, -1, 2, 2], [1.0, 2.0, 3.0, 4.0]),
    "put one": lambda a: np.put(a, [0, 1, 2], 5.0),
    "put, repeated": lambda a: np.put(a, [[0, 1], [2, 3]], [7.0, 8.0, 9.0]),
    "put, wrapped": lambda a: np.put(a, [0, 99, -50], [1.0, 2.0, 3.0], mode="wrap"),
    "put, clipped": lambda a: np.put(a, [0, 99, -50], [1.0, 2.0, 3.0], "clip"),
    "put nothing": lambda a: np.put(a, [], []),
    "put, no values": lambda a: np.put(a, [1], []),
    "put at a number": lambda a: np.put(a, np.array(0), [1.0, 5.0]),
    "put its own": lambda a: np.put(a, [0, 1], a.ravel()[::-1] ** 2),
    "a.put": lambda a: a.put([0], [3.0, 4.0]),
    "a.put by name": lambda a: a.put(indices=[99], values=3.0, mode="wrap"),
    "place": lambda a: np.place(a, a > 0, [1.0, 2.0]),
    "place many": lambda a: np.place(a, a > 0, [1.0] * 20),
    "place nothing": lambda a: np.place(a, a > 99, []),
    "place its own": lambda a: np.place(a, np.ravel(a > 0), a.ravel() * 2),
    "putmask": lambda a: np.putmask(a, a > 0, a * a),
    "putmask, repeated": lambda a: np.putmask(a, a > 0, [1.0, 2.0, 3.0]),
    "putmask, no values": lambda a: np.putmask(a, a > 0, []),
    "putmask of numbers": lambda a: np.putmask(a, a, -1.0),
    "along": lambda a: np.put_along_axis(a, np.argmax(a, axis=0, keepdims=True), 99.0, 0),
    "along, two": lambda a: np.put_along_axis(a, np.argsort(a)[..., :2], [1.0, 2.0], -1),
    "diagonal": lambda a: np.fill_diagonal(a, a.ravel()[::2] * 3.0),
    "diagonal, wrapped": lambda a: np.fill_diagonal(a, [3.0, 4.0], wrap=True),
    "diagonal, long": lambda a: np.fill_diagonal(a, np.arange(9.0)),
    "copyto": lambda a: np.copyto(a, a * a, where=a > 0),
}
# What is chosen by a mask has as many elements as the mask says, and lanes must agree.
LANES = [name for name in WRITES if not name.startswith("place")]


def program(name, view):
    def f(x):
        y = x * 1.0
        WRITES[name](VIEWS[view](y))
        return y

    return f


def raised(f, x):
    try:
        f(x)
    except (ValueError, IndexError, TypeError, np.exceptions.AxisError) as error:
        return type(error)
    return None


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", WRITES)
def test_writes_are_numpys(name, view):
    f = program(name, view)
    error = raised(f, X)
    if error is not None:
        assert issubclass(raised(f, tg.Variable(X)), error)
        return
    for dtype in (np.float64, np.float32):
        found = tg.value(f(tg.Variable(X.astype(dtype))))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, f(X.astype(dtype)))
    tg.testing.check_grads(f, (X,))


@pytest.mark.parametrize("name", WRITES)
def test_writes_in_compiled_functions_and_lanes(name):
    f = program(name, "y.T")
    compiled, gradient = tg.compile(f), tg.compile(tg.grad(lambda x: np.sum(f(x) ** 3)))
    for scale in (1.0, 2.0, -1.0, 0.5):
        np.testing.assert_array_equal(compiled(X * scale), f(X * scale))
        expected = tg.grad(lambda x: np.sum(f(x) ** 3))(X * scale)
        np.testing.assert_allclose(gradient(X * scale), expected, rtol=1e-13)
    if name in LANES:
        stack = np.stack([X, X[::-1] + 0.5])
        np.testing.assert_array_equal(tg.vmap(f)(stack), [f(x) for x in stack])


@pytest.mark.parametrize(
    "shape", [(7, 3), (3, 7), (3, 3, 3), (2, 2, 2, 2), (0, 0), (2, 3, 3), (3,)]
)
@pytest.mark.parametrize("wrap", [False, True])
def test_diagonals_of_every_shape(shape, wrap):
    for values in (1.0, [1.0, 2.0], np.arange(1.0, 10.0)):
        plain, v = np.zeros(shape), tg.Variable(np.zeros(shape))
        error = raised(lambda a, x=values: np.fill_diagonal(a, x, wrap), plain)
        assert raised(lambda a, x=values: np.fill_diagonal(a, x, wrap), v) == error
        np.testing.assert_array_equal(tg.value(v), plain)


def test_positions_and_integers_are_recorded():
    """A replay writes where its own input says, and what was written to integers is not lost."""

    def f(x, i, values):
        y, z, k = x * 1.0, x * 2.0, i + 0
        np.put(y, i, values, mode="wrap")
        np.put(y, i, values, mode="clip")
        np.put(z, i % 4, values)
        np.put_along_axis(z, i[:, None] % 4, values[:, None], 1)
        np.put(k, [0], 7)
        np.copyto(k, k * 2, where=k > 3)
        np.putmask(k, k > 5, [1, 2])
        np.fill_diagonal(z, values[0])
        return y, z, k

    compiled = tg.compile(f)
    for s in range(5):
        i, values = np.array([s, 2 + s, 7 * s - 3]), np.arange(3.0) + s
        for found, expected in zip(compiled(X, i, values), f(X, i, values), strict=True):
            np.testing.assert_array_equal(found, expected)
    (signature,) = compiled.inspect().signatures
    assert signature.replays == 3
    assert not [guard for program in signature.programs for guard in program.guards]


@pytest.mark.parametrize(
    ("write", "error", "text"),
    [
        (lambda v: np.put(v, [99], 1.0), IndexError, "index 99 is out of bounds"),
        (lambda v: np.put(v, [0.5], 1.0), TypeError, r"np\.put: positions .*float64"),
        (lambda v: np.put(v, v, 1.0), TypeError, r"np\.put: positions .*tg\.value"),
        (lambda v: np.put(v, [0], 1.0, mode="x"), ValueError, "'x'"),
        (lambda v: np.place(v, [True], 1.0), ValueError, r"np\.place: .*\(1,\).*\(2,\)"),
        (lambda v: np.place(v, v == v, []), ValueError, "empty array"),
        (lambda v: np.putmask(v, [True], 1.0), ValueError, r"np\.putmask: .*\(1,\).*\(2,\)"),
        (lambda v: np.put_along_axis(v, np.array([0.0]), 1.0, 0), IndexError, "integer"),
        (lambda v: np.put_along_axis(v, np.array([0]), 1.0, None), TypeError, r"np\.put\(arr"),
        (lambda v: np.put_along_axis(v, np.array([[0]]), 1.0, 0), ValueError, "dimensions"),
        (lambda v: np.put(np.ones(2), [0], v), TypeError, r"a = tg\.Variable\(a\)"),
        (lambda v: np.place(np.ones(2), [1, 0], v), TypeError, r"arr = tg\.Variable\(arr\)"),
        (lambda v: np.put(np.diagonal(np.outer(v, v)), [0], 1.0), ValueError, "read-only"),
        (lambda v: np.copyto(v, np.ones(2), casting="no"), None, ""),
        (lambda v: np.copyto(v, np.ones(2, "f4"), casting="no"), TypeError, "'no'"),
    ],
)
def test_what_numpy_refuses_is_refused(write, error, text):
    v = tg.Variable([1.0, 2.0])
    if error is None:
        write(v)
        return
    with pytest.raises(error, match=text):
        write(v)
    np.testing.assert_array_equal(tg.value(v), [1.0, 2.0])


@pytest.mark.parametrize(
    "write",
    [
        lambda y: np.fill_diagonal(y, 1),
        lambda y: np.put(y, [0, 5], [3, 4]),
        lambda y: np.place(y, X > 0, [2]),
        lambda y: y.__setitem__((slice(0, 2), 0), np.array([1, 2])),
        lambda y: y.__setitem__((0, 0), np.int64(5)),
        lambda y: y.__setitem__(0, np.int64(5)),
        lambda y: y.__setitem__([0, 2], np.array([[1], [2]])),
        lambda y: y.__setitem__(1, np.array([True, False, True, False])),
        lambda y: y.flat.__setitem__(slice(3), np.arange(3)),
        lambda y: np.add.at(y, [0, 1], np.array([[1], [2]])),
    ],
)
def test_integers_that_are_written_have_no_tangent(write):
    def f(x):
        y = x * 1.0
        write(y)
        return np.sum(y**3)

    gradient = tg.grad(f)(X)
    np.testing.assert_allclose(tg.jvp(f, (X,), (X,))[1], np.sum(gradient * X), rtol=1e-12)
    second = tg.jvp(tg.grad(f), (X,), (np.ones_like(X),))[1]
    kept = (gradient != 0) | (second != 0)
    y = X.copy()
    write(y)
    np.testing.assert_allclose(second, np.where(kept, 6.0 * y, 0.0), rtol=1e-12)


def test_putmask_casts_safely():
    for values in (np.array([0.5]), tg.Variable(np.array([0.5]))):
        for a in (np.zeros(2, np.float32), tg.Variable(np.zeros(2, np.float32))):
            if isinstance(values, tg.Variable) and not isinstance(a, tg.Variable):
                continue  # a plain array takes none
            with pytest.raises(TypeError, match="annot cast"):
                np.putmask(a, np.array([True, False]), values)
    a = tg.Variable(np.zeros(2, np.float32))
    np.putmask(a, np.array([True, False]), 0.5)
    np.putmask(a, np.array([False, True]), tg.Variable(np.float64(2.0)))
    np.testing.assert_array_equal(a.value, [0.5, 2.0])


def test_what_numpy_does_to_numbers_changes_none():
    def f(x):
        total = np.sum(x)
        total.fill(3.0)
        total.put(0, 4.0)
        np.put(total, 0, 5.0)
        return total * total

    x = np.array([0.5, 0.75])
    for way in (f, tg.compile(f), lambda x: tg.value_and_grad(f)(x)[0]):
        assert [way(x) for _ in range(3)] == [1.5625] * 3
    with pytest.raises(IndexError, match="out of bounds"):
        tg.grad(lambda x: np.put(np.sum(x), 3, 1.0))(x)
    leaf = tg.Variable(2.0)
    leaf.fill(3.0)
    assert leaf.value == 3.0
