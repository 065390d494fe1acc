"""Functions of expressions: inputs, defaults, updates, givens, what is refused."""

import gc

import numpy as np
import pytest

import tapegrad.compat.theano as theano
import tapegrad.compat.theano.tensor as T  # noqa: N812 - as its users write
from tapegrad.compat.theano import function, shared
from tapegrad.compat.theano.tensor.shared_randomstreams import RandomStreams


def test_outputs_are_built_as_they_were_given():
    x, y = T.dscalars("x y")
    assert np.array_equal(function([x, y], x + y)(2, 3), np.array(5.0))
    assert [float(v) for v in function([x, y], [x + y, x * y])(2, 3)] == [5.0, 6.0]
    assert {k: float(v) for k, v in function([x], {"a": x * 2})(2).items()} == {"a": 4.0}
    assert function([], [], updates=[])() == []
    assert isinstance(function([x], x * 2.0)(1.0), np.ndarray)


def test_defaults_and_names():
    x, y, w = T.dscalars("x", "y", "w")
    f = function([x, theano.In(y, value=1), theano.In(w, value=2, name="w_by_name")], (x + y) * w)
    assert [float(v) for v in (f(33), f(33, 2), f(33, 0, 1), f(33, w_by_name=1))] == [
        68,
        70,
        33,
        34,
    ]
    with pytest.raises(TypeError, match=r"'x', made at .*has no default"):
        f()
    with pytest.raises(TypeError, match="no input 'z'"):
        f(1, z=2)
    with pytest.raises(TypeError, match="takes 3 inputs"):
        f(1, 2, 3, 4)


def test_shared_state_and_updates():
    state, inc = shared(0), T.iscalar("inc")
    add = function([inc], state, updates=[(state, state + inc)])
    subtract = function([inc], state, updates={state: state - inc})
    assert [int(add(k)) for k in (1, 300)] == [0, 1]
    assert state.get_value() == 301
    state.set_value(-1)
    assert int(add(3)) == -1
    assert int(subtract(2)) == 2
    assert state.get_value() == 0
    foo = T.scalar(dtype=state.dtype)
    skip = function([inc, foo], state * 2 + inc, givens=[(state, foo)])
    assert skip(1, 3) == 7
    assert state.get_value() == 0


def test_updates_happen_together():
    a, b = shared(1.0), shared(2.0)
    swap = function([], [a, b], updates=[(a, b), (b, a)])
    for k in range(6):
        before = (2.0, 1.0) if k % 2 else (1.0, 2.0)
        assert tuple(float(v) for v in swap()) == before
        assert (a.get_value(), b.get_value()) == before[::-1]


def test_shared_values_are_copies_and_may_change_length():
    held = np.ones(3)
    s = shared(held)
    total = function([], T.sum(s))
    held[:] = 5.0
    s.get_value()[:] = 7.0
    for n in (3, 5, 3, 8, 5):
        s.set_value(np.ones(n))
        assert total() == n


def test_shapes_stay_open():
    x = T.vector("x")
    f = function([x], T.sum(x**2))
    for n in (17, 8, 17, 1, 0, 8):
        assert f(np.ones(n)) == n


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_precision(kind):
    x = T.vector("x", dtype=kind)
    w = shared(np.ones(3, kind))
    f = function([x], T.sum(w * x) * 2.0, updates=[(w, w - 0.1 * T.grad(T.sum(w * w * x), w))])
    for _ in range(5):
        assert f(np.ones(3, kind)).dtype == kind
    assert w.get_value().dtype == kind


def test_what_nobody_holds_goes():
    from tapegrad.compat.theano.variables import TensorVariable

    def made():
        w = shared(np.zeros(1000))
        x = T.dvector("x")
        f = function([x], T.sum(w * x), updates=[(w, w - 0.1 * T.grad(T.sum(w * w * x), w))])
        for _ in range(5):
            f(np.ones(1000))

    def count():
        gc.collect()
        return sum(isinstance(o, TensorVariable) for o in gc.get_objects())

    made()
    before, places = count(), len(theano.variables.store.values)
    for _ in range(3):
        made()
    assert count() == before
    assert len(theano.variables.store.values) == places


def test_floatx():
    theano.config.floatX = "float32"
    try:
        assert T.matrix().dtype == "float32"
        assert T.dmatrix().dtype == "float64"
        assert T.zeros((2,)).dtype == "float32"
    finally:
        theano.config.floatX = "float64"


X, Y = T.dvector("x"), T.dvector("y")


@pytest.mark.parametrize(
    ("program", "error", "said"),
    [
        (
            lambda: function([X], X * Y),
            theano.MissingInputError,
            r"'y', made at .*test_function.py:\d+",
        ),
        (lambda: function([X, Y], X), theano.UnusedInputError, "'y'.*on_unused_input='ignore'"),
        (lambda: function([X], X * 2)(1.0), TypeError, "has 1 axes, and the value"),
        (
            lambda: function([T.fvector("f")], 1.0, on_unused_input="ignore")(np.ones(2)),
            TypeError,
            "allow_input_downcast",
        ),
        (
            lambda: function([T.ivector("f")], 1.0, on_unused_input="ignore")([1.5]),
            TypeError,
            "int32",
        ),
        (lambda: function([X], T.grad(X * 2, X)), TypeError, "cost is one number"),
        (lambda: T.grad(T.sum(X), Y), ValueError, "does not depend on 'y'"),
        (lambda: function([], updates=[(shared(np.float32(1)), T.dscalar())]), TypeError, "T.cast"),
        (lambda: function([shared(1.0)], 1.0), TypeError, "givens"),
        (lambda: shared(X), TypeError, "numeric values"),
        (lambda: bool(X), TypeError, "T.switch"),
        (lambda: list(X), TypeError, "theano.scan"),
        (lambda: np.asarray(X), TypeError, "eval"),
        (lambda: len(X), TypeError, "shape"),
        (lambda: function(X, X), TypeError, "inputs are a list"),
        (
            lambda: T.nothing,
            AttributeError,
            r"docs/\S* and dir\(theano\.tensor\) list what there is$",
        ),
        (lambda: T.nnet.softmx, AttributeError, "did you mean softmax"),
        (lambda: theano.sparse, AttributeError, "dense arrays"),
        (
            lambda: function([X, Y], T.dot(X, Y))(np.ones(2), np.ones(3)),
            ValueError,
            r"in node 'dot.*made at .*test_function.py:\d+",
        ),
    ],
)
def test_errors(program, error, said):
    with pytest.raises(error, match=said):
        program()


def test_random_streams():
    srng = RandomStreams(seed=234)
    u, n = srng.uniform((2, 2)), srng.normal((2, 2))
    f = function([], u)
    g = function([], n, no_default_updates=True)
    nearly = function([], u + u - 2 * u)
    for _ in range(5):
        assert not np.array_equal(f(), f())
        assert np.array_equal(g(), g())
        assert np.array_equal(nearly(), np.zeros((2, 2)))
    srng.seed(5)
    first = [f() for _ in range(4)]
    srng.seed(5)
    assert np.array_equal(first, [f() for _ in range(4)])


def test_a_logistic_regression_as_in_the_tutorial():
    rng = np.random.RandomState(0)
    data = rng.randn(200, 5)
    labels = (data @ rng.randn(5) > 0).astype(float)
    x, y = T.dmatrix("x"), T.dvector("y")
    start = rng.randn(5)
    w, b = shared(start, name="w"), shared(0.0, name="b")
    p = 1 / (1 + T.exp(-T.dot(x, w) - b))
    xent = -y * T.log(p) - (1 - y) * T.log(1 - p)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = function([x, y], [p > 0.5, xent], updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)))
    assert train.rewrites["stable logarithm"] == 2
    weights, bias = start.copy(), 0.0
    for _ in range(100):
        train(data, labels)
        q = 1 / (1 + np.exp(-data @ weights - bias))
        slope = data.T @ (q - labels) / 200 + 0.02 * weights
        weights, bias = weights - 0.1 * slope, bias - 0.1 * np.mean(q - labels)
    assert np.allclose(w.get_value(), weights, rtol=1e-12)
    assert np.isclose(b.get_value(), bias, rtol=1e-12)
    predicted, errors = train(data * 1e4, labels)
    assert np.isfinite(errors).all()
    assert predicted.dtype == bool
