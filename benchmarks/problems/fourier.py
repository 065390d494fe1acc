"""Sums over Fourier transforms: the value, and value and gradient."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import kinds
from benchmarks.problem import Case, Run, Target

LIMIT = Target(1.2, times="jax_jit")


def _power(z: Any) -> Any:
    return z.real**2 + z.imag**2


def _fft(np: Any, x: Any, y: Any) -> Any:
    return np.sum(_power(np.fft.fft(x + 1j * y)))


def _rfft(np: Any, x: Any) -> Any:
    return np.sum(_power(np.fft.rfft(x)))


def _filtered(np: Any, x: Any) -> Any:
    z = np.fft.rfft(x)
    return np.sum(np.fft.irfft(z * _power(z), x.shape[-1]) ** 2)


def _image(np: Any, x: Any) -> Any:
    return np.sum(_power(np.fft.fft2(x)))


FUNCTIONS = {"fft": _fft, "rfft": _rfft, "rfft and irfft": _filtered, "fft2": _image}
LINES = [(1024,), (1 << 16,), (1 << 20,), (1000,), (1009,), (10007,), (64, 1024), (1000, 64)]
SHAPES = {"fft": LINES, "rfft": LINES, "rfft and irfft": [(1024,), (64, 1024)],
          "fft2": [(64, 64), (256, 256)]}  # fmt: skip

CASES = [
    Case(f"{name}, {' x '.join(map(str, shape))}: {kind}", unit="us", same_bits=True,
         big=np.prod(shape) > 1 << 17, target=LIMIT, threads=False,
         data=kinds.Task((name, shape), kind))
    for name, shapes in SHAPES.items() for shape in shapes
    for kind in (kinds.VALUE, kinds.GRADIENT)
]  # fmt: skip


@functools.cache
def _data(case: Case) -> tuple[Any, ...]:
    name, shape = case.data.size
    rng = np.random.default_rng(0)
    return tuple(rng.normal(size=shape) / 8 for _ in range(2 if name == "fft" else 1))


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    arrays = _data(case)
    function = FUNCTIONS[case.data.size[0]]

    def build() -> kinds.Functions:
        def f(*arrays: Any) -> Any:
            return function(np, *arrays)

        both = compiled(tg.value_and_grad(f, argnum=tuple(range(len(arrays)))))
        value = compiled(f)
        return kinds.Functions(lambda: both(*arrays), lambda: value(*arrays))

    return kinds.run(case.data, build, lambda result: result[1])


def jax_jit(case: Case) -> Run | None:
    import jax

    arrays = [jax.numpy.asarray(x) for x in _data(case)]
    f = functools.partial(FUNCTIONS[case.data.size[0]], jax.numpy)
    both, value = jax.jit(jax.value_and_grad(f, tuple(range(len(arrays))))), jax.jit(f)
    functions = kinds.Functions(
        lambda: jax.block_until_ready(both(*arrays)), lambda: jax.block_until_ready(value(*arrays))
    )
    return kinds.run(case.data, lambda: functions, lambda result: result[1])


def numpy(case: Case) -> Run | None:
    """The value alone."""
    arrays = _data(case)
    f = functools.partial(FUNCTIONS[case.data.size[0]], np)
    return Run(lambda: f(*arrays)) if case.data.kind == kinds.VALUE else None
