"""The reverse sweep over a chain of operations on large arrays: parallel over elements."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np

from benchmarks.problem import Case, Run, Target

SIZE, LINKS = 1_000_000, 8

ALONE, BOTH = "reverse sweep alone", "record and reverse"
CASES = [
    Case(ALONE, unit="ms", same_bits=True, target=Target(speedup=1.8)),
    Case(BOTH, unit="ms", same_bits=True),
]


@functools.cache
def _data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.uniform(-1.0, 1.0, SIZE), rng.uniform(0.5, 1.5, SIZE)


def _loss(x: Any, c: Any, np: Any) -> Any:
    y = x
    for _ in range(LINKS):
        y = np.sin(y * c) + np.exp(-y * y) * x
    return np.sum(y)


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    x, c = _data()

    def call() -> Any:
        leaf = tg.Variable(x)
        loss = _loss(leaf, c, np)
        begin = time.perf_counter()
        loss.backward()
        return 1e3 * (time.perf_counter() - begin), leaf.grad

    return _run(case, call)


def autograd(case: Case) -> Run:
    from autograd import make_vjp
    from autograd import numpy as anp

    x, c = _data()

    def call() -> Any:
        pullback, _ = make_vjp(lambda leaf: _loss(leaf, c, anp))(x)
        begin = time.perf_counter()
        gradient = pullback(1.0)
        return 1e3 * (time.perf_counter() - begin), gradient

    return _run(case, call)


def torch(case: Case) -> Run:
    import torch

    x, c = (torch.from_numpy(array) for array in _data())

    def call() -> Any:
        leaf = x.detach().requires_grad_()
        loss = _loss(leaf, c, torch)
        begin = time.perf_counter()
        loss.backward()
        return 1e3 * (time.perf_counter() - begin), leaf.grad

    return _run(case, call)


def jax(case: Case) -> Run:
    import jax

    x, c = (jax.numpy.asarray(array) for array in _data())

    def call() -> Any:
        value, pullback = jax.vjp(lambda leaf: _loss(leaf, c, jax.numpy), x)
        value.block_until_ready()
        begin = time.perf_counter()
        gradient = pullback(1.0)[0].block_until_ready()
        return 1e3 * (time.perf_counter() - begin), gradient

    return _run(case, call)


def _run(case: Case, call: Any) -> Run:
    if case.name == ALONE:
        return Run(call, measures=True)
    return Run(lambda: call()[1])
