"""Branches, loops, the user's own functions, dropout."""

import threading

import numpy as np
import pytest

import tapegrad.compat.tensorflow as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def test_a_loop_that_depends_on_values():
    x = tf.placeholder(tf.float64, [])
    root = tf.while_loop(lambda y: tf.abs(y * y - x) > 1e-12, lambda y: 0.5 * (y + x / y), [x])
    (slope,) = tf.gradients(root, [x])
    with tf.Session() as sess:
        for v in (2.0, 9.0, 2.0, 2.5, 9.0):
            assert np.allclose(sess.run([root, slope], {x: v}), [v**0.5, 0.5 / v**0.5])


def test_a_loop_counted_by_a_placeholder():
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float64, [])
    _, power = tf.while_loop(
        lambda k, p: k < n, lambda k, p: [k + 1, p * x], [tf.constant(0), x / x]
    )
    with tf.Session() as sess:
        for k in (3, 5, 3, 0, 5, 3):
            assert sess.run(power, {n: k, x: 2.0}) == 2.0**k


def test_maximum_iterations():
    end = tf.while_loop(lambda k: k < 100, lambda k: k + 1, [tf.constant(0)], maximum_iterations=7)
    assert tf.Session().run(end) == 7


def test_variables_in_branches_and_loops():
    w, p = tf.Variable(1.0), tf.placeholder(tf.bool)
    chosen = tf.cond(p, lambda: w.assign(10.0), lambda: w.assign_add(1.0))

    def body(k):
        with tf.control_dependencies([w.assign(w * 2.0)]):
            return k + 1

    loop = tf.while_loop(lambda k: k < 3, body, [tf.constant(0)])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        assert [sess.run(chosen, {p: v}) for v in (False, False, True, False)] == [
            2.0,
            3.0,
            10.0,
            11.0,
        ]
        assert sess.run(loop) == 3
        assert sess.run(w) == 88.0


def test_py_func_is_called_at_each_run():
    calls = []

    def doubled(v):
        calls.append(v)
        return 2.0 * v

    x = tf.placeholder(tf.float64, [])
    y = tf.py_func(doubled, [x], tf.float64)
    with tf.control_dependencies([y]):
        z = tf.identity(x) + 1.0
    with tf.Session() as sess:
        assert [sess.run(y, {x: float(k)}) for k in range(6)] == [2.0 * k for k in range(6)]
        calls.clear()
        for k in range(6):
            sess.run(z, {x: float(k)})
        assert calls == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_dropout_has_one_mask_in_a_run():
    x, w = tf.ones([1000]), tf.Variable(np.ones(1000))
    dropped = tf.nn.dropout(x * w, 0.8, seed=1)
    (slope,) = tf.gradients(tf.reduce_sum(dropped), [w])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        masks = []
        for _ in range(5):
            a, b = sess.run([dropped, slope])
            assert np.array_equal(a, b)
            assert set(a) == {0.0, 1.25}
            assert 0.75 < (a > 0).mean() < 0.85
            masks.append(a)
        assert not np.array_equal(masks[-1], masks[-2])


def test_dropout_in_several_threads():
    x, w = tf.ones([100]), tf.Variable(np.ones(100))
    dropped = tf.nn.dropout(x * w, 0.5)
    fetches = [dropped, tf.gradients(tf.reduce_sum(dropped), [w])[0]]
    wrong = []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())

        def work():
            found = [sess.run(fetches) for _ in range(50)]
            wrong.extend(1 for a, b in found if not np.array_equal(a, b))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert not wrong


def test_dropout_by_a_flag():
    training = tf.placeholder(tf.bool)
    x = tf.Variable(np.ones(100))
    y = tf.layers.dropout(x, 0.5, training=training)
    (slope,) = tf.gradients(tf.reduce_sum(y), [x])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for flag in (True, False, True, False, True):
            a, b = sess.run([y, slope], {training: flag})
            assert np.array_equal(a, b)
            assert set(a) == ({0.0, 2.0} if flag else {1.0})


def test_batch_normalization_updates_its_averages():
    x, training = tf.placeholder(tf.float64, [None, 2]), tf.placeholder(tf.bool)
    y = tf.layers.batch_normalization(x, momentum=0.5, training=training)
    mean = next(v for v in tf.global_variables() if v.name.endswith("moving_mean:0"))
    loss = tf.reduce_mean(tf.square(y - 1.0))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    data = np.array([[1.0, 2.0], [3.0, 6.0]])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for k in range(1, 6):
            sess.run(step, {x: data, training: True})
            assert np.allclose(sess.run(mean), np.array([2.0, 4.0]) * (1 - 0.5**k))
        sess.run(y, {x: data, training: False})
        assert np.allclose(sess.run(mean), np.array([2.0, 4.0]) * (1 - 0.5**5))


def test_print_prints_at_each_run(capsys):
    x = tf.placeholder(tf.float64, [])
    y = tf.Print(x, [x * 2.0], "twice: ") * 3.0
    with tf.Session() as sess:
        for k in range(5):
            assert sess.run(y, {x: float(k)}) == 3.0 * k
    assert capsys.readouterr().out.splitlines() == [f"twice: [{2.0 * k}]" for k in range(5)]
