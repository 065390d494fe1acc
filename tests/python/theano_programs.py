"""Programs that run on our names and on PyTensor, which goes on from Theano, and its numbers.

Each is a function of a module that has Theano's names (`theano` and `T`), and returns numbers.
`python tests/python/theano_programs.py`, where PyTensor can be imported, writes
`theano_numbers.json` anew (3.0.7 wrote it).
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

NUMBERS = Path(__file__).with_name("theano_numbers.json")
RNG = np.random.RandomState(0)
A, B, V = RNG.randn(3, 4), np.abs(RNG.randn(3, 4)) + 0.3, RNG.randn(4)
PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def of_matrix(make, *points):
    """What `make` gives of matrices, and the gradients of its weighted sum by each."""

    def run(theano, T):
        held = [T.dmatrix(f"m{k}") for k in range(len(points))]
        y = make(T, *held)
        total = (y * T.cos(1.0 + 0.3 * y)).sum()
        f = theano.function(held, [y, *T.grad(total, held)])
        return [f(*points) for _ in range(5)][-1]  # ours is plain, then recorded, then a program

    return run


FUNCTIONS = {
    "exp": (lambda T, x: T.exp(x), A),
    "log": (lambda T, x: T.log(x), B),
    "sqrt": (lambda T, x: T.sqrt(x), B),
    "sqr": (lambda T, x: T.sqr(x), A),
    "tanh": (lambda T, x: T.tanh(x), A),
    "arctan": (lambda T, x: T.arctan(x), A),
    "expm1": (lambda T, x: T.expm1(x), A),
    "log1p": (lambda T, x: T.log1p(x), B),
    "sigmoid": (lambda T, x: T.nnet.sigmoid(x), A),
    "softplus": (lambda T, x: T.nnet.softplus(x), A),
    "softmax": (lambda T, x: T.nnet.softmax(x), A),
    "logistic": (lambda T, x: T.log(1 / (1 + T.exp(-x))), A),
    "logsumexp": (lambda T, x: T.log(T.sum(T.exp(x), axis=1)), A),
    "power": (lambda T, x, y: x**y, B, A),
    "quotient": (lambda T, x, y: x / y - y, A, B),
    "dot": (lambda T, x, y: T.dot(x, y.T), A, B),
    "mean": (lambda T, x: x.mean(axis=0), A),
    "prod": (lambda T, x: T.prod(x, axis=1), A),
    "max": (lambda T, x: T.max(x, axis=1), A),
    "std": (lambda T, x: T.std(x, axis=1), A),
    "norm": (lambda T, x: (x**2).sum(axis=0) ** 0.5, A),
    "switch": (lambda T, x, y: T.switch(x > 0, x * y, y), A, B),
    "maximum": (lambda T, x, y: T.maximum(x, y), A, B),
    "clip": (lambda T, x: T.clip(x, -0.5, 0.5), A),
    "reshape": (lambda T, x: x.reshape((2, 6)), A),
    "flatten": (lambda T, x: x.flatten() ** 2, A),
    "dimshuffle": (lambda T, x: x.dimshuffle(1, "x", 0) ** 2, A),
    "concatenate": (lambda T, x, y: T.concatenate([x, y], axis=1), A, B),
    "stack": (lambda T, x, y: T.stack([x, y]), A, B),
    "part": (lambda T, x: x[1:, ::2], A),
    "picked": (lambda T, x: x[[2, 0, 2], [1, 1, 3]], A),
    "set_subtensor": (lambda T, x: T.set_subtensor(x[1:], x[:-1] ** 2), A),
    "inc_subtensor": (lambda T, x: T.inc_subtensor(x[0], x[1]), A),
    "repeat": (lambda T, x: T.repeat(x, 2, axis=0), A),
    "cumsum": (lambda T, x: T.cumsum(x, axis=1), A),
    "tile": (lambda T, x: T.tile(x, (2, 1)), A),
}
for _name, (_make, *_points) in FUNCTIONS.items():
    PROGRAMS[_name] = of_matrix(_make, *_points)


@program
def regression(theano, T):
    x, y = T.dmatrix("x"), T.dvector("y")
    w, b = theano.shared(V * 0.1, name="w"), theano.shared(0.0, name="b")
    p = 1 / (1 + T.exp(-T.dot(x, w) - b))
    cost = (-y * T.log(p) - (1 - y) * T.log(1 - p)).mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = theano.function([x, y], cost, updates=[(w, w - 0.5 * gw), (b, b - 0.5 * gb)])
    costs = [train(A, np.array([0.0, 1.0, 1.0])) for _ in range(6)]
    return [w.get_value(), b.get_value(), *costs]


@program
def second_derivatives(theano, T):
    x, v = T.dvector("x"), T.dvector("v")
    y = T.sum(x**3) * x[0]
    slope = T.grad(y, x)
    return theano.function([x, v], [slope, T.grad(T.sum(slope * v), x)])(V, V[::-1])


@program
def shared_updates(theano, T):
    a, b, x = theano.shared(1.0), theano.shared(2.0), T.dscalar("x")
    f = theano.function([x], a * b + x, updates=[(a, b), (b, a + x)])
    return [f(0.5), f(1.5), a.get_value(), b.get_value()]


@program
def givens(theano, T):
    x, s = T.dvector("x"), theano.shared(V)
    slope = T.grad(T.sum(x**3), x)
    return [theano.function([], slope, givens=[(x, s * 2)])()]


@program
def constants(theano, T):
    x = T.dvector("x")
    y = x**2
    return theano.function([x], [T.grad(T.sum(y * x), x, consider_constant=[y])])(V)


def modules_of_pytensor():
    """PyTensor, with the names that Theano had for what it has."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.tensor.special import softmax

    nnet = SimpleNamespace(
        sigmoid=pt.sigmoid, softplus=pt.softplus, softmax=lambda x: softmax(x, axis=-1)
    )
    names = {name: getattr(pt, name) for name in dir(pt)}
    return pytensor, SimpleNamespace(**{**names, "nnet": nnet, "grad": pytensor.grad})


def ours(name):
    """What our names give."""
    from tapegrad.compat import theano
    from tapegrad.compat.theano import tensor

    return [np.asarray(x, float) for x in PROGRAMS[name](theano, tensor)]


def originals(name):
    """What PyTensor gives."""
    return [np.asarray(x, float) for x in PROGRAMS[name](*modules_of_pytensor())]


def saved():
    return json.loads(NUMBERS.read_text("utf-8"))


if __name__ == "__main__":
    found = {name: [x.tolist() for x in originals(name)] for name in PROGRAMS}
    NUMBERS.write_text(json.dumps(found) + "\n", "utf-8")
