"""Variables, scopes, names and shapes."""

import numpy as np
import pytest

import tapegrad.compat.tensorflow as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def test_names():
    with tf.name_scope("layer"):
        w = tf.Variable(1.0, name="w")
        y = tf.add(w, 1.0, name="sum")
        again = tf.add(w, 1.0, name="sum")
    assert (w.name, y.name, again.op.name) == ("layer/w:0", "layer/sum:0", "layer/sum_1")
    assert tf.get_default_graph().get_tensor_by_name("layer/sum:0") is y
    assert tf.Variable(1.0).name == "Variable:0"
    assert tf.Variable(1.0).name == "Variable_1:0"


def test_shared_by_name():
    def layer():
        return tf.get_variable("w", [2], initializer=tf.zeros_initializer())

    with tf.variable_scope("a"):
        first = layer()
        with pytest.raises(
            ValueError, match=r"there is a variable a/w, made at .*test_variables.py:\d+"
        ):
            layer()
    with tf.variable_scope("a", reuse=True):
        assert layer() is first
        with pytest.raises(ValueError, match="reuse=True, and there is no variable"):
            tf.get_variable("other", [2])
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
        assert layer() is first
        assert tf.get_variable("other", [2]).name == "a/other:0"
    assert [v.name for v in tf.trainable_variables()] == ["a/w:0", "a/other:0"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_dtypes_are_kept(dtype):
    v = tf.Variable(np.ones(2, dtype))
    step = v.assign(v * np.asarray(3, dtype))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(4):
            assert sess.run(step).dtype == dtype
        assert sess.run(v).tolist() == [81] * 2
    assert v.dtype == dtype
    assert v.dtype.as_numpy_dtype is np.dtype(dtype).type


def test_a_float32_model_stays_float32():
    x = tf.placeholder(tf.float32, [None, 3])
    w = tf.Variable(np.full((3, 2), 0.1, np.float32))
    y = tf.nn.relu(tf.matmul(x, w) * 2.0 + 0.5)
    loss = tf.reduce_mean(tf.square(y)) + tf.losses.mean_squared_error(y, y * 0.5)
    steps = [
        make(0.1).minimize(loss)
        for make in (
            tf.train.GradientDescentOptimizer, tf.train.AdamOptimizer,
            tf.train.AdagradOptimizer, tf.train.RMSPropOptimizer,
        )
    ]  # fmt: skip
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for step in steps:
            for _ in range(4):
                found = sess.run([step, loss, w], {x: np.ones((4, 3))})
                assert (found[1].dtype, found[2].dtype) == (np.float32, np.float32)


def test_static_shapes():
    x = tf.placeholder(tf.float64, [None, 8, 8, 2])
    flat = tf.reshape(x, [-1, 128])
    assert flat.get_shape().as_list() == [None, 128]
    assert x.shape[1].value == 8
    assert int(flat.shape[1]) == 128
    assert str(tf.layers.dense(flat, 3).shape) == "(?, 3)"
    assert tf.placeholder("float").shape.ndims is None
    with pytest.raises(TypeError, match=r"tf\.shape"):
        int(x.shape[0])


def test_seeds_give_the_same_start_in_each_session():
    tf.set_random_seed(3)
    a, b = tf.Variable(tf.random_normal([3])), tf.Variable(tf.random_normal([3]))
    seen = []
    for _ in range(2):
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            seen.append(sess.run([a, b]))
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0][0], seen[0][1])


def test_truncated_normal_stays_within_two_deviations():
    with tf.Session() as sess:
        found = sess.run(tf.truncated_normal([4000], mean=1.0, stddev=0.5, seed=1))
    assert np.abs(found - 1.0).max() <= 1.0
    assert abs(found.mean() - 1.0) < 0.05


def test_learning_rates_can_be_fed_and_assigned():
    rate = tf.placeholder(tf.float64, [])
    w = tf.Variable(1.0)
    step = tf.train.GradientDescentOptimizer(rate).minimize(tf.square(w))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for k in range(5):
            before = sess.run(w)
            sess.run(step, {rate: 0.1 * k})
            assert np.isclose(sess.run(w), before - 0.1 * k * 2 * before)


def test_what_would_be_cut_is_refused():
    v = tf.Variable(1)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for value in (tf.constant(1.5), tf.constant([1.5])[0]):
            with pytest.raises(TypeError, match=r"would be cut.*cast it first.*made at"):
                sess.run(v.assign(value))
        assert sess.run(v.assign(tf.cast(tf.constant(1.5), tf.int32))) == 1
