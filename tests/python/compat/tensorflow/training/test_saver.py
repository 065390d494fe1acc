"""What is saved comes back."""

import numpy as np
import pytest

import tapegrad.compat.tensorflow as tf


def trained(folder):
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        x = tf.placeholder(tf.float64, [None, 3], name="x")
        hidden = tf.layers.dense(x, 4, tf.nn.tanh)
        loss = tf.reduce_mean(tf.square(hidden), name="loss")
        step = tf.train.AdamOptimizer(0.1).minimize(loss, name="step")
        saver = tf.train.Saver(max_to_keep=2)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            paths = []
            for k in range(3):
                sess.run(step, {x: np.ones((2, 3))})
                paths.append(saver.save(sess, str(folder / "model"), global_step=k))
            after = []
            for _ in range(4):
                sess.run(step, {x: np.ones((2, 3))})
                after.append(sess.run(loss, {x: np.ones((2, 3))}))
            return paths, after


def test_training_goes_on_where_it_was(tmp_path):
    paths, after = trained(tmp_path)
    with tf.Graph().as_default() as graph:
        saver = tf.train.import_meta_graph(paths[-1] + ".meta")
        with tf.Session() as sess:
            saver.restore(sess, tf.train.latest_checkpoint(tmp_path))
            found = []
            for _ in range(4):
                sess.run("step", {"x:0": np.ones((2, 3))})
                found.append(sess.run(graph.get_tensor_by_name("loss:0"), {"x:0": np.ones((2, 3))}))
    assert found == after


def test_old_files_go(tmp_path):
    paths, _ = trained(tmp_path)
    assert [tf.train.checkpoint_exists(p) for p in paths] == [False, True, True]
    assert tf.train.get_checkpoint_state(tmp_path).all_model_checkpoint_paths == paths[1:]
    assert tf.train.latest_checkpoint(tmp_path / "none") is None


def test_what_does_not_fit_is_refused(tmp_path):
    paths, _ = trained(tmp_path)
    with tf.Graph().as_default(), tf.Session() as sess:
        other = tf.Variable(np.zeros(5), name="other")
        with pytest.raises(tf.errors.NotFoundError, match="has no other"):
            tf.train.Saver().restore(sess, paths[-1])
        with pytest.raises(ValueError, match="shape"):
            tf.train.Saver({"dense/bias": other}).restore(sess, paths[-1])
        with pytest.raises(ValueError, match="there is no checkpoint"):
            tf.train.Saver().restore(sess, str(tmp_path / "no"))
