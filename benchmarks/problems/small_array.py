"""One operation on arrays of 4 elements, recorded and dropped, against NumPy's own call."""

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


def _case(name: str, loop: Callable[..., Any]) -> Case:
    return Case(name, CALLS, target=Target(100, beyond="numpy"), threads=False, data=loop)


CASES = [
    _case("x + c", _add),
    _case("x + x", _add_self),
    _case("x * c", _mul),
    _case("x * x", _mul_self),
    _case("x * 2.5", _mul_number),
    _case("sin(x)", _sin),
    _case("sum(x)", _sum),
]


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    x = tg.Variable(X)
    return Run(lambda: case.data(x, C, np.sin, np.sum), value=lambda y: y.value)


def numpy(case: Case) -> Run:
    return Run(lambda: case.data(X, C, np.sin, np.sum))


def autograd(case: Case) -> Run:
    from autograd import make_vjp
    from autograd import numpy as anp

    # Recording happens while the function is traced: the whole loop is.
    record = make_vjp(lambda x: case.data(x, C, anp.sin, anp.sum))
    return Run(lambda: record(X)[1])


def torch(case: Case) -> Run:
    import torch

    x, c = torch.tensor(X, requires_grad=True), torch.tensor(C)
    return Run(lambda: case.data(x, c, torch.sin, torch.sum), value=lambda y: y.detach().numpy())


def jax(case: Case) -> Run:
    import jax

    c = jax.numpy.asarray(C)

    def call() -> Any:
        value, _ = jax.vjp(lambda x: case.data(x, c, jax.numpy.sin, jax.numpy.sum), X)
        return jax.block_until_ready(value)

    return Run(call)
