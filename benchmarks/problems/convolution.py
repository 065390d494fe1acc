"""np.convolve of a signal with a kernel, squared and summed: the value, and value and gradient."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import kinds
from benchmarks.problem import Case, Run, Target

LIMIT = Target(1.2, times="jax_jit")
SIZES = [(1000, 5), (100_000, 9), (1000, 50), (10_000, 100), (2000, 1000)]

CASES = [
    Case(f"{n} by {m}: {kind}", unit="us", same_bits=True, target=LIMIT, threads=False,
         data=kinds.Task((n, m), kind))
    for n, m in SIZES for kind in (kinds.VALUE, kinds.GRADIENT)
]  # fmt: skip


@functools.cache
def _data(size: tuple[int, int]) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=size[0]), rng.normal(size=size[1])


def _sum(np: Any, x: Any, k: Any) -> Any:
    return np.sum(np.convolve(x, k) ** 2)


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    x, k = _data(case.data.size)

    def build() -> kinds.Functions:
        def f(x: Any, k: Any) -> Any:
            return _sum(np, x, k)

        both, value = compiled(tg.value_and_grad(f, argnum=(0, 1))), compiled(f)
        return kinds.Functions(lambda: both(x, k), lambda: value(x, k))

    return kinds.run(case.data, build, lambda result: result[1])


def jax_jit(case: Case) -> Run | None:
    import jax

    x, k = (jax.numpy.asarray(a) for a in _data(case.data.size))
    f = functools.partial(_sum, jax.numpy)
    both, value = jax.jit(jax.value_and_grad(f, (0, 1))), jax.jit(f)
    functions = kinds.Functions(
        lambda: jax.block_until_ready(both(x, k)), lambda: jax.block_until_ready(value(x, k))
    )
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def numpy(case: Case) -> Run | None:
    """The value alone."""
    x, k = _data(case.data.size)
    return Run(lambda: _sum(np, x, k)) if case.data.kind == kinds.VALUE else None
