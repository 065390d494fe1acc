"""Universal functions: NumPy's promotion in mixtures, comparisons, random expressions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tapegrad as tg

RNG = np.random.default_rng(3)
BINARY = ("add", "subtract", "multiply", "divide", "power", "maximum", "fmin")
COMPARISONS = (
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_xor",
)
NUMBERS = (2, 2.5, True, 1j, 2 - 1j, 0, -1, 7, np.float32(2), np.complex64(1j), np.float64(0.5),
           np.complex128(2), np.int8(3), np.float16(0.5))  # fmt: skip


def array(kind, shape=(3,)):
    if kind in "FD":
        return (RNG.normal(size=shape) + 1j * RNG.normal(size=shape)).astype(kind)
    return RNG.integers(1, 5, shape).astype(kind)


def assert_same(found, wanted):
    found, wanted = np.asarray(tg.value(found)), np.asarray(wanted)
    assert found.dtype == wanted.dtype
    tolerance = 3e-6 if wanted.dtype.char in "fF" else 1e-13
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", BINARY + COMPARISONS)
@pytest.mark.parametrize("first", "FDfd")
@pytest.mark.parametrize("second", "FDfde?bil")
def test_promotion_of_arrays(name, first, second):
    if not {first, second} & set("FD"):
        return
    f = getattr(np, name)
    for shapes in (((3,), (3,)), ((2, 1), (3,)), ((), (3,)), ((3,), ())):
        a, b = array(first, shapes[0]), array(second, shapes[1])
        assert_same(f(tg.Variable(a), b), f(a, b))
        assert_same(f(b, tg.Variable(a)), f(b, a))
        if second in "FDfd":
            assert_same(f(tg.Variable(a), tg.Variable(b)), f(a, b))


@pytest.mark.parametrize("name", BINARY + COMPARISONS)
@pytest.mark.parametrize("kind", "FD")
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_promotion_of_numbers(name, kind, number):
    f = getattr(np, name)
    for a in (array(kind), array(kind)[0]):
        with np.errstate(all="ignore"):
            assert_same(f(tg.Variable(a), number), f(a, number))
            assert_same(f(number, tg.Variable(a)), f(number, a))


@pytest.mark.parametrize("number", [1j, 2 - 1j, np.complex64(1j), np.complex128(2)], ids=repr)
@pytest.mark.parametrize("kind", "fd")
def test_real_variables_with_complex_numbers(number, kind):
    a = array(kind)
    for f in (np.add, np.multiply, np.divide, np.power, np.equal):
        assert_same(f(tg.Variable(a), number), f(a, number))
        assert_same(f(number, tg.Variable(a)), f(number, a))


def test_division_does_not_overflow():
    a, b = 1e300 + 1e300j, 2e300 - 1e300j
    assert abs((tg.Variable(a) / b).value - a / b) < 1e-15
    assert abs(np.abs(tg.Variable(a)).value - abs(a)) < 1e285
    with np.errstate(all="ignore"):
        for x, y in ((1 + 0j, 0j), (0j, 0j), (-1j, 0j)):
            found = (tg.Variable(np.array([x])) / np.array([y])).value
            np.testing.assert_array_equal(found, np.array([x]) / np.array([y]))


def test_not_numbers_in_order():
    a = np.array([np.nan + 0j, complex(0, np.nan), 1 + 1j, 2 + 0j])
    b = np.array([1 + 0j, 1j, np.nan + 1j, 2 + 1j])
    for f in (np.maximum, np.minimum, np.fmax, np.fmin):
        np.testing.assert_array_equal(f(tg.Variable(a), b).value, f(a, b), err_msg=f.__name__)


def test_powers_are_exact_where_numpys_are():
    z = np.array([1 + 1j, 2 - 3j, -1 + 0.5j])
    for n in (0, 1, 2, 3, 4, 5, 10, -1, -2, -7, 2.0, 3 + 0j):
        np.testing.assert_allclose((tg.Variable(z) ** n).value, z**n, rtol=1e-15)
    assert (tg.Variable(1 + 2j) ** 10).value == (237 - 3116j) ** 1 * 1 == (1 + 2j) ** 10


def test_derivatives_at_zero():
    assert tg.grad(np.abs)(0j) == 0
    assert tg.holomorphic_grad(lambda z: z**2)(0j) == 0
    assert tg.holomorphic_grad(lambda z: z**3)(0j) == 0
    assert tg.holomorphic_grad(lambda z: z**1)(0j) == 1
    assert tg.holomorphic_grad(np.sin)(0j) == 1
    assert tg.holomorphic_grad(np.arctan)(0j) == 1
    assert tg.holomorphic_grad(np.arctanh)(0j) == 1
    assert not np.isfinite(tg.holomorphic_grad(np.sqrt)(0j))
    assert not np.isfinite(tg.holomorphic_grad(np.log)(0j))


# Random expressions: values, derivatives and the three modes.

# Differences must not step over a cut.
UNARY = ("exp", "sin", "tanh", "conj", "square", "negative", "cosh", "expm1")


@st.composite
def expressions(draw, depth=3):
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(["z", "z", "x", "p", "1j", "2.5", "(1-2j)"]))
    kind = draw(st.integers(0, 3))
    left = draw(expressions(depth=depth - 1))
    if kind == 0:
        return f"np.{draw(st.sampled_from(UNARY))}({left})"
    right = draw(expressions(depth=depth - 1))
    if kind == 1:
        return f"np.where(q > 0, {left}, {right})"
    if kind == 2:
        return f"({left} {draw(st.sampled_from('+-*'))} {right})"
    return f"({left} / ({right} * np.conj({right}) + 3))"


POINT = np.array([0.3 + 0.7j, -0.8 + 0.4j, 0.6 - 0.5j])


def evaluated(code, z):
    return np.sum(eval(code, names_of(z)) * z)


def names_of(z):
    return {
        "np": np,
        "z": z,
        "x": np.real(z),
        "p": np.conj(POINT),
        "q": np.array([1.0, -1.0, 2.0]),
    }


@settings(max_examples=120, deadline=None)
@given(expressions())
def test_random_expressions(code):
    with np.errstate(all="ignore"):
        wanted = evaluated(code, POINT)
        if not np.isfinite(wanted) or abs(wanted) > 1e6:
            return
        f = lambda z: evaluated(code, z)  # noqa: E731 - a value
        np.testing.assert_allclose(tg.value(f(tg.Variable(POINT))), wanted, rtol=1e-11, atol=1e-12)
        u = np.array([1 + 1j, -0.5j, 0.7])
        h = 1e-6
        slope = (f(POINT + h * u) - f(POINT - h * u)) / (2 * h)
        value, tangent = tg.jvp(f, (POINT,), (u,))
        np.testing.assert_allclose(value, wanted, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(tangent, slope, rtol=1e-5, atol=1e-5 * (1 + abs(wanted)))
        c = 0.3 - 0.8j
        (cotangent,) = tg.vjp(f, POINT)[1](c)
        # <c, J u> = <J^T c, u>, both as real parts of plain products.
        np.testing.assert_allclose(
            np.real(c * tangent), np.real(np.sum(cotangent * u)), rtol=1e-9, atol=1e-9
        )
        read = eval(f"lambda {', '.join(names_of(POINT))}: {code}")
        lanes = tg.vmap(lambda z: np.sum(read(**names_of(z)) * z))(np.stack([POINT, POINT * 0.5]))
        np.testing.assert_allclose(lanes, [wanted, f(POINT * 0.5)], rtol=1e-10, atol=1e-11)
