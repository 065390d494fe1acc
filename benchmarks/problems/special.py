"""Functions of scipy.special: recorded on one number; value and gradient on a million of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.problem import Case, Run, Target

NAMES = (
    "expit", "erf", "ndtr", "gammaln", "psi", "log_expit", "entr", "log_ndtr", "erfcx",
    "i0", "i1e", "j0", "k1", "jv", "gammainc",
)  # fmt: skip
SIZE = 1_000_000
# SciPy's value alone, once and a half; of one number, its own call and 200 nanoseconds.
OWN = tuple(name for name in NAMES if name not in ("jv", "gammainc"))

CASES = [
    Case(
        f"{name}: {n} elements",
        unit="us",
        target=Target(1.5, times="numpy_scipy") if name in OWN and n > 1 else None,
        threads=False,
        data=(name, n),
    )
    for name in NAMES
    for n in (1, SIZE)
]


def _function(case: Case) -> Any:
    from scipy import special

    name = case.data[0]
    f = getattr(special, name)
    first = {"jv": 1.5, "gammainc": 2.5}.get(name)
    return f if first is None else lambda x: f(first, x)


def _argument(case: Case) -> Any:
    n = case.data[1]
    return 1.3 if n == 1 else np.random.default_rng(0).uniform(0.1, 9.0, n)


def tapegrad(case: Case) -> Run | None:
    """One number: the value, recorded. An array: value and gradient of the sum."""
    import tapegrad as tg

    f, x = _function(case), _argument(case)
    if case.data[1] == 1:
        v = tg.Variable(x)
        return Run(lambda: tg.value(f(v)))
    both = tg.value_and_grad(lambda x: np.sum(f(x)))
    return Run(lambda: both(x), lambda result: result[0])


def numpy_scipy(case: Case) -> Run | None:
    """The value alone."""
    f, x = _function(case), _argument(case)
    if case.data[1] == 1:
        return Run(lambda: f(x))
    return Run(lambda: np.sum(f(x)))
