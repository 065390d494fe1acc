"""A recurrent network over 4096 steps: the gradient, per step.

The loop is tg.scan for `tapegrad` (compiled) and `tapegrad_eager`, lax.scan for jax, and written
out in Python for `tapegrad_unrolled` (compiled), `tapegrad_loop` and torch. With checkpoints, only
so many states are held for the reverse sweep; `peak_memory` has these cases too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks import kinds
from benchmarks.problem import Case, Run, Target

STEPS = 4096


@dataclass(frozen=True)
class Size:
    cells: int
    checkpoints: int | None = None


CASES = [
    Case("4,096 steps of 8 cells", STEPS, "us", threads=False, data=kinds.Task(Size(8)),
         target=Target(1.0, times="jax_jit")),
    Case("first gradient, 4,096 steps of 8 cells", unit="ms", threads=False, rounds=3,
         data=kinds.Task(Size(8), kinds.FIRST_CALL)),
    Case("gradient over value, 4,096 steps of 8 cells", unit="x", threads=False,
         data=kinds.Task(Size(8), kinds.VALUE_RATIO)),
    Case("4,096 steps of 500 cells", STEPS, "us", threads=False, rounds=3, big=True,
         data=kinds.Task(Size(500))),
    Case("4,096 steps of 500 cells, 20 checkpoints", STEPS, "us", threads=False, rounds=3, big=True,
         data=kinds.Task(Size(500, 20))),
]  # fmt: skip


def _data(size: Size) -> tuple[Any, Any, Any]:
    """Weights of the states and of the inputs, and the inputs."""
    import numpy as np

    rng = np.random.default_rng(7)
    recurrent = rng.standard_normal((size.cells, size.cells)) * 0.9 / np.sqrt(size.cells)
    return recurrent, rng.standard_normal(size.cells), rng.standard_normal(STEPS)


def _cell(np: Any, w: Any, u: Any, state: Any, x: Any) -> tuple[Any, Any]:
    state = np.tanh(w @ state + u * x)
    return state, state[0]


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _scanned(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _scanned(case, lambda f: f)


def _scanned(case: Case, compiled: Any) -> Run | None:
    import numpy as np

    import tapegrad as tg

    size: Size = case.data.size

    def loss(w: Any, u: Any, xs: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            return _cell(np, w, u, state, x)

        last, ys = tg.scan(step, np.zeros(size.cells), xs, checkpoints=size.checkpoints)
        return np.sum(last * last) + np.mean(ys * ys)

    return _numpy_run(case, loss, compiled)


def tapegrad_unrolled(case: Case) -> Run | None:
    import tapegrad as tg

    return _looped(case, tg.compile)


def tapegrad_loop(case: Case) -> Run | None:
    return _looped(case, lambda f: f)


def _looped(case: Case, compiled: Any) -> Run | None:
    import numpy as np

    size: Size = case.data.size
    if size.checkpoints:
        return None

    def loss(w: Any, u: Any, xs: Any) -> Any:
        state, total = np.zeros(size.cells), 0.0
        for t in range(STEPS):
            state, y = _cell(np, w, u, state, xs[t])
            total = total + y * y
        return np.sum(state * state) + total / STEPS

    return _numpy_run(case, loss, compiled)


def _numpy_run(case: Case, loss: Any, compiled: Any) -> Run | None:
    import tapegrad as tg

    data = _data(case.data.size)

    def build() -> kinds.Functions:
        value, gradient = compiled(loss), compiled(tg.value_and_grad(loss, (0, 1)))
        return kinds.Functions(lambda: gradient(*data), lambda: value(*data))

    return kinds.run(case.data, build)


def torch(case: Case) -> Run | None:
    import torch

    size: Size = case.data.size
    if size.checkpoints:
        return None
    w, u, xs = (torch.from_numpy(x) for x in _data(size))

    def loss(w: Any, u: Any) -> Any:
        state, total = torch.zeros(size.cells, dtype=torch.float64), 0.0
        for t in range(STEPS):
            state, y = _cell(torch, w, u, state, xs[t])
            total = total + y * y
        return torch.sum(state * state) + total / STEPS

    def gradient() -> Any:
        weights = [x.detach().requires_grad_() for x in (w, u)]
        value = loss(*weights)
        return value.item(), torch.autograd.grad(value, weights)

    return kinds.run(case.data, lambda: kinds.Functions(gradient, lambda: loss(w, u)))


def jax_jit(case: Case) -> Run | None:
    import jax
    from jax import numpy as jnp

    size: Size = case.data.size
    if size.checkpoints:
        return None
    data = [jnp.asarray(x) for x in _data(size)]

    def loss(w: Any, u: Any, xs: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            return _cell(jnp, w, u, state, x)

        last, ys = jax.lax.scan(step, jnp.zeros(size.cells), xs)
        return jnp.sum(last * last) + jnp.mean(ys * ys)

    def build() -> kinds.Functions:
        jax.clear_caches()
        value, gradient = jax.jit(loss), jax.jit(jax.value_and_grad(loss, (0, 1)))
        return kinds.Functions(
            lambda: jax.block_until_ready(gradient(*data)),
            lambda: jax.block_until_ready(value(*data)),
        )

    return kinds.run(case.data, build)
