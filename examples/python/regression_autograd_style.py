"""Fit a line by gradient descent on a plain NumPy loss: no Variable in sight.

Run it: python examples/python/regression_autograd_style.py
"""

import numpy as np

import tapegrad as tg

train_x = np.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
                    2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1])  # fmt: skip
train_y = np.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                    1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3])  # fmt: skip
n_samples = len(train_x)


def loss(params):
    """The mean squared error of a line, halved."""
    weight, bias = params
    predictions = train_x * weight + bias
    return np.sum(np.power(predictions - train_y, 2) / (2 * n_samples))


gradient = tg.elementwise_grad(loss)  # takes what `loss` takes and returns gradients likewise

rng = np.random.RandomState(0)
weight, bias = rng.randn(), rng.randn()
for _epoch in range(100):
    weight_slope, bias_slope = gradient((weight, bias))
    weight -= 0.01 * weight_slope
    bias -= 0.01 * bias_slope

print(f"weight = {weight:.6f}, bias = {bias:.6f}, train error = {loss((weight, bias)):.6f}")
