"""A loop of dependent scalar operations: value and gradient, per operation.

Four operations a turn: a product, a sum, a sine and a quotient, of the last result and three
numbers. The gradient is for the start and for those three.
"""

from __future__ import annotations

import functools
from typing import Any

from benchmarks import handwritten, kinds, peers
from benchmarks.problem import Case, Run, Target

POINT = (0.3, 0.99, 0.4, 1.1)
SIZES = (20, 100, 1000, 10_000)

CASES = [
    Case(f"{size:,} operations", size, "ns", threads=False, data=kinds.Task(size),
         target=Target(9) if size == 1000 else None)
    for size in SIZES
] + [
    Case("gradient over value, 1,000 operations", unit="x", threads=False,
         data=kinds.Task(1000, kinds.VALUE_RATIO)),
    Case("first gradient, 1,000 operations", unit="ms", threads=False, rounds=3,
         data=kinds.Task(1000, kinds.FIRST_CALL)),
]  # fmt: skip


def _loop(sin: Any, turns: int, x: Any, a: Any, b: Any, c: Any) -> Any:
    for _ in range(turns):
        x = sin(x * a + b) / c
    return x


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import numpy as np

    import tapegrad as tg

    def build() -> kinds.Functions:
        def loop(x: Any, a: Any, b: Any, c: Any) -> Any:
            return _loop(np.sin, case.data.size // 4, x, a, b, c)

        value, gradient = compiled(loop), compiled(tg.value_and_grad(loop, (0, 1, 2, 3)))
        return kinds.Functions(lambda: gradient(*POINT), lambda: value(*POINT))

    return kinds.run(case.data, build)


def autograd(case: Case) -> Run | None:
    from autograd import numpy as anp
    from autograd import value_and_grad

    loop = functools.partial(_loop, anp.sin, case.data.size // 4)
    gradient = value_and_grad(lambda point: loop(*point))
    functions = kinds.Functions(lambda: gradient(POINT), lambda: loop(*POINT))
    return kinds.run(case.data, lambda: functions)


def torch(case: Case) -> Run | None:
    import torch

    loop = functools.partial(_loop, torch.sin, case.data.size // 4)
    numbers = [torch.tensor(value, dtype=torch.float64) for value in POINT]

    def gradient() -> Any:
        point = [number.detach().requires_grad_() for number in numbers]
        value = loop(*point)
        return value.item(), torch.autograd.grad(value, point)

    functions = kinds.Functions(gradient, lambda: loop(*numbers))
    return kinds.run(case.data, lambda: functions)


def torch_compile(case: Case) -> Run | None:
    import torch

    if case.data.size > 100 or case.data.kind == kinds.FIRST_CALL:
        return None  # minutes of compiling
    numbers = [torch.tensor(value, dtype=torch.float64) for value in POINT]
    loop = functools.partial(_loop, torch.sin, case.data.size // 4)
    gradient = peers.torch_compile(torch.func.grad_and_value(loop, (0, 1, 2, 3)))
    functions = kinds.Functions(lambda: gradient(*numbers))
    return kinds.run(case.data, lambda: functions, lambda result: (result[1], result[0]))


def jax_jit(case: Case) -> Run | None:
    import jax

    if case.data.size > 1000:
        return None  # compiling takes more than linear time

    def build() -> kinds.Functions:
        jax.clear_caches()
        loop = functools.partial(_loop, jax.numpy.sin, case.data.size // 4)
        value, gradient = jax.jit(loop), jax.jit(jax.value_and_grad(loop, (0, 1, 2, 3)))
        return kinds.Functions(
            lambda: jax.block_until_ready(gradient(*POINT)),
            lambda: jax.block_until_ready(value(*POINT)),
        )

    return kinds.run(case.data, build)


def casadi(case: Case) -> Run | None:
    import casadi

    def build() -> kinds.Functions:
        names = [casadi.SX.sym(name) for name in "xabc"]
        result = _loop(casadi.sin, case.data.size // 4, *names)
        value = casadi.Function("value", names, [result])
        slopes = casadi.gradient(result, casadi.vertcat(*names))
        gradient = casadi.Function("gradient", names, [result, slopes])
        return kinds.Functions(lambda: gradient(*POINT), lambda: value(*POINT))

    return kinds.run(case.data, build)


def xad(case: Case) -> Run | None:
    from xad.adj_1st import Real, Tape
    from xad.math import sin

    if case.data.kind != kinds.GRADIENT:
        return None
    tape = Tape()

    def gradient() -> Any:
        tape.activate()
        tape.clearAll()
        point = [Real(value) for value in POINT]
        for number in point:
            tape.registerInput(number)
        tape.newRecording()
        value = _loop(sin, case.data.size // 4, *point)
        tape.registerOutput(value)
        value.derivative = 1.0
        tape.computeAdjoints()
        result = value.value, [number.derivative for number in point]
        tape.deactivate()
        return result

    return kinds.run(case.data, lambda: kinds.Functions(gradient))


def cpp(case: Case) -> Run | None:
    import numpy as np

    if case.data.kind == kinds.FIRST_CALL:
        return None
    inputs, results = (case.data.size // 4, *POINT), [np.empty(()), np.empty(4)]
    gradient = handwritten.bind("scalar", "gradient", inputs, results)
    value = handwritten.bind("scalar", "value", inputs, results[:1])
    return kinds.run(case.data, lambda: kinds.Functions(gradient, value))
