"""Variables that are made inside of transforms belong to them: what comes out is plain."""

import gc
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core

X = np.array([1.0, 2.0, 3.0])


def filled(x: Any) -> Any:
    y = tg.Variable(np.zeros(3))
    for i in range(3):
        y[i] = x[i] ** 2
    return y


def total(x: Any) -> Any:
    return np.sum(filled(x))


def weighted(x: Any) -> Any:
    return np.sum(tg.Variable(X) * x**2)


def unrecorded(x: Any) -> Any:
    with tg.no_grad():
        c = x * 2.0
    return np.sum(c * x)


def replaced(x: Any) -> Any:
    c = x * 2.0
    c.value = X
    return np.sum(c * x)


def step(carry: Any, a: Any) -> tuple[Any, Any]:
    y = tg.Variable(np.zeros(3))
    y[0] = carry[0] * a
    y[1:] = carry[1:]
    return y, np.sum(y)


def is_plain(tree: Any) -> bool:
    if isinstance(tree, (tuple, list)):
        return all(is_plain(part) for part in tree)
    return type(tree) in (float, np.ndarray)


EYE = np.diag(2 * X)
CALLS: dict[str, tuple[Callable[[], Any], Any]] = {
    "grad": (lambda: tg.grad(total)(X), 2 * X),
    "grad of a product": (lambda: tg.grad(weighted)(X), 2 * X**2),
    "grad of what was not recorded": (lambda: tg.grad(unrecorded)(X), 2 * X),
    "grad of what was replaced": (lambda: tg.grad(replaced)(X), X),
    "value_and_grad": (lambda: tg.value_and_grad(total)(X), (14.0, 2 * X)),
    "elementwise_grad": (lambda: tg.elementwise_grad(filled)(X), 2 * X),
    "jacobian": (lambda: tg.jacobian(filled)(X), EYE),
    "jacobian, forward": (lambda: tg.jacobian(filled, mode="forward")(X), EYE),
    "hessian": (lambda: tg.hessian(total)(X), 2 * np.eye(3)),
    "hvp": (lambda: tg.hvp(total, X, X), 2 * X),
    "jvp": (lambda: tg.jvp(total, (X,), (X,)), (14.0, 28.0)),
    "value of vjp": (lambda: tg.vjp(filled, X)[0], X**2),
    "pullback": (lambda: tg.vjp(filled, X)[1](X), (2 * X**2,)),
    "vmap": (lambda: tg.vmap(total)(np.array([X, X])), np.array([14.0, 14.0])),
    "vmap of grad": (lambda: tg.vmap(tg.grad(total))(np.array([X, X])), np.array([2 * X, 2 * X])),
    "jacobian of vmap": (lambda: tg.jacobian(tg.vmap(total))(X[None]), (2 * X)[None, None]),
    "checkpoint": (lambda: tg.checkpoint(total)(X), 14.0),
    "grad of checkpoint": (lambda: tg.grad(tg.checkpoint(total))(X), 2 * X),
    "scan": (lambda: tg.scan(step, X, X), ([6.0, 2.0, 3.0], [6.0, 7.0, 11.0])),
    "grad of scan": (
        lambda: tg.grad(lambda x: np.sum(tg.scan(step, x, x)[1]))(X),
        np.array([18.0, 7.0, 5.0]),
    ),
    "grad of grad": (lambda: tg.grad(lambda x: np.sum(tg.grad(total)(x) ** 2))(X), 8 * X),
    "a leaf of the outer function": (
        lambda: tg.grad(lambda x: _with_outer_leaf(tg.Variable(X), x))(X),
        3 * X,
    ),
    "grad of Variables inside": (
        lambda: tg.grad(lambda x: _gradient_by_inner_leaf(x))(X),
        2 * X,
    ),
}


def _with_outer_leaf(w: Any, x: Any) -> Any:
    return np.sum(w * x) + np.sum(tg.grad(lambda q: np.sum(q**2 * w))(x))


def _gradient_by_inner_leaf(x: Any) -> Any:
    w = tg.Variable(X)
    return np.sum(tg.grad(np.sum(w * x**2), w))


@pytest.mark.parametrize("name", CALLS)
def test_results_are_plain(name: str) -> None:
    call, expected = CALLS[name]
    found = call()
    assert is_plain(found)
    if isinstance(expected, tuple):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("f", [total, weighted])
def test_compiled_results_are_plain(f: Callable[[Any], Any]) -> None:
    for compiled in (tg.compile(tg.grad(f)), tg.grad(tg.compile(f))):
        for k in range(4):
            x = X + k
            found = compiled(x)
            assert type(found) is np.ndarray
            np.testing.assert_array_equal(found, tg.grad(f)(x))


def test_outer_leaves_are_differentiated_through_derivatives() -> None:
    w = tg.Variable(2.0)
    slope = tg.grad(lambda x: w * x**3)(3.0)
    assert isinstance(slope, tg.Variable)
    assert tg.grad(slope, w) == 27.0


def test_leaf_of_the_inner_function_in_the_outer_one() -> None:
    kept: list[tg.Variable] = []

    def inner(x: Any) -> Any:
        w = tg.Variable(2.0)
        kept.append(w)
        return w * x**2

    def outer(x: Any) -> Any:
        slope = tg.grad(inner)(x)  # 4 x
        return slope * x * kept[-1]  # 8 x^2

    assert tg.grad(outer)(3.0) == 48.0
    assert type(tg.grad(outer)(3.0)) is float
    assert tg.hessian(outer)(3.0) == 16.0


def test_recorded_content_that_leaves_the_inner_function() -> None:
    kept: list[Any] = []

    def inner(x: Any) -> Any:
        y = tg.Variable(np.zeros(2))
        y[0] = x
        y[1] = x**2
        kept.append(y)
        return np.sum(y)

    def outer(x: Any) -> Any:
        return tg.grad(inner)(x) + np.sum(kept[-1] ** 2)  # 1 + 2 x + x^2 + x^4

    assert tg.grad(outer)(2.0) == 2 + 4 + 32.0


def test_leaf_that_outlives_all_transforms_is_like_any_other() -> None:
    kept: list[tg.Variable] = []

    def f(x: Any) -> Any:
        if not kept:
            kept.append(tg.Variable(2.0))
        return kept[0] * x**2

    assert type(tg.grad(f)(3.0)) is float
    slope = tg.grad(f)(3.0)  # of a Variable that is older than this derivative
    assert isinstance(slope, tg.Variable)
    assert tg.grad(slope, kept[0]) == 6.0
    loss = kept[0] ** 2
    loss.backward()
    assert kept[0].grad == 4.0


def test_the_gradient_by_a_leaf_made_in_a_compiled_function() -> None:
    def f(x: Any) -> Any:
        w = tg.Variable(2.0)
        slope = tg.grad(lambda q: q**2 * w**3)(x)  # 2 x w^3
        return tg.grad(slope, w)  # 6 x w^2

    assert f(3.0) == 72.0
    compiled = tg.compile(f)
    for x in (3.0, 4.0, 5.0):
        assert compiled(x) == 24 * x


def test_leaf_of_another_thread_is_outside() -> None:
    made: list[tg.Variable] = []
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        def f(x: Any) -> Any:
            made.append(tg.Variable(2.0))
            inside.set()
            done.wait(10)
            return x

        tg.grad(f)(1.0)

    thread = threading.Thread(target=other)

    def here(x: Any) -> Any:
        thread.start()
        assert inside.wait(10)
        return x**2 * made[0]

    slope = tg.grad(here)(3.0)
    done.set()
    thread.join()
    assert isinstance(slope, tg.Variable)
    assert tg.grad(slope, made[0]) == 6.0


def test_descent_keeps_its_memory() -> None:
    gradient, x = tg.grad(total), X
    x = x - 0.01 * gradient(x)
    gc.collect()
    nodes, pool = _core.live_nodes(), _core.pool_bytes()
    for _ in range(100):
        x = x - 0.01 * gradient(x)
    assert type(x) is np.ndarray
    assert _core.live_nodes() == nodes
    assert _core.pool_bytes() == pool


def test_training_with_leaves_in_the_loss() -> None:
    def loss(p: Any, x: Any) -> Any:
        y = tg.Variable(np.zeros(2))
        y[0], y[1] = p["w"] * np.sum(x), p["b"]
        return np.sum(y) ** 2

    def plain(p: Any, x: Any) -> Any:
        return (p["w"] * np.sum(x) + p["b"]) ** 2

    found = [
        tg.optim.train(
            f,
            {"w": 1.0, "b": 0.5},
            np.array([1.0, -2.0, 3.0]),
            optimizer=tg.optim.sgd(0.01),
            epochs=3,
            batch_size=None,
            shuffle=False,
        )
        for f in (loss, plain)
    ]
    for params, losses in found:
        assert type(losses) is np.ndarray
        assert is_plain(list(params.values()))
    np.testing.assert_allclose(found[0][1], found[1][1])


Array = Callable[[list[Any]], Any]


def in_leaf(parts: list[Any]) -> Any:
    y = tg.Variable(np.zeros(len(parts)))
    for i, part in enumerate(parts):
        y[i] = part
    return y


def stacked(parts: list[Any]) -> Any:
    return np.stack([part if isinstance(part, tg.Variable) else np.asarray(part) for part in parts])


def draw(rng: random.Random, depth: int, array: Array) -> Callable[..., Any]:
    """A function of two numbers that nests derivatives; its arrays are made by `array`."""
    kinds = ("square", "weighted") + depth * (
        "grad", "value_and_grad", "has_aux", "hessian", "jacobian", "vjp", "jvp", "hvp",
        "checkpoint", "kept",
    )  # fmt: skip
    kind = rng.choice(kinds)
    a, b, c, d = (round(rng.uniform(-2, 2), 2) for _ in range(4))
    inner = draw(rng, depth - 1, array) if depth else None

    def f(x: Any, outer: Any = 1.0) -> Any:
        base = array([x[0] * a, x[1] ** 2 * b, x[0] * x[1]]) * outer
        q = array([x[0] * c + 0.3, x[1] * d - 0.2])
        kept: list[Any] = []

        def g(z: Any) -> Any:
            assert inner is not None
            kept.append(array([z[0] ** 2, z[1]]))
            return inner(z, x[0] + a)

        if kind == "square":
            return np.sum(base**2)
        if kind == "weighted":
            return np.sum(array([a, b, c]) * base**2)
        if kind == "grad":
            return np.sum(tg.grad(g)(q) * q)
        if kind == "value_and_grad":
            value, slope = tg.value_and_grad(g)(q)
            return value * np.sum(slope)
        if kind == "has_aux":
            slope, aux = tg.grad(lambda z: (g(z), array([z[0], z[1]])), has_aux=True)(q)
            return np.sum(slope * aux)
        if kind == "hessian":
            return np.sum(tg.hessian(g)(q)) * a + np.sum(q)
        if kind == "jacobian":
            return np.sum(tg.jacobian(lambda z: array([g(z), z[0] * z[1]]))(q) ** 2)
        if kind == "vjp":
            value, pullback = tg.vjp(g, q)
            return value + np.sum(pullback(1.0)[0] * q)
        if kind == "jvp":
            return tg.jvp(g, (q,), (q * 2.0,))[1]
        if kind == "hvp":
            return np.sum(tg.hvp(g, q, q))
        if kind == "checkpoint":
            return np.sum(tg.grad(tg.checkpoint(g))(q))
        return np.sum(tg.grad(g)(q)) * np.sum(kept[-1])

    return f


@pytest.mark.filterwarnings("ignore")  # of derivatives that are zero, of writes while compiling
@pytest.mark.parametrize("seed", range(40))
def test_random_nestings(seed: int) -> None:
    point = np.array([0.7, -0.4])

    def outcomes(array: Array) -> list[Any]:
        f = draw(random.Random(seed), random.Random(seed).randint(1, 3), array)
        compiled = tg.compile(tg.grad(f))
        found = [tg.grad(f)(point), tg.hessian(f)(point)]
        found += [compiled(x) for x in (point, point, point, point + 1.0)]
        return found

    for with_leaf, without in zip(outcomes(in_leaf), outcomes(stacked), strict=True):
        assert type(with_leaf) is np.ndarray
        np.testing.assert_allclose(with_leaf, without, rtol=1e-9)
