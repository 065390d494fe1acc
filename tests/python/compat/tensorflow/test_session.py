"""Sessions: what can be fetched and fed, and what is said when something is wrong."""

import threading
from collections import namedtuple

import numpy as np
import pytest

import tapegrad.compat.tensorflow as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made


def started():
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    return sess


def test_the_listing_of_the_article_replays_a_program():
    rng = np.random.RandomState(0)
    x, y = tf.placeholder("float"), tf.placeholder("float")
    w, b = tf.Variable(rng.randn(), name="weight"), tf.Variable(rng.randn(), name="bias")
    from tensorflow_programs import TRAIN_X, TRAIN_Y

    predictions = (x * w) + b
    loss = tf.reduce_sum(tf.pow(predictions - y, 2)) / (2 * len(TRAIN_X))
    optimizer = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    with started() as sess:
        for _ in range(100):
            for a, c in zip(TRAIN_X, TRAIN_Y, strict=True):
                assert sess.run(optimizer, feed_dict={x: a, y: c}) is None
        found = sess.run([w, b, loss], {x: TRAIN_X, y: TRAIN_Y})
        assert np.allclose(
            found, [0.324007153370683, 0.266140670116339, 0.0946348578670774], rtol=1e-13, atol=0
        )
        test_x = np.asarray([6.83, 4.668, 8.9, 7.91, 5.7, 8.7, 3.1, 2.1])
        assert sess.run(predictions, {x: test_x}).shape == (8,)
        call, _ = sess._ready[optimizer, x, y]
        plan = call.__globals__["failed"].__closure__
        (plan,) = [c.cell_contents for c in plan if type(c.cell_contents).__name__ == "Plan"]
        assert plan.compiled.inspect().signatures[0].replays == 1700 - 3


def test_fetches_of_any_nesting():
    x, w = tf.placeholder("float", name="x"), tf.Variable([1.0, 2.0], name="w")
    y, step = x * w, w.assign_add([1.0, 1.0])
    Pair = namedtuple("Pair", "a b")
    sess = started()
    found = sess.run({"y": y, "all": [x, (w,)], "pair": Pair(y, "w:0")}, {x: 2.0})
    assert found["y"].tolist() == [2.0, 4.0]
    assert found["all"][0] == 2.0
    assert found["all"][1][0].tolist() == [1.0, 2.0]
    assert isinstance(found["pair"], Pair)
    assert sess.run([]) == []
    assert sess.run("y:0" if False else [y.op, y, y], {"x:0": 2.0})[1].tolist() == [2.0, 4.0]
    assert sess.run(tf.group(step, step)) is None
    assert sess.run(w).tolist() == [2.0, 3.0]
    assert w.eval(session=sess).tolist() == [2.0, 3.0]


def test_a_fetched_variable_is_the_users():
    w = tf.Variable(np.zeros(3))
    sess = started()
    for _ in range(5):
        sess.run(w)[:] = 5.0
        assert sess.run(w).tolist() == [0.0] * 3


def test_each_session_has_its_own_variables():
    w = tf.Variable(1.0)
    one, two = started(), started()
    one.run(w.assign(5.0))
    assert (one.run(w), two.run(w)) == (5.0, 1.0)


def test_any_tensor_can_be_fed():
    w = tf.Variable(1.0)
    y = w + 1.0
    sess = started()
    assert sess.run(y * 2.0, {y: 10.0}) == 20.0
    assert sess.run(y, {w: 5.0}) == 6.0
    assert sess.run(w) == 1.0
    d = tf.placeholder_with_default(3.0, [])
    assert (sess.run(d * 2.0), sess.run(d * 2.0, {d: 1.0})) == (6.0, 2.0)


def test_order():
    w = tf.Variable(1.0)
    step = w.assign_add(1.0)
    with tf.control_dependencies([step]):
        after = w.read_value()
        copied = tf.identity(w) * 2.0
    sess = started()
    assert sess.run([w, step, after, copied]) == [1.0, 2.0, 2.0, 4.0]
    assert sess.run(w) == 2.0


@pytest.mark.parametrize(
    ("program", "error", "said"),
    [
        (
            lambda s: s.run(tf.placeholder("float", name="lonely") * 2.0),
            tf.errors.InvalidArgumentError,
            r"'lonely', made at .*test_session.py:\d+",
        ),
        (
            lambda s: tf.Session().run(tf.Variable(1.0, name="cold")),
            tf.errors.FailedPreconditionError,
            "'cold'.*global_variables_initializer",
        ),
        (lambda s: s.run(3), TypeError, "fetch argument 3"),
        (lambda s: s.run("nobody:0"), KeyError, "nobody"),
        (lambda s: s.run(tf.constant(1.0), {"x": 1.0, 3: 2.0}), (TypeError, KeyError), None),
        (lambda s: bool(tf.constant(1.0) > 0.0), TypeError, "tf.cond"),
        (lambda s: float(tf.constant(1.0)), TypeError, "sess.run"),
        (lambda s: np.asarray(tf.constant(1.0)), TypeError, "sess.run"),
        (lambda s: list(tf.placeholder("float")), TypeError, "tf.unstack"),
        (
            lambda s: tf.matmul(tf.ones([2, 3]), tf.ones([2])).eval(session=s),
            ValueError,
            r"in node 'MatMul', made at .*test_session.py:\d+",
        ),
        (
            lambda s: tf.nothing,
            AttributeError,
            r"there; docs/\S* and dir\(tf\) list what there is$",
        ),
        (lambda s: tf.compat.v3, AttributeError, "there are: v1, v2$"),
        (lambda s: tf.reduce_men, AttributeError, "did you mean reduce_mean, reduce_min"),
        (lambda s: tf.contrib, AttributeError, "tf.layers"),
        (lambda s: tf.nn.softmx, AttributeError, "did you mean softmax"),
        (lambda s: tf.train.AdamOptimiser, AttributeError, "AdamOptimizer"),
        (
            lambda s: tf.train.AdamOptimizer().minimize(tf.constant(1.0)),
            ValueError,
            "no variable to step",
        ),
        (lambda s: tf.Variable(1.0).assign([1.0, 2.0]), ValueError, "shape"),
        (lambda s: tf.placeholder("complex64"), TypeError, "float64"),
        (
            lambda s: tf.nn.softmax_cross_entropy_with_logits(tf.ones([2]), tf.ones([2])),
            ValueError,
            "go by name",
        ),
    ],
)
def test_errors(program, error, said):
    with pytest.raises(error, match=said):
        program(tf.Session())


def test_a_closed_session_says_so():
    w = tf.constant(1.0)
    with tf.Session() as sess:
        assert w.eval() == 1.0
    with pytest.raises(RuntimeError, match="closed"):
        sess.run(w)
    with pytest.raises(ValueError, match="as_default"):
        w.eval()


def test_several_threads_run_one_session():
    x = tf.placeholder("float")
    y = tf.reduce_sum(tf.square(x))
    sess = tf.Session()
    wrong = []

    def work(k):
        found = [sess.run(y, {x: np.full(3, float(k))}) for _ in range(50)]
        wrong.extend(v for v in found if v != 3.0 * k * k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_numpy_functions_make_nodes():
    w = tf.Variable([1.0, 2.0])
    y = np.sum(np.sin(w) * np.array([1.0, 2.0]))
    assert isinstance(y, tf.Tensor)
    (slope,) = tf.gradients(y, [w])
    assert np.allclose(started().run(slope), np.cos([1.0, 2.0]) * [1.0, 2.0])


def test_an_interactive_session_is_the_default_one():
    sess = tf.InteractiveSession()
    w = tf.Variable([1.0, 2.0])
    w.initializer.run()
    tf.assign_add(w, [1.0, 1.0]).op.run()
    assert w.eval().tolist() == [2.0, 3.0]
    assert tf.get_default_session() is sess
    sess.close()
    assert tf.get_default_session() is None
