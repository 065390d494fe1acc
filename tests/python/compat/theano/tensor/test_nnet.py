"""Functions of `theano.tensor` and `theano.tensor.nnet` give NumPy's numbers, and derivatives."""

import numpy as np
import pytest

import tapegrad.compat.theano.tensor as T  # noqa: N812 - as its users write
from tapegrad import numerical
from tapegrad.compat.theano import function

POINT = np.array([[0.3, -1.2, 2.0], [0.7, 0.1, -0.4]])


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


CASES = {
    "sigmoid": (T.nnet.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "softplus": (T.nnet.softplus, lambda x: np.log(1 + np.exp(x))),
    "softmax": (T.nnet.softmax, softmax),
    "logsoftmax": (T.nnet.logsoftmax, lambda x: np.log(softmax(x))),
    "relu": (T.nnet.relu, lambda x: np.maximum(x, 0)),
    "leaky": (lambda x: T.nnet.relu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
    "elu": (T.nnet.elu, lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    "hard_sigmoid": (T.nnet.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    "crossentropy": (
        lambda x: T.nnet.categorical_crossentropy(T.nnet.softmax(x), np.array([2, 0])),
        lambda x: -np.log(softmax(x)[[0, 1], [2, 0]]),
    ),
    "binary": (
        lambda x: T.nnet.binary_crossentropy(T.nnet.sigmoid(x), 0.3),
        lambda x: np.log(1 + np.exp(x)) - 0.3 * x,
    ),
    "dimshuffle": (lambda x: x.dimshuffle(1, "x", 0), lambda x: x.T[:, None, :]),
    "flatten": (lambda x: x.flatten(), np.ravel),
    "reshape": (lambda x: x.reshape((3, -1)), lambda x: x.reshape(3, -1)),
    "mean": (lambda x: x.mean(axis=0, keepdims=True), lambda x: x.mean(axis=0, keepdims=True)),
    "norm": (lambda x: x.norm(2), lambda x: np.linalg.norm(x, 2)),
    "max": (lambda x: T.max(x, axis=1), lambda x: x.max(axis=1)),
    "std": (lambda x: T.std(x, axis=1), lambda x: x.std(axis=1)),
    "concatenate": (lambda x: T.concatenate([x, x**2], axis=1), lambda x: np.hstack([x, x**2])),
    "stack": (lambda x: T.stack([x[0], x[1] ** 2]), lambda x: np.stack([x[0], x[1] ** 2])),
    "clip": (lambda x: x.clip(-0.5, 0.5), lambda x: x.clip(-0.5, 0.5)),
    "dot": (lambda x: T.dot(x, x.T), lambda x: x @ x.T),
    "repeat": (lambda x: T.repeat(x, 2, axis=0), lambda x: np.repeat(x, 2, axis=0)),
    "picked": (lambda x: x[T.arange(2), T.argmax(x, axis=1)], lambda x: x.max(axis=1)),
    "alloc": (
        lambda x: T.alloc(x[0, 0], 2, 2) * x[0, 1],
        lambda x: np.full((2, 2), x[0, 0] * x[0, 1]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name):
    make, expected = CASES[name]
    x = T.dmatrix("x")
    y = make(x)
    f = function([x], [y, T.grad(T.sum(y * y), x)])
    slope = numerical.grad(lambda v: np.sum(expected(v) ** 2))(POINT)
    for _ in range(5):
        found = f(POINT)
        assert np.allclose(found[0], expected(POINT), rtol=1e-12)
        assert np.allclose(found[1], slope, rtol=1e-5, atol=1e-7)


def test_casts_and_indices():
    x = T.dvector("x")
    n = T.cast(x, "int32")
    f = function([x], [n, T.eq(n, 1), T.extra_ops.to_one_hot(n, 3), T.nonzero(n)[0]])
    for _ in range(4):
        whole, ones, rows, places = f([0.9, 1.9, 2.1])
        assert whole.dtype == np.int32
        assert whole.tolist() == [0, 1, 2]
        assert ones.tolist() == [False, True, False]
        assert rows.tolist() == np.eye(3).tolist()
        assert places.tolist() == [1, 2]
