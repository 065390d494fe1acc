"""`tf.layers` and `tf.nn`: pooling, channels, and options that are refused."""

import numpy as np
import pytest

import tapegrad.compat.tensorflow as tf

IMAGE = np.arange(32.0).reshape(1, 4, 4, 2)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def run(x):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(x)


def test_means_of_windows():
    found = run(tf.layers.average_pooling2d(tf.constant(IMAGE), 2, 2))
    expected = IMAGE.reshape(1, 2, 2, 2, 2, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(found, expected)


def test_channels_come_first_where_that_is_said():
    bias = np.array([1.0, 10.0, 100.0, 1000.0])
    found = run(tf.nn.bias_add(tf.constant(IMAGE), tf.constant(bias), data_format="NCHW"))
    np.testing.assert_array_equal(found, IMAGE + bias[None, :, None, None])
    found = run(tf.nn.bias_add(tf.constant(IMAGE), tf.constant(bias[:2])))
    np.testing.assert_array_equal(found, IMAGE + bias[:2])


def test_positions_have_the_type_that_is_asked_for():
    x = tf.constant(IMAGE[0, 0])
    assert run(tf.argmax(x, 1)).dtype == np.int64
    assert run(tf.argmax(x, 1, output_type=tf.int32)).dtype == np.int32
    assert run(tf.shape(x)).dtype == np.int32
    assert run(tf.shape(x, out_type=tf.int64)).dtype == np.int64


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda x: tf.layers.dense(x, 3, activity_regularizer=tf.nn.l2_loss),
            r"tf\.layers\.dense: activity_regularizer= is not there",
        ),
        (
            lambda x: tf.layers.conv2d(x, 3, 2, activity_regularizer=tf.nn.l2_loss),
            r"tf\.layers\.conv2d: activity_regularizer=",
        ),
        (lambda x: tf.layers.dropout(x, noise_shape=[1, 4, 4, 1]), "noise_shape= is not there"),
        (
            lambda x: tf.layers.batch_normalization(x, axis=1),
            r"batch_normalization: axis=1 is not there; transpose the input",
        ),
        (
            lambda x: tf.nn.rnn_cell.MultiRNNCell(
                [tf.nn.rnn_cell.BasicRNNCell(2)], state_is_tuple=False
            ),
            "state_is_tuple=False is not there",
        ),
    ],
)
def test_options_that_would_change_a_result(call, says):
    with pytest.raises(NotImplementedError, match=says):
        call(tf.constant(IMAGE))
