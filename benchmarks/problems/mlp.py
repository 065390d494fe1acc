"""An SGD step of a small network: value, gradient and update.

Two hidden layers with rectifiers, softmax and cross entropy. Every call takes one more step on
the same batch; the results compared are the loss and what the steps so far have taken away.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.problem import Case, Run, Target

LR = 0.05


@dataclass(frozen=True)
class Size:
    widths: tuple[int, ...]
    batch: int
    dtype: str

    def name(self) -> str:
        return f"{'-'.join(map(str, self.widths))}, batch {self.batch}, {self.dtype}"


NETWORKS = [((4, 8, 8, 3), 8), ((64, 32, 32, 10), 32), ((784, 256, 128, 10), 128),
            ((784, 1024, 512, 10), 512)]  # fmt: skip
LIMITS = {(784, "float32"): Target(0.6), (784, "float64"): Target(1.4)}

CASES = [
    Case(size.name(), unit="ms", same_bits=True, rtol=1e-9 if dtype == "float64" else 1e-4,
         target=LIMITS.get((widths[0], dtype)) if batch == 128 else None, big=batch > 128,
         data=size)
    for widths, batch in NETWORKS
    for dtype in ("float32", "float64")
    for size in [Size(widths, batch, dtype)]
]  # fmt: skip


@functools.cache
def _data(size: Size) -> tuple[list[Any], Any, Any]:
    """Parameters (a matrix and a row for each layer), inputs, classes as rows of 0 and 1."""
    rng = np.random.default_rng(0)
    parameters = []
    for inputs, outputs in zip(size.widths[:-1], size.widths[1:], strict=True):
        parameters.append(rng.normal(0.0, (2.0 / inputs) ** 0.5, (inputs, outputs)))
        parameters.append(rng.normal(0.0, 0.1, outputs))
    x = rng.normal(size=(size.batch, size.widths[0]))
    classes = np.eye(size.widths[-1])[rng.integers(0, size.widths[-1], size.batch)]
    as_asked = [array.astype(size.dtype) for array in (*parameters, x, classes)]
    return as_asked[:-2], as_asked[-2], as_asked[-1]


def _numbers(size: Size, loss: Any, parameters: Any) -> Any:
    """The loss, and the sum of all gradients so far."""
    before, _, _ = _data(size)
    return loss, [
        (b.astype(float) - np.asarray(p).astype(float)) / LR
        for b, p in zip(before, parameters, strict=True)
    ]


def _loss(np: Any, parameters: Any, x: Any, classes: Any) -> Any:
    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weights, biases in hidden:
        x = np.maximum(x @ weights + biases, 0.0)
    scores = x @ last[0] + last[1]
    scores = scores - np.max(scores, axis=1, keepdims=True)
    log_sums = np.log(np.sum(np.exp(scores), axis=1))
    return np.mean(log_sums - np.sum(scores * classes, axis=1))


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    parameters, x, classes = _data(case.data)
    now = list(parameters)

    @tg.compile
    def step(parameters: Any, x: Any, classes: Any) -> Any:
        def loss_of(parameters: Any) -> Any:
            return _loss(np, parameters, x, classes)

        loss, slopes = tg.value_and_grad(loss_of)(parameters)
        return loss, [p - LR * slope for p, slope in zip(parameters, slopes, strict=True)]

    def train() -> Any:
        loss, now[:] = step(now, x, classes)
        return loss, now

    return Run(train, value=lambda result: _numbers(case.data, *result))


def tapegrad_eager(case: Case) -> Run:
    import tapegrad as tg

    parameters, x, classes = _data(case.data)
    variables = [tg.Variable(array.copy()) for array in parameters]
    optimizer = tg.optim.SGD(variables, lr=LR)

    def train() -> Any:
        loss = _loss(np, variables, x, classes)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return Run(
        train, value=lambda loss: _numbers(case.data, loss.value, [v.value for v in variables])
    )


def autograd(case: Case) -> Run:
    from autograd import numpy as anp
    from autograd import value_and_grad

    parameters, x, classes = _data(case.data)
    now = [array.copy() for array in parameters]
    gradient = value_and_grad(functools.partial(_loss, anp))

    def train() -> Any:
        loss, slopes = gradient(now, x, classes)
        for array, slope in zip(now, slopes, strict=True):
            array -= LR * slope
        return loss, now

    return Run(train, value=lambda result: _numbers(case.data, *result))


def torch(case: Case) -> Run:
    return _torch(case, lambda f: f)


def torch_compile(case: Case) -> Run:
    """The loss, and so its gradient, is compiled; the update is torch's fused one."""
    return _torch(case, peers.torch_compile)


def _torch(case: Case, compiled: Any) -> Run:
    import torch

    parameters, x, classes = _data(case.data)
    tensors = [torch.tensor(array, requires_grad=True) for array in parameters]
    optimizer = torch.optim.SGD(tensors, lr=LR, fused=True)
    x_tensor, labels = torch.from_numpy(x), torch.from_numpy(classes.argmax(axis=1))
    loss_of = compiled(_torch_loss)

    def train() -> Any:
        loss = loss_of(tensors, x_tensor, labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    def numbers(loss: Any) -> Any:
        return _numbers(case.data, loss.item(), [tensor.detach() for tensor in tensors])

    return Run(train, value=numbers)


def _torch_loss(parameters: Any, x: Any, labels: Any) -> Any:
    import torch

    *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
    for weights, biases in hidden:
        x = torch.relu(torch.addmm(biases, x, weights))
    return torch.nn.functional.cross_entropy(torch.addmm(last[1], x, last[0]), labels)


def jax_jit(case: Case) -> Run:
    import jax
    from jax import numpy as jnp

    parameters, x, classes = (jax.tree.map(jnp.array, part) for part in _data(case.data))
    labels = jnp.argmax(classes, axis=1)
    state = {"now": parameters}

    def loss_of(parameters: Any) -> Any:
        *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
        value = x
        for weights, biases in hidden:
            value = jax.nn.relu(value @ weights + biases)
        scores = jax.nn.log_softmax(value @ last[0] + last[1])
        return -jnp.mean(scores[jnp.arange(labels.size), labels])

    @functools.partial(jax.jit, donate_argnums=0)
    def step(parameters: Any) -> Any:
        loss, slopes = jax.value_and_grad(loss_of)(parameters)
        return loss, jax.tree.map(lambda p, slope: p - LR * slope, parameters, slopes)

    def train() -> Any:
        loss, state["now"] = jax.block_until_ready(step(state["now"]))
        return loss, state["now"]

    return Run(train, value=lambda result: _numbers(case.data, *result))


def numpy(case: Case) -> Run:
    """The gradient by hand."""
    parameters, x, classes = _data(case.data)
    now = [array.copy() for array in parameters]

    def train() -> Any:
        loss, slopes = _by_hand(now, x, classes)
        for array, slope in zip(now, slopes, strict=True):
            slope *= LR
            array -= slope
        return loss, now

    return Run(train, value=lambda result: _numbers(case.data, *result))


def _by_hand(parameters: Any, x: Any, classes: Any) -> Any:
    inputs = [x]
    for weights, biases in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        value = inputs[-1] @ weights
        value += biases
        inputs.append(np.maximum(value, 0.0, out=value))
    scores = inputs[-1] @ parameters[-2] + parameters[-1]
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    sums = shares.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(sums[:, 0]) - np.sum(scores * classes, axis=1))
    error = (shares / sums - classes) / scores.dtype.type(len(x))
    slopes = []
    for layer in reversed(range(len(inputs))):
        slopes += [error.sum(axis=0), inputs[layer].T @ error]
        if layer:
            error = error @ parameters[2 * layer].T
            error *= inputs[layer] > 0
    return loss, slopes[::-1]
