"""tg.checkpoint: the function's own values and derivatives, with less held for them."""

import dataclasses

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core
from tapegrad.transforms import bodies

W = np.random.default_rng(1).standard_normal((3, 3)) / 2
X = np.array([0.3, -0.7, 1.1])


def layer(x, w):
    for _ in range(4):
        x = np.tanh(w @ x) + 0.1 * x
    return x


def through(f):
    return lambda x: np.sum(f(f(x, W), W) ** 2)


def held(f):
    """What `f` returns, and the bytes of arrays that stay for its derivative."""
    _core.trim_pool()
    before = _core.pool_bytes()[0]
    found = f()
    return found, _core.pool_bytes()[0] - before


def test_every_order_is_that_of_the_function():
    plain, kept = through(layer), through(tg.checkpoint(layer))
    assert kept(X) == plain(X)
    for transform in (
        tg.grad,
        tg.hessian,
        lambda f: lambda x: tg.jvp(f, (x,), (x * x,)),
        lambda f: lambda x: tg.hvp(f, x, x),
        lambda f: tg.grad(lambda x: np.sum(tg.grad(f)(x) ** 2)),
        lambda f: lambda x: tg.vmap(tg.grad(f))(np.stack([x, 2 * x])),
    ):
        np.testing.assert_allclose(transform(kept)(X), transform(plain)(X), rtol=1e-10, atol=1e-12)


def test_the_inside_is_not_kept():
    def chain(f):
        def run(x):
            for _ in range(20):
                x = f(x)
            return x

        return lambda: tg.vjp(run, np.linspace(-1, 1, 5000))

    def block(x):
        for _ in range(20):
            x = np.sin(x) + 0.5 * x
        return x

    (_, pullback), every = held(chain(block))
    (_, kept_pullback), few = held(chain(tg.checkpoint(block)))
    assert every > 400 * 40_000
    assert few < 45 * 40_000
    seed = np.ones(5000)
    np.testing.assert_allclose(kept_pullback(seed)[0], pullback(seed)[0], rtol=1e-12)


def test_variables_that_the_function_reads_get_gradients():
    w = tg.Variable(W)
    b = tg.Variable(0.5)
    f = tg.checkpoint(lambda x: np.tanh(w @ x) * b)
    loss = np.sum(f(f(X)))
    loss.backward()
    found = w.grad, b.grad

    def plain(w, b):
        once = np.tanh(w @ X) * b
        return np.sum(np.tanh(w @ once) * b)

    expected = tg.grad(plain, (0, 1))(W, 0.5)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-13)


@dataclasses.dataclass
class Pair:
    first: object
    second: object


def test_containers_keywords_and_plain_results():
    @tg.checkpoint
    def f(p, scale=1.0, *, name):
        return Pair(p["a"] * scale, [p["b"] ** 2, name, 3, None])

    def outer(a, b):
        found = f({"a": a, "b": b}, scale=2.0, name="text")
        assert isinstance(found, Pair)
        assert found.second[1:] == ["text", 3, None]
        return np.sum(found.first * found.second[0])

    assert f({"a": 1.0, "b": 2.0}, name="x") == Pair(1.0, [4.0, "x", 3, None])
    np.testing.assert_allclose(tg.grad(outer, (0, 1))(3.0, 5.0), (50.0, 60.0))


def test_results_that_depend_on_no_variable_are_plain():
    @tg.checkpoint
    def f(x, y):
        return x * y, tg.stop_gradient(x) * 2.0, x > 0, np.sum(y)

    def loss(x):
        product, stopped, mask, plain = f(x, X)
        assert type(stopped) is np.ndarray
        assert type(mask) is np.ndarray
        assert mask.dtype == bool
        assert not isinstance(plain, tg.Variable)
        return np.sum(np.where(mask, product, 0) * stopped)

    expected = np.where(X > 0, X * 2 * X, 0)
    np.testing.assert_allclose(tg.grad(loss)(X), expected)


def test_a_branch_and_a_draw_are_those_of_the_call():
    def f(x, rng):
        y = x * rng.normal()
        return np.sin(y) if y > 0 else y**2

    for point in (0.5, -0.5):
        found = tg.grad(tg.checkpoint(f))(point, np.random.default_rng(2))
        assert found == pytest.approx(tg.grad(f)(point, np.random.default_rng(2)), rel=1e-14)


def test_inside_a_program_it_is_computed_again():
    def steps(f):
        compiled = tg.compile(tg.grad(through(f)))
        for _ in range(3):
            np.testing.assert_allclose(compiled(X), tg.grad(through(layer))(X), rtol=1e-12)
        return compiled.inspect().signatures[0].programs[0].text.count(" = call(")

    assert steps(layer) == 0
    assert steps(tg.checkpoint(layer)) == 4  # forwards and back, for each of the two


def test_branches_inside_a_program():
    f = tg.checkpoint(lambda x: np.sum(np.exp(-x)) if np.sum(x) > 0 else np.sum(x**2))
    compiled = tg.compile(tg.grad(f))
    for sign in (1, 1, 1, -1, -1, -1, 1, -1):
        expected = -np.exp(-X) if sign > 0 else -2 * X
        np.testing.assert_allclose(compiled(sign * X), expected, rtol=1e-13)
    report = compiled.inspect().signatures[0]
    assert report.replays == 4
    assert len(report.programs) == 2


def test_checkpoints_inside_checkpoints():
    inner = tg.checkpoint(layer)
    outer = tg.checkpoint(lambda x, w: inner(inner(x, w), w))
    plain, kept = (lambda x: np.sum(layer(layer(x, W), W))), (lambda x: np.sum(outer(x, W)))
    np.testing.assert_allclose(tg.hessian(kept)(X), tg.hessian(plain)(X), rtol=1e-11, atol=1e-13)


def test_calls_with_one_record_share_what_was_made_of_it():
    def f(x):
        return np.sin(x) * 2.0

    kept = tg.checkpoint(f)
    for k in range(5):
        tg.grad(lambda x: np.sum(kept(kept(x))))(X * k)
    assert len(bodies._bodies[f.__code__]) == 1


def test_without_a_record_it_is_the_function():
    calls = []
    f = tg.checkpoint(lambda x: calls.append(x) or x * 2)
    with tg.no_grad():
        x = tg.Variable(2.0)
        assert tg.value(f(x)) == 4.0
    assert calls == [x]


def test_changing_a_container_that_was_passed_is_refused():
    def f(p):
        p["sum"] = np.sum(p["x"])
        return p["sum"] ** 2

    with pytest.raises(RuntimeError, match="changes a container that was passed to it"):
        tg.checkpoint(f)({"x": tg.Variable(np.ones(2))})


def test_writing_to_an_argument_is_refused():
    def f(x):
        x[0] = 1.0
        return np.sum(x**2)

    with pytest.raises(RuntimeError, match="writes to an array that was passed to it"):
        tg.grad(lambda x: tg.checkpoint(f)(x * 1.0))(X)


def test_what_is_kept_beyond_the_call_keeps_its_derivative():
    def run(transform):
        class Net:
            h = None

        net = Net()

        def cell(x):
            net.h = np.tanh(net.h * x)
            return x * 0.5

        def loss(x):
            net.h = x * 2.0
            f = transform(cell)
            return np.sum(f(f(x))) + np.sum(net.h)

        return tg.grad(loss)(X)

    np.testing.assert_allclose(run(tg.checkpoint), run(lambda f: f), rtol=1e-13)
    compiled = [
        tg.compile(tg.grad(lambda x, t=t: run_loss(x, t))) for t in (tg.checkpoint, lambda f: f)
    ]
    for _ in range(3):
        np.testing.assert_allclose(compiled[0](X), compiled[1](X), rtol=1e-13)


def run_loss(x, transform):
    kept = []

    def f(x):
        kept.append(np.sin(x))
        return x * 0.5

    g = transform(f)
    return np.sum(g(g(x))) + np.sum(kept[0] * kept[1])


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match=r"tg\.checkpoint\(f\)\(x\)"):
        tg.checkpoint(3)
