"""One operation on arrays of 4 elements, recorded and dropped, against NumPy's own call.

The first cases are those that the other libraries are asked too; `KINDS` has one call of each kind
that NumPy has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.problem import Case, Run, Target

CALLS = 200
X = np.array([0.1, 0.2, -0.3, 0.4])
C = np.array([1.5, -2.0, 0.5, 3.0])


def _add(x: Any, c: Any, sin: Any, total: Any) -> Any:
    for _ in range(CALLS):
        result = x + c
    return result


def _add_self(x: Any, c: Any, sin: Any, total: Any) -> Any:
    for _ in range(CALLS):
        result = x + x
    return result


def _mul(x: Any, c: Any, sin: Any, total: Any) -> Any:
    for _ in range(CALLS):
        result = x * c
    return result


def _mul_self(x: Any, c: Any, sin: Any, total: Any) -> Any:
    for _ in range(CALLS):
        result = x * x
    return result


def _mul_number(x: Any, c: Any, sin: Any, total: Any) -> Any:
    for _ in range(CALLS):
        result = x * 2.5
    return result


def _sin(x: Any, c: Any, sin: Any, total: Any) -> Any:
    for _ in range(CALLS):
        result = sin(x)
    return result


def _sum(x: Any, c: Any, sin: Any, total: Any) -> Any:
    for _ in range(CALLS):
        result = total(x)
    return result


MATRIX = np.array([[2.0, 0.3], [0.4, 1.5]])
PLACES, MASK = np.array([2, 0, 1]), np.array([True, False, True, False])

# Of an array v of 4 elements, a matrix m, and a plain array c like v.
KINDS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "v[2]": lambda v, m, c: v[2],
    "v[1:3]": lambda v, m, c: v[1:3],
    "v[..., 0]": lambda v, m, c: v[..., 0],
    "v[places]": lambda v, m, c: v[PLACES],
    "v[mask]": lambda v, m, c: v[MASK],
    "m.T": lambda v, m, c: m.T,
    "v.reshape(2, 2)": lambda v, m, c: v.reshape(2, 2),
    "np.ravel(m)": lambda v, m, c: np.ravel(m),
    "c * v": lambda v, m, c: c * v,
    "np.add(v, c)": lambda v, m, c: np.add(v, c),
    "np.maximum(v, 0.1)": lambda v, m, c: np.maximum(v, 0.1),
    "v > c": lambda v, m, c: v > c,
    "c > v": lambda v, m, c: c > v,
    "np.isfinite(v)": lambda v, m, c: np.isfinite(v),
    "v.sum()": lambda v, m, c: v.sum(),
    "np.mean(m, axis=0)": lambda v, m, c: np.mean(m, axis=0),
    "np.std(v)": lambda v, m, c: np.std(v),
    "np.argmax(v)": lambda v, m, c: np.argmax(v),
    "np.cumsum(v)": lambda v, m, c: np.cumsum(v),
    "np.add.reduce(v)": lambda v, m, c: np.add.reduce(v),
    "np.sort(v)": lambda v, m, c: np.sort(v),
    "np.diff(v)": lambda v, m, c: np.diff(v),
    "np.roll(v, 1)": lambda v, m, c: np.roll(v, 1),
    "np.clip(v, 0.0, 0.3)": lambda v, m, c: np.clip(v, 0.0, 0.3),
    "np.where(mask, v, c)": lambda v, m, c: np.where(MASK, v, c),
    "np.concatenate([v, c])": lambda v, m, c: np.concatenate([v, c]),
    "np.stack([v, v])": lambda v, m, c: np.stack([v, v]),
    "np.hstack([v, c])": lambda v, m, c: np.hstack([v, c]),
    "np.outer(v, c)": lambda v, m, c: np.outer(v, c),
    "np.cross(v[:3], c[:3])": lambda v, m, c: np.cross(v[:3], c[:3]),
    "np.einsum('i,i->', v, c)": lambda v, m, c: np.einsum("i,i->", v, c),
    "np.dot(v, c)": lambda v, m, c: np.dot(v, c),
    "m @ m": lambda v, m, c: m @ m,
    "np.linalg.norm(v)": lambda v, m, c: np.linalg.norm(v),
    "np.linalg.solve(m, v[:2])": lambda v, m, c: np.linalg.solve(m, v[:2]),
    "np.linalg.inv(m)": lambda v, m, c: np.linalg.inv(m),
    "np.linalg.eigvalsh(m)": lambda v, m, c: np.linalg.eigvalsh(m),
}


def _kind(call: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    def loop(x: Any, c: Any, matrix: Any) -> Any:
        for _ in range(CALLS):
            result = call(x, matrix, c)
        return result

    return loop


def _case(name: str, loop: Callable[..., Any], excess: float = 100) -> Case:
    return Case(name, CALLS, target=Target(excess, beyond="numpy"), threads=False, data=loop)


CASES = [
    _case("x + c", _add),
    _case("x + x", _add_self),
    _case("x * c", _mul),
    _case("x * x", _mul_self),
    _case("x * 2.5", _mul_number),
    _case("sin(x)", _sin),
    _case("sum(x)", _sum),
    *(_case(name, _kind(call), 150) for name, call in KINDS.items()),
]


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    x = tg.Variable(X)
    if case.name in KINDS:
        matrix = tg.Variable(MATRIX)
        return Run(lambda: case.data(x, C, matrix), value=tg.value)
    return Run(lambda: case.data(x, C, np.sin, np.sum), value=lambda y: y.value)


def numpy(case: Case) -> Run:
    if case.name in KINDS:
        return Run(lambda: case.data(X, C, MATRIX))
    return Run(lambda: case.data(X, C, np.sin, np.sum))


def autograd(case: Case) -> Run | None:
    if case.name in KINDS:
        return None
    from autograd import make_vjp
    from autograd import numpy as anp

    # Recording happens while the function is traced: the whole loop is.
    record = make_vjp(lambda x: case.data(x, C, anp.sin, anp.sum))
    return Run(lambda: record(X)[1])


def torch(case: Case) -> Run | None:
    if case.name in KINDS:
        return None
    import torch

    x, c = torch.tensor(X, requires_grad=True), torch.tensor(C)
    return Run(lambda: case.data(x, c, torch.sin, torch.sum), value=lambda y: y.detach().numpy())


def jax(case: Case) -> Run | None:
    if case.name in KINDS:
        return None
    import jax

    c = jax.numpy.asarray(C)

    def call() -> Any:
        value, _ = jax.vjp(lambda x: case.data(x, c, jax.numpy.sin, jax.numpy.sum), X)
        return jax.block_until_ready(value)

    return Run(call)
