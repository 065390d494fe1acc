"""Remedies of the graph layers' names: what is refused, and what is told to be written instead.

They speak of nodes, which have no derivative of their own, so their cases are not those of
`test_remedy_texts.py`: `tests/python/compat/*/test_refusals.py` runs them. The remedy's last line
is true.
"""

from typing import NamedTuple

LABEL = "it names a thing and tells nothing to do"
TF = "python/tapegrad/compat/tensorflow/"
THEANO = "python/tapegrad/compat/theano/"
GRAPH = "python/tapegrad/graph/"


class GraphCase(NamedTuple):
    """A file, a part of a text in it, code that is refused with that text, and the remedy."""

    file: str
    piece: str
    refused: str
    remedy: str


TENSORFLOW = [
    GraphCase(
        TF + "dtypes.py",
        "use tf.float32 or tf.float64",
        "tf.placeholder('complex64')",
        "tf.placeholder(tf.float32).dtype == tf.float32",
    ),
    GraphCase(
        TF + "functions/control.py",
        "write if and else",
        "tf.cond(True, lambda: 1.0, lambda: 2.0)",
        "(1.0 if True else 2.0) == 1.0",
    ),
    GraphCase(
        TF + "functions/layers.py",
        "add regularizer(outputs) to the loss",
        "tf.layers.dense(tf.constant([[1.0, 2.0]]), 2, activity_regularizer=tf.nn.l2_loss)",
        "tf.nn.l2_loss(tf.layers.dense(tf.constant([[1.0, 2.0]]), 2)).shape.as_list() == []",
    ),
    GraphCase(
        TF + "functions/layers.py",
        "transpose the input, so that the channels are the last axis",
        "tf.layers.batch_normalization(tf.constant([[[1.0, 2.0]]]), axis=1)",
        "tf.layers.batch_normalization(tf.transpose(tf.constant([[[1.0, 2.0]]]), [0, 2, 1]))"
        ".shape.as_list() == [1, 2, 1]",
    ),
    GraphCase(
        TF + "functions/layers.py",
        "give the placeholder a shape, as in tf.placeholder(tf.float64, [None, 4])",
        "tf.layers.dense(tf.placeholder(tf.float64), 2)",
        "str(tf.layers.dense(tf.placeholder(tf.float64, [None, 4]), 2).shape) == '(?, 2)'",
    ),
    GraphCase(
        TF + "functions/nn.py",
        "dropout: say rate=",
        "tf.nn.dropout(tf.ones([3]))",
        "sess.run(tf.nn.dropout(tf.ones([3]), rate=0.0)).tolist() == [1.0] * 3",
    ),
    GraphCase(
        TF + "functions/nn.py",
        "transpose to NHWC",
        "sess.run(tf.nn.conv2d(tf.ones([1, 2, 3, 3]), tf.ones([1, 1, 2, 1]), [1] * 4, 'SAME', "
        "data_format='NCHW'))",
        "x = tf.transpose(tf.ones([1, 2, 3, 3]), [0, 2, 3, 1])\n"
        "sess.run(tf.nn.conv2d(x, tf.ones([1, 1, 2, 1]), [1] * 4, 'SAME')).shape == (1, 3, 3, 1)",
    ),
    GraphCase(
        TF + "refusals.py",
        "sess.run(loss) gives numbers; keep them in a list",
        "tf.summary",
        "kept = [float(sess.run(tf.constant(2.0)))]\nkept == [2.0]",
    ),
    GraphCase(
        TF + "refusals.py",
        "write the loop: for batch in batches: sess.run(train, feed_dict=...)",
        "tf.estimator",
        "v = tf.placeholder('float')\n"
        "[float(sess.run(v * 2.0, feed_dict={v: k})) for k in (1, 2)] == [2.0, 4.0]",
    ),
    GraphCase(
        TF + "refusals.py",
        "call main() yourself",
        "tf.app",
        "def main(): return 1\nmain() == 1",
    ),
    GraphCase(
        TF + "refusals.py",
        "write the model as a function of tf.Variables; tf.GradientTape gives gradients and",
        "class Net(tf.keras.Model): pass",
        "w = tf2.Variable(2.0)\ndef model(x): return w * x\n"
        "with tf2.GradientTape() as t: loss = tf2.square(model(3.0))\n"
        "g = t.gradient(loss, w)\ntf2.keras.optimizers.SGD(0.5).apply_gradients([(g, w)])\n"
        "float(w) == 2.0 - 0.5 * 36.0",
    ),
    *(
        GraphCase(
            TF + "refusals.py",
            "write layers as functions of variables, tf.nn.relu(tf.matmul(x, w) + b)",
            refused,
            "w, b = tf2.Variable([[2.0]]), tf2.Variable([1.0])\n"
            "tf2.nn.relu(tf2.matmul(tf2.constant([[3.0]]), w) + b).numpy() == 7.0",
        )
        for refused in ("tf2.keras.layers.Dense(2)", "tf.compat.v2.keras.Sequential()")
    ),
    GraphCase(
        TF + "refusals.py",
        "write the mean of tf.square(y - z), or of a cross entropy of tf.nn",
        "tf2.keras.losses.MeanSquaredError()",
        "float(tf2.reduce_mean(tf2.square(tf2.constant([1.0, 3.0]) - 1.0))) == 2.0",
    ),
    GraphCase(
        TF + "refusals.py",
        "write the mean of what counts: tf.reduce_mean(tf.abs(y - z))",
        "tf2.keras.metrics.MeanAbsoluteError()",
        "float(tf2.reduce_mean(tf2.abs(tf2.constant([1.0, 3.0]) - 2.0))) == 1.0",
    ),
    GraphCase(
        TF + "refusals.py",
        "read files with NumPy: np.load",
        "tf2.keras.datasets.mnist",
        "np.save('x.npy', np.ones(2))\nnp.load('x.npy').tolist() == [1.0, 1.0]",
    ),
    GraphCase(
        TF + "refusals.py",
        "leave the `with` out",
        "with tf.device('/gpu:0'): pass",
        "sess.run(tf.constant(1.0)) == 1.0",
    ),
    GraphCase(
        TF + "refusals.py",
        "write def f(x)",
        "tf2.placeholder('float')",
        "def f(x): return tf2.square(x)\nfloat(f(tf2.constant(3.0))) == 9.0",
    ),
    GraphCase(
        TF + "refusals.py",
        "tg.compile(f) compiles",
        "tf.function",
        "tg.compile(lambda x: np.square(x))(3.0) == 9.0",
    ),
    GraphCase(
        TF + "session.py",
        "use `with sess.as_default()` or pass session=sess",
        "tf.constant(1.0).eval()",
        "with sess.as_default(): found = tf.constant(1.0).eval()\n"
        "found == tf.constant(1.0).eval(session=sess) == 1.0",
    ),
    GraphCase(
        TF + "tensors.py",
        "use the function of tf, or sess.run(x) first",
        "np.asarray(tf.constant([1.0]))",
        "np.asarray(sess.run(tf.constant([1.0]))).tolist() == [1.0]",
    ),
    GraphCase(
        TF + "tensors.py",
        "make all of them inside the same `with graph.as_default():`",
        "with tf.Graph().as_default(): other = tf.constant(1.0)\ntf.constant(2.0) + other",
        "with tf.Graph().as_default() as g: total = tf.constant(1.0) + tf.constant(2.0)\n"
        "tf.Session(graph=g).run(total) == 3.0",
    ),
    GraphCase(
        TF + "training/saver.py",
        "use tf.reset_default_graph() or `with tf.Graph().as_default():` first",
        "v = tf.Variable(1.0)\ntf.train.export_meta_graph('g.meta')\n"
        "tf.train.import_meta_graph('g.meta')",
        "v = tf.Variable(1.0)\ntf.train.export_meta_graph('g.meta')\n"
        "with tf.Graph().as_default(): found = tf.train.import_meta_graph('g.meta')\n"
        "found is not None",
    ),
    GraphCase(
        TF + "v2/tape.py",
        "write tf.GradientTape(persistent=True)",
        "v = tf2.Variable(2.0)\nwith tf2.GradientTape() as t: y = v * v\n"
        "t.gradient(y, v)\nt.gradient(y, v)",
        "v = tf2.Variable(2.0)\nwith tf2.GradientTape(persistent=True) as t: y = v * v\n"
        "t.gradient(y, v)\nfloat(t.gradient(y, v)) == 4.0",
    ),
    GraphCase(
        GRAPH + "plans.py",
        "convert it with np.asarray(x, ",
        "n = tf.placeholder(tf.int32)\nsess.run(n, {n: 1.5})",
        "n = tf.placeholder(tf.int32)\nsess.run(n, {n: np.asarray(1.5, 'int32')}) == 1",
    ),
    GraphCase(
        GRAPH + "operations.py",
        "; cast it first",
        "v = tf.Variable(1)\nsess.run(v.assign(tf.constant(1.5)))",
        "v = tf.Variable(1)\nsess.run(v.assign(tf.cast(tf.constant(1.5), tf.int32))) == 1",
    ),
    GraphCase(
        GRAPH + "control.py",
        "carry its value, and assign what the scan ends with",
        "w = tf.Variable(0.0)\ns = tf.map_fn(lambda e: w.assign_add(e), tf.ones([3]))\n"
        "sess.run(w.initializer)\nsess.run(s)",
        "w = tf.Variable(0.0)\ns = w.assign(tf.foldl(lambda a, e: a + e, tf.ones([3])))\n"
        "sess.run(w.initializer)\nsess.run(s) == 3.0",
    ),
]  # fmt: skip
OF_THEANO = [
    GraphCase(
        THEANO + "tensor/shared_randomstreams.py",
        "draw as often, and stack the results",
        "T.shared_randomstreams.RandomStreams(1).multinomial(size=(3,))",
        "rows = [T.shared_randomstreams.RandomStreams(k).multinomial() for k in range(3)]\n"
        "theano.function([], T.stack(rows))().shape == (3, 2)",
    ),
    GraphCase(
        THEANO + "function.py",
        "In(update=): use a shared variable and updates=",
        "theano.In(x, update=x + 1)",
        "s = theano.shared(0.0)\ntheano.function([], [], updates=[(s, s + 1)])()\n"
        "s.get_value() == 1.0",
    ),
    GraphCase(
        THEANO + "function.py",
        "; cast it with T.cast(x, ",
        "theano.function([x], [], updates=[(theano.shared(np.int64(1)), T.sum(x))])",
        "s = theano.shared(np.int64(1))\n"
        "theano.function([x], [], updates=[(s, T.cast(T.sum(x), 'int64'))])([1.0, 2.0])\n"
        "s.get_value() == 3",
    ),
    GraphCase(
        THEANO + "gradients.py",
        "take its sum or mean",
        "T.grad(x * 2, x)",
        "theano.function([x], T.grad(T.sum(x * x), x))([1.0]).tolist() == [2.0]",
    ),
    GraphCase(
        THEANO + "variables.py",
        ": x.eval({input: value}), or call a theano.function",
        "float(T.sum(x))",
        "float(T.sum(x).eval({x: [1.0, 2.0]})) == theano.function([x], T.sum(x))([1, 2]) == 3",
    ),
    GraphCase(
        THEANO + "variables.py",
        "compute it with x.eval() first",
        "np.asarray(x * 2)",
        "np.asarray((x * 2).eval({x: [1.0]})).tolist() == [2.0]",
    ),
    GraphCase(
        THEANO + "variables.py",
        "give floats or integers",
        "theano.shared('text')",
        "theano.shared(1.5).get_value() == 1.5",
    ),
    GraphCase(
        THEANO + "variables.py",
        "; pass np.asarray(x, ",
        "n = T.iscalar('n')\ntheano.function([n], n)(1.5)",
        "n = T.iscalar('n')\ntheano.function([n], n * 1)(np.asarray(1.5, 'int32')) == 1",
    ),
    GraphCase(
        THEANO + "variables.py",
        "), or make the function with allow_input_downcast=True",
        "n = T.iscalar('n')\ntheano.function([n], n)(1.5)",
        "n = T.iscalar('n')\ntheano.function([n], n * 1, allow_input_downcast=True)(1.5) == 1",
    ),
]  # fmt: skip

EXEMPT: dict[str, dict[str, str]] = {
    TF + "functions/control.py": {"cond: the branches give ": LABEL},
    TF + "lengths.py": {"has no lengths to iterate over": LABEL},
}
for _case in (*TENSORFLOW, *OF_THEANO):
    _folder = "theano" if _case in OF_THEANO else "tensorflow"
    _reason = f"tests/python/compat/{_folder}/test_refusals.py runs it"
    EXEMPT.setdefault(_case.file, {})[_case.piece] = _reason
