"""Recording Python-level scalars: a chain of 300 operations, forward, and forward and reverse."""

from __future__ import annotations

import math
from typing import Any

from benchmarks.problem import Case, Run, Target

OPERATIONS = 300
X, A, B = 0.3, 0.99, 0.4


def _affine(x: Any, a: Any, b: Any, sin: Any) -> Any:
    for _ in range(OPERATIONS // 2):
        x = x * a + b
    return x


def _sine(x: Any, a: Any, b: Any, sin: Any) -> Any:
    for _ in range(OPERATIONS):
        x = sin(x)
    return x


def _mixed(x: Any, a: Any, b: Any, sin: Any) -> Any:
    for _ in range(OPERATIONS // 3):
        x = sin(x * a + b)
    return x


CASES = [
    Case("sin(x*a + b), forward", OPERATIONS, target=Target(80), data=(_mixed, False)),
    Case("sin(x*a + b), both", OPERATIONS, target=Target(200), data=(_mixed, True)),
    Case("x*a + b, forward", OPERATIONS, data=(_affine, False)),
    Case("x*a + b, both", OPERATIONS, data=(_affine, True)),
    Case("sin(x), forward", OPERATIONS, data=(_sine, False)),
    Case("sin(x), both", OPERATIONS, data=(_sine, True)),
]


def tapegrad(case: Case) -> Run:
    import numpy as np

    import tapegrad as tg

    chain, reverse = case.data

    def both() -> Any:
        x, a, b = tg.Variable(X), tg.Variable(A), tg.Variable(B)
        chain(x, a, b, np.sin).backward()
        return x.grad, a.grad, b.grad

    if reverse:
        return Run(both, value=_zero_for_none)
    x, a, b = tg.Variable(X), tg.Variable(A), tg.Variable(B)
    return Run(lambda: chain(x, a, b, np.sin), value=lambda y: y.value)


def autograd(case: Case) -> Run:
    from autograd import make_vjp
    from autograd import numpy as np

    chain, reverse = case.data
    record = make_vjp(lambda point: chain(point[0], point[1], point[2], np.sin))
    if reverse:
        return Run(lambda: record((X, A, B))[0](1.0))
    return Run(lambda: record((X, A, B))[1])


def torch(case: Case) -> Run:
    import torch

    chain, reverse = case.data

    def leaves() -> list[Any]:
        return [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (X, A, B)]

    def both() -> Any:
        x, a, b = leaves()
        chain(x, a, b, torch.sin).backward()
        return x.grad, a.grad, b.grad

    if reverse:
        return Run(both, value=_zero_for_none)
    point = leaves()
    return Run(lambda: chain(*point, torch.sin), value=lambda y: y.item())


def jax(case: Case) -> Run:
    import jax
    from jax import numpy as np

    chain, reverse = case.data

    def record() -> Any:
        return jax.vjp(lambda *point: chain(*point, np.sin), X, A, B)

    if reverse:
        return Run(lambda: jax.block_until_ready(record()[1](1.0)))
    return Run(lambda: jax.block_until_ready(record()[0]))


def casadi(case: Case) -> Run:
    import casadi

    chain, reverse = case.data
    names = [casadi.SX.sym(name) for name in "xab"]

    def forward() -> Any:
        return chain(*names, casadi.sin)

    def both() -> Any:
        y = forward()
        return casadi.Function("g", names, [casadi.gradient(y, casadi.vertcat(*names))])(X, A, B)

    if reverse:
        return Run(both)
    return Run(forward, value=lambda y: casadi.Function("f", names, [y])(X, A, B))


def xad(case: Case) -> Run:
    from xad.adj_1st import Real, Tape
    from xad.math import sin

    chain, reverse = case.data
    tape = Tape()

    def call() -> Any:
        tape.activate()
        tape.clearAll()
        point = [Real(v) for v in (X, A, B)]
        for v in point:
            tape.registerInput(v)
        tape.newRecording()
        y = chain(*point, sin)
        if reverse:
            tape.registerOutput(y)
            y.derivative = 1.0
            tape.computeAdjoints()
        result = [v.derivative for v in point] if reverse else y.value
        tape.deactivate()
        return result

    return Run(call)


def numpy(case: Case) -> Run | None:
    """What the loop costs without derivatives, on Python floats."""
    chain, reverse = case.data
    return None if reverse else Run(lambda: chain(X, A, B, math.sin))


def _zero_for_none(gradients: Any) -> Any:
    return [0.0 if gradient is None else float(gradient) for gradient in gradients]
