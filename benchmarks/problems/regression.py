"""The article's regression: SGD over 17 points, a point a step, whole epochs in one call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import handwritten, peers
from benchmarks.problem import Case, Run, Target
from benchmarks.problems.sgd_article import LR, POINTS, TWO_N, B, W

X, Y = np.array(POINTS).T.copy()

CASES = [
    Case(f"per step, {epochs:,} epoch{'s' if epochs > 1 else ''}", epochs * len(POINTS), "us",
         threads=False, target=Target(0.03) if epochs == 100 else None, big=epochs > 100,
         rounds=5 if epochs > 100 else None, data=epochs)
    for epochs in (1, 10, 100, 1000)
]  # fmt: skip


def _loss(w: Any, b: Any, x: Any, y: Any) -> Any:
    return (x * w + b - y) ** 2 / TWO_N


def _fit(gradient: Any, epochs: int, w: Any, b: Any, xs: Any, ys: Any) -> Any:
    for _ in range(epochs):
        for x, y in zip(xs, ys, strict=True):
            by_w, by_b = gradient(w, b, x, y)
            w = w - LR * by_w
            b = b - LR * by_b
    return w, b


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    epochs = case.data

    def fit(w: Any, b: Any, xs: Any, ys: Any) -> Any:
        return _fit(tg.grad(_loss, (0, 1)), epochs, w, b, xs, ys)

    compiled = tg.compile(fit)
    return Run(lambda: compiled(W, B, X, Y))


def tapegrad_eager(case: Case) -> Run:
    import tapegrad as tg

    points = list(zip(X.tolist(), Y.tolist(), strict=True))

    def fit() -> Any:
        w, b = tg.Variable(W), tg.Variable(B)
        optimizer = tg.optim.SGD([w, b], lr=LR)
        for _ in range(case.data):
            for x, y in points:
                _loss(w, b, x, y).backward()
                optimizer.step()
                optimizer.zero_grad()
        return float(w.value), float(b.value)

    return Run(fit)


def autograd(case: Case) -> Run | None:
    from autograd import grad

    if case.big:
        return None
    gradient = grad(lambda point, x, y: _loss(point[0], point[1], x, y))
    fit = functools.partial(_fit, lambda w, b, x, y: gradient((w, b), x, y), case.data)
    return Run(lambda: fit(W, B, X, Y))


def torch(case: Case) -> Run | None:
    import torch

    if case.big:
        return None
    points = list(zip(torch.from_numpy(X).unbind(), torch.from_numpy(Y).unbind(), strict=True))

    def fit() -> Any:
        w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (W, B))
        optimizer = torch.optim.SGD([w, b], lr=LR)
        for _ in range(case.data):
            for x, y in points:
                _loss(w, b, x, y).backward()
                optimizer.step()
                optimizer.zero_grad()
        return w.item(), b.item()

    return Run(fit)


def torch_compile(case: Case) -> Run:
    """An epoch is compiled."""
    import torch

    xs, ys = torch.from_numpy(X), torch.from_numpy(Y)
    gradient = torch.func.grad(_loss, (0, 1))
    epoch = peers.torch_compile(functools.partial(_fit, gradient, 1))

    def fit() -> Any:
        w, b = (torch.tensor(v, dtype=torch.float64) for v in (W, B))
        for _ in range(case.data):
            w, b = epoch(w, b, xs, ys)
        return w, b

    return Run(fit)


def jax_jit(case: Case) -> Run:
    import jax

    gradient = jax.grad(_loss, (0, 1))
    points = jax.numpy.asarray(X), jax.numpy.asarray(Y)

    def step(now: Any, point: Any) -> Any:
        w, b = now
        by_w, by_b = gradient(w, b, *point)
        return (w - LR * by_w, b - LR * by_b), None

    @jax.jit
    def fit(w: Any, b: Any) -> Any:
        def epoch(_: int, now: Any) -> Any:
            return jax.lax.scan(step, now, points)[0]

        return jax.lax.fori_loop(0, case.data, epoch, (w, b))

    return Run(lambda: jax.block_until_ready(fit(W, B)))


def casadi(case: Case) -> Run:
    import casadi

    now, point = casadi.SX.sym("now", 2), casadi.SX.sym("point", 2)
    loss = _loss(now[0], now[1], point[0], point[1])
    after = now - LR * casadi.gradient(loss, now)
    step = casadi.Function("step", [now, point], [after])
    steps = case.data * len(POINTS)
    fit = step.fold(steps)
    points = casadi.DM(np.tile(np.stack([X, Y]), case.data))
    return Run(lambda: fit(casadi.DM([W, B]), points))


def numpy(case: Case) -> Run:
    """The slopes by hand, on Python floats."""
    points = list(zip(X.tolist(), Y.tolist(), strict=True))

    def fit() -> Any:
        w, b = W, B
        for _ in range(case.data):
            for x, y in points:
                slope = 2.0 * (x * w + b - y) / TWO_N
                w -= LR * slope * x
                b -= LR * slope
        return w, b

    return Run(fit)


def cpp(case: Case) -> Run:
    inputs = (case.data, len(POINTS), X, Y, LR, float(TWO_N), W, B)
    return Run(handwritten.bind("regression", "fit", inputs, [np.empty(2)]))
