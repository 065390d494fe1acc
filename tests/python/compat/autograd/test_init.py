"""A regression as programs for Autograd have it, with changed imports and nothing else."""

import subprocess
import sys

import numpy as np
import pytest

import tapegrad.compat.autograd.numpy as anp
from tapegrad.compat.autograd import elementwise_grad, grad
from tapegrad.compat.autograd.misc.optimizers import adam

X = anp.array([3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59, 2.167, 7.042, 10.791, 5.313,
               7.997, 5.654, 9.27, 3.1])  # fmt: skip
Y = anp.array([1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53, 1.221, 2.827, 3.465, 1.65,
               2.904, 2.42, 2.94, 1.3])  # fmt: skip
ENDS = 0.326591726423404, 0.267391378377763


def loss(params):
    weight, bias = params
    predictions = (X * weight) + bias
    return anp.sum(anp.power(predictions - Y, 2) / (2 * X.shape[0]))


def test_a_tuple_of_numbers_is_fitted():
    rng = anp.random
    rng.seed(0)
    gradient = elementwise_grad(loss)
    weight, bias = rng.randn(), rng.randn()
    for _ in range(100):
        slopes = gradient((weight, bias))
        weight -= slopes[0] * 0.01
        bias -= slopes[1] * 0.01
    assert (weight, bias) == pytest.approx(ENDS, abs=5e-15)


def test_dictionaries_closures_recursion_and_callbacks():
    def descend(params, steps):
        if steps == 0:
            return params
        slopes = grad(lambda p: loss((p["w"], p["b"])))(params)
        return descend({k: params[k] - 0.01 * slopes[k] for k in params}, steps - 1)

    start = np.random.RandomState(0)
    found = descend({"w": start.randn(), "b": start.randn()}, 100)
    assert (found["w"], found["b"]) == pytest.approx(ENDS, abs=5e-15)
    seen = []
    fitted = adam(
        lambda p, i: grad(loss)(p), (1.0, 0.0), num_iters=200, step_size=0.05,
        callback=lambda p, i, g: seen.append((i, loss(p))),
    )  # fmt: skip
    assert [i for i, _ in seen] == list(range(200))
    assert loss(fitted) < 0.1 < seen[0][1]


def test_the_original_ends_there_too():
    pytest.importorskip("autograd", reason="Autograd is not installed")
    code = f"""
import autograd.numpy as np
from autograd import elementwise_grad
X, Y = np.array({X.tolist()}), np.array({Y.tolist()})
loss = lambda p: np.sum(np.power(X * p[0] + p[1] - Y, 2) / (2 * X.shape[0]))
np.random.seed(0)
w, b = np.random.randn(), np.random.randn()
for _ in range(100):
    g = elementwise_grad(loss)((w, b))
    w, b = w - 0.01 * g[0], b - 0.01 * g[1]
print(repr(float(w)), repr(float(b)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [float(x) for x in done.stdout.split()] == pytest.approx(ENDS, abs=5e-15)
