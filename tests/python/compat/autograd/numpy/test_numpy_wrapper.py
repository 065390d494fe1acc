"""The functions that are not NumPy's own."""

import numpy as onp
import pytest

import tapegrad as tg
import tapegrad.compat.autograd.numpy as np
from tapegrad.compat.autograd import grad
from tapegrad.compat.autograd.numpy import numpy_wrapper


def test_other_names_are_numpys():
    assert np.sin is onp.sin
    assert np.linalg.solve is onp.linalg.solve
    assert np.fft.fft is onp.fft.fft
    assert np.random.randn is onp.random.randn
    assert np.pi == onp.pi
    assert {"sin", "linalg", "array"} <= set(dir(np)) & set(np.__all__)
    with pytest.raises(AttributeError, match="no attribute 'wrong'"):
        _ = np.wrong
    names = {}
    exec("from tapegrad.compat.autograd.numpy import *", names)
    assert names["array"] is np.array
    assert names["tanh"] is onp.tanh


def test_arrays_are_plain_outside_of_derivatives():
    for x in (np.zeros(2), np.array([1.0, 2.0]), np.asarray([1.0]), np.zeros_like([1.0])):
        assert type(x) is onp.ndarray


def test_arrays_take_variables_inside():
    def f(x):
        y = np.zeros(3)
        y[1] = x**2
        a = np.array([[x, 2.0], [np.sin(x), x]])
        return np.sum(y) + np.sum(a @ a)

    slope = (f(0.7 + 1e-6) - f(0.7 - 1e-6)) / 2e-6
    assert grad(f)(0.7) == pytest.approx(slope, rel=1e-6)
    v = tg.Variable(2.0)
    assert tg.grad(np.sum(np.array([v, v * v])), v) == 5.0


def test_what_is_joined_may_come_from_anywhere():
    def f(x):
        rows = np.stack(x * k for k in range(3))
        long = np.concatenate(map(np.ravel, [rows, rows]))
        return np.sum(long * np.hstack(([x, 1.0], long[2:]))) + np.sum(np.row_stack([[x], [x]]))

    assert grad(f)(2.0) == pytest.approx((f(2.0 + 1e-6) - f(2.0 - 1e-6)) / 2e-6, rel=1e-6)


def test_where_of_pythons_numbers_is_pythons():
    assert np.where(True, 1, 2.5) == 1
    assert np.where([True, False], [1, 2], [3, 4]) == [1, 4]
    assert type(np.where(onp.array([True]), 1, 2)) is onp.ndarray
    assert np.where(condition=True, x=onp.float32(1), y=onp.float32(2)).dtype == onp.float32
    assert np.where([False, True])[0].tolist() == [1]
    assert grad(lambda x: np.where(x > 0, x * 3, 0.0))(1.0) == 3.0
    with pytest.raises(ValueError, match="both or neither"):
        np.where(True, 1)


def test_integer_types_take_values():
    def f(x):
        return x[np.int64(x[0])] ** 2

    assert np.array_equal(grad(f)(onp.array([1.0, 3.0])), [0.0, 6.0])
    assert type(np.int32(2.7)) is onp.int32
    assert np.zeros(1, np.int8).dtype == onp.int8
    assert isinstance(onp.int64(1), np.int64)
    assert issubclass(onp.int64, np.int64)
    assert onp.issubdtype(onp.int16, np.int16)


def test_autograds_additions():
    d = onp.arange(6.0).reshape(2, 3)
    assert onp.array_equal(np.make_diagonal(d, 0, -1, -2)[1], onp.diag(d[1]))
    with pytest.raises(NotImplementedError, match=r"np\.moveaxis"):
        np.make_diagonal(d)
    assert np.array_equal(numpy_wrapper.concatenate_args(1, d, d), onp.hstack([d, d]))
    assert np.array_equal(numpy_wrapper.array_from_args((), {}, 1.0, 2.0), [1.0, 2.0])
    assert numpy_wrapper.metadata(tg.Variable(d)) == ((2, 3), 2, onp.float64, False)
    assert np.array_equal(np.linalg.T(d), d.T)
    space = {}
    numpy_wrapper.wrap_namespace({"f": onp.sin, "pi": onp.pi, "text": "x"}, space)
    assert space == {"f": onp.sin, "pi": onp.pi}
