"""Shapes and products of `theano.tensor` give what Theano documents."""

import numpy as np
import pytest

import tapegrad.compat.theano as theano
import tapegrad.compat.theano.tensor as T  # noqa: N812 - as its users write
from tapegrad.compat.theano.tensor.shared_randomstreams import RandomStreams

A = np.arange(12.0).reshape(2, 3, 2)
B = np.arange(16.0).reshape(2, 2, 4) / 7.0
M = np.array([[1.0, 2.0], [3.0, 5.0]])
V = np.array([2.0, -1.0])
OF_NDIM = {1: T.dvector, 2: T.dmatrix, 3: T.dtensor3, 4: T.dtensor4}


def value(f, *arrays):
    variables = [OF_NDIM[a.ndim]() for a in arrays]
    return theano.function(variables, f(*variables))(*arrays)


@pytest.mark.parametrize(("a", "b"), [(A, B), (M, M), (A, M), (M, B)])
def test_batched_dot_is_dot_of_each_part(a, b):
    expected = np.stack([np.dot(x, y) for x, y in zip(a, b, strict=True)])
    np.testing.assert_allclose(value(T.batched_dot, a, b), expected, rtol=1e-14)


def test_batched_dot_of_vectors_scales_each_part():
    np.testing.assert_allclose(value(T.batched_dot, V, B), V[:, None, None] * B)
    np.testing.assert_allclose(value(T.batched_dot, M, V), M * V[:, None])
    with pytest.raises(TypeError, match="both need an axis that counts the batch"):
        value(lambda a: T.batched_dot(a, T.sum(a)), M)


def test_batched_dot_has_derivatives():
    a, b = T.dtensor3(), T.dmatrix()
    slope = theano.function([a, b], T.grad(T.sum(T.batched_dot(a, b)), b))
    np.testing.assert_allclose(slope(A, M), A.sum(axis=1))


def test_axes_of_length_one():
    assert value(lambda x: T.shape_padleft(x, 2), M).shape == (1, 1, 2, 2)
    assert value(lambda x: T.shape_padright(x), M).shape == (2, 2, 1)
    assert value(lambda x: T.shape_padaxis(x, 1), M).shape == (2, 1, 2)


def test_matrices_beside_and_above_one_another():
    np.testing.assert_array_equal(value(T.horizontal_stack, M, M), np.hstack([M, M]))
    np.testing.assert_array_equal(value(T.vertical_stack, M, M), np.vstack([M, M]))
    product = value(T.nlinalg.matrix_dot, M, M, M)
    np.testing.assert_allclose(product, M @ M @ M)


def test_positions():
    found = value(lambda x: T.nonzero(x, return_matrix=True), np.eye(2))
    np.testing.assert_array_equal(found, [[0, 1], [0, 1]])
    np.testing.assert_array_equal(value(lambda x: T.take(x, [3], mode="wrap"), V), [V[1]])
    np.testing.assert_array_equal(value(lambda x: T.take(x, [9], mode="clip"), V), [V[1]])
    largest = theano.function([x := T.dmatrix()], list(T.max_and_argmax(x, axis=1)))(M)
    np.testing.assert_array_equal(largest[0], [2.0, 5.0])
    np.testing.assert_array_equal(largest[1], [1, 1])


def test_cross_entropies():
    found = value(lambda x: T.nnet.sigmoid_binary_crossentropy(x, 1.0), V)
    np.testing.assert_allclose(found, np.log1p(np.exp(-V)), rtol=1e-14)
    entropy, p = theano.function(
        [x := T.dmatrix()], list(T.nnet.crossentropy_softmax_1hot(x, np.array([1, 0])))
    )(M)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_allclose(entropy, -np.log(p[[0, 1], [1, 0]]))


def test_integers_include_both_ends():
    draw = theano.function([], RandomStreams(3).random_integers((200,), 1, 3))()
    assert set(draw.tolist()) == {1, 2, 3}


def test_what_is_not_there_is_said():
    x = T.dvector()
    y = T.sum(x * x)
    for transform in (theano.gradient.jacobian, theano.gradient.hessian):
        with pytest.raises(NotImplementedError, match="consider_constant= is not there"):
            transform(y, x, consider_constant=[x])
    with pytest.raises(NotImplementedError, match=r"multinomial: size=\(3,\) is not there"):
        RandomStreams(1).multinomial(size=(3,))
