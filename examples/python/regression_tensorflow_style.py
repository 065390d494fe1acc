"""Fit a line as TensorFlow 1 programs did: a graph, a session, an optimiser.

This is a program written for `import tensorflow as tf`. Changed are that import, the seed of the
start, and that the plot needs matplotlib to be there and a file to be named.

Run it: python examples/python/regression_tensorflow_style.py [line.png]
"""

import sys

import numpy as np

import tapegrad.compat.tensorflow as tf

rng = np.random
rng.seed(0)

# Parameters
learning_rate = 0.01
training_epochs = 100

# Training data
train_x = np.asarray([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
                      2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1])  # fmt: skip
train_y = np.asarray([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                      1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3])  # fmt: skip
n_samples = train_x.shape[0]

# What is fed: a point in a step, all points for the errors
X = tf.placeholder("float")
Y = tf.placeholder("float")

# What is fitted
weight = tf.Variable(rng.randn(), name="weight")
bias = tf.Variable(rng.randn(), name="bias")

predictions = (X * weight) + bias
loss = tf.reduce_sum(tf.pow(predictions - Y, 2)) / (2 * n_samples)
optimizer = tf.train.GradientDescentOptimizer(learning_rate).minimize(loss)
init = tf.global_variables_initializer()

with tf.Session() as sess:
    sess.run(init)
    for _ in range(training_epochs):
        for x, y in zip(train_x, train_y, strict=True):
            sess.run(optimizer, feed_dict={X: x, Y: y})

    train_error = sess.run(loss, feed_dict={X: train_x, Y: train_y})
    print(f"train error = {train_error:.6f}")

    test_x = np.asarray([6.83, 4.668, 8.9, 7.91, 5.7, 8.7, 3.1, 2.1])
    test_y = np.asarray([1.84, 2.273, 3.2, 2.831, 2.92, 3.24, 1.35, 1.03])
    test_error = sess.run(
        tf.reduce_sum(tf.pow(predictions - Y, 2)) / (2 * test_x.shape[0]),
        feed_dict={X: test_x, Y: test_y},
    )
    print(f"test error = {test_error:.6f}")
    w, b = sess.run([weight, bias])
    print(f"weight = {w:.6f}, bias = {b:.6f}")

if len(sys.argv) > 1:
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        sys.exit("the plot needs matplotlib: pip install tapegrad[plot]")
    plt.plot(train_x, train_y, "ro", label="Original data")
    plt.plot(train_x, w * train_x + b, label="Fitted line")
    plt.legend()
    plt.savefig(sys.argv[1])
