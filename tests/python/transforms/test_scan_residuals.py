"""What a scan keeps for its reverse sweep, and what is done before it: the same derivatives."""

import numpy as np
import pytest
from scan_checks import assert_close, loop

import tapegrad as tg

RNG = np.random.default_rng(5)
N = 24
POSITIONS = np.array([2, 0, 1, 2, -1, 0, 0, 2])


def logistic(x):
    return 1 / (1 + np.exp(-x))


def recurrent(run, p, xs):
    def step(h, x):
        h = np.tanh(p["w"] @ h + p["u"] * x[0])
        return h, h[0]

    h, ys = run(step, p["h"], xs)
    return np.sum(h * h) + np.sum(ys)


def long_memory(run, p, xs):
    def step(state, x):
        z = p["w"] @ state["h"] + p["u"] * x[1]
        gate, new = logistic(z), np.tanh(p["w"].T @ state["h"])
        c = gate * state["c"] + new * p["scale"][1]
        return {"h": gate * np.tanh(c), "c": c, "same": state["same"]}, None

    last, _ = run(step, {"h": p["h"], "c": p["h"] * 0.5, "same": p["u"]}, xs, reverse=True)
    return np.sum(last["h"] * last["c"] * last["same"])


def filtered(run, p, xs):
    def step(m, x):
        s = p["w"] @ m @ p["w"].T + np.diag(p["u"] ** 2 + 3.0)
        return 0.5 * m + 0.1 * np.linalg.solve(s, p["w"]) * x[0], np.linalg.slogdet(s)[1]

    m, ys = run(step, p["w"] * 0.1, xs)
    return np.sum(m * m) + np.sum(ys)


def looked_up(run, p, xs):
    def step(h, x):
        k, row = x
        h = np.tanh(p["w"] @ h + p["table"][k] * row[0] + p["table"][k, 1])
        return h, h * p["table"][k + 0]

    h, ys = run(step, p["h"], (POSITIONS, xs))
    return np.sum(h) + np.sum(ys * ys)


def nested(run, p, xs):
    def inner(x):
        return lambda z, _: (np.tanh(p["w"] @ z + x[0] * p["u"]), None)

    def outer(h, x):
        h, _ = run(inner(x), h, length=3)
        return h, np.sum(h)

    h, ys = run(outer, p["h"], xs)
    return np.sum(h * h) + np.sum(ys * ys)


def checkpointed(run, p, xs):
    cell = tg.checkpoint(lambda h, x, w: np.tanh(w @ np.sin(w @ h) + x[0]))
    h, ys = run(lambda h, x: (cell(h, x, p["w"]),) * 2, p["h"], xs)
    return np.sum(h) + np.sum(ys * ys)


MODELS = [recurrent, long_memory, filtered, looked_up, nested, checkpointed]
models = pytest.mark.parametrize("model", MODELS, ids=lambda f: f.__name__)
dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def arguments(dtype=np.float64, length=8):
    made = {
        "w": RNG.standard_normal((N, N)) / N,
        "u": RNG.standard_normal(N),
        "h": RNG.standard_normal(N) / 2,
        "scale": RNG.standard_normal(2),
        "table": RNG.standard_normal((3, N)),
    }
    xs = RNG.standard_normal((length, 2))
    return {k: v.astype(dtype) for k, v in made.items()}, xs.astype(dtype)


def run_scan(step, init, xs=None, **options):
    return tg.scan(step, init, xs, **options)


def pair(model):
    def ours(p, xs):
        return model(run_scan, p, xs)

    def theirs(p, xs):
        return model(loop, p, xs)

    return ours, theirs


@models
@dtypes
@pytest.mark.filterwarnings("ignore:scan.*runs as a plain Python loop")  # plain values look up rows
def test_derivatives_are_those_of_the_loop(model, dtype):
    p, xs = arguments(dtype)
    along, _ = arguments(dtype)
    tolerance = 1e-9 if dtype is np.float64 else 2e-3
    ours, theirs = pair(model)

    def first(f):
        return tg.grad(f)

    def forward_over_reverse(f):
        return lambda p, xs: tg.jvp(tg.grad(lambda q: f(q, xs)), (p,), (along,))[1]

    def reverse_over_reverse(f):
        def slope(p, xs):
            found = tg.grad(f)(p, xs)
            return sum(np.sum(found[k] * along[k]) for k in found)

        return tg.grad(slope)

    for derivative in (first, forward_over_reverse, reverse_over_reverse):
        expected = derivative(theirs)(p, xs)
        assert_close(derivative(ours)(p, xs), expected, tolerance)
        compiled = tg.compile(derivative(ours))
        for _ in range(3):
            assert_close(compiled(p, xs), expected, tolerance)


@models
def test_over_lanes(model):
    ours, theirs = pair(model)
    p, xs = arguments()
    lanes = {k: np.stack([v, v * 0.5]) for k, v in p.items()}
    many = [tg.vmap(lambda q, f=f: tg.grad(f)(q, xs)) for f in (ours, theirs)]
    assert_close(many[0](lanes), many[1](lanes), 1e-10)


@pytest.mark.parametrize("length", [0, 1, 2])
@pytest.mark.parametrize("model", [recurrent, long_memory, filtered], ids=lambda f: f.__name__)
def test_few_steps(model, length):
    p, xs = arguments(length=length)
    ours, theirs = pair(model)
    compiled = tg.compile(tg.grad(ours))
    if length == 0:
        theirs = ours
    for f in (tg.grad(ours), compiled, compiled, compiled):
        assert_close(f(p, xs), tg.grad(theirs)(p, xs), 1e-10)


def program_of(f, *args):
    compiled = tg.compile(f)
    for _ in range(3):
        compiled(*args)
    return compiled.inspect().signatures[0].programs[0].text


def test_rows_at_positions_among_the_xs_are_looked_up_before():
    p, xs = arguments()
    text = program_of(lambda p: looked_up(run_scan, p, xs), p)
    assert text.index("gather") < text.index("scan(")


def test_the_values_of_a_scan_with_tangents_are_a_part_of_it():
    p, xs = arguments()

    def product(p):
        return tg.jvp(tg.grad(lambda q: recurrent(run_scan, q, xs)), (p,), (p,))[1]

    assert program_of(product, p).count("scan(") == 2  # one forwards, one back
