"""Arrays that are filled: NumPy's creation functions inside transforms and `tg.patch_numpy`."""

from __future__ import annotations

import pickle
import threading
import types
import warnings

import numpy as np
import pytest
from filled_programs import PROGRAMS
from numpy import array, empty, full, zeros

import tapegrad as tg
import tapegrad.numpy as filling_numpy
from tapegrad import numerical

X = np.array([1.2, 0.7, 2.1])
ORIGINALS = {name: getattr(np, name) for name in ("zeros", "array", "linspace", "asarray")}


@pytest.fixture(autouse=True)
def numpy_is_itself_afterwards():
    yield
    for name, original in ORIGINALS.items():
        assert getattr(np, name) is original


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_as_people_write_them(name):
    f = PROGRAMS[name]
    value, gradient = tg.value_and_grad(f)(X)
    assert value == pytest.approx(f(X), rel=1e-12)
    assert type(gradient) is np.ndarray
    expected = numerical.grad(f)(X)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is compiled, and not given up
        compiled, slopes = tg.compile(f), tg.compile(tg.grad(f))
        for k in range(5):
            x = X * (1.0 + 0.05 * (k % 2))
            assert compiled(x) == pytest.approx(f(x), rel=1e-12)
            np.testing.assert_allclose(slopes(x), tg.grad(f)(x), rtol=1e-10, atol=1e-12)
    stack = np.stack([X, X * 1.01])
    np.testing.assert_allclose(tg.vmap(f)(stack), [f(x) for x in stack], rtol=1e-12)
    tangent = np.array([0.3, -0.2, 0.5])
    assert tg.jvp(f, (X,), (tangent,))[1] == pytest.approx(gradient @ tangent, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["gram_schmidt", "euler", "lu", "gaussian_process", "kalman"])
def test_second_derivatives(name):
    f = PROGRAMS[name]
    steps = np.eye(3) * 1e-5
    expected = np.stack([(tg.grad(f)(X + s) - tg.grad(f)(X - s)) / 2e-5 for s in steps])
    np.testing.assert_allclose(tg.hessian(f)(X), expected, rtol=1e-5, atol=1e-6)


def test_arrays_are_plain_until_a_variable_is_written_to_them():
    seen = {}

    def f(x):
        y = np.zeros(4)
        seen["element"], seen["sum"] = type(y[0]), type(np.sum(y + 1.0))
        seen["float"], seen["text"], seen["list"] = float(y[0]), str(y), y.tolist()
        seen["array"] = np.asarray(y).sum(), np.add.reduce(y), y.mean(), int(y.sum()), bool(y.any())
        seen["data"] = y.flags.writeable, y.nbytes, y.tobytes()
        seen["integers"] = type(np.zeros(3, int)), type(np.arange(3)), type(np.ones(2, bool))
        seen["isinstance"] = isinstance(y, np.ndarray)
        y[1] = x
        with pytest.raises(TypeError, match="would lose the derivative"):
            float(y[1])
        return y[1] * 3.0

    assert tg.grad(f)(2.0) == 3.0
    assert seen["element"] is np.float64
    assert seen["sum"] is np.float64
    assert seen["float"] == 0.0
    assert seen["list"] == [0.0] * 4
    assert seen["array"] == (0.0, 0.0, 0.0, 0, False)
    assert seen["data"][1:] == (32, b"\0" * 32)
    assert seen["integers"] == (np.ndarray,) * 3
    assert seen["isinstance"]


def test_other_threads_and_numpy_itself_get_plain_arrays():
    kinds = []

    def f(x):
        thread = threading.Thread(target=lambda: kinds.append(type(np.zeros(3))))
        thread.start()
        thread.join()
        kinds.append(type(np.zeros(3)))
        return x * x

    assert tg.grad(f)(2.0) == 4.0
    assert kinds == [np.ndarray, tg.Variable]
    assert type(np.zeros(3)) is np.ndarray


def test_exceptions_leave_numpy_as_it_was():
    def f(x):
        y = np.zeros(2)
        y[5] = x
        return y

    with pytest.raises(IndexError):
        tg.grad(f)(1.0)
    assert np.zeros is ORIGINALS["zeros"]


def test_many_threads_at_once():
    f = PROGRAMS["euler"]
    expected = tg.grad(f)(X)
    failed = []

    def work():
        failed.extend(not np.array_equal(tg.grad(f)(X), expected) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not any(failed)


def test_the_block_is_for_variables_without_a_transform():
    x = tg.Variable([1.0, 2.0])
    with pytest.raises(TypeError, match="would lose the derivative"):
        np.zeros(2)[0] = x[0] * 2.0
    with tg.patch_numpy():
        y = np.zeros(2)
        y[0] = x[0] * x[1]
        with tg.patch_numpy():
            z = np.array([x[0], 1.0])
        loss = np.sum(y * z)
    loss.backward()
    np.testing.assert_allclose(x.grad, [4.0, 1.0])


def test_the_module_gives_such_arrays_everywhere():
    xp = filling_numpy
    x = tg.Variable(2.0)
    y = xp.zeros(3)
    y[1] = x * x
    assert xp.sin is np.sin
    assert xp.pi == np.pi
    assert tg.value(xp.sum(xp.exp(y))) == pytest.approx(2.0 + np.exp(4.0))
    assert type(xp.zeros(2, int)) is np.ndarray
    with pytest.raises(AttributeError, match="nosuch"):
        print(xp.nosuch)


def test_derivatives_do_not_leak_into_arrays_that_live_on():
    kept = []

    def f(x):
        y = np.zeros(2)
        kept.append(y)
        y[0] = x
        return x * x

    for _ in range(3):
        assert tg.grad(f)(3.0) == 6.0

    def plain(x):
        y = np.ones(2)
        kept.append(y)
        return x * np.sum(y)

    assert tg.grad(plain)(3.0) == 2.0
    assert float(kept[-1][0]) == 1.0
    np.testing.assert_array_equal(np.asarray(kept[-1]), [1.0, 1.0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(np.asarray(kept[-1]))), [1.0, 1.0])


def test_conversions_join_lists_of_variables():
    def f(x):
        rows = np.array([[x[0], 1.0], [x[1] * 2.0, 0.0]], dtype=float)
        column = np.array(x, ndmin=2)
        same = np.asarray(x)
        copied = np.array(x)
        copied[0] = 0.0
        single = np.asarray([x[2], 1.0], np.float32)
        assert single.dtype == np.float32
        assert column.shape == (1, 3)
        return np.sum(rows) + np.sum(column) + np.sum(same) + np.sum(copied) + np.sum(single) * 1.0

    value, gradient = tg.value_and_grad(f)(X)
    assert value == pytest.approx(tg.value(f(X)), rel=1e-6)
    np.testing.assert_allclose(gradient, [3.0, 5.0, 4.0])


new_array = np.ones


def test_names_of_the_module_stand_for_such_functions():
    original = zeros, array, empty, full, new_array

    def filled(x):
        y = zeros(3)
        y[0] = x[0] ** 2
        z = array([0.0, x[1]])
        z[0] = x[2]
        w, u, s = empty((2,)), full(2, 3.0), new_array(2)
        w[:] = x[1] * x[2]
        u[1] = x[0]
        s[0] = x[2]
        return np.sum(y) + np.sum(z) + np.sum(w) + np.sum(u) + np.sum(s * s)

    x = np.array([1.0, 2.0, 3.0])
    expected = [2.0 + 1.0, 1.0 + 2.0 * 3.0, 1.0 + 2.0 * 2.0 + 2.0 * 3.0]
    np.testing.assert_array_equal(tg.grad(filled)(x), expected)
    np.testing.assert_array_equal(tg.grad(lambda x: filled(x))(x), expected)
    compiled = tg.compile(tg.grad(filled))
    for _ in range(4):
        np.testing.assert_array_equal(compiled(x), expected)
    assert compiled.inspect().signatures[0].programs
    np.testing.assert_array_equal(
        tg.hessian(filled)(x), [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 2.0, 2.0]]
    )
    assert (zeros, array, empty, full, new_array) == original
    assert type(zeros(2)) is np.ndarray


def test_names_that_change_within_the_call_are_left_alone():
    global new_array

    def f(x):
        global new_array
        y = new_array(1)
        y[0] = x
        new_array = np.sum
        return new_array(y)

    before = new_array
    try:
        assert tg.grad(f)(2.0) == 1.0
        assert new_array is np.sum
    finally:
        new_array = before


def test_names_of_the_module_in_blocks():
    def f(x):
        y = zeros(1)
        y[0] = x
        return np.sum(y)

    x = tg.Variable(2.0)
    with tg.patch_numpy():
        f(x).backward()
    assert x.grad == 1.0
    assert tg.grad(tg.patch_numpy()(f))(2.0) == 1.0
    with tg.patch_numpy(False), pytest.raises(TypeError, match=r"np\.zeros or the like"):
        tg.grad(f)(2.0)
    with pytest.raises(ZeroDivisionError):
        tg.grad(lambda x: zeros(1)[0] * x + 1 // 0)(2.0)
    assert type(zeros(1)) is np.ndarray


def test_methods_and_other_threads():
    class Model:
        def loss(self, x):
            y = zeros(1)
            y[0] = x * x
            return np.sum(y)

    seen = []

    def while_open(x):
        def work():
            seen.append(type(zeros(1)))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return Model().loss(x)

    assert tg.grad(Model().loss)(3.0) == 6.0
    assert tg.grad(while_open)(3.0) == 6.0
    assert seen == [np.ndarray]


def test_fresh_memory_is_no_reason_against_a_program():
    def f(x):
        table = np.empty((7, len(x)))
        table[0] = x
        for i in range(6):
            table[i + 1] = np.sin(table[i])
        counts = np.empty(4, int)
        counts[:2] = 3
        return np.sum(table[-1] ** 2) * counts[1]

    compiled = tg.compile(tg.value_and_grad(f))
    x = np.linspace(0.1, 1.0, 100)
    for k in range(5):
        np.full((7, 100), float(k))  # what the next array finds in its memory
        value, slope = compiled(x * (k + 1))
        expected = tg.value_and_grad(f)(x * (k + 1))
        np.testing.assert_allclose(value, expected[0], rtol=1e-14)
        np.testing.assert_allclose(slope, expected[1], rtol=1e-12)
    assert compiled.inspect().signatures[0].replays == 3


def test_fresh_memory_of_objects_is_none():
    def f(x):
        return x * sum(element is None for element in np.empty(3, object))

    assert tg.grad(f)(2.0) == 3.0


class Readings:
    """NumPy asks it for an array, which it makes anew."""

    def __array__(self, dtype=None, copy=None):
        return np.asarray([2.0, 3.0, 5.0], dtype)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.asarray(Readings(), dtype=float) * x),
        lambda x: np.sum(x * Readings()),
        lambda x: np.sum(np.exp(np.asarray(Readings())) * x),
        lambda x: np.dot(Readings(), x),
        lambda x: np.sum(np.concatenate([Readings(), x]) ** 2),
        lambda x: x @ np.array(Readings()) + np.sum(Readings()),
    ],
)
def test_objects_that_give_an_array_of_theirs_to_numpy(f):
    expected = numerical.grad(f)(X)
    np.testing.assert_allclose(tg.grad(f)(X), expected, rtol=1e-6)
    compiled = tg.compile(tg.grad(f))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an object of a class that is not watched
        for _ in range(4):
            np.testing.assert_allclose(compiled(X), expected, rtol=1e-6)


def test_libraries_that_hand_their_arrays_to_code_in_c_get_plain_ones():
    space = {"__name__": "pandas.core.frame", "np": np}
    exec("def made():\n    return np.ones(3) + np.asarray([1.0, 2.0, 3.0])", space)
    seen = []

    def f(x):
        seen.append(type(space["made"]()))
        filled = np.zeros(3)
        filled[1] = x[1]
        return np.sum(filled * space["made"]())

    np.testing.assert_array_equal(tg.grad(f)(X), [0.0, 3.0, 0.0])
    assert seen == [np.ndarray]


def test_functions_made_again_and_again():
    # More than what is kept of them, each with a helper that is looked at while its own is.
    names = {"np": np}
    exec("def helper(x):\n return x * x\ndef f(x):\n y = helper(x)\n return np.sin(y)", names)
    f, helper = names["f"], names["helper"]
    for k in range(5100):
        names["helper"] = types.FunctionType(helper.__code__.replace(co_firstlineno=k + 1), names)
        made = types.FunctionType(f.__code__.replace(co_firstlineno=k + 1), names)
        assert tg.grad(made)(0.5) == pytest.approx(np.cos(0.25), rel=1e-14)
