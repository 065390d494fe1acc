"""Recurrent cells are their formulas, and loops over time give what lists of steps give."""

import numpy as np
import pytest

import tapegrad.compat.tensorflow as tf

X = np.random.RandomState(0).randn(2, 5, 3)
KINDS = {
    "rnn": tf.nn.rnn_cell.BasicRNNCell,
    "gru": tf.nn.rnn_cell.GRUCell,
    "lstm": tf.nn.rnn_cell.BasicLSTMCell,
}


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        tf.set_random_seed(0)
        yield made


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(kind, held, x):
    """The outputs at all times, of variables in the order in which they were made."""
    h = c = np.zeros((2, 4))
    outputs = []
    for t in range(x.shape[1]):
        both = np.concatenate([x[:, t], h], axis=1)
        if kind == "rnn":
            h = np.tanh(both @ held[0] + held[1])
        elif kind == "gru":
            r, u = np.split(sigmoid(both @ held[0] + held[1]), 2, axis=1)
            other = np.tanh(np.concatenate([x[:, t], r * h], axis=1) @ held[2] + held[3])
            h = u * h + (1 - u) * other
        else:
            i, j, f, o = np.split(both @ held[0] + held[1], 4, axis=1)
            c = c * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
            h = np.tanh(c) * sigmoid(o)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_dynamic_and_static(kind):
    x = tf.placeholder(tf.float64, [None, 5, 3])
    cell = KINDS[kind](4)
    outputs, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float64)
    with tf.variable_scope("rnn", reuse=True):
        listed, _ = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), dtype=tf.float64)
    variables = tf.trainable_variables()
    slopes = [
        tf.gradients(tf.reduce_sum(tf.square(y)), variables)
        for y in (outputs, tf.stack(listed, axis=1))
    ]
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        held = sess.run(variables)
        for _ in range(4):
            one, other = sess.run(slopes, {x: X})
            assert np.allclose(sess.run(outputs, {x: X}), by_hand(kind, held, X), rtol=1e-12)
            for a, b in zip(one, other, strict=True):
                assert np.allclose(a, b, rtol=1e-10)
    assert all(v.name.startswith("rnn/") for v in variables)


def test_lengths_and_layers():
    x, n = tf.placeholder(tf.float64, [None, None, 3]), tf.placeholder(tf.int32, [None])
    cells = [tf.nn.rnn_cell.LSTMCell(4), tf.nn.rnn_cell.GRUCell(2)]
    cell = tf.nn.rnn_cell.MultiRNNCell(cells)
    outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=n, dtype=tf.float64)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(4):
            y, last = sess.run([outputs, state[1]], {x: X, n: [2, 5]})
            assert y.shape == (2, 5, 2)
            assert not y[0, 2:].any()
            assert np.array_equal(last, [y[0, 1], y[1, 4]])
            short = sess.run(outputs, {x: X[:1, :2], n: [2]})
            assert np.allclose(short[0], y[0, :2], rtol=1e-12)
