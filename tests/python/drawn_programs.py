"""Functions whose graphs are drawn: one for each thing that a picture may have to show."""

import numpy as np

import tapegrad as tg


def article(x1, x2):
    return np.log(x1) + x1 * x2 - np.sin(x2)


def layer(x, weights, bias):
    return np.tanh(x @ weights + bias)


def network(params, x, y):
    for weights, bias in params:
        x = layer(x, weights, bias)
    return np.mean((x - y) ** 2)


def network_arguments():
    rng = np.random.default_rng(0)
    params = [(rng.normal(size=(5, 5)), rng.normal(size=5)) for _ in range(3)]
    return params, rng.normal(size=(7, 5)), rng.normal(size=(7, 5))


def step(carry, x):
    carry = np.sin(carry) + x
    return carry, carry * carry


def with_bodies(x, matrix):
    end, squares = tg.scan(step, 0.0, x)
    y = tg.checkpoint(lambda z: np.exp(np.sin(z)))(squares)
    if end > 100:
        y = y * 2
    return matrix @ y, np.sum(y)


def loop(x, n=5000):
    for _ in range(n):
        x = np.sin(x) * 1.5
    return x


def nested_loops(x):
    for _ in range(30):
        for _ in range(4):
            x = np.cos(x)
        x = x + 1.0
        x = x * x
    return x


def decomposed(a):
    u, s, vt = np.linalg.svd(a)
    return {"values": s, "product": u @ vt}


def many(values):
    total = 0.0
    for x in values:
        total = total + x * x
    return total, [2.0 * x for x in values]


def bad(x):
    return np.sum(np.log(x - 1.0)), np.sqrt(x)


def wave(x):
    return np.exp(1j * x) * x


def nothing():
    return 3.0


def constant(x):
    return 3.0


def identity(x):
    return x


CALLS = {
    "article": (article, (2.0, 5.0)),
    "network": (network, network_arguments()),
    "with_bodies": (with_bodies, (np.arange(4.0), np.ones((3, 4)))),
    "nested_loops": (nested_loops, (0.5,)),
    "decomposed": (decomposed, (np.array([[1.0, 2.0], [3.0, 5.0]]),)),
    "many": (many, ([float(k) for k in range(40)],)),
    "bad": (bad, (np.array([1.0, 0.5, 3.0]),)),
    "wave": (wave, (2.0,)),
    "nothing": (nothing, ()),
    "constant": (constant, (2.0,)),
    "identity": (identity, (2.0,)),
    "derivative": (tg.value_and_grad(network), network_arguments()),
    "empty": (lambda x: x * 2.0, (np.ones((0, 3)),)),
    "single": (lambda x: np.sin(x) * 2.0, (np.ones(3, np.float32),)),
}
