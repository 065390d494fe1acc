"""The article's regression: 100 epochs over 17 points, a gradient and an SGD step each."""

from __future__ import annotations

from typing import Any

from benchmarks.problem import Case, Run, Target

POINTS = list(
    zip(
        [3.3, 4.4, 5.5, 6.71, 6.93, 4.168, 9.779, 6.182, 7.59,
         2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27, 3.1],
        [1.7, 2.76, 2.09, 3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
         1.221, 2.827, 3.465, 1.65, 2.904, 2.42, 2.94, 1.3],
        strict=True,
    )
)  # fmt: skip
W, B = 1.764052345967664, 0.4001572083672233
LR, EPOCHS, TWO_N = 0.01, 100, 34

CASES = [Case("per step", EPOCHS * len(POINTS), "us", target=Target(3))]


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    def fit() -> Any:
        w, b = tg.Variable(W), tg.Variable(B)
        optimizer = tg.optim.SGD([w, b], lr=LR)
        for _ in range(EPOCHS):
            for x, y in POINTS:
                loss = (x * w + b - y) ** 2 / TWO_N
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
        return float(w.value), float(b.value)

    return Run(fit)


def autograd(case: Case) -> Run:
    from autograd import grad

    gradient = grad(lambda point, x, y: (x * point[0] + point[1] - y) ** 2 / TWO_N)

    def fit() -> Any:
        w, b = W, B
        for _ in range(EPOCHS):
            for x, y in POINTS:
                slope_w, slope_b = gradient((w, b), x, y)
                w -= LR * slope_w
                b -= LR * slope_b
        return w, b

    return Run(fit)


def torch(case: Case) -> Run:
    import torch

    def fit() -> Any:
        w = torch.tensor(W, dtype=torch.float64, requires_grad=True)
        b = torch.tensor(B, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w, b], lr=LR)
        for _ in range(EPOCHS):
            for x, y in POINTS:
                loss = (x * w + b - y) ** 2 / TWO_N
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
        return w.item(), b.item()

    return Run(fit)


def jax_jit(case: Case) -> Run:
    import jax

    def loss(point: Any, x: Any, y: Any) -> Any:
        return (x * point[0] + point[1] - y) ** 2 / TWO_N

    @jax.jit
    def step(point: Any, x: Any, y: Any) -> Any:
        slopes = jax.grad(loss)(point, x, y)
        return point[0] - LR * slopes[0], point[1] - LR * slopes[1]

    def fit() -> Any:
        point = (W, B)
        for _ in range(EPOCHS):
            for x, y in POINTS:
                point = step(point, x, y)
        return float(point[0]), float(point[1])

    return Run(fit)


def casadi(case: Case) -> Run:
    import casadi

    point, x, y = casadi.SX.sym("point", 2), casadi.SX.sym("x"), casadi.SX.sym("y")
    loss = (x * point[0] + point[1] - y) ** 2 / TWO_N
    step = casadi.Function("step", [point, x, y], [point - LR * casadi.gradient(loss, point)])

    def fit() -> Any:
        now = casadi.DM([W, B])
        for _ in range(EPOCHS):
            for x, y in POINTS:
                now = step(now, x, y)
        return now

    return Run(fit)


def xad(case: Case) -> Run:
    from xad.adj_1st import Real, Tape

    tape = Tape()

    def slopes(w_value: float, b_value: float, x: float, y: float) -> Any:
        tape.clearAll()
        w, b = Real(w_value), Real(b_value)
        tape.registerInput(w)
        tape.registerInput(b)
        tape.newRecording()
        residual = x * w + b - y
        loss = residual * residual / TWO_N
        tape.registerOutput(loss)
        loss.derivative = 1.0
        tape.computeAdjoints()
        return w.derivative, b.derivative

    def fit() -> Any:
        tape.activate()
        w, b = W, B
        for _ in range(EPOCHS):
            for x, y in POINTS:
                slope_w, slope_b = slopes(w, b, x, y)
                w -= LR * slope_w
                b -= LR * slope_b
        tape.deactivate()
        return w, b

    return Run(fit)
