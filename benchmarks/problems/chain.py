"""An elementwise expression over a long array, summed: its value and gradient."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import handwritten, kinds, peers
from benchmarks.problem import Case, Run, Target

SIZES = {"10 elements": 10, "1000 elements": 1000, "100,000 elements": 100_000,
         "10 million elements": 10_000_000}  # fmt: skip
LONGEST = "10 million elements"

CASES = [
    Case(name, unit="ms" if size > 1000 else "us", same_bits=True, big=size > 1_000_000,
         rounds=5 if size > 1_000_000 else None,
         target=Target(45, speedup=1.8) if name == LONGEST else None, data=kinds.Task(size))
    for name, size in SIZES.items()
] + [
    Case("gradient over value, 100,000 elements", unit="x", threads=False,
         data=kinds.Task(100_000, kinds.VALUE_RATIO)),
]  # fmt: skip


@functools.cache
def _data(size: int) -> Any:
    return np.random.default_rng(0).normal(size=size)


def _sum(np: Any, x: Any) -> Any:
    return np.sum(np.sin(x) * np.exp(-(x**2)) + np.log1p(x**2) * np.tanh(x))


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    x = _data(case.data.size)

    def build() -> kinds.Functions:
        def f(x: Any) -> Any:
            return _sum(np, x)

        value, gradient = compiled(f), compiled(tg.value_and_grad(f))
        return kinds.Functions(lambda: gradient(x), lambda: value(x))

    return kinds.run(case.data, build, lambda result: result[1])


def autograd(case: Case) -> Run | None:
    from autograd import numpy as anp
    from autograd import value_and_grad

    x = _data(case.data.size)
    value = functools.partial(_sum, anp)
    gradient = value_and_grad(value)
    functions = kinds.Functions(lambda: gradient(x), lambda: value(x))
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def torch(case: Case) -> Run | None:
    import torch

    x = torch.from_numpy(_data(case.data.size))

    def gradient() -> Any:
        leaf = x.detach().requires_grad_()
        value = _sum(torch, leaf)
        value.backward()
        return value, leaf.grad

    functions = kinds.Functions(gradient, lambda: _sum(torch, x))
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def torch_compile(case: Case) -> Run | None:
    import torch

    x = torch.from_numpy(_data(case.data.size))
    f = functools.partial(_sum, torch)
    gradient, value = peers.torch_compile(torch.func.grad_and_value(f)), peers.torch_compile(f)
    functions = kinds.Functions(lambda: gradient(x), lambda: value(x))
    return kinds.run(case.data, lambda: functions, lambda result: result[0])


def jax_jit(case: Case) -> Run | None:
    import jax

    x = jax.numpy.asarray(_data(case.data.size))
    f = functools.partial(_sum, jax.numpy)
    gradient, value = jax.jit(jax.value_and_grad(f)), jax.jit(f)
    functions = kinds.Functions(
        lambda: jax.block_until_ready(gradient(x)), lambda: jax.block_until_ready(value(x))
    )
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def casadi(case: Case) -> Run | None:
    import casadi

    if case.big:
        return None  # an operation at a time over buffers that do not fit anywhere
    x = casadi.MX.sym("x", case.data.size)
    f = casadi.sum1(casadi.sin(x) * casadi.exp(-(x**2)) + casadi.log1p(x**2) * casadi.tanh(x))
    value = casadi.Function("value", [x], [f])
    gradient = casadi.Function("gradient", [x], [f, casadi.gradient(f, x)])
    at = casadi.DM(_data(case.data.size))
    functions = kinds.Functions(lambda: gradient(at), lambda: value(at))
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def numpy(case: Case) -> Run | None:
    """The derivative by hand; an array operation at a time."""
    x = _data(case.data.size)

    def both() -> Any:
        square = x * x
        sine, bell, logarithm, tangent = np.sin(x), np.exp(-square), np.log1p(square), np.tanh(x)
        value = np.sum(sine * bell + logarithm * tangent)
        gradient = (np.cos(x) - 2 * x * sine) * bell
        gradient += 2 * x / (1 + square) * tangent + logarithm * (1 - tangent * tangent)
        return value, gradient

    functions = kinds.Functions(both, lambda: _sum(np, x))
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def cpp(case: Case) -> Run | None:
    x = _data(case.data.size)
    results = [np.empty(()), np.empty_like(x)]
    gradient = handwritten.bind("chain", "gradient", (x.size, x), results)
    value = handwritten.bind("chain", "value", (x.size, x), results[:1])
    functions = kinds.Functions(gradient, value)
    return kinds.run(case.data, lambda: functions, lambda result: result[1])
