"""NumPy's functions through Variables, against arbitrary precision: the bounds that are stated.

The bounds stand in cpp/tapegrad/scalar/math/vector_math.h, in units in the last place. At the base
instruction set every function is the C library's, which states no more than LIBM for these.
"""

import mpmath
import numpy as np
import pytest

import tapegrad as tg
from tapegrad import _core

COUNT = 200
LIBM = 4.0

# function: bound in ULP, mpmath's function, ranges; "log" ranges are sampled by magnitude
WIDE = ("log", 1e-300, 1e300)
CASES = {
    "exp": (1.0, mpmath.exp, [(-700.0, 700.0), (-1.0, 1.0)]),
    "exp2": (1.2, lambda x: mpmath.mpf(2) ** x, [(-1000.0, 1000.0), (-1.0, 1.0)]),
    "expm1": (1.2, mpmath.expm1, [(-30.0, 700.0), (-1.0, 1.0), ("log", 1e-300, 1e-3)]),
    "log": (0.9, mpmath.log, [WIDE, (0.5, 2.0)]),
    "log2": (0.8, lambda x: mpmath.log(x, 2), [WIDE, (0.5, 2.0)]),
    "log10": (0.8, mpmath.log10, [WIDE, (0.5, 2.0)]),
    "log1p": (1.0, mpmath.log1p, [("log", 1e-300, 1e300), (-0.99, 1.0)]),
    "sin": (2.0, mpmath.sin, [(-10.0, 10.0), (-1e5, 1e5), ("log", 1e-300, 1e300)]),
    "cos": (2.0, mpmath.cos, [(-10.0, 10.0), (-1e5, 1e5), ("log", 1e-300, 1e300)]),
    "tan": (1.4, mpmath.tan, [(-10.0, 10.0), (-1e5, 1e5)]),
    "arcsin": (1.2, mpmath.asin, [(-1.0, 1.0), ("log", 1e-300, 1.0)]),
    "arccos": (1.2, mpmath.acos, [(-1.0, 1.0)]),
    "arctan": (2.0, mpmath.atan, [(-10.0, 10.0), WIDE]),
    "sinh": (1.8, mpmath.sinh, [(-700.0, 700.0), (-1.0, 1.0), ("log", 1e-300, 1e-3)]),
    "cosh": (1.5, mpmath.cosh, [(-700.0, 700.0), (-1.0, 1.0)]),
    "tanh": (1.6, mpmath.tanh, [(-20.0, 20.0), (-1.0, 1.0), ("log", 1e-300, 1e-3)]),
    "arcsinh": (1.3, mpmath.asinh, [(-10.0, 10.0), WIDE]),
    "arccosh": (2.0, mpmath.acosh, [(1.0, 10.0), ("log", 1.0, 1e300)]),
    "arctanh": (1.2, mpmath.atanh, [(-1.0, 1.0), ("log", 1e-300, 1e-3)]),
    "sqrt": (0.5, mpmath.sqrt, [WIDE]),
    "cbrt": (0.51, mpmath.cbrt, [WIDE]),
}
PAIRS = {
    "power": (0.75, mpmath.power, [(0.1, 10.0), (-200.0, 200.0)]),
    "arctan2": (2.0, mpmath.atan2, [(-10.0, 10.0), (-10.0, 10.0)]),
    "hypot": (1.0, mpmath.hypot, [("log", 1e-150, 1e150), ("log", 1e-150, 1e150)]),
}


def stated(bound):
    return max(bound, LIBM) if _core.isa_level() == 1 else bound


def sample(bounds, dtype):
    rng = np.random.default_rng(7)
    if bounds[0] != "log":
        return rng.uniform(*bounds, COUNT).astype(dtype)
    low, high = (np.log(b) for b in bounds[1:])
    if dtype == np.float32:
        low, high = max(low, np.log(1e-37)), min(high, np.log(1e37))
    return np.exp(rng.uniform(low, high, COUNT)).astype(dtype)


def worst(got, exact, arguments):
    """The largest error in units in the last place of the exact result."""
    tiny = np.finfo(got.dtype).smallest_subnormal
    largest = 0.0
    with mpmath.workprec(400), np.errstate(over="ignore", under="ignore"):
        for y, *x in zip(got, *arguments, strict=True):
            want = exact(*(mpmath.mpf(float(v)) for v in x))
            nearest = got.dtype.type(float(want))
            if not np.isfinite(nearest):
                assert y == nearest
                continue
            unit = max(float(np.spacing(abs(nearest))), float(tiny))
            largest = max(largest, float(abs(mpmath.mpf(float(y)) - want) / unit))
    return largest


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", CASES)
def test_function_of_one_argument(name, dtype):
    bound, exact, ranges = CASES[name]
    for bounds in ranges:
        x = sample(bounds, dtype)
        with np.errstate(all="ignore"):
            got = tg.value(getattr(np, name)(tg.Variable(x)))
        assert got.dtype == dtype
        assert worst(got, exact, [x]) <= stated(bound) + 1e-6, (name, bounds)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", PAIRS)
def test_function_of_two_arguments(name, dtype):
    bound, exact, ranges = PAIRS[name]
    x, y = (sample(bounds, dtype) for bounds in ranges)
    if name == "power" and dtype == np.float32:
        y = y / np.float32(8)
    y = np.roll(y, 11)
    got = tg.value(getattr(np, name)(tg.Variable(x), tg.Variable(y)))
    assert worst(got, exact, [x, y]) <= stated(bound) + 1e-6, name


def test_scalars_have_the_bits_of_arrays():
    x = sample((-3.0, 3.0), np.float64)
    for name in ("exp", "sin", "cos", "tanh", "arctan", "sinh"):
        together = tg.value(getattr(np, name)(tg.Variable(x)))
        alone = [tg.value(getattr(np, name)(tg.Variable(float(v)))) for v in x]
        assert np.array_equal(together, alone), name
