"""Programs that run on TensorFlow and on our names, and the numbers that TensorFlow gives.

Each is a function of the module (`tensorflow.compat.v1`, or `tensorflow` for those of version 2)
that returns numbers. All of them say float64, because TensorFlow's defaults are float32.
`python tests/python/tensorflow_programs.py`, where TensorFlow can be imported, writes
`tensorflow_numbers.json` anew (2.21.0 wrote it).
"""

import json
from pathlib import Path

import numpy as np

NUMBERS = Path(__file__).with_name("tensorflow_numbers.json")
RNG = np.random.RandomState(0)
X, Y, LABELS = RNG.randn(12, 3), RNG.randn(12, 2), RNG.randint(0, 2, 12)
ONE_HOT = np.eye(2)[LABELS]
V1, V2 = {}, {}

TRAIN_X = np.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
                    2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1])  # fmt: skip
TRAIN_Y = np.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                    1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3])  # fmt: skip


def program(table, name):
    def add(function):
        assert name not in table
        table[name] = function
        return function

    return add


def model(tf):
    """A layer, its loss and its variables."""
    x = tf.placeholder(tf.float64, [None, 3])
    y = tf.placeholder(tf.float64, [None, 2])
    w = tf.Variable(np.linspace(-0.5, 0.5, 6).reshape(3, 2), name="w")
    b = tf.Variable(np.zeros(2), name="b")
    loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, w) + b) - y))
    return x, y, w, b, loss


def trained(tf, make, steps=6):
    x, y, w, b, loss = model(tf)
    counter = tf.Variable(np.int64(0), trainable=False)
    step = make(tf, counter).minimize(loss, global_step=counter)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        losses = []
        for k in range(steps):
            rows = slice(0, 6) if k % 2 else slice(6, 12)
            losses.append(sess.run([step, loss], {x: X[rows], y: Y[rows]})[1])
        return [*sess.run([w, b, counter]), losses[0]]


# Settings with few bits, because TensorFlow keeps them as float32; `default` are those that it has.
OPTIMIZERS = {
    "descent": lambda tf, k: tf.train.GradientDescentOptimizer(0.25),
    "momentum": lambda tf, k: tf.train.MomentumOptimizer(0.125, 0.875),
    "nesterov": lambda tf, k: tf.train.MomentumOptimizer(0.125, 0.875, use_nesterov=True),
    "adagrad": lambda tf, k: tf.train.AdagradOptimizer(0.5, initial_accumulator_value=0.75),
    "adagrad.default": lambda tf, k: tf.train.AdagradOptimizer(0.5),
    "adadelta": lambda tf, k: tf.train.AdadeltaOptimizer(1.0, rho=0.875, epsilon=2**-10),
    "rmsprop": lambda tf, k: tf.train.RMSPropOptimizer(2**-4, decay=0.75, epsilon=2**-6),
    "rmsprop.default": lambda tf, k: tf.train.RMSPropOptimizer(2**-4),
    "rmsprop.centered": lambda tf, k: tf.train.RMSPropOptimizer(
        2**-4, decay=0.75, momentum=0.5, epsilon=2**-6, centered=True
    ),
    "adam": lambda tf, k: tf.train.AdamOptimizer(0.125, beta1=0.75, beta2=0.875, epsilon=2**-4),
    "adam.default": lambda tf, k: tf.train.AdamOptimizer(),
    "ftrl": lambda tf, k: tf.train.FtrlOptimizer(
        0.5,
        initial_accumulator_value=0.125,
        l1_regularization_strength=2**-7,
        l2_regularization_strength=2**-6,
    ),
    "exponential_decay": lambda tf, k: tf.train.GradientDescentOptimizer(
        tf.train.exponential_decay(np.float64(0.5), k, 2, 0.75)
    ),
    "staircase": lambda tf, k: tf.train.GradientDescentOptimizer(
        tf.train.exponential_decay(np.float64(0.5), k, 2, 0.75, staircase=True)
    ),
    "inverse_time_decay": lambda tf, k: tf.train.GradientDescentOptimizer(
        tf.train.inverse_time_decay(np.float64(0.5), k, 2, 0.75)
    ),
    "natural_exp_decay": lambda tf, k: tf.train.GradientDescentOptimizer(
        tf.train.natural_exp_decay(np.float64(0.5), k, 2, 0.75)
    ),
    "polynomial_decay": lambda tf, k: tf.train.GradientDescentOptimizer(
        tf.train.polynomial_decay(np.float64(0.5), k, 4, 0.125, power=2.0)
    ),
    "piecewise_constant": lambda tf, k: tf.train.GradientDescentOptimizer(
        tf.train.piecewise_constant(k, [1, 3], [np.float64(0.5), np.float64(0.3), np.float64(0.1)])
    ),
}
for _name, _make in OPTIMIZERS.items():
    program(V1, f"train.{_name}")(lambda tf, make=_make: trained(tf, make))


@program(V1, "article")
def article(tf):
    rng = np.random.RandomState(0)
    x, y = tf.placeholder(tf.float64), tf.placeholder(tf.float64)
    weight = tf.Variable(rng.randn(), name="weight", dtype=tf.float64)
    bias = tf.Variable(rng.randn(), name="bias", dtype=tf.float64)
    predictions = (x * weight) + bias
    loss = tf.reduce_sum(tf.pow(predictions - y, 2)) / (2 * len(TRAIN_X))
    optimizer = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(100):
            for a, b in zip(TRAIN_X, TRAIN_Y, strict=True):
                sess.run(optimizer, feed_dict={x: a, y: b})
        return sess.run([weight, bias, loss], {x: TRAIN_X, y: TRAIN_Y})


def values(tf, make, *arrays):
    """What `make` gives of placeholders, and its gradients by those."""
    held = [tf.placeholder(tf.float64, np.shape(a)) for a in arrays]
    found = make(*held)
    slopes = [g for g in tf.gradients(found, held) if g is not None]
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(5):  # ours is plain at first, then recorded, then a program
            last = sess.run([found, *slopes], dict(zip(held, arrays, strict=True)))
        return last


P, Q = np.abs(X[:4]) + 0.3, X[4:8]
FUNCTIONS = {
    **{
        f"nn.{name}": (lambda tf, x, n=name: getattr(tf.nn, n)(x), Q)
        for name in (
            "relu",
            "relu6",
            "elu",
            "selu",
            "softplus",
            "softsign",
            "sigmoid",
            "tanh",
            "softmax",
            "log_softmax",
            "l2_loss",
        )
    },
    **{
        name: (lambda tf, x, n=name: getattr(tf, n)(x), P)
        for name in (
            "exp",
            "log",
            "sqrt",
            "square",
            "sin",
            "cos",
            "abs",
            "sign",
            "tanh",
            "sigmoid",
            "negative",
            "expm1",
            "log1p",
            "floor",
            "ceil",
            "rint",
            "reduce_sum",
            "reduce_mean",
            "reduce_max",
            "reduce_min",
            "reduce_prod",
            "reduce_logsumexp",
            "cumsum",
            "transpose",
            "identity",
            "rsqrt",
            "atan",
            "sinh",
        )
    },
    "nn.leaky_relu": (lambda tf, x: tf.nn.leaky_relu(x, 0.25), Q),
    "reduce_sum.axis": (lambda tf, x: tf.reduce_sum(x, axis=1, keepdims=True), Q),
    "reduce_mean.axes": (lambda tf, x: tf.reduce_mean(x, [0, 1]), Q),
    "pow": (lambda tf, x, y: tf.pow(x, y), P, Q),
    "maximum": (lambda tf, x, y: tf.maximum(x, y), P, Q),
    "squared_difference": (lambda tf, x, y: tf.squared_difference(x, y), P, Q),
    "matmul": (lambda tf, x, y: tf.matmul(x, y, transpose_b=True), P, Q),
    "concat": (lambda tf, x, y: tf.square(tf.concat([x, y], 1)), P, Q),
    "stack": (lambda tf, x, y: tf.square(tf.stack([x, y], axis=1)), P, Q),
    "reshape": (lambda tf, x: tf.square(tf.reshape(x, [-1, 2])), P),
    "gather": (lambda tf, x: tf.square(tf.gather(x * 1.0, [2, 0, 2])), P),
    "where": (lambda tf, x, y: tf.where(x > 1.0, x * y, y), P, Q),
    "clip_by_value": (lambda tf, x: tf.clip_by_value(x, -0.5, 0.5), Q),
    "clip_by_norm": (lambda tf, x: tf.clip_by_norm(x, 1.0), Q),
    "clip_by_global_norm": (lambda tf, x, y: tf.clip_by_global_norm([x, y], 1.5)[0][0], P, Q),
    "slice": (lambda tf, x: tf.square(tf.slice(x, [1, 0], [2, -1])), P),
    "strided": (lambda tf, x: tf.square(x[1:, ::2]), P),
    "pad": (lambda tf, x: tf.square(tf.pad(x, [[1, 0], [0, 2]])), P),
    "tile": (lambda tf, x: tf.square(tf.tile(x, [2, 1])), P),
    "split": (lambda tf, x: tf.square(tf.split(x, 3, 1)[1]), P),
    "one_hot": (lambda tf, x: x * tf.one_hot([0, 1, 2, 0], 3, dtype=tf.float64), P),
    "stop_gradient": (lambda tf, x: x * tf.stop_gradient(x), P),
    "map_fn": (lambda tf, x: tf.map_fn(lambda r: r * tf.reduce_sum(r), x), P),
    "scan": (lambda tf, x: tf.scan(lambda a, r: a * 0.5 + r * r, x), P),
    "foldl": (lambda tf, x: tf.foldl(lambda a, r: a * r, x), P),
    "while": (
        lambda tf, x: tf.while_loop(
            lambda k, a: k < 4, lambda k, a: (k + 1, a * x), [tf.constant(0), x]
        )[1],
        P,
    ),
    "cond": (
        lambda tf, x: tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * x, lambda: tf.exp(x)),
        P,
    ),
    "cond.other": (
        lambda tf, x: tf.cond(tf.reduce_sum(x) < 0.0, lambda: x * x, lambda: tf.exp(x)),
        P,
    ),
    "second": (lambda tf, x: tf.gradients(tf.reduce_sum(x**3), x)[0], P),
    "hessian": (lambda tf, x: tf.hessians(tf.reduce_sum(x**3 * x[0]), x)[0], P[0]),
    "softmax_cross_entropy": (
        lambda tf, x: tf.nn.softmax_cross_entropy_with_logits_v2(
            labels=tf.constant(ONE_HOT[:4]), logits=x[:, :2]
        ),
        Q,
    ),
    "softmax_cross_entropy.labels": (
        lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits_v2(
            labels=tf.nn.softmax(y), logits=x
        ),
        P,
        Q,
    ),
    "sparse_cross_entropy": (
        lambda tf, x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2, 1, 1], logits=x),
        Q,
    ),
    "sigmoid_cross_entropy": (
        lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=y),
        P,
        Q,
    ),
    "weighted_cross_entropy": (
        lambda tf, x, y: tf.nn.weighted_cross_entropy_with_logits(x, y, 1.75),
        P,
        Q,
    ),
    "l2_normalize": (lambda tf, x: tf.nn.l2_normalize(x, 1), Q),
    "moments": (lambda tf, x: tf.nn.moments(x, [0])[1], Q),
    "batch_normalization": (
        lambda tf, x: tf.nn.batch_normalization(x, *tf.nn.moments(x, [0]), 0.5, 2.0, 1e-3),
        Q,
    ),
    "conv2d": (
        lambda tf, x, k: tf.nn.conv2d(x, k, strides=[1, 2, 1, 1], padding="SAME"),
        RNG.randn(2, 5, 4, 2),
        RNG.randn(3, 2, 2, 3),
    ),
    "max_pool": (
        lambda tf, x: tf.nn.max_pool(x, [1, 2, 3, 1], [1, 2, 2, 1], "SAME"),
        RNG.randn(2, 5, 4, 2),
    ),
    "avg_pool": (
        lambda tf, x: tf.nn.avg_pool(x, [1, 2, 3, 1], [1, 2, 2, 1], "SAME"),
        RNG.randn(2, 5, 4, 2),
    ),
    "losses.mean_squared_error": (lambda tf, x, y: tf.losses.mean_squared_error(x, y), P, Q),
    "losses.weighted": (
        lambda tf, x, y: tf.losses.mean_squared_error(x, y, weights=[[1.0], [0.0], [2.0], [0.5]]),
        P,
        Q,
    ),
    "losses.absolute_difference": (lambda tf, x, y: tf.losses.absolute_difference(x, y), P, Q),
    "losses.huber": (lambda tf, x, y: tf.losses.huber_loss(x, y, delta=0.7), P, Q),
    "losses.hinge": (lambda tf, x: tf.losses.hinge_loss(ONE_HOT[:3].T[[0, 1, 0, 1]], x), Q),
    "losses.log": (
        lambda tf, x: tf.losses.log_loss(ONE_HOT[:3].T[[0, 1, 0, 1]], tf.nn.sigmoid(x)),
        Q,
    ),
    "losses.softmax": (
        lambda tf, x: tf.losses.softmax_cross_entropy(ONE_HOT[:4], x[:, :2], label_smoothing=0.1),
        Q,
    ),
    "losses.sparse": (lambda tf, x: tf.losses.sparse_softmax_cross_entropy([0, 2, 1, 1], x), Q),
    "losses.sigmoid": (
        lambda tf, x: tf.losses.sigmoid_cross_entropy(ONE_HOT[:3].T[[0, 1, 0, 1]], x),
        Q,
    ),
}
for _name, (_make, *_arrays) in FUNCTIONS.items():
    program(V1, _name)(
        lambda tf, make=_make, arrays=_arrays: values(tf, lambda *held: make(tf, *held), *arrays)
    )


@program(V1, "average")
def average(tf):
    w = tf.Variable(np.array([1.0, 2.0]))
    ema = tf.train.ExponentialMovingAverage(0.875)
    step = w.assign(w * 1.5)
    with tf.control_dependencies([step]):
        update = ema.apply([w])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(step)
            sess.run(update)
        return sess.run([w, ema.average(w)])


@program(V1, "clipped")
def clipped(tf):
    x, y, w, b, loss = model(tf)
    optimizer = tf.train.AdamOptimizer(0.125, beta1=0.75, beta2=0.875, epsilon=2**-6)
    pairs = optimizer.compute_gradients(loss, [w, b])
    found, norm = tf.clip_by_global_norm([g for g, _ in pairs], 0.125)
    step = optimizer.apply_gradients(zip(found, [w, b], strict=True))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(step, {x: X, y: Y})
        return sess.run([w, b, norm, optimizer.get_slot(w, "m")], {x: X, y: Y})


# Version 2.


def stepped(tf, optimizer, steps=5):
    w = tf.Variable(np.linspace(-0.5, 0.5, 6).reshape(3, 2))
    b = tf.Variable(np.zeros(2))
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(X, w) + b) - Y))
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b], strict=True))
    return [w.numpy(), b.numpy(), loss.numpy()]


KERAS = {
    "sgd": lambda k: k.SGD(0.25),
    "sgd.momentum": lambda k: k.SGD(0.125, momentum=0.875),
    "sgd.nesterov": lambda k: k.SGD(0.125, momentum=0.875, nesterov=True),
    "sgd.default": lambda k: k.SGD(),
    "adam": lambda k: k.Adam(0.125, beta_1=0.75, beta_2=0.875, epsilon=2**-6),
    "adam.default": lambda k: k.Adam(),
    "amsgrad": lambda k: k.Adam(0.125, beta_1=0.75, beta_2=0.5, epsilon=2**-6, amsgrad=True),
    "adamax": lambda k: k.Adamax(0.125, beta_1=0.75, beta_2=0.875, epsilon=2**-6),
    "rmsprop": lambda k: k.RMSprop(2**-4, rho=0.75, epsilon=2**-6),
    "rmsprop.default": lambda k: k.RMSprop(),
    "rmsprop.centered": lambda k: k.RMSprop(
        2**-4, rho=0.75, momentum=0.5, epsilon=2**-6, centered=True
    ),
    "adagrad": lambda k: k.Adagrad(0.5, initial_accumulator_value=0.25, epsilon=2**-6),
    "adagrad.default": lambda k: k.Adagrad(),
    "adadelta": lambda k: k.Adadelta(1.0, rho=0.75, epsilon=2**-8),
    "clipnorm": lambda k: k.SGD(0.25, clipnorm=0.125),
    "clipvalue": lambda k: k.SGD(0.25, clipvalue=0.125),
    "global_clipnorm": lambda k: k.SGD(0.25, global_clipnorm=0.125),
    "exponential": lambda k: k.SGD(k.schedules.ExponentialDecay(0.5, 2, 0.25)),
    "cosine.default": lambda k: k.SGD(k.schedules.CosineDecay(0.5, 4, 0.125)),
}
for _name, _make in KERAS.items():
    program(V2, f"keras.{_name}")(
        lambda tf, make=_make: stepped(tf, make(tf.keras.optimizers))
    )  # fmt: skip


@program(V2, "tape")
def tape(tf):
    x = tf.constant(X[0])
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        y = tf.sin(x) * tf.reduce_sum(x**2)
        z = tf.reduce_sum(y**3)
    return [t.gradient(z, x), t.gradient(z, y), t.jacobian(y, x), t.gradient(y, [x])[0]]


@program(V2, "nested")
def nested(tf):
    x = tf.Variable(np.array([0.5, 2.0]))
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(tf.exp(x) * x[0])
        slope = inner.gradient(y, x)
    return [slope, outer.jacobian(slope, x), outer.gradient(slope, x)]


@program(V2, "batch_jacobian")
def batch_jacobian(tf):
    x = tf.constant(X)
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2], axis=1)
    return [t.batch_jacobian(y, x)]


@program(V2, "seeds")
def seeds(tf):
    x = tf.Variable(X[:2])
    with tf.GradientTape() as t:
        y = tf.nn.softmax(x)
    return [t.gradient(y, x, output_gradients=tf.constant(X[2:4]))]


@program(V2, "custom_gradient")
def custom_gradient(tf):
    @tf.custom_gradient
    def f(x):
        e = tf.exp(x)
        return tf.math.log(1.0 + e), lambda upstream: upstream * 2.0 * e

    x = tf.constant(X[0])
    with tf.GradientTape() as t:
        t.watch(x)
        y = f(x)
    return [y, t.gradient(y, x)]


def ours(name):
    """What our names give."""
    if name in V2:
        import tapegrad.compat.tensorflow.v2 as tf

        return arrays_of(V2[name](tf))
    import tapegrad.compat.tensorflow as tf

    with tf.Graph().as_default():
        return arrays_of(V1[name](tf))


def originals(name):
    """What TensorFlow gives."""
    import tensorflow

    if name in V2:
        return arrays_of(V2[name](tensorflow))
    tf = tensorflow.compat.v1
    with tf.Graph().as_default():
        return arrays_of(V1[name](tf))


def tolerance(name):
    """How near ours are: where TensorFlow computes with float32, no nearer than that."""
    single = name == "article" or name.startswith("losses.") or name.endswith(".default")
    return 3e-6 if single or name in ("keras.exponential", "train.natural_exp_decay") else 1e-10


def arrays_of(found):
    return [np.asarray(x, float) for x in found]


def saved():
    return json.loads(NUMBERS.read_text("utf-8"))


if __name__ == "__main__":
    import tensorflow

    print(tensorflow.__version__)
    found = {}
    for name in (*V1, *V2):
        found[name] = [x.tolist() for x in originals(name)]
    NUMBERS.write_text(json.dumps(found) + "\n", "utf-8")
