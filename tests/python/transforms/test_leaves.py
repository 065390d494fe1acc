"""Variables that are made inside of transforms belong to them: what comes out is plain."""

import gc
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
