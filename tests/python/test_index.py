"""Keys of every kind against NumPy: values, writes, gradients and errors."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg
from tapegrad import _core

DTYPES = ["int64", "int32", "int8", "uint8", "uint64"]


@st.composite
def index_arrays(draw, length):
    """Positions of an axis, in a shape that broadcasts to (2, 3)."""
    shape = draw(st.sampled_from([(), (1,), (3,), (2, 1), (1, 3), (2, 3)]))
    size = int(np.prod(shape))
    low = -length if draw(st.booleans()) else 0
    items = draw(st.lists(st.integers(low, length - 1), min_size=size, max_size=size))
    dtype = draw(st.sampled_from(DTYPES if low == 0 else DTYPES[:3]))
    array = np.array(items, dtype=dtype).reshape(shape)
    return array[..., ::-1] if shape and draw(st.booleans()) else array


@st.composite
def problems(draw):
    """A shape, and a key that fits it."""
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=4)))
    key = []
    axis, skipped = 0, False
    while axis < len(shape):
        length = shape[axis]
        kind = draw(st.sampled_from("irsssaamnefx"))
        if kind == "n":
            key.append(None)
        elif kind == "f":
            key.append(draw(st.sampled_from([True, np.True_, np.array(True)])))
        elif kind == "e" and not skipped:
            key.append(Ellipsis)
            skipped = True
            axis += draw(st.integers(0, len(shape) - axis))
        elif kind == "m":
            axes = draw(st.integers(1, min(2, len(shape) - axis)))
            part = shape[axis : axis + axes]
            size = int(np.prod(part))
            bits = draw(st.lists(st.booleans(), min_size=size, max_size=size))
            key.append(np.array(bits).reshape(part))
            axis += axes
        elif kind == "x":
            break
        else:
            if kind == "i":
                key.append(draw(st.integers(-length, length - 1)))
            elif kind == "r":
                key.append(np.int16(draw(st.integers(-length, length - 1))))
            elif kind == "a":
                key.append(draw(index_arrays(length)))
            else:
                key.append(draw(st.slices(length)))
            axis += 1
    return shape, key[0] if len(key) == 1 and draw(st.booleans()) else tuple(key)


def outcome(read, *arguments):
    try:
        return read(*arguments), None
    except Exception as error:  # whatever NumPy raises is what is compared
        return None, error


def numbers(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def jacobian_of(key, shape):
    """Dense: row i holds a one where element i of x[key] comes from."""
    places = np.arange(int(np.prod(shape))).reshape(shape)[key]
    return np.eye(int(np.prod(shape)))[np.ravel(places)]


@settings(max_examples=400, deadline=None)
@given(problems())
def test_reads_and_their_gradients(problem):
    shape, key = problem
    x = numbers(shape)
    expected, error = outcome(lambda: x[key])
    v = tg.Variable(x)
    found, own_error = outcome(lambda: v[key])
    if isinstance(error, DeprecationWarning):  # before NumPy 2.3, where nothing is chosen
        error = IndexError()
    assert type(error) is type(own_error)
    if error is not None:
        return
    assert found.shape == np.shape(expected)
    np.testing.assert_array_equal(tg.value(found), expected)
    seed = numbers(np.shape(expected), 1)
    gradient = tg.vjp(lambda x: x[key], x)[1](seed)[0]
    dense = jacobian_of(key, shape)
    np.testing.assert_allclose(np.ravel(gradient), np.ravel(seed) @ dense, atol=1e-14)
    direction = numbers(shape, 2)
    tangent = tg.jvp(lambda x: x[key], (x,), (direction,))[1]
    np.testing.assert_allclose(np.ravel(tangent), dense @ np.ravel(direction), atol=1e-14)


@settings(max_examples=400, deadline=None)
@given(problems(), st.data())
def test_writes_and_their_gradients(problem, data):
    shape, key = problem
    x = numbers(shape)
    region, error = outcome(lambda: x[key])
    if error is not None or shape == ():
        return
    part = list(np.shape(region))
    for axis in range(len(part)):
        if data.draw(st.booleans()):
            part[axis] = 1
    part = part[data.draw(st.integers(0, len(part))) :]
    u = numbers(part, 1)

    def write(x, u):
        y = x * 1.0
        y[key] = u
        return y

    np.testing.assert_array_equal(tg.value(write(tg.Variable(x), tg.Variable(u))), write(x, u))
    seed = numbers(shape, 2)
    of_base, of_update = tg.vjp(write, x, u)[1](seed)
    # The write is linear and NumPy's own: each column of its matrix is one more write.
    zero = np.zeros(shape)
    expected_base = [
        np.sum(seed * write(unit.reshape(shape), np.zeros_like(u))) for unit in np.eye(x.size)
    ]
    expected_update = [np.sum(seed * write(zero, unit.reshape(u.shape))) for unit in np.eye(u.size)]
    np.testing.assert_allclose(np.ravel(of_base), expected_base, atol=1e-13)
    np.testing.assert_allclose(np.ravel(of_update), np.ravel(expected_update), atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_second_order(problem):
    shape, key = problem
    x = numbers(shape)
    if outcome(lambda: x[key])[1] is not None:
        return

    def f(x):
        y = x * x
        y[key] = 0.5 * y[key] * x[key]
        return np.sum(y * y) + np.sum(x[key] ** 3)

    if shape:
        direction = numbers(shape, 1)
        step = 1e-5
        slope = (tg.grad(f)(x + step * direction) - tg.grad(f)(x - step * direction)) / (2 * step)
        np.testing.assert_allclose(tg.hvp(f, x, direction), slope, rtol=1e-5, atol=1e-5)


HUGE, TOO_DEEP = 10**30, (None,) * 65
BAD_KEYS = [
    4,
    -5,
    (0, 3),
    (0, 0, 0),
    (..., ...),
    1.5,
    "a",
    [0, 9],
    [0.5],
    np.array([0.5]),
    ([0, 1], [0, 1, 2]),
    np.zeros(3, bool),
    np.zeros((4, 2), bool),
    (0, [0], [0]),
    HUGE,
    (slice(None), np.array([0, -4])),
    [[0], [1, 2]],
    TOO_DEEP,
    object(),
]


@pytest.mark.parametrize(
    "key", BAD_KEYS, ids=[repr(key).partition(" at 0x")[0][:30] for key in BAD_KEYS]
)
def test_bad_keys_fail_as_in_numpy(key):
    x = numbers((4, 3))
    _, error = outcome(lambda: x[key])
    _, found = outcome(lambda: tg.Variable(x)[key])
    assert error is not None
    assert type(found) is type(error)
    if key is not HUGE and key is not TOO_DEEP:  # ours says more
        assert str(found).replace(" ", "") == str(error).replace(" ", "")
    v = tg.Variable(x)
    _, found = outcome(lambda: v.__setitem__(key, 1.0))
    assert type(found) is type(error)
    np.testing.assert_array_equal(tg.value(v), x)  # a refused write changes nothing


def test_a_variable_is_no_index():
    x, i = tg.Variable(numbers(4)), tg.Variable(1.0)
    for key in (i, (i,), tg.Variable([0.0, 1.0])):
        with pytest.raises(TypeError, match=r"tg\.value"):
            x[key]
        with pytest.raises(TypeError, match=r"tg\.value"):
            x[key] = 1.0


def test_index_arrays_may_change_after_the_read():
    def f(x):
        i = np.array([0, 2])
        y = x[i]
        i[:] = 1
        return np.sum(y * np.array([3.0, 5.0]))

    np.testing.assert_array_equal(tg.grad(f)(np.ones(3)), [3.0, 0.0, 5.0])


def test_of_duplicates_the_last_write_counts():
    def f(u, x):
        y = x * 1.0
        y[[1, 0, 1]] = u
        return np.sum(y * np.array([2.0, 3.0]))

    of_update, of_base = tg.grad(f, argnum=(0, 1))(np.ones(3), np.ones(2))
    np.testing.assert_array_equal(of_update, [0.0, 2.0, 3.0])
    np.testing.assert_array_equal(of_base, [0.0, 0.0])


def test_gradients_of_large_gathers_have_the_same_bits(threads):
    rng = np.random.default_rng(0)
    x, i = rng.standard_normal(5000), rng.integers(0, 5000, 60000)
    w = rng.standard_normal(60000)
    threads(1)
    alone = tg.grad(lambda x: np.sum(x[i] * w))(x)
    for count in (2, 3, 8):
        threads(count)
        np.testing.assert_array_equal(tg.grad(lambda x: np.sum(x[i] * w))(x), alone)
    expected = np.zeros(5000)
    np.add.at(expected, i, w)
    np.testing.assert_allclose(alone, expected, atol=1e-10)


def test_many_element_writes():
    n = 2000

    def f(x):
        y = np.zeros(n) * x[0]
        for i in range(n):
            y[i] = x[i % 4] * y[i - 1] if i % 3 else x[i % 4] ** 2
        return np.sum(y)

    tg.testing.check_grads(f, (np.array([0.5, -0.25, 1.0, 0.75]),))


def test_along_axis():
    x = numbers((3, 4))
    order = np.argsort(x, axis=1)
    found = tg.grad(lambda x: np.sum(np.take_along_axis(x, order, 1) * np.arange(4.0)))(x)
    expected = np.empty((3, 4))
    np.put_along_axis(expected, order, np.broadcast_to(np.arange(4.0), (3, 4)), 1)
    np.testing.assert_array_equal(found, expected)


def test_ops_refuse_codes_that_leave_the_array():
    v = tg.Variable(numbers(4))
    for code in ((0, 4, 0, 0), (1, 0, 1, 5), (1, 3, 2, 2), (7, 0, 0, 0), (0, 0, 0)):
        with pytest.raises((IndexError, ValueError)):
            _core.apply("slice", (v,), (code,))


LAYOUTS = {
    "packed": lambda a: a,
    "by columns": np.asfortranarray,
    "with steps": lambda a: np.repeat(a, 2, axis=0)[::-2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_elements_are_read_and_written_as_in_arrays(dtype, layout):
    a = LAYOUTS[layout](numbers((4, 3)).astype(dtype)).copy(order="K")
    v = tg.Variable(a)
    row, row_of_a = v[2], a[2]
    squares = v * v
    before = tg.value(squares).copy()
    for value in (2.5, np.float64(0.1), np.float32(0.3), 3, -1, 2**70, True):
        for key in ((2, 1), (-1, -3), (0, 2)):
            a[key] = value
            v[key] = value
            assert tg.value(v[key]) == a[key]
            np.testing.assert_array_equal(tg.value(v), a)
            np.testing.assert_array_equal(tg.value(row), row_of_a)
    np.testing.assert_array_equal(tg.value(squares), before)
    assert [tg.value(x) for x in row] == list(row_of_a)
    assert v[2, 1].shape == ()
    assert v[2, 1].dtype == dtype


@pytest.mark.parametrize("key", [4, -5, (4, 0), (0, 3), (0, -4), (0, 0, 0)])
def test_elements_that_are_not_there(key):
    a = numbers((4, 3))
    v = tg.Variable(a)
    for use in (lambda x: x[key], lambda x: x.__setitem__(key, 1.0)):
        with pytest.raises(IndexError) as expected:
            use(a)
        with pytest.raises(IndexError, match=re.escape(str(expected.value))):
            use(v)
    np.testing.assert_array_equal(tg.value(v), a)


def test_elements_at_every_order():
    tg.testing.check_grads(
        lambda x: x[0, 1] ** 2 * x[-1, -1] + x[1, 0] * x[0, 1], (numbers((2, 2)),)
    )
    x = tg.Variable(numbers(3))
    y = x * 2.0
    y[-1] = 5.0
    np.sum(y * y).backward()
    np.testing.assert_array_equal(x.grad, 8.0 * tg.value(x) * [1.0, 1.0, 0.0])
    with tg.no_grad():
        x[0] = 7.0
        assert tg.value(x[0]) == 7.0
    z = x[0] * x[0]
    x.grad = None
    z.backward()
    np.testing.assert_array_equal(x.grad, [14.0, 0.0, 0.0])
