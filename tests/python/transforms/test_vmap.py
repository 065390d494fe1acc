"""vmap against a loop over the lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))
Y = RNG.normal(size=(5, 3))
M = RNG.normal(size=(5, 3, 3))
A = RNG.normal(size=(3, 3))
FLAT = RNG.normal(size=(5,))

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "sum": (lambda a: np.sin(a).sum(), (X,)),
    "sum axis": (lambda m: np.sum(m, axis=0), (M,)),
    "mean of pairs": (lambda m: np.mean(m, axis=(0, 1), keepdims=True), (M,)),
    "number": (lambda a: np.exp(a) * 2.0, (FLAT,)),
    "sum of a number": (lambda a: np.sum(a) + np.max(a), (FLAT,)),
    "outer broadcast": (lambda a, b: a[:, None] * b, (X, Y)),
    "number by vector": (lambda s, a: s * a, (FLAT, X)),
    "cross and dot": (lambda a, b: np.cross(a, b) * np.dot(a, b), (X, Y)),
    "matrix vector": (lambda m, a: m @ a, (M, X)),
    "vector matrix": (lambda m, a: a @ m @ A, (M, X)),
    "captured matrix": (lambda a: A @ a + np.max(a), (X,)),
    "solve vector": (np.linalg.solve, (M, X)),
    "solve matrix": (lambda m: np.linalg.solve(m, A), (M,)),
    "solve captured": (lambda a: np.linalg.solve(A, a), (X,)),
    "inv and cholesky": (
        lambda m: np.linalg.inv(m) + np.linalg.cholesky(m @ m.T + np.eye(3)),
        (M,),
    ),
    "det": (np.linalg.det, (M,)),
    "slogdet": (lambda m: np.linalg.slogdet(m)[1], (M,)),
    "concatenate": (lambda a: np.concatenate([a, a[::-1] * 2]), (X,)),
    "concatenate with a captured": (lambda a: np.concatenate([A, a[None]]), (X,)),
    "stack": (lambda a: np.stack([a, a**2], axis=1).T, (X,)),
    "einsum": (lambda m: np.einsum("ij,jk->ik", m, A), (M,)),
    "einsum trace": (lambda m: np.einsum("ii", m), (M,)),
    "cumsum": (lambda a: np.cumsum(a)[1:], (X,)),
    "cumsum axis": (lambda m: np.cumsum(m, axis=0), (M,)),
    "cumprod": (lambda m: np.cumprod(m, axis=1), (M,)),
    "reshape": (lambda m: m.reshape(9)[::2], (M,)),
    "integer array": (lambda a: a[[2, 0]], (X,)),
    "integer arrays": (lambda m: m[[2, 0], [1, 1]], (M,)),
    "where": (lambda a: np.where(a > 0, a, -2 * a), (X,)),
    "transpose and trace": (lambda m: np.transpose(m) + np.trace(m), (M,)),
    "swapaxes": (lambda m: np.swapaxes(m, 0, 1) * m, (M,)),
    "norm": (np.linalg.norm, (X,)),
    "std": (lambda m: np.std(m, axis=0), (M,)),
    "logsumexp": (lambda m: np.logaddexp(m[0], m[1]), (M,)),
    "outer": (lambda a: np.outer(a, a), (X,)),
    "pad": (lambda m: np.pad(m, 1).sum(axis=1, keepdims=True), (M,)),
    "triangles": (lambda m: np.tril(m) @ np.triu(m), (M,)),
    "roll and flip": (lambda a: np.roll(a, 1) + np.flip(a), (X,)),
    "roll of all": (lambda m: np.roll(m, 2), (M,)),
    "broadcast_to": (lambda a: np.broadcast_to(a[:, None], (3, 4)), (X,)),
    "tensordot": (lambda a: np.tensordot(a, A, 1), (X,)),
    "prod": (np.prod, (X,)),
    "min of max": (lambda m: np.min(np.max(m, axis=0)), (M,)),
    "kron": (lambda m: np.kron(m, A), (M,)),
    "repeat and tile": (lambda a: np.repeat(a, 2) * np.tile(a, 2), (X,)),
    "squeeze": (lambda m: np.squeeze(m[:1]), (M,)),
    "split": (lambda a: np.split(a, [1])[1], (X,)),
    "diagonal": (lambda m: np.diagonal(m, 1), (M,)),
}


def each_lane(f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return np.stack([f(*[a[i] for a in args]) for i in range(5)])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_those_of_a_loop(name: str) -> None:
    f, args = FUNCTIONS[name]
    found = tg.vmap(f)(*args)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, each_lane(f, args), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_inside_and_outside(name: str) -> None:
    f, args = FUNCTIONS[name]
    inside = tg.vmap(tg.jacobian(f))(*args)
    np.testing.assert_allclose(inside, each_lane(tg.jacobian(f), args), rtol=1e-10, atol=1e-10)
    outside = tg.grad(lambda *a: np.sum(np.sin(tg.vmap(f)(*a))))(*args)
    loop = tg.grad(lambda *a: np.sum(np.sin(each_lane(f, a))))(*args)
    np.testing.assert_allclose(outside, loop, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_programs_of_lanes(name: str) -> None:
    f, args = FUNCTIONS[name]
    compiled = tg.compile(tg.vmap(tg.value_and_grad(lambda *a: np.sum(np.sin(f(*a))))))
    plain = tg.vmap(tg.value_and_grad(lambda *a: np.sum(np.sin(f(*a)))))(*args)
    for _ in range(4):
        value, slope = compiled(*args)
        np.testing.assert_allclose(value, plain[0], rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(slope, plain[1], rtol=1e-10, atol=1e-10)


def test_axes() -> None:
    f = tg.vmap(lambda a, b: a * b, in_axes=(1, None), out_axes=1)
    np.testing.assert_array_equal(f(X, 2.0), X * 2)
    np.testing.assert_array_equal(tg.vmap(lambda a: a + 1, in_axes=-1)(X), X.T + 1)
    point = {"w": X, "b": FLAT}
    g = tg.vmap(lambda p: {"y": p["w"] * p["b"], "one": 1.0}, in_axes=({"w": 0, "b": 0},))
    found = g(point)
    np.testing.assert_array_equal(found["y"], X * FLAT[:, None])
    np.testing.assert_array_equal(found["one"], np.ones(5))


def test_nested_and_empty() -> None:
    np.testing.assert_array_equal(tg.vmap(tg.vmap(lambda a: a * a))(M), M * M)
    assert tg.vmap(lambda a: np.sum(a * 2))(np.zeros((0, 3))).shape == (0,)
    assert tg.vmap(lambda a: a @ A)(np.zeros((0, 3))).shape == (0, 3)


def test_outer_variables_are_differentiated() -> None:
    w = tg.Variable(2.0)
    y = tg.vmap(lambda a: np.sum(a * w))(X)
    assert isinstance(y, tg.Variable)
    np.sum(y).backward()
    assert w.grad == pytest.approx(X.sum())
    slope = tg.grad(lambda s: np.sum(tg.vmap(lambda a: a * s * s)(X)))(3.0)
    assert slope == pytest.approx(6 * X.sum())
    nested = tg.grad(lambda s: np.sum(tg.vmap(tg.grad(lambda a: s * a**3))(FLAT)))(2.0)
    assert nested == pytest.approx(3 * np.sum(FLAT**2))


@pytest.mark.parametrize("key", [slice(None), [2, 0, 1], ..., slice(None, None, -1)])
def test_an_assignment_drops_leading_axes_in_every_lane(key: Any) -> None:
    def f(x: Any, u: Any) -> Any:
        z = x + 0.0 * u
        z[key] = (u * u)[None, None]
        return z * x

    x, u = np.ones((4, 3)), np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(tg.vmap(f)(x, u), [f(a, b) for a, b in zip(x, u, strict=True)])
    gradient = tg.grad(lambda x, u: np.sum(f(x, u)), argnum=1)
    expected = [gradient(a, b) for a, b in zip(x, u, strict=True)]
    np.testing.assert_array_equal(tg.vmap(gradient)(x, u), expected)
    np.testing.assert_array_equal(expected, 2 * u)


def test_lanes_that_disagree_on_a_branch() -> None:
    with pytest.raises(ValueError, match=r"different branches .*np\.where"):
        tg.vmap(lambda a: a[0] if a[0] > 0 else a[1])(X)
    same = tg.vmap(lambda a: a[0] if np.sum(a * a) > 0 else a[1])(X)
    np.testing.assert_array_equal(same, X[:, 0])


def test_lanes_whose_derivative_is_recorded_otherwise() -> None:
    """That of a determinant: what is recorded for a regular matrix divides by it."""
    regular, singular = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [2.0, 4.0]])
    for lanes in (np.stack([regular, singular, 0 * regular]), np.stack([singular, regular])):
        for f in (tg.grad(np.linalg.det), tg.hessian(np.linalg.det)):
            expected = np.stack([f(a) for a in lanes])
            np.testing.assert_allclose(tg.vmap(f)(lanes), expected, atol=1e-14)
            compiled = tg.compile(tg.vmap(f))
            for _ in range(3):
                np.testing.assert_allclose(compiled(lanes), expected, atol=1e-14)
        outer = tg.grad(lambda x: np.sum(tg.vmap(tg.grad(np.linalg.det))(x) ** 2))(lanes)
        one = tg.grad(lambda a: np.sum(tg.grad(np.linalg.det)(a) ** 2))
        np.testing.assert_allclose(outer, np.stack([one(a) for a in lanes]), atol=1e-13)
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            tg.vmap(np.linalg.inv)(lanes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tg.vmap(lambda a, b: a)(X, M[:2]), "argument 1 has 2 lanes"),
        (lambda: tg.vmap(lambda a: a)(3.0), "no axis 0"),
        (lambda: tg.vmap(lambda a: a, in_axes=5)(X), "no axis 5"),
        (lambda: tg.vmap(lambda a, b: a, in_axes=(0,))(X, X), "in_axes has 1 entries"),
        (lambda: tg.vmap(lambda a: a, in_axes=None)(X), "no argument has lanes"),
        (lambda: tg.vmap(lambda a: a, out_axes=None)(X), "out_axes is None"),
        (lambda: tg.vmap(lambda a: "text")(X), "return numbers and arrays"),
    ],
)
def test_refusals(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call()


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(0, 6),
    shape=st.lists(st.integers(1, 3), max_size=2),
    axis=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
def test_any_shape_and_axis(n: int, shape: list[int], axis: int, seed: int) -> None:
    axis = min(axis, len(shape))
    x = np.random.default_rng(seed).normal(size=(*shape[:axis], n, *shape[axis:]))

    def f(a: Any) -> Any:
        return np.tanh(a) * np.sum(a * a) + 1.0

    found = tg.vmap(f, in_axes=axis, out_axes=axis)(x)
    assert found.shape == x.shape
    lanes = np.moveaxis(x, axis, 0)
    if n:
        expected = np.moveaxis(np.stack([f(lane) for lane in lanes]), 0, axis)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
