"""64 independent branches, each too small to split: parallel over the nodes of a level.

Compiled, elementwise branches become one kernel; branches of small matrix products stay steps, of
which those of a level run at the same time.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np

from benchmarks.problem import Case, Run, Target

BRANCHES, SIZE, LINKS = 64, 2_000, 20
SIDE, PRODUCTS = 40, 6

ALONE, BOTH = "reverse sweep alone", "record and reverse"
COMPILED, MATRICES = "compiled", "compiled, products"
CASES = [
    Case(ALONE, unit="ms", same_bits=True, target=Target(speedup=1.6)),
    Case(BOTH, unit="ms", same_bits=True),
    Case(COMPILED, unit="ms", same_bits=True),
    Case(MATRICES, unit="ms", same_bits=True),
]


@functools.cache
def _data() -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1.0, 1.0, SIZE) for _ in range(BRANCHES)]


def _loss(leaves: Any, np: Any) -> Any:
    total = 0.0
    for y in leaves:
        for _ in range(LINKS):
            y = np.sin(y * 1.25) + y
        total = total + np.sum(y)
    return total


@functools.cache
def _matrices() -> list[Any]:
    rng = np.random.default_rng(1)
    return [rng.uniform(-1.0, 1.0, (2, SIDE, SIDE)) for _ in range(BRANCHES)]


def _loss_of_products(pairs: Any, np: Any) -> Any:
    total = 0.0
    for pair in pairs:
        a, y = pair[0], pair[1]
        for _ in range(PRODUCTS):
            y = np.tanh(a @ y) * 0.25
        total = total + np.sum(y)
    return total


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    if case.name in (COMPILED, MATRICES):
        loss, data = (_loss, _data()) if case.name == COMPILED else (_loss_of_products, _matrices())
        gradient = tg.compile(tg.grad(lambda x: loss(x, np)))
        return Run(lambda: gradient(data))

    def call() -> Any:
        leaves = [tg.Variable(x) for x in _data()]
        loss = _loss(leaves, np)
        begin = time.perf_counter()
        loss.backward()
        return 1e3 * (time.perf_counter() - begin), [leaf.grad for leaf in leaves]

    return _run(case, call)


def autograd(case: Case) -> Run:
    from autograd import make_vjp
    from autograd import numpy as anp

    if case.name == MATRICES:
        return Run(lambda: make_vjp(lambda x: _loss_of_products(x, anp))(_matrices())[0](1.0))

    def call() -> Any:
        pullback, _ = make_vjp(lambda leaves: _loss(leaves, anp))(_data())
        begin = time.perf_counter()
        gradient = pullback(1.0)
        return 1e3 * (time.perf_counter() - begin), gradient

    return _run(case, call)


def torch(case: Case) -> Run:
    import torch

    data, build = (_matrices(), _loss_of_products) if case.name == MATRICES else (_data(), _loss)

    def call() -> Any:
        leaves = [torch.from_numpy(x).requires_grad_() for x in data]
        loss = build(leaves, torch)
        begin = time.perf_counter()
        loss.backward()
        return 1e3 * (time.perf_counter() - begin), [leaf.grad for leaf in leaves]

    return _run(case, call)


def jax(case: Case) -> Run:
    import jax

    if case.name in (COMPILED, MATRICES):
        build, arrays = (
            (_loss, _data()) if case.name == COMPILED else (_loss_of_products, _matrices())
        )
        compiled = jax.jit(jax.grad(lambda x: build(x, jax.numpy)))
        given = [jax.numpy.asarray(x) for x in arrays]
        return Run(lambda: jax.block_until_ready(compiled(given)))
    data = [jax.numpy.asarray(x) for x in _data()]

    def call() -> Any:
        value, pullback = jax.vjp(lambda leaves: _loss(leaves, jax.numpy), data)
        value.block_until_ready()
        begin = time.perf_counter()
        gradient = jax.block_until_ready(pullback(1.0)[0])
        return 1e3 * (time.perf_counter() - begin), gradient

    return _run(case, call)


def _run(case: Case, call: Any) -> Run:
    if case.name == ALONE:
        return Run(call, measures=True)
    return Run(lambda: call()[1])
