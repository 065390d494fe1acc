"""Rosenbrock's function of n variables: its gradient, and a product with its Hessian."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import handwritten, peers
from benchmarks.problem import Case, Run, Target

SIZES = (10, 1000, 10_000, 1_000_000)
GRADIENT, PRODUCT = "gradient", "Hessian-vector product"

CASES = [
    Case(f"{what}, n {size:,}", unit="us", same_bits=True,
         target=Target(12) if (what, size) == (GRADIENT, 10_000) else None, data=(what, size))
    for what in (GRADIENT, PRODUCT)
    for size in SIZES
]  # fmt: skip


@functools.cache
def _data(size: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.uniform(-2.0, 2.0, size), rng.normal(size=size)


def _rosenbrock(np: Any, x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run:
    import tapegrad as tg

    what, size = case.data
    x, v = _data(size)

    def f(x: Any) -> Any:
        return _rosenbrock(np, x)

    if what == GRADIENT:
        gradient = compiled(tg.grad(f))
        return Run(lambda: gradient(x))
    product = compiled(lambda x, v: tg.hvp(f, x, v))
    return Run(lambda: product(x, v))


def autograd(case: Case) -> Run:
    from autograd import grad, hessian_vector_product
    from autograd import numpy as anp

    what, size = case.data
    x, v = _data(size)
    f = functools.partial(_rosenbrock, anp)
    if what == GRADIENT:
        gradient = grad(f)
        return Run(lambda: gradient(x))
    product = hessian_vector_product(f)
    return Run(lambda: product(x, v))


def torch(case: Case) -> Run:
    import torch

    what, size = case.data
    x, v = (torch.from_numpy(array) for array in _data(size))

    def gradient(at: Any, again: bool = False) -> Any:
        return torch.autograd.grad(_rosenbrock(torch, at), at, create_graph=again)[0]

    def product() -> Any:
        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(gradient(leaf, again=True), leaf, v)[0]

    return Run(product if what == PRODUCT else lambda: gradient(x.detach().requires_grad_()))


def torch_compile(case: Case) -> Run:
    import torch

    what, size = case.data
    x, v = (torch.from_numpy(array) for array in _data(size))
    gradient = torch.func.grad(functools.partial(_rosenbrock, torch))
    if what == GRADIENT:
        compiled = peers.torch_compile(gradient)
        return Run(lambda: compiled(x))
    product = peers.torch_compile(lambda x, v: torch.func.jvp(gradient, (x,), (v,))[1])
    return Run(lambda: product(x, v))


def jax_jit(case: Case) -> Run:
    import jax

    what, size = case.data
    x, v = (jax.numpy.asarray(array) for array in _data(size))
    gradient = jax.grad(functools.partial(_rosenbrock, jax.numpy))
    if what == GRADIENT:
        compiled = jax.jit(gradient)
        return Run(lambda: compiled(x).block_until_ready())
    product = jax.jit(lambda x, v: jax.jvp(gradient, (x,), (v,))[1])
    return Run(lambda: product(x, v).block_until_ready())


def casadi(case: Case) -> Run | None:
    import casadi

    what, size = case.data
    if size > 10_000:
        return None
    x, v = casadi.SX.sym("x", size), casadi.SX.sym("v", size)
    value = casadi.sumsqr(10.0 * (x[1:] - x[:-1] ** 2)) + casadi.sumsqr(1.0 - x[:-1])
    gradient = casadi.gradient(value, x)
    results = [gradient if what == GRADIENT else casadi.jtimes(gradient, x, v)]
    function = casadi.Function("f", [x, v], results)
    at = [casadi.DM(array) for array in _data(size)]
    return Run(lambda: function(*at))


def numpy(case: Case) -> Run:
    """The derivatives by hand."""
    what, size = case.data
    x, v = _data(size)

    def gradient() -> Any:
        result = np.zeros_like(x)
        bend = x[1:] - x[:-1] ** 2
        result[:-1] = -400.0 * x[:-1] * bend - 2.0 * (1.0 - x[:-1])
        result[1:] += 200.0 * bend
        return result

    def product() -> Any:
        result = np.zeros_like(x)
        low, high = x[:-1], x[1:]
        result[:-1] = (1200.0 * low**2 - 400.0 * high + 2.0) * v[:-1] - 400.0 * low * v[1:]
        result[1:] += 200.0 * v[1:] - 400.0 * low * v[:-1]
        return result

    return Run(gradient if what == GRADIENT else product)


def cpp(case: Case) -> Run:
    what, size = case.data
    x, v = _data(size)
    function, inputs = ("gradient", (x,)) if what == GRADIENT else ("product", (x, v))
    return Run(handwritten.bind("rosenbrock", function, (size, *inputs), [np.empty(size)]))
