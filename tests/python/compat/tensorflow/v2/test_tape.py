"""Tapes: what they watch, what they keep, and what they refuse."""

import numpy as np
import pytest

import tapegrad as tg
import tapegrad.compat.tensorflow as v1
import tapegrad.compat.tensorflow.v2 as tf


def test_what_is_not_watched_has_no_gradient():
    x, c = tf.Variable(2.0), tf.constant(3.0)
    fixed = tf.Variable(1.0, trainable=False)
    with tf.GradientTape(persistent=True) as tape:
        y = x * c * fixed
    assert float(tape.gradient(y, x)) == 3.0
    assert tape.gradient(y, [c, fixed]) == [None, None]
    assert tape.gradient(y, {"c": c}, unconnected_gradients="zero")["c"].numpy() == 0.0
    assert tape.watched_variables() == (x,)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(fixed)
        y = x * fixed
    assert [g if g is None else float(g) for g in tape.gradient(y, [x, fixed])] == [None, 2.0]


def test_what_is_computed_outside_is_a_constant():
    x = tf.Variable(2.0)
    outside = x * x
    with tf.GradientTape() as tape:
        y = outside * x
        with tape.stop_recording():
            z = x * 5.0
        y = y + z
    assert float(tape.gradient(y, x)) == 4.0


def test_a_tape_is_used_once_unless_it_is_persistent():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, x)


def test_a_variable_that_changes_under_the_tape():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        x.assign_add(1.0)
        z = y + x**3
    assert float(tape.gradient(z, x)) == 4.0 + 27.0


def test_tapes_one_after_the_other_keep_what_is_theirs():
    x = tf.Variable(2.0)
    with tf.GradientTape() as first:
        y = x**2
    with tf.GradientTape() as second:
        z = x**3
    assert (float(first.gradient(y, x)), float(second.gradient(z, x))) == (4.0, 12.0)


def test_nothing_is_recorded_outside_of_tapes():
    x = tf.constant(1.0)
    for _ in range(3):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**2
        x = x - 0.1 * tape.gradient(y, x)
        assert not isinstance(x.held, tg.Variable)
    assert np.isclose(float(x), 0.8**3)


def test_version_1_in_eager_mode():
    v1.enable_eager_execution()
    try:
        w = v1.Variable([1.0, 2.0])
        with v1.GradientTape() as tape:
            loss = v1.reduce_sum(w * v1.constant([3.0, 4.0]))
        assert tape.gradient(loss, w).numpy().tolist() == [3.0, 4.0]
        assert v1.zeros([2]).numpy().tolist() == [0.0, 0.0]
        with v1.Graph().as_default():
            assert isinstance(v1.constant(1.0), v1.Tensor)
    finally:
        v1.disable_eager_execution()
    assert isinstance(v1.constant(1.0), v1.Tensor)


def test_training_with_an_optimizer():
    rng = np.random.RandomState(0)
    x = rng.randn(100, 3)
    y = x @ [1.0, -2.0, 0.5] + 0.3
    w, b = tf.Variable(np.zeros(3)), tf.Variable(0.0)
    optimizer = tf.keras.optimizers.Adam(0.05)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.linalg.matvec(x, w) + b - y))
        variables = [w, b]
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    for _ in range(300):
        loss = step()
    assert float(loss) < 1e-10
    assert int(optimizer.iterations.numpy()) == 300


def test_names_of_version_1_are_told_from_those_of_2():
    with pytest.raises(AttributeError, match="def f"):
        _ = tf.placeholder
    with pytest.raises(AttributeError, match="values at once"):
        _ = tf.Session
    assert "reduce_sum" in dir(tf)
    assert "Session" not in dir(tf)


def test_either_version_leads_to_the_other():
    assert tf.compat.v1 is v1.compat.v1 is v1
    assert v1.compat.v2 is tf.compat.v2 is tf


def test_numbers_and_iteration():
    x = tf.constant([1.0, 2.0])
    assert [float(e) for e in x] == [1.0, 2.0]
    assert (x == [1.0, 3.0]).numpy().tolist() == [True, False]
    assert f"{tf.constant(0.5):.2f}" == "0.50"
    assert "numpy=array([1., 2.])" in repr(x)
    with pytest.raises(ValueError, match="shape"):
        tf.Variable([1.0, 2.0]).assign([1.0])
    with pytest.raises(ValueError, match="floating"), tf.GradientTape() as tape:
        tape.watch(tf.constant([1, 2]))
