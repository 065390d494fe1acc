"""Sums over eigenvalues, singular values and their vectors: the value, and value and gradient."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import kinds
from benchmarks.problem import Case, Run, Target

LIMIT = Target(1.2, times="jax_jit")
SHAPES = [(100, 100), (500, 4, 4)]


def _symmetric(np: Any, a: Any) -> Any:
    return a + np.swapaxes(a, -1, -2)


def _eigvalsh(np: Any, a: Any) -> Any:
    return np.sum(np.linalg.eigvalsh(_symmetric(np, a)) ** 3)


def _eigh(np: Any, a: Any) -> Any:
    w, v = np.linalg.eigh(_symmetric(np, a))
    return np.sum(w**3) + np.sum(v[..., 0, :] ** 4)


def _svdvals(np: Any, a: Any) -> Any:
    return np.sum(np.linalg.svd(a, compute_uv=False) ** 3)


def _svd(np: Any, a: Any) -> Any:
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return np.sum(s**3) + np.sum(u[..., 0, :] ** 4) + np.sum(vt[..., :, 0] ** 4)


FUNCTIONS = {"eigvalsh": _eigvalsh, "eigh": _eigh, "svdvals": _svdvals, "svd": _svd}

CASES = [
    Case(f"{name}, {' x '.join(map(str, shape))}: {kind}", unit="us", rtol=1e-6, target=LIMIT,
         threads=False, data=kinds.Task((name, shape), kind))
    for name in FUNCTIONS for shape in SHAPES for kind in (kinds.VALUE, kinds.GRADIENT)
]  # fmt: skip


@functools.cache
def _data(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(0).normal(size=shape)


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    name, shape = case.data.size
    a, function = _data(shape), FUNCTIONS[name]

    def build() -> kinds.Functions:
        def f(a: Any) -> Any:
            return function(np, a)

        both, value = compiled(tg.value_and_grad(f)), compiled(f)
        return kinds.Functions(lambda: both(a), lambda: value(a))

    return kinds.run(case.data, build, lambda result: result[1])


def jax_jit(case: Case) -> Run | None:
    import jax

    name, shape = case.data.size
    a = jax.numpy.asarray(_data(shape))
    f = functools.partial(FUNCTIONS[name], jax.numpy)
    both, value = jax.jit(jax.value_and_grad(f)), jax.jit(f)
    functions = kinds.Functions(
        lambda: jax.block_until_ready(both(a)), lambda: jax.block_until_ready(value(a))
    )
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def numpy(case: Case) -> Run | None:
    """The value alone."""
    name, shape = case.data.size
    a = _data(shape)
    return Run(lambda: FUNCTIONS[name](np, a)) if case.data.kind == kinds.VALUE else None
