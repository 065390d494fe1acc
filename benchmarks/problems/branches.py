"""64 independent branches, each too small to split: parallel over the nodes of a level."""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np

from benchmarks.problem import Case, Run, Target

BRANCHES, SIZE, LINKS = 64, 2_000, 20

ALONE, BOTH = "reverse sweep alone", "record and reverse"
CASES = [
    Case(ALONE, unit="ms", same_bits=True, target=Target(speedup=1.6)),
    Case(BOTH, unit="ms", same_bits=True),
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


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

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

    def call() -> Any:
        pullback, _ = make_vjp(lambda leaves: _loss(leaves, anp))(_data())
        begin = time.perf_counter()
        gradient = pullback(1.0)
        return 1e3 * (time.perf_counter() - begin), gradient

    return _run(case, call)


def torch(case: Case) -> Run:
    import torch

    def call() -> Any:
        leaves = [torch.from_numpy(x).requires_grad_() for x in _data()]
        loss = _loss(leaves, torch)
        begin = time.perf_counter()
        loss.backward()
        return 1e3 * (time.perf_counter() - begin), [leaf.grad for leaf in leaves]

    return _run(case, call)


def jax(case: Case) -> Run:
    import jax

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
