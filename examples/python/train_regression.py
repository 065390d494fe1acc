"""Fit a line by stochastic gradient descent, one point a step, all epochs in one call.

Run it: python examples/python/train_regression.py
"""

import numpy as np

import tapegrad as tg

train_x = np.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
                    2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1])  # fmt: skip
train_y = np.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                    1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3])  # fmt: skip
n_samples = len(train_x)

rng = np.random.RandomState(0)
start = {"weight": rng.randn(), "bias": rng.randn()}


def loss(params, x, y):
    """The error of one point (arrays of length 1), or of many."""
    return np.sum((x * params["weight"] + params["bias"] - y) ** 2) / (2 * n_samples)


fitted, history = tg.optim.train(
    loss,
    start,
    (train_x, train_y),
    optimizer=tg.optim.sgd(0.01),
    epochs=100,
    batch_size=1,
    shuffle=False,
)

train_error = loss(fitted, train_x, train_y)
print(f"mean loss of the first epoch {history[0]:.6f}, of the last {history[-1]:.6f}")
print(
    f"weight = {fitted['weight']:.6f}, bias = {fitted['bias']:.6f}, train error = {train_error:.6f}"
)
