"""Small programs that go through the library's parts; faults are injected into each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapegrad as tg

X = np.linspace(0.5, 1.5, 6)
A = np.arange(36.0).reshape(6, 6) / 36 + np.eye(6)


def energy(v: Any) -> Any:
    y = np.sin(v) * v + A @ v
    y[2] = y[1] * y[0]
    y = np.concatenate([y[::2], np.sort(y)])
    return np.sum(y**2) / np.linalg.norm(y)


def gradient() -> Any:
    return tg.grad(energy)(X)


def hessian() -> Any:
    return tg.hessian(energy)(X)


def jacobian() -> Any:
    return tg.jacobian(lambda v: np.tanh(A @ v))(X)


def nested() -> Any:
    return tg.grad(lambda v: np.sum(tg.grad(energy)(v) ** 2))(X)


def mapped() -> Any:
    return tg.vmap(tg.grad(lambda v: np.sum(np.exp(v) * v)))(A)


def looped() -> Any:
    return tg.grad(lambda v: tg.scan(lambda c, y: (np.tanh(c @ v + y), c), v, A)[0][0])(X)


def saved() -> Any:
    return tg.grad(lambda v: np.sum(tg.checkpoint(np.sin)(v) ** 2))(X)


def solved() -> Any:
    return tg.grad(lambda v: np.sum(np.linalg.solve(A, v) ** 2) + np.linalg.slogdet(A * v)[1])(X)


def compiled() -> Any:
    f = tg.compile(tg.value_and_grad(energy))
    return [f(X + k) for k in range(4)]


def trained() -> Any:
    w = tg.Variable(np.ones(6))
    optimizer = tg.SGD([w], 0.01)
    for _ in range(3):
        np.sum((A @ w - X) ** 2).backward()
        optimizer.step()
        optimizer.zero_grad()
    with tg.no_grad():
        return tg.value(w * 1.0)


PROGRAMS: list[Callable[[], Any]] = [
    gradient, hessian, jacobian, nested, mapped, looped, saved, solved, compiled, trained,
]  # fmt: skip


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(np.array_equal(a, b))
