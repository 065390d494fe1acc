"""`tf.train`: rates by steps, averages, and what programs ask of threads and savers."""

import numpy as np
import pytest

import tapegrad.compat.tensorflow as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def at_steps(make, steps):
    step = tf.placeholder(tf.float64, [])
    rate = make(step)
    with tf.Session() as session:
        return [float(session.run(rate, {step: k})) for k in steps]


def test_rates():
    found = at_steps(lambda k: tf.train.cosine_decay(0.5, k, 10, alpha=0.2), [0.0, 5.0, 10.0, 20.0])
    np.testing.assert_allclose(found, [0.5, 0.3, 0.1, 0.1])
    optimizers = tf.keras.optimizers.schedules
    inverse = optimizers.InverseTimeDecay(0.5, 10, 2.0)
    np.testing.assert_allclose([float(inverse(k)) for k in (0, 5, 10)], [0.5, 0.25, 0.5 / 3])
    line = optimizers.PolynomialDecay(1.0, 4, end_learning_rate=0.2)
    np.testing.assert_allclose([float(line(k)) for k in (0, 2, 4, 9)], [1.0, 0.6, 0.2, 0.2])
    parts = optimizers.PiecewiseConstantDecay([3, 6], [1.0, 0.5, 0.1])
    np.testing.assert_allclose([float(parts(k)) for k in (3, 4, 7)], [1.0, 0.5, 0.1])


def test_a_saver_finds_averages_and_all_other_variables():
    w = tf.Variable([1.0, 2.0], name="w")
    step = tf.Variable(0, trainable=False, name="step")
    average = tf.train.ExponentialMovingAverage(0.9)
    # Before and after apply() the names are the same: an evaluation restores without training.
    names = {"w/ExponentialMovingAverage": w, "step": step}
    assert average.variables_to_restore() == names
    average.apply([w])
    assert average.variables_to_restore() == names
    assert average.variables_to_restore([]).keys() >= {"w", "step"}


def test_threads_that_are_not_there():
    coordinator = tf.train.Coordinator()
    assert tf.train.start_queue_runners(coord=coordinator) == []
    assert not coordinator.should_stop()
    coordinator.request_stop()
    assert coordinator.should_stop()


def test_what_a_graph_holds(graph, tmp_path):
    x = tf.placeholder(tf.float64, name="x")
    x.set_shape([None, 3])
    assert x.shape.as_list() == [None, 3]
    assert x.shape.num_elements() is None
    assert tf.TensorShape([2, 3]).num_elements() == 6
    y = tf.reduce_sum(x, name="y")
    assert graph.get_operation_by_name("y").name == "y"
    assert graph.as_graph_element("y:0") is y
    assert graph.as_graph_element(y.op) is y
    assert {"x", "y"} <= {op.name for op in graph.get_operations()}
    w = tf.Variable(2.0, name="w")
    start = w.initialized_value()
    assert x.dtype.base_dtype == tf.float64
    assert tf.train.MomentumOptimizer(0.1, 0.9).get_slot_names() == ["momentum"]
    saver = tf.train.Saver()
    with tf.Session() as session:
        assert session.run(start) == 2.0
        assert len(session.list_devices()) == 1
        session.run(tf.global_variables_initializer())
        path = saver.save(session, str(tmp_path / "model"))
        assert saver.last_checkpoints == [path]
        total = session.make_callable(y, [x])
        assert total(np.ones((2, 3))) == 6.0


def test_losses_of_a_graph():
    a, b = tf.constant(2.0), tf.constant(3.0)
    tf.losses.add_loss(a)
    tf.losses.add_loss(b)
    with tf.Session() as session:
        assert session.run(tf.losses.get_total_loss()) == 5.0
    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(tf.losses.get_total_loss()) == 0.0


def test_variables_that_are_shared_from_here_on():
    with tf.variable_scope("a") as scope:
        first = tf.get_variable("w", [2])
        scope.reuse_variables()
        assert tf.get_variable("w", [2]) is first


def test_unconnected_gradients():
    x, y = tf.Variable([1.0, 2.0]), tf.Variable([3.0])
    total = tf.reduce_sum(x * x)
    assert tf.gradients(total, [x, y])[1] is None
    zero = tf.gradients(total, [x, y], unconnected_gradients=tf.UnconnectedGradients.ZERO)[1]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(zero), [0.0])
