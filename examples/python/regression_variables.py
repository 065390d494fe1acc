"""Fit a line by stochastic gradient descent on Variables, one point a step.

Run it: python examples/python/regression_variables.py
"""

import numpy as np

import tapegrad as tg

train_x = np.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
                    2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1])  # fmt: skip
train_y = np.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                    1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3])  # fmt: skip
n_samples = len(train_x)

rng = np.random.RandomState(0)
weight = tg.Variable(rng.randn(), name="weight")
bias = tg.Variable(rng.randn(), name="bias")
optimizer = tg.optim.SGD([weight, bias], lr=0.01)

for _epoch in range(100):
    for x, y in zip(train_x, train_y, strict=True):
        loss = (x * weight + bias - y) ** 2 / (2 * n_samples)
        loss.backward()  # adds to weight.grad and bias.grad
        optimizer.step()
        optimizer.zero_grad()

train_error = np.sum((train_x * weight.value + bias.value - train_y) ** 2) / (2 * n_samples)
print(f"weight = {weight.value:.6f}, bias = {bias.value:.6f}, train error = {train_error:.6f}")
