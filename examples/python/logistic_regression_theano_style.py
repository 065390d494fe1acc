"""A logistic regression as Theano programs did it: expressions, shared weights, a function.

Run it: python examples/python/logistic_regression_theano_style.py
"""

import numpy as np

import tapegrad.compat.theano as theano
import tapegrad.compat.theano.tensor as T  # noqa: N812 - as its users write

rng = np.random.RandomState(0)
points = rng.randn(200, 4)
labels = (points @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.5 * rng.randn(200) > 0).astype(float)

x, y = T.dmatrix("x"), T.dvector("y")
w, b = theano.shared(np.zeros(4), name="w"), theano.shared(0.0, name="b")

probability = 1 / (1 + T.exp(-T.dot(x, w) - b))
cross_entropy = -y * T.log(probability) - (1 - y) * T.log(1 - probability)
cost = cross_entropy.mean() + 0.01 * (w**2).sum()
slope_w, slope_b = T.grad(cost, [w, b])

train = theano.function(
    inputs=[x, y],
    outputs=[probability > 0.5, cost],
    updates=[(w, w - 0.5 * slope_w), (b, b - 0.5 * slope_b)],
)
for _ in range(200):
    predicted, value = train(points, labels)

print(f"cost = {value:.6f}, right = {np.mean(predicted == labels):.3f}")
print("weights =", w.get_value().round(4))
print("written otherwise:", dict(sorted(train.rewrites.items())))
