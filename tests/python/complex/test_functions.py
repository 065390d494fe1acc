"""NumPy's functions of complex Variables: values, gradients, programs and lanes against NumPy."""

import linecache
import warnings

import generated
import numpy as np
import pytest
from agreement import assert_same_kinds
from complex_cases import (
    ALIKE,
    ELEMENTARY,
    OTHERS,
    PLAIN,
    WRITES,
    P,
    Q,
    R,
    S,
    W,
    functions_of,
    names_of,
)

import tapegrad as tg
from tapegrad.complex.functions import both_alike, own
from tapegrad.complex.ufuncs import PAIRS, REALS
from tapegrad.numpy.families import whole_table

Z = np.array([0.3 + 0.7j, -1.2 + 0.4j, 0.9 - 0.6j])
CALLS = ALIKE + OTHERS
BY_VALUE = (
    "real_if_close",
    "unique",
    "union1d",
    "trim_zeros",
    "np.partition",
)  # which ask plain values
RECORDED = [code for code in CALLS if not any(name in code for name in BY_VALUE)]


def precision(code):
    return 1e-5 if "complex64" in code else 1e-12


def weighted(y):
    """A real number of all elements of real and complex results."""
    if isinstance(y, (tuple, list)):
        return sum(map(weighted, y))
    shape = np.shape(y)
    n = np.arange(int(np.prod(shape))).reshape(shape)
    if np.iscomplexobj(y):
        return np.real(np.sum(y * (np.cos(n) + 1j * np.sin(1 + n))))
    return np.sum(y * np.cos(n))


def differences(f, z, h=1e-6):
    """df/dx - i df/dy of each element."""
    found = np.zeros(z.shape, complex)
    for i in range(len(z)):
        step = np.zeros(z.shape)
        step[i] = h
        found[i] = (f(z + step) - f(z - step)) / (2 * h)
        found[i] -= 1j * (f(z + 1j * step) - f(z - 1j * step)) / (2 * h)
    return found


def function_of(code):
    """A function with a source, which the analysis of compiled functions reads."""
    source = (
        "def f(z):\n"
        "    scale = np.sum(z)\n"
        "    w = W + scale * np.array([[0.1, 0.2j, 0.3], [1j, 0.2, -0.1]])\n"
        "    s = S + z * 0.5 + z[:, None]\n"
        "    x, m, c = np.real(z) + 2.5, np.real(w), z[0] * 1j\n"
        f"    return {code}\n"
    )
    name = f"<complex {hash(code)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    space = {"np": np, "W": W, "S": S, "p": P, "q": Q, "r": R}
    exec(compile(source, name, "exec"), space)
    return space["f"]


def assert_same(found, wanted, code):
    assert np.asarray(found).dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(found, wanted, rtol=precision(code), atol=1e-14)


@pytest.mark.parametrize("code", CALLS)
def test_values(code):
    found, expected = eval(code, names_of(tg.Variable(Z))), eval(code, names_of(Z))
    assert_same(tg.value(found), expected, code)
    assert_same_kinds(found, expected)


@pytest.mark.parametrize("code", CALLS)
def test_gradients(code):
    found = tg.grad(lambda z: weighted(eval(code, names_of(z))))(Z)
    wanted = differences(lambda z: float(weighted(eval(code, names_of(z)))), Z)
    loose = "complex64" in code
    np.testing.assert_allclose(
        found, wanted, rtol=0.5 if loose else 1e-6, atol=0.2 if loose else 1e-7
    )


@pytest.mark.parametrize("code", RECORDED)
def test_programs(code):
    compiled = tg.compile(function_of(code))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(4):
            z = Z * (1 + 0.1 * k)
            assert_same(compiled(z), eval(code, names_of(z)), code)
    assert sum(s.replays for s in compiled.inspect().signatures) > 0


@pytest.mark.parametrize("code", RECORDED)
def test_lanes(code):
    points = np.stack([Z, 2 * Z])
    f = eval(f"lambda {', '.join(names_of(Z))}: {code}")
    found = tg.vmap(lambda z: f(**names_of(z)))(points)
    for y, z in zip(found, points, strict=True):
        assert_same(y, eval(code, names_of(z)), code)


@pytest.mark.parametrize("code", PLAIN)
def test_plain_results(code):
    assert str(eval(code, names_of(tg.Variable(Z)))) == str(eval(code, names_of(Z)))


def test_every_function_has_a_case():
    """A new registration that records masks too is taken to move elements: here it is seen."""
    alike = {f for f in whole_table() if both_alike(f) is not None}
    done = {f.__name__ for f in functions_of(CALLS + PLAIN + WRITES)}
    done.update({"poly", "roots"})  # which ask the elements, not their array
    assert len(alike) > 50
    assert {f.__name__ for f in alike | set(own)} - done == set()
    assert {*PAIRS, *REALS} - done - set(ELEMENTARY) == set()


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="the page is of a later version of NumPy"
)
def test_the_page_is_up_to_date():
    """docs/complex_functions.md: python tests/python/generated.py writes it anew."""
    assert generated.complex_page() == generated.COMPLEX.read_text("utf-8")


def test_results_of_several_arguments_keep_their_dtypes():
    z = tg.Variable(Z)
    first, second = np.broadcast_arrays(z, Q)
    assert first.dtype == np.complex128
    assert second.dtype == np.float64
    first, second = np.meshgrid(z, Q)
    assert second.dtype == np.float64


@pytest.mark.parametrize("code", ["np.quantile(z, 0.5)", "np.unwrap(z)", "np.i0(z)"])
def test_what_is_not_supported_is_refused_by_name(code):
    with pytest.raises(TypeError, match=code.partition("(")[0]):
        eval(code, names_of(tg.Variable(Z)))


def test_choices_have_the_precision_that_numpy_gives_them():
    functions = (
        lambda x: np.where(x > 0, x, 1j),
        lambda x: np.where(x > 0, 1j, x * 1j),
        lambda x: np.where(x > 0, x, np.complex128(1j)),
        lambda x: np.where(x > 0, x, [1j, 2.0]),
        lambda x: np.select([x > 0], [x], 1j),
        lambda x: np.select([x > 0, x < 0], [x * 1j, 2.0]),
    )
    for dtype in (np.float32, np.float64):
        x = np.array([0.3, -0.4], dtype)
        for f in functions:
            found = f(tg.Variable(x))
            assert found.dtype == f(x).dtype
            np.testing.assert_array_equal(tg.value(found), f(x))


@pytest.mark.parametrize(
    "join",
    [
        lambda x: np.array([-x, 2j * x, 4.0]),
        lambda x: np.stack([-x, 2j * x]),
        lambda x: np.array([-x, 2j]),
        lambda x: np.insert(np.array([2j * x]), 0, -x),
        lambda x: np.append(-x, np.array([2j * x])),
        lambda x: np.array([x * np.inf, -x, 1j]),
    ],
)
def test_real_numbers_beside_complex_ones_have_a_zero_for_imaginary_part(join):
    """Of plus sign and finite, so that they lie on NumPy's side of branch cuts."""
    for kind in (np.float64, np.float32):
        x = kind(1.5)
        expected = np.sqrt(join(x))
        for found in (tg.jvp(lambda x: np.sqrt(join(x)), (x,), (x,))[0], tg.compile(join)(x)):
            assert found.dtype == expected.dtype
        np.testing.assert_array_equal(
            np.signbit(tg.compile(join)(x).imag), np.signbit(join(x).imag)
        )
        found = tg.jvp(lambda x: np.sqrt(join(x)), (x,), (x,))[0]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    lanes = np.array([1.5, 2.5])
    expected = np.stack([np.sqrt(join(x)) for x in lanes])
    np.testing.assert_allclose(tg.vmap(lambda x: np.sqrt(join(x)))(lanes), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "call",
    [
        "np.cumsum(z, 0, {})", "np.sum(z, 0, {})", "np.mean(z, 0, {})", "np.trace(z, 0, 0, 1, {})",
        "np.prod(z, 0, {})", "np.cumprod(z, 0, {})", "z.sum(0, {})",
        "np.cumulative_sum(z, axis=0, dtype={})",
    ],
)  # fmt: skip
def test_dtypes_by_place_are_seen(call):
    """A real one would drop the imaginary part, which NumPy warns of."""
    if "cumulative" in call and not hasattr(np, "cumulative_sum"):
        pytest.skip("there is no np.cumulative_sum")
    z = np.array([[1 + 2j, 3.0], [4j, 2.0]])
    for dtype in ("np.complex64", "np.complex128"):
        expected = eval(call.format(dtype), {"np": np, "z": z})
        found = eval(call.format(dtype), {"np": np, "z": tg.Variable(z)})
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.value, expected, rtol=1e-6)
    with pytest.raises(TypeError, match="would drop the imaginary part"):
        eval(call.format("float"), {"np": np, "z": tg.Variable(z)})
