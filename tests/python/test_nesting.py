"""Derivatives of derivatives: no perturbation is mistaken for another."""

import itertools
import threading

import numpy as np
import pytest

import tapegrad as tg


def reverse(f):
    return tg.grad(f)


def forward(f):
    return lambda x: tg.jvp(f, (x,), (1.0,))[1]


MODES = {"forward": forward, "reverse": reverse}
PAIRS = list(itertools.product(MODES, MODES))
TRIPLES = list(itertools.product(MODES, MODES, MODES))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_no_perturbation_confusion(outer, inner):
    d_outer, d_inner = MODES[outer], MODES[inner]
    # d/dx [x * d/dy (x + y)] = 1
    assert d_outer(lambda x: x * d_inner(lambda y: x + y)(1.0))(2.0) == 1.0
    # d/dx [x * d/dy (x * y)] = d/dx x^2 = 2 x
    assert d_outer(lambda x: x * d_inner(lambda y: x * y)(5.0))(3.0) == 6.0
    # d/dx [d/dy (y^2 x^2) at y = x] = d/dx 2 x^3 = 6 x^2
    assert d_outer(lambda x: d_inner(lambda y: y**2 * x**2)(x))(2.0) == 24.0


@pytest.mark.parametrize(("outer", "middle", "inner"), TRIPLES)
def test_three_deep(outer, middle, inner):
    d1, d2, d3 = MODES[outer], MODES[middle], MODES[inner]

    def f(x):
        return d2(lambda y: y * x * d3(lambda z: np.sin(z * y) * x)(y))(x)

    # The inner one is y x cos(y^2); f(x) = d/dy [y^2 x^2 cos(y^2)] at y = x.
    def g(x):
        return 2 * x**3 * np.cos(x**2) - 2 * x**5 * np.sin(x**2)

    x, h = 0.7, 1e-5
    assert f(x) == pytest.approx(g(x), rel=1e-12)
    assert d1(f)(x) == pytest.approx((g(x + h) - g(x - h)) / (2 * h), rel=1e-8)


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_arrays_and_closures(outer, inner):
    x = np.array([0.3, 0.5])

    def directional(f, v, mode):
        if mode == "forward":
            return lambda x: tg.jvp(f, (x,), (v,))[1]
        return lambda x: np.sum(tg.grad(f)(x) * v)

    def f(x):
        return np.sum(np.exp(x[0] * x[1]) * x)

    u, v = np.array([1.0, 2.0]), np.array([-1.0, 0.5])
    found = directional(directional(f, u, inner), v, outer)(x)
    assert found == pytest.approx(v @ tg.hessian(f)(x) @ u, rel=1e-12)


def test_a_gradient_step_inside_a_gradient():
    def loss(w):
        return np.sum((w - 3.0) ** 2)

    def after_step(rate):
        w = np.array([1.0, 2.0])
        return loss(w - rate * tg.grad(loss)(w))

    # loss after a step: (1 - 2 r)^2 * 5
    assert tg.grad(after_step)(0.1) == pytest.approx(-4 * (1 - 0.2) * 5)
    assert tg.grad(tg.grad(after_step))(0.1) == pytest.approx(8 * 5)


def test_jacobians_in_jacobians():
    def f(x):
        return x**3

    x = np.array([1.0, 2.0])
    for a, b in itertools.product(("forward", "reverse"), repeat=2):
        second = tg.jacobian(tg.jacobian(f, mode=a), mode=b)(x)
        assert second.shape == (2, 2, 2)
        np.testing.assert_allclose(np.einsum("iii->i", second), 6 * x)
        assert np.count_nonzero(second) == 2
    third = tg.jacobian(tg.hessian(lambda x: np.sum(x**4)))(x)
    np.testing.assert_allclose(np.einsum("iii->i", third), 24 * x)


def test_a_pullback_used_in_another_scope():
    value, pullback = tg.vjp(lambda x: x**2, 3.0)
    assert value == 9.0
    assert pullback(1.0) == (6.0,)
    assert tg.grad(lambda c: pullback(c)[0] * c)(2.0) == pytest.approx(24.0)
    assert tg.grad(lambda x: tg.vjp(lambda y: y**3, x)[1](1.0)[0])(2.0) == 12.0

    def delayed(x):
        _, pullback = tg.vjp(lambda y: y**3 * x, x)
        return pullback(x)[0]  # 3 x^4

    assert tg.grad(delayed)(2.0) == 96.0


def test_results_are_plain_unless_something_outside_is_involved():
    a = tg.Variable(2.0)
    inside = tg.grad(lambda x: x * x)(3.0)
    assert type(inside) is float
    outside = tg.grad(lambda x: x * x * a)(3.0)
    assert isinstance(outside, tg.Variable)
    outside.backward()
    assert a.grad == 6.0
    value, tangent = tg.jvp(lambda x: x * a, (3.0,), (1.0,))
    assert isinstance(value, tg.Variable)
    assert isinstance(tangent, tg.Variable)
    assert type(tg.grad(lambda x: np.sum(x * x))(np.ones(2))) is np.ndarray

    def f(y):
        unrelated = tg.grad(lambda x: x * x)(3.0)
        assert type(unrelated) is float
        return y * unrelated

    assert tg.grad(f)(1.0) == 6.0


def test_leaving_a_variable_behind_is_harmless_or_loud():
    kept = []

    def f(x):
        kept.append(x * x)
        return np.sum(x)

    assert tg.grad(f)(2.0) == 1.0
    assert tg.value(kept[0]) == 4.0
    # The record that it belonged to is gone; it counts as a constant, or an error says so.
    try:
        assert tg.grad(lambda y: y * kept[0])(3.0) == 4.0
    except (RuntimeError, TypeError) as error:
        assert len(str(error)) > 20  # noqa: PT017 - any error will do if it says why


def test_threads_have_records_of_their_own():
    results, errors = {}, []

    def work(i):
        try:
            for _ in range(50):
                results[i] = tg.hessian(lambda x: np.sum(x**3) * i)(np.ones(3))
        except Exception as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors
    for i, hessian in results.items():
        np.testing.assert_array_equal(hessian, 6.0 * i * np.eye(3))


W = np.array([1.0, 2.0])
LONG = np.linspace(0.0, 1.0, 50_000)


def _exponentials(q):
    return np.sum(np.exp(q))


# Derivatives inside compiled functions, at points that do not depend on the input.
AT_FIXED_POINTS = {
    "an array that it makes": lambda v: v * np.sum(tg.grad(_exponentials)(np.ones(2))),
    "a captured array": lambda v: v * np.sum(tg.grad(_exponentials)(W)),
    "a long captured array": lambda v: v * np.sum(tg.grad(_exponentials)(LONG)),
    "a number": lambda v: v * tg.grad(lambda q: q**3 * v)(2.0),
    "forward": lambda v: v * tg.jvp(lambda q: q**3 * v, (2.0,), (1.0,))[1],
    "a Hessian": lambda v: np.sum(tg.hessian(lambda q: v * _exponentials(q))(np.zeros(2))),
    "lanes": lambda v: np.sum(tg.vmap(tg.grad(lambda q: np.sin(q) * v))(W)),
    "a Newton step": lambda v: np.sum(
        np.linalg.solve(
            tg.hessian(lambda q: np.sum((q - v) ** 2) + np.sum(q**4))(np.zeros(2)),
            tg.grad(lambda q: np.sum((q - v) ** 2))(np.zeros(2)),
        )
    ),
}


@pytest.mark.parametrize("f", AT_FIXED_POINTS.values(), ids=AT_FIXED_POINTS)
def test_compiled_derivatives_at_points_that_do_not_depend_on_the_input(f):
    value, slope = tg.compile(f), tg.compile(tg.grad(f))
    for x in (1.0, 1.3, 1.6, 1.9):
        np.testing.assert_allclose(value(x), f(x), rtol=1e-13)
        np.testing.assert_allclose(slope(x), tg.grad(f)(x), rtol=1e-13)


def test_a_compiled_derivative_at_a_captured_array_follows_its_content():
    point = np.array([0.0, 1.0])
    f = tg.compile(lambda v: v * np.sum(tg.grad(_exponentials)(point)))
    for _ in range(4):
        np.testing.assert_allclose(f(2.0), 2 * (1 + np.e), rtol=1e-14)
    point[:] = [1.0, 1.0]
    np.testing.assert_allclose(f(2.0), 4 * np.e, rtol=1e-14)
