"""Recursions that fill arrays element by element, as textbooks write them: value and gradient."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks import kinds
from benchmarks.problem import Case, Run, Target

LIMIT = Target(1.0, times="jax_jit")
SIZES = {
    "tridiagonal": [30, 100, 300, 1000, 3000],
    "garch": [100, 300, 1000, 3000],
    "filter": [100, 300, 1000, 3000],
}
UNITS = {kinds.GRADIENT: "us", kinds.FIRST_CALL: "ms"}
CASES = [
    Case(f"{name}, {n}: {kind}", unit=unit, rtol=1e-8, target=LIMIT, threads=False,
         data=kinds.Task((name, n), kind), big=n > 1000)
    for name, sizes in SIZES.items() for n in sizes for kind, unit in UNITS.items()
]  # fmt: skip


@functools.cache
def _data(name: str, n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    if name == "tridiagonal":
        return (
            rng.normal(size=n),
            4.0 + rng.normal(size=n),
            rng.normal(size=n),
            rng.normal(size=n),
        )
    if name == "garch":
        return np.array([0.1, 0.1, 0.5]), rng.normal(size=n)
    return np.array([0.5, 0.3, -0.2]), rng.normal(size=n)


def _tridiagonal(a: Any, b: Any, c: Any, d: Any) -> Any:
    n = len(d)
    upper, right, x = np.zeros_like(d), np.zeros_like(d), np.zeros_like(d)
    upper[0], right[0] = c[0] / b[0], d[0] / b[0]
    for i in range(1, n):
        pivot = b[i] - a[i] * upper[i - 1]
        upper[i] = c[i] / pivot
        right[i] = (d[i] - a[i] * right[i - 1]) / pivot
    x[n - 1] = right[n - 1]
    for i in range(n - 2, -1, -1):
        x[i] = right[i] - upper[i] * x[i + 1]
    return np.sum(x**2)


def _garch(p: Any, r: Any) -> Any:
    h = np.empty_like(r)
    h[0] = p[0] / (1.0 - p[1] - p[2])
    for t in range(1, len(r)):
        h[t] = p[0] + p[1] * r[t - 1] ** 2 + p[2] * h[t - 1]
    return np.sum(np.log(h) + r**2 / h)


def _filter(p: Any, x: Any) -> Any:
    y = np.zeros(len(x))
    y[0] = p[0] * x[0]
    y[1] = p[0] * x[1] + p[1] * y[0]
    for i in range(2, len(x)):
        y[i] = p[0] * x[i] + p[1] * y[i - 1] + p[2] * y[i - 2]
    return np.sum(y**2)


PROGRAMS = {"tridiagonal": _tridiagonal, "garch": _garch, "filter": _filter}


def tapegrad(case: Case) -> Run | None:
    import tapegrad as tg

    return _tapegrad(case, tg.compile)


def tapegrad_eager(case: Case) -> Run | None:
    return _tapegrad(case, lambda f: f)


def _tapegrad(case: Case, compiled: Any) -> Run | None:
    import tapegrad as tg

    name, n = case.data.size
    args = _data(name, n)

    def build() -> kinds.Functions:
        both = compiled(tg.value_and_grad(PROGRAMS[name], tuple(range(len(args)))))
        return kinds.Functions(lambda: both(*args))

    return kinds.run(case.data, build, _numbers)


def _numbers(result: Any) -> Any:
    return np.concatenate([np.asarray(g) for g in result[1]])


def jax_jit(case: Case) -> Run | None:
    """The same recursions as scans: loops over elements take minutes to trace there."""
    import jax

    jnp, scan = jax.numpy, jax.lax.scan

    def tridiagonal(a: Any, b: Any, c: Any, d: Any) -> Any:
        def down(carry: Any, row: Any) -> Any:
            upper, right = carry
            a, b, c, d = row
            pivot = b - a * upper
            found = c / pivot, (d - a * right) / pivot
            return found, found

        first = c[0] / b[0], d[0] / b[0]
        _, (uppers, rights) = scan(down, first, (a[1:], b[1:], c[1:], d[1:]))
        uppers = jnp.concatenate([first[0][None], uppers])
        rights = jnp.concatenate([first[1][None], rights])

        def up(x: Any, row: Any) -> Any:
            found = row[1] - row[0] * x
            return found, found

        _, xs = scan(up, rights[-1], (uppers[:-1], rights[:-1]), reverse=True)
        return jnp.sum(xs**2) + rights[-1] ** 2

    def garch(p: Any, r: Any) -> Any:
        def step(h: Any, before: Any) -> Any:
            found = p[0] + p[1] * before**2 + p[2] * h
            return found, found

        first = p[0] / (1.0 - p[1] - p[2])
        _, rest = scan(step, first, r[:-1])
        h = jnp.concatenate([first[None], rest])
        return jnp.sum(jnp.log(h) + r**2 / h)

    def filtered(p: Any, x: Any) -> Any:
        def step(carry: Any, now: Any) -> Any:
            found = p[0] * now + p[1] * carry[0] + p[2] * carry[1]
            return (found, carry[0]), found

        zero = jnp.zeros(())
        _, y = scan(step, (zero, zero), x)
        return jnp.sum(y**2)

    programs = {"tridiagonal": tridiagonal, "garch": garch, "filter": filtered}
    name, n = case.data.size
    args = [jnp.asarray(x) for x in _data(name, n)]

    def build() -> kinds.Functions:
        both = jax.jit(jax.value_and_grad(programs[name], tuple(range(len(args)))))
        return kinds.Functions(lambda: jax.block_until_ready(both(*args)))

    return kinds.run(case.data, build, _numbers)
