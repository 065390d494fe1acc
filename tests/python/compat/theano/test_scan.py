"""Loops as expressions."""

import numpy as np
import pytest

import tapegrad.compat.theano as theano
import tapegrad.compat.theano.tensor as T  # noqa: N812 - as its users write
from tapegrad.compat.theano import function, scan, shared
from tapegrad.compat.theano.tensor.shared_randomstreams import RandomStreams


def test_powers():
    k, A = T.iscalar("k"), T.vector("A")
    found, updates = scan(
        lambda p, A: p * A, outputs_info=T.ones_like(A), non_sequences=A, n_steps=k
    )
    f = function([A, k], [found[-1], T.grad(T.sum(found[-1]), A)], updates=updates)
    for n in (2, 4, 2, 4):
        value, slope = f(range(5), n)
        assert value.tolist() == [float(v) ** n for v in range(5)]
        assert slope.tolist() == [n * float(v) ** (n - 1) for v in range(5)]


def test_sequences_of_different_lengths():
    c, x = T.vector("c"), T.scalar("x")
    terms, _ = scan(lambda c, p, x: c * x**p, sequences=[c, T.arange(10000)], non_sequences=x)
    f = function([c, x], terms.sum())
    assert [float(f([1, 0, 2], 3)), float(f([1, 1], 3)), float(f([1, 0, 2], 3))] == [
        19.0,
        4.0,
        19.0,
    ]


def test_taps():
    start, u = T.dvector("start"), T.dvector("u")
    sums, _ = scan(
        lambda a, b: a + b, outputs_info=[{"initial": start, "taps": [-2, -1]}], n_steps=6
    )
    assert function([start], sums)([0, 1]).tolist() == [1, 2, 3, 5, 8, 13]
    ends, _ = scan(lambda a, b, c: c - a + 0 * b, sequences={"input": u, "taps": [-1, 0, 1]})
    assert function([u], ends)([1, 4, 9, 16, 25]).tolist() == [8, 12, 16]
    backwards, _ = scan(lambda v, s: s + v, sequences=u, outputs_info=0.0 * u[0], go_backwards=True)
    assert function([u], backwards)([1, 2, 4]).tolist() == [4, 6, 7]


def test_until():
    top = T.scalar("top")
    found, _ = scan(
        lambda p, m: (p * 2, theano.scan_module.until(p * 2 > m)),
        outputs_info=T.constant(1.0), non_sequences=top, n_steps=1024,
    )  # fmt: skip
    f = function([top], found)
    for _ in range(4):
        assert f(45).tolist() == [2, 4, 8, 16, 32, 64]
        assert f(3).tolist() == [2, 4]


def test_map_and_reduce():
    x = T.dvector("x")
    squares, _ = theano.map(lambda v: v**2, x)
    total, _ = theano.reduce(lambda v, s: s + v, x, 0.0 * x[0])
    f = function([x], [squares, total, T.grad(total, x)])
    squared, summed, slope = f([1.0, 2.0, 3.0])
    assert (squared.tolist(), float(summed), slope.tolist()) == ([1, 4, 9], 6.0, [1, 1, 1])


def test_draws_in_a_scan_are_others_at_each_step():
    srng = RandomStreams(1)
    w = shared(1.0)
    walk, updates = scan(lambda s: s + w * srng.normal(()), outputs_info=0.0 * w, n_steps=4)
    f = function([], [walk, T.grad(walk[-1], w)], updates=updates)
    ends = []
    for _ in range(5):
        steps, slope = f()
        assert np.isclose(steps[-1], slope)
        assert len(set(np.diff(steps))) == 3
        ends.append(float(slope))
    assert len(set(ends)) == 5


def test_a_recurrent_network():
    rng = np.random.RandomState(0)
    u, target, h0, rate = T.matrix("u"), T.vector("t"), T.vector("h0"), T.scalar("lr")
    held = [rng.uniform(-0.1, 0.1, s) for s in ((6, 6), (2, 6), (6,))]
    W, W_in, W_out = map(shared, held)

    def step(u_t, h, W, W_in, W_out):
        new = T.tanh(T.dot(u_t, W_in) + T.dot(h, W))
        return new, T.dot(new, W_out)

    (_, y), _ = scan(step, sequences=u, outputs_info=[h0, None], non_sequences=[W, W_in, W_out])
    error = ((y - target) ** 2).sum()
    slopes = T.grad(error, [W, W_in, W_out])
    pairs = zip((W, W_in, W_out), slopes, strict=True)
    f = function([h0, u, target, rate], error, updates={p: p - rate * g for p, g in pairs})
    x = rng.randn(20, 2)
    errors = [float(f(np.zeros(6), x, np.cumsum(x[:, 0]) * 0.2, 0.01)) for _ in range(60)]
    assert errors[-1] < 0.6 * errors[0]


def test_what_is_refused():
    x = T.dvector("x")
    with pytest.raises(NotImplementedError, match="disconnected_grad"):
        scan(lambda v: v, sequences=x, truncate_gradient=5)
    with pytest.raises(ValueError, match="n_steps"):
        scan(lambda s: s, outputs_info=x)
    with pytest.raises(NotImplementedError, match="outputs_info"):
        scan(lambda v: (v, {shared(1.0): v}), sequences=x)
    with pytest.raises(ValueError, match="2 outputs"):
        scan(lambda v, s: (v, s), sequences=x, outputs_info=[x[0]])
