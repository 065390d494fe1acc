"""Derivatives as expressions."""

import numpy as np
import pytest

import tapegrad.compat.theano as theano
import tapegrad.compat.theano.tensor as T  # noqa: N812 - as its users write
from tapegrad.compat.theano import function
from tapegrad.compat.theano.gradients import disconnected_grad, verify_grad


def test_gradients_of_several_and_of_gradients():
    x, y = T.dscalars("x", "y")
    gx, gy = T.grad(x**2 * y, [x, y])
    f = function([x, y], [gx, gy, T.grad(gx, y), T.grad(gx, x)])
    assert [float(v) for v in f(3.0, 5.0)] == [30.0, 9.0, 6.0, 10.0]


def test_jacobian_and_hessian():
    x = T.dvector("x")
    f = function([x], [T.jacobian(x**2 * x[0], x), T.hessian(T.sum(x**3), x)])
    jacobian, hessian = f([1.0, 2.0])
    assert jacobian.tolist() == [[3.0, 0.0], [4.0, 4.0]]
    assert hessian.tolist() == [[6.0, 0.0], [0.0, 12.0]]


def test_rows_by_scan():
    x = T.dvector("x")
    y = x**2
    rows, updates = theano.scan(
        lambda i, y, x: T.grad(y[i], x), sequences=T.arange(y.shape[0]), non_sequences=[y, x]
    )
    f = function([x], rows, updates=updates)
    for point in ([4.0, 4.0], [1.0, 2.0, 3.0], [4.0, 4.0]):
        assert np.array_equal(f(point), np.diag(2 * np.array(point)))


def test_rop_and_lop():
    W, V, x, v = T.dmatrix("W"), T.dmatrix("V"), T.dvector("x"), T.dvector("v")
    y = T.dot(x, W)
    assert function([W, V, x], T.Rop(y, W, V))(
        np.ones((2, 2)), 2 * np.ones((2, 2)), [0, 1]
    ).tolist() == [2, 2]
    left = function([W, v, x], T.Lop(y, W, v), on_unused_input="ignore")
    assert left(np.ones((2, 2)), [2, 2], [0, 1]).tolist() == [[0, 0], [2, 2]]
    slope = T.grad(T.sum(x**2), x)
    for product in (T.grad(T.sum(slope * v), x), T.Rop(slope, x, v)):
        assert function([x, v], product)([4, 4], [2, 2]).tolist() == [4, 4]


def test_constants():
    x = T.dscalar("x")
    y = x**2
    assert function([x], T.grad(y * x, x, consider_constant=[y]))(3.0) == 9.0
    assert function([x], T.grad(disconnected_grad(y) * x, x))(3.0) == 9.0
    zero = T.grad(y, T.dscalar("u"), disconnected_inputs="ignore")
    assert function([], zero, givens=[(zero.inputs[0], T.constant(1.0))])() == 0.0


def test_known_gradients():
    x = T.dvector("x")
    y = x**2
    seed = T.dvector("s")
    f = function([x, seed], T.grad(None, x, known_grads={y: seed}))
    assert f([1.0, 2.0], [10.0, 1.0]).tolist() == [20.0, 4.0]


def test_switch_and_ifelse():
    a, b, x = T.dscalar("a"), T.dscalar("b"), T.dvector("x")
    for choose in (T.switch, theano.ifelse):
        y = choose(T.lt(a, b), T.sum(x**2), T.sum(x))
        f = function([a, b, x], [y, T.grad(y, x)])
        for _ in range(3):
            value, slope = f(0.0, 1.0, [1.0, 2.0])
            assert (float(value), slope.tolist()) == (5.0, [2.0, 4.0])
            value, slope = f(1.0, 0.0, [1.0, 2.0])
            assert (float(value), slope.tolist()) == (3.0, [1.0, 1.0])


def test_ifelse_leaves_out_the_other_side():
    a, x = T.dscalar("a"), T.dmatrix("x")
    y = theano.ifelse(a > 0, T.sum(x), T.sum(T.nlinalg.matrix_inverse(x)))
    f = function([a, x], y)
    for _ in range(5):
        assert f(1.0, np.zeros((2, 2))) == 0.0
    with pytest.raises(np.linalg.LinAlgError):
        f(-1.0, np.zeros((2, 2)))


def test_clone():
    x, y = T.dvector("x"), T.dvector("y")
    total = T.sum(x**2)
    other = theano.clone(total, replace={x: y + 1})
    f = function([y], [other, T.grad(other, y)])
    value, slope = f([1.0, 2.0])
    assert (float(value), slope.tolist()) == (13.0, [4.0, 6.0])


def test_parts():
    x = T.dvector("x")
    assert function([x], T.set_subtensor(x[1:], 0.0))([1, 2, 3]).tolist() == [1, 0, 0]
    y = T.sum(T.inc_subtensor(x[0], x[1]) ** 2)
    assert function([x], T.grad(y, x))([1, 2, 3]).tolist() == [6, 10, 6]


def test_verify_grad():
    verify_grad(lambda a, b: T.tanh(T.dot(a, b)), [np.ones((2, 3)) * 0.1, np.ones((3, 2)) * 0.2])
    with pytest.raises(AssertionError, match="argument 0"):
        verify_grad(lambda a: a * disconnected_grad(a), [np.ones(2)])
