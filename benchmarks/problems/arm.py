"""A small model: a chain of joints in the plane, as products of 3x3 matrices, reaching for a point.

The gradient and the Hessian of the squared distance between its hand and the point. Every array has
a few elements, so that what counts is what an operation costs whatever its size.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import handwritten, peers
from benchmarks.problem import Case, Run

GRADIENT, HESSIAN = "gradient", "Hessian"
JOINTS = (3, 6, 20)
POINT = np.array([2.0, 1.0])

CASES = [
    Case(f"{what}, {joints} joints", unit="us", same_bits=True, data=(what, joints))
    for what in (GRADIENT, HESSIAN)
    for joints in JOINTS
]


@functools.cache
def _data(joints: int) -> Any:
    return np.random.default_rng(0).uniform(-1.0, 1.0, joints)


def _distance(np: Any, angles: Any) -> Any:
    """Squared, from the point to the hand; arrays of any library."""
    frame = np.eye(3)
    for k in range(angles.shape[0]):
        c, s = np.cos(angles[k]), np.sin(angles[k])
        zero, one = 0.0 * c, 0.0 * c + 1.0
        turn = np.stack([np.stack([c, -s, c]), np.stack([s, c, s]), np.stack([zero, zero, one])])
        frame = frame @ turn
    return np.sum((frame[:2, 2] - np.asarray(POINT)) ** 2)


def tapegrad(case: Case) -> Run:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run:
    import tapegrad as tg

    what, joints = case.data
    angles = _data(joints)
    f = compiled((tg.grad if what == GRADIENT else tg.hessian)(functools.partial(_distance, np)))
    return Run(lambda: f(angles))


def autograd(case: Case) -> Run:
    from autograd import grad, hessian
    from autograd import numpy as anp

    what, joints = case.data
    angles = _data(joints)
    f = (grad if what == GRADIENT else hessian)(functools.partial(_distance, anp))
    return Run(lambda: f(angles))


def torch(case: Case) -> Run:
    return _torch(case, lambda f: f)


def torch_compile(case: Case) -> Run:
    return _torch(case, peers.torch_compile)


def _torch(case: Case, compiled: Any) -> Run:
    import torch

    class Functions:
        """What the model asks of NumPy."""

        cos, sin, stack, sum = torch.cos, torch.sin, torch.stack, torch.sum
        asarray = staticmethod(torch.from_numpy)

        @staticmethod
        def eye(n: int) -> Any:
            return torch.eye(n, dtype=torch.float64)

    what, joints = case.data
    angles = torch.from_numpy(_data(joints))
    transform = torch.func.grad if what == GRADIENT else torch.func.hessian
    f = compiled(transform(functools.partial(_distance, Functions)))
    return Run(lambda: f(angles))


def jax_jit(case: Case) -> Run:
    import jax

    what, joints = case.data
    angles = jax.numpy.asarray(_data(joints))
    transform = jax.grad if what == GRADIENT else jax.hessian
    f = jax.jit(transform(functools.partial(_distance, jax.numpy)))
    return Run(lambda: f(angles).block_until_ready())


def casadi(case: Case) -> Run:
    import casadi

    what, joints = case.data
    angles = casadi.SX.sym("angles", joints)
    frame = casadi.SX.eye(3)
    for k in range(joints):
        c, s = casadi.cos(angles[k]), casadi.sin(angles[k])
        turn = casadi.vertcat(
            casadi.horzcat(c, -s, c), casadi.horzcat(s, c, s), casadi.horzcat(0, 0, 1)
        )
        frame = frame @ turn
    value = casadi.sumsqr(frame[:2, 2] - casadi.DM(POINT))
    result = casadi.gradient(value, angles)
    if what == HESSIAN:
        result = casadi.hessian(value, angles)[0]
    f = casadi.Function("f", [angles], [result])
    at = casadi.DM(_data(joints))
    return Run(lambda: f(at))


def cpp(case: Case) -> Run:
    """Of the closed form: the hand is the sum of (cos, sin) of the angles' running sums."""
    what, joints = case.data
    function, shape = ("gradient", joints) if what == GRADIENT else ("hessian", (joints, joints))
    inputs = (joints, _data(joints), POINT)
    return Run(handwritten.bind("arm", function, inputs, [np.empty(shape)]))
