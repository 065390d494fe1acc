"""Write a page that shows what a function records: values, derivatives, times, before and after.

Run it: python examples/python/look_at_a_graph.py, then open graph.html in a browser.
"""

import itertools

import numpy as np

import tapegrad as tg


def loss(params, x, y):
    """The squared error of a network with two hidden layers."""
    for weights, bias in params[:-1]:
        x = np.tanh(x @ weights + bias)
    weights, bias = params[-1]
    return np.mean((x @ weights + bias - y) ** 2)


rng = np.random.default_rng(0)
sizes = [3, 16, 16, 1]
params = [(rng.normal(size=(n, m)) / np.sqrt(n), np.zeros(m)) for n, m in itertools.pairwise(sizes)]
x = rng.normal(size=(100, 3))
y = np.sum(x**2, axis=1, keepdims=True)

drawing = tg.inspect.draw(loss, params, x, y)
print(f"wrote {drawing.save('graph.html')}: {drawing!r}")

profile = tg.inspect.profile(tg.value_and_grad(loss), params, x, y)
print(f"wrote {profile.save_trace('trace.json')}, which Perfetto opens")
slowest = profile.operations[0]
print(f"most of the time goes into {slowest.name.split()[0]}")
