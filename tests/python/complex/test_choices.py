"""Values at infinities, NaN, signed zeros, tiny and huge numbers are NumPy's (C99, Annex G)."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

AXIS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-310, 1e200, np.inf, -np.inf, np.nan)
GRID = np.array([complex(x, y) for x in AXIS for y in AXIS])
UNARY = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "sinh",
    "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "abs", "angle",
    "square", "reciprocal", "sign", "negative", "positive", "conjugate", "rint", "isnan", "isinf",
    "isfinite", "real", "imag",
)  # fmt: skip
BINARY = (
    "add", "subtract", "multiply", "divide", "power", "float_power", "maximum", "minimum", "fmax",
    "fmin", "equal", "less",
)  # fmt: skip
MODES = {
    "eager": lambda f, args: tg.value(f(*map(tg.Variable, args))),
    "compiled": lambda f, args: run_thrice(tg.compile(lambda *xs: f(*xs)), args),
    "vmap": lambda f, args: tg.vmap(lambda *xs: f(*xs))(*args),
}


def run_thrice(compiled, args):
    """The third call is the first that a program answers."""
    compiled(*args)
    compiled(*args)
    return compiled(*args)


def grid(kind):
    with np.errstate(over="ignore"):
        return GRID.astype(kind)


def pairs(kind):
    return tuple(np.ascontiguousarray(x).ravel() for x in np.meshgrid(grid(kind), grid(kind)))


# NumPy's loops over arrays contract products where the processor can, its loop over single numbers
# does not: a part that is a difference of products is a rounding error in one and 0 in the other,
# or NaN in one and infinite in the other. Here it is that of single numbers.
def separately_rounded(name, args):
    if name == "square":
        return separately_rounded("multiply", args * 2)
    (a, b) = args
    with np.errstate(all="ignore"):
        re, im = a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real
    found = np.empty(re.shape, a.dtype)
    found.real, found.imag = re, im
    return found


# Where C leaves a part open, packages of NumPy before 2.3 have other ones, of NumPy's own functions
# in place of the C library's: Annex G gives no sign of an infinite part beside NaN, and of
# arccosh(i NaN) an imaginary part of NaN or pi/2.
IS_OLDER = tuple(map(int, np.__version__.split(".")[:2])) < (2, 3)


def as_newer(name, z, found):
    if name == "arcsin":
        at = (z.real == -np.inf) & np.isnan(z.imag)
        found.imag[at] = np.inf
    elif name == "arcsinh":
        at = np.isnan(z.real) & (z.imag == -np.inf)
        found.real[at] = np.inf
    elif name == "arccosh":
        at = (z.real == 0) & np.isnan(z.imag)
        found.imag[at] = np.pi / 2
    return found


def numpys(name, args):
    with np.errstate(all="ignore"):
        if name in ("multiply", "square"):
            return separately_rounded(name, args)
        if name == "log1p":  # NumPy adds 1 first, and loses what is smaller than its last digit
            found = np.log1p(*args)
            lost = (args[0].real == 1e-310) & (abs(args[0].imag) < 1e-300)
            found.real[lost] = 1e-310
            return found
        found = getattr(np, name)(*args)
        return as_newer(name, args[0], found) if IS_OLDER else found


def differ(found, wanted):
    """Where a part is another special number, or more than a few units in the last place away."""
    if wanted.dtype.kind == "c":
        return differ(found.real, wanted.real) | differ(found.imag, wanted.imag)
    if wanted.dtype.kind == "b":
        return found != wanted
    special = (wanted == 0) | ~np.isfinite(wanted)
    same = (found == wanted) & (np.signbit(found) == np.signbit(wanted))
    same |= np.isnan(found) & np.isnan(wanted)
    with np.errstate(all="ignore"):
        near = abs(found - wanted) <= 8 * np.spacing(abs(wanted))
    return ~(same | (near & ~special & (found != 0)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [np.complex128, np.complex64])
@pytest.mark.parametrize("name", UNARY + BINARY)
def test_special_values(name, kind, mode):
    args = (grid(kind),) if name in UNARY else pairs(kind)
    wanted = numpys(name, args)
    found = np.asarray(MODES[mode](getattr(np, name), args))
    assert found.dtype == wanted.dtype
    wrong = differ(found, wanted)
    lines = [
        f"{[complex(x[i]) for x in args]}: {found[i]}, NumPy {wanted[i]}"
        for i in np.flatnonzero(wrong)[:10]
    ]
    assert not wrong.any(), f"{name}: {wrong.sum()} values\n" + "\n".join(lines)


@pytest.mark.parametrize("name", UNARY)
def test_one_special_number(name):
    for z, wanted in zip(GRID, numpys(name, (GRID,)), strict=True):
        found = np.array([tg.value(getattr(np, name)(tg.Variable(complex(z))))])
        assert not differ(found, wanted[None])[0], (z, found, wanted)


@pytest.mark.parametrize("n", [0, 1, -1, 2, 3, 5, -4, 0.5, -2, 2.5, 1.5 - 2j])
def test_special_powers(n):
    for power in (np.power, lambda z, n: z**n):
        with np.errstate(all="ignore"):
            wanted = power(GRID, n)
        found = tg.value(power(tg.Variable(GRID), n))
        if n == 2 and power is not np.power:  # contracted
            wanted = separately_rounded("square", (GRID,))
        wrong = differ(found, wanted)
        assert not wrong.any(), [(GRID[i], found[i], wanted[i]) for i in np.flatnonzero(wrong)]


@pytest.mark.parametrize("name", ["exp", "sinh", "cosh"])
def test_products_with_what_overflows(name):
    z = np.array([710 + 1.57j, 720 + 1.5707963267948966j, -730 + 1.57j, 709.5 + 1j, 1300 + 0j])
    assert not differ(tg.value(getattr(np, name)(tg.Variable(z))), numpys(name, (z,))).any()


@pytest.mark.parametrize("name", ["exp", "sqrt", "sin", "tanh", "arcsin", "arctanh", "divide"])
def test_no_warning_of_its_own(name):
    args = (GRID,) if name in UNARY else pairs(complex)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(np, name)(*map(tg.Variable, args))


HELD = (
    "exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos",
    "arctan", "arcsinh", "arccosh", "arctanh", "sign", "divide", "power",
)  # fmt: skip
POINTS = np.array([0.3 + 0.7j, -1.2 + 0.1j, 2 - 3j, 0.5 + 0j, -0.7 + 0.2j])


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.filterwarnings("ignore:.*(not finite|tip of a cone|does not depend)")
def test_a_special_number_beside_leaves_derivatives_alone(name, order):
    """The formulas with all choices in them have the derivatives of those without."""
    function = getattr(np, name)
    both = np.nan_to_num(GRID[[0, 12, 66, 77, 99]], nan=np.nan, posinf=np.inf, neginf=-np.inf)

    def slopes(z):
        w = (0.4 - 0.8j) * np.ones(len(z))
        f = function if name in UNARY else (lambda z: function(z, w))
        for _ in range(order):
            f = tg.holomorphic_grad(f) if name != "sign" else real_slope(f)
        return f(z)

    def real_slope(f):
        return lambda z: tg.jvp(f, (z,), (np.ones(len(z)),))[1]

    alone = slopes(POINTS)
    beside = slopes(np.concatenate([POINTS, both]))[: len(POINTS)]
    np.testing.assert_allclose(beside, alone, rtol=1e-14, atol=1e-15)
    compiled = run_thrice(tg.compile(slopes), (POINTS,))
    np.testing.assert_allclose(compiled, alone, rtol=1e-13, atol=1e-14)


def test_derivatives_of_powers_by_whole_exponents():
    z = np.array([1 + 2j, 0.5 - 1j, -1 + 0.1j])
    for n in (1.0, 2.0, -1.0, 0.0):
        w = np.full(3, n + 0j)
        found = tg.holomorphic_grad(lambda w: np.power(z, w))(w)
        np.testing.assert_allclose(found, z**w * np.log(z), rtol=1e-13)
    found = tg.holomorphic_grad(lambda z: np.power(z, np.array([1.0, 2.0, 3.0])))(np.zeros(3) + 0j)
    np.testing.assert_array_equal(found, [1, 0, 0])
    w = tg.Variable(np.array([1 + 0j, 2 + 0j, 0.5 + 0j]))
    found = tg.holomorphic_grad(lambda z: np.power(z, w))(np.zeros(3) + 0j)
    np.testing.assert_array_equal(tg.value(found), [1, 0, complex(np.nan, np.nan)])


def test_derivatives_stay_those_of_the_formula():
    """A value that is put in leaves no silent zero behind."""
    assert tg.grad(lambda y: np.exp(800.0 + 1j * y).imag)(0.0) == np.inf
    found = tg.jvp(np.arctanh, (1 + 1e-300j,), (1j,))[1]
    assert found.real < -1e299


def test_special_points_of_one_lane_decide_nothing():
    """Parts that are zero, infinite or NaN in the first lane, and usual numbers in the next."""
    first = np.array([1.0 + 0.0j, 0.0 + 1.0j, complex(np.inf, 1.0), complex(np.nan, 0.0), 0.0j])
    lanes = np.stack([first, np.full(5, 0.3 - 0.4j), first[::-1]])
    functions = (np.exp, np.log, np.sqrt, np.sin, np.tanh, np.arcsin, np.arctanh, np.square, np.abs)
    with np.errstate(all="ignore"):
        for f in functions:
            expected = np.stack([f(z) for z in lanes])
            np.testing.assert_array_equal(tg.vmap(f)(lanes), tg.value(f(tg.Variable(lanes))))
            np.testing.assert_allclose(tg.vmap(f)(lanes), expected, rtol=1e-13)
            compiled = tg.compile(f)
            for z in (*lanes, *lanes):
                np.testing.assert_allclose(compiled(z), f(z), rtol=1e-13)
            (signature,) = compiled.inspect().signatures
            assert len(signature.programs) == 1
            assert signature.replays >= 3
