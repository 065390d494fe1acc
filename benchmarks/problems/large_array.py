"""One operation on arrays of 10 million elements, recorded and dropped, against NumPy's call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.problem import Case, Run, Target

SIZE = 10_000_000
NAMES = ("add", "multiply", "divide", "sin", "exp", "tanh", "log", "sqrt", "sum")
BINARY = {"add", "multiply", "divide"}

CASES = [
    Case(name, 1, "ms", same_bits=True, target=Target(1.0, times="numpy", speedup=1.8), data=name)
    for name in NAMES
]


@functools.cache
def _data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.uniform(0.1, 3.0, SIZE), rng.uniform(0.5, 2.0, SIZE)


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    x, c = tg.Variable(_data()[0]), _data()[1]
    function = getattr(np, case.data)
    if case.data in BINARY:
        return Run(lambda: function(x, c), value=lambda y: y.value)
    return Run(lambda: function(x), value=lambda y: y.value)


def numpy(case: Case) -> Run:
    x, c = _data()
    function = getattr(np, case.data)
    return Run(lambda: function(x, c)) if case.data in BINARY else Run(lambda: function(x))


def torch(case: Case) -> Run:
    import torch

    x, c = (torch.from_numpy(array) for array in _data())
    x.requires_grad_()
    function = getattr(torch, case.data)
    if case.data in BINARY:
        return Run(lambda: function(x, c), value=lambda y: y.detach().numpy())
    return Run(lambda: function(x), value=lambda y: y.detach().numpy())


def jax(case: Case) -> Run:
    import jax

    x, c = (jax.numpy.asarray(array) for array in _data())
    function = getattr(jax.numpy, case.data)
    if case.data in BINARY:
        return Run(lambda: function(x, c).block_until_ready())
    return Run(lambda: function(x).block_until_ready())
