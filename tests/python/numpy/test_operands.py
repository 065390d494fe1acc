"""The dtypes that NumPy's functions give: beside float32, and where Python's numbers take part."""

import operator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from surface_cases import CALLS

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy.families import name_of

ROWS = [(name_of(func), f, x) for func, calls in CALLS.items() for f, x in calls]
SINGLE = np.array([0.3, -1.2, 2.0], np.float32)


def assert_same(found, expected, tolerance):
    if isinstance(expected, (tuple, list)):
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b, tolerance)
        return
    expected = np.asarray(expected)
    found = np.asarray(tg.value(found))
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "f", "x"), ROWS, ids=[name for name, _, _ in ROWS])
def test_float32(name, f, x):
    x = x.astype(np.float32)
    with np.errstate(all="ignore"):
        expected = f(x)
    assert_same(f(tg.Variable(x)), expected, 2e-5)
    compiled = tg.compile(f)
    for _ in range(3):
        assert_same(compiled(x), expected, 2e-5)
    assert tg.grad(lambda x: total(f(x)))(x).dtype == np.float32


def total(found):
    return sum(map(total, found)) if isinstance(found, (tuple, list)) else np.sum(np.real(found))


# Functions of an array and of a number of Python. An operator or a ufunc gives the number the
# precision of the array; where NumPy makes an array of it first, it is a float64.
WITH_NUMBERS = {
    "operators": lambda x, a: (x + a) * a / (a + x * x) ** a,
    "ufuncs": lambda x, a: np.maximum(x, a) + np.hypot(a, x),
    "where": lambda x, a: np.where(x > a, x, a),
    "select": lambda x, a: np.select([x > a], [x], a),
    "clip": lambda x, a: np.clip(x, -a, a) + x.clip(-a, a),
    "item": lambda x, a: _with_item(x, a),
    "nan_to_num": lambda x, a: np.nan_to_num(x, nan=a),
    "pad": lambda x, a: np.pad(x, 1, constant_values=a),
    "full_like": lambda x, a: np.full_like(x, a) * x,
    "insert": lambda x, a: np.insert(x, 1, a),
    "append": lambda x, a: np.append(x, a),
    "hstack": lambda x, a: np.hstack([x, a]),
    "stack": lambda x, a: np.stack([x[0], a]),
    "concatenate": lambda x, a: np.concatenate([x, [a]]),
    "diff": lambda x, a: np.diff(x, prepend=a),
    "ediff1d": lambda x, a: np.ediff1d(x, to_begin=a, to_end=[a, a]),
    "dot": lambda x, a: np.dot(x, a) + np.dot(a, x) + x.dot(a),
    "dot of a number": lambda x, a: np.dot(x[0], a),
    "inner": lambda x, a: np.inner(x, a),
    "outer": lambda x, a: np.outer(a, x),
    "kron": lambda x, a: np.kron(x, a),
    "tensordot": lambda x, a: np.tensordot(x, a, 0),
    "einsum": lambda x, a: np.einsum("i,->i", x, a),
    "outer of a ufunc": lambda x, a: np.add.outer(x, a) + np.multiply.outer(a, x),
    "polyval at a number": lambda x, a: np.polyval(x, a),
    "polyval of numbers": lambda x, a: np.polyval([a, 1.0], x),
    "linspace": lambda x, a: np.linspace(x[0], a, 3),
    "initial": lambda x, a: np.sum(x, initial=a) * np.prod(x, initial=a) - np.max(x, initial=a),
    "initial of nothing": lambda x, a: np.max(x[:0], initial=a) + np.min(x[:0], initial=a) * x[0],
    "initial, chosen": lambda x, a: np.min(x, initial=a, where=x > 0.5),
    "initial of float64": lambda x, a: np.sum(x, initial=DOUBLE) + np.max(x, initial=DOUBLE),
    "vander": lambda x, a: np.vander(x, 3) * a,
    "std": lambda x, a: np.std(x, mean=a),
    "trapezoid": lambda x, a: np.trapezoid(x, dx=a),
}
DOUBLE = np.float64(1.5)


def _with_item(x, a):
    y = x * 1.0
    y[0] = a
    return y


@pytest.mark.filterwarnings("ignore:compile.*runs without a program:UserWarning")
@pytest.mark.parametrize("a", [1.25, 2])
@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_numbers_beside_float32(name, a):
    f = WITH_NUMBERS[name]
    expected = f(SINGLE, a)
    assert_same(f(tg.Variable(SINGLE), a), expected, 2e-6)
    compiled = tg.compile(f)
    for b in (a, a, a + 1, a + 2, a + 3):
        assert_same(compiled(SINGLE, b), f(SINGLE, b), 2e-6)
    assert tg.grad(lambda x: np.sum(f(x, a)))(SINGLE).dtype == np.float32


def test_vander_of_what_is_not_finite():
    x = np.array([np.inf, np.nan, 2.0])
    np.testing.assert_array_equal(np.vander(tg.Variable(x), 3).value, np.vander(x, 3))


# Where one array has single precision, what stands beside it settles that of the result.
MIXED = {
    "clip of a number": lambda x, s: np.clip(s, x, None),
    "clip of a number from above": lambda x, s: np.clip(s, None, x),
    "clip between arrays": lambda x, s: np.clip(s, x, x),
    "clip by a number": lambda x, s: np.clip(x, s, None),
    "std of complex": lambda x, s: np.std(x * 1j) * s,
    "nanmean of complex": lambda x, s: np.nanmean(x * 1j) + s,
    "nanvar of complex": lambda x, s: np.nanvar(x * 1j) + s,
    "vander of complex": lambda x, s: np.vander(x * 1j, 2) * s,
    "prod of complex": lambda x, s: np.prod(x * 1j, initial=np.complex128(2)) * s,
    "max of complex": lambda x, s: np.max(x + 1j, initial=np.complex128(2)) * s,
    "outer of complex": lambda x, s: np.add.outer(x * 1j, s),
    "r_ of complex": lambda x, s: np.r_[x[0] * 1j, s],
    "r_ of complex arrays": lambda x, s: np.r_[x * 1j, s],
    "c_ of complex": lambda x, s: np.c_[x * 1j, x * s],
    "insert several": lambda x, s: np.insert(x, 1, [s, s]),
    "full_like": lambda x, s: np.full_like(x, s),
    "power of a truth": lambda x, s: (x[0] > 0) ** 2 * s,
    "power of truths": lambda x, s: (x > 0) ** 2 * s,
}


@pytest.mark.parametrize("s", [2, 2.5, True, np.float64(2.5), np.float32(2.5)], ids=repr)
@pytest.mark.parametrize("name", MIXED)
def test_numbers_beside_single_precision(name, s):
    f = MIXED[name]
    expected = f(SINGLE, s)
    compiled, given = tg.compile(lambda x: f(x, s)), tg.compile(f)
    assert_same(f(tg.Variable(SINGLE), s), expected, 2e-5)
    for _ in range(4):
        assert_same(compiled(SINGLE), expected, 2e-5)
        assert_same(given(SINGLE, s), expected, 2e-5)


@pytest.mark.parametrize("p", [0, 1, 2, 3, -1, 0.5, 1.5])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.array, np.int64, np.int8])
def test_powers_by_numpys_numbers(kind, p):
    """Before 2.3, NumPy took some of them for Python's, which have no precision of their own."""
    s = kind(p)  # of whole numbers the nearest to zero
    positive = abs(SINGLE)
    for f in (lambda x: x**s, lambda x: (x + 1j) ** s, lambda x: (x[0] + x) ** s):
        for x in (positive, positive.astype(float)):
            expected, rtol = f(x), 2e-5 if x.dtype == np.float32 else 1e-13
            assert_same(f(tg.Variable(x)), expected, rtol)
            compiled = tg.compile(f)
            for _ in range(3):
                assert_same(compiled(x), expected, rtol)
    y, z = tg.Variable(SINGLE) * 1, SINGLE * 1
    y **= kind(2)
    z **= kind(2)
    assert_same(y, z, 2e-5)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * range(3) + range(3) * x - range(1, 4),
        lambda x: x[:, None] ** range(4) + range(1, 5) / x[:, None],
        lambda x: x @ range(3) + x[0] * range(3),
        lambda x: np.where(x > range(3), x, 0.0) + (x != range(3)) * x,
        lambda x: np.float_power(x * (1 + 0.5j), range(3)).imag + (x * 1j * range(3)).imag,
    ],
)
def test_ranges_are_operands_as_lists_are(f):
    x = np.array([0.5, 1.5, 2.5])
    compiled = tg.compile(f)
    for scale in (1.0, 1.1, 0.9, 1.05):
        np.testing.assert_allclose(tg.value(f(tg.Variable(x * scale))), f(x * scale), rtol=1e-14)
        np.testing.assert_allclose(compiled(x * scale), f(x * scale), rtol=1e-14)
    found = tg.grad(lambda x: np.sum(np.sin(f(x))))(x)
    wanted = numerical.grad(lambda x: float(np.sum(np.sin(f(x)))))(x)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


OF_TWO = {f.__name__: f for f in (operator.add, operator.sub, operator.mul, operator.truediv,
                                  operator.pow, operator.mod)}  # fmt: skip


@pytest.mark.parametrize("name", OF_TWO)
@pytest.mark.parametrize("x", [1.7, np.array([1.5, 2.5]), np.float32(1.25)])
def test_fractions_are_numbers(name, x):
    third, number = Fraction(1, 3), 1 / 3
    for f, same in (
        (lambda v: OF_TWO[name](v, third), lambda v: OF_TWO[name](v, number)),
        (lambda v: OF_TWO[name](third, v), lambda v: OF_TWO[name](number, v)),
    ):
        found = tg.value(f(tg.Variable(x)))
        assert np.asarray(found).dtype == np.asarray(x).dtype
        np.testing.assert_array_equal(found, tg.value(same(tg.Variable(x))))
        gradient = tg.grad(lambda v, f=f: np.sum(f(v)))
        wanted = tg.grad(lambda v, same=same: np.sum(same(v)))(x)
        np.testing.assert_array_equal(gradient(x), wanted)
        compiled = tg.compile(gradient)
        for _ in range(4):
            np.testing.assert_array_equal(compiled(x), wanted)


def test_decimals_are_no_numbers_as_with_floats():
    for v in (1.5, tg.Variable(1.5)):
        with pytest.raises(TypeError, match=r"unsupported operand type.* 'decimal\.Decimal'"):
            v * Decimal("0.1")


class Halves:
    """What NumPy takes for an array, and a method that goes first only for numbers of Python."""

    def __array__(self, dtype=None, copy=None):
        return np.array([0.5, 0.5, 0.5], dtype)

    def __rmul__(self, other):
        return "mine"


class First(Halves):
    __array_priority__ = 10.0


COMPARISONS = [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]


@pytest.mark.parametrize("f", [*OF_TWO.values(), *COMPARISONS, operator.matmul])
def test_objects_that_give_an_array_are_operands_as_for_arrays(f):
    x = np.array([0.25, 0.5, 1 / 3])
    np.testing.assert_array_equal(tg.value(f(tg.Variable(x), Halves())), f(x, Halves()))
    if f is not operator.matmul:  # which has no reflected method of NumPy's to go to
        np.testing.assert_array_equal(tg.value(f(Halves(), tg.Variable(x))), f(Halves(), x))
    assert operator.mul(x, First()) == operator.mul(tg.Variable(x), First()) == "mine"


@pytest.mark.parametrize("f", COMPARISONS)
@pytest.mark.parametrize("number", [Fraction(1, 2), Fraction(1, 3), Decimal("0.5")])
def test_comparisons_with_fractions_and_decimals_are_exact(f, number):
    x = np.array([0.25, 0.5, 1 / 3])
    np.testing.assert_array_equal(f(tg.Variable(x), number), f(x, number))
    np.testing.assert_array_equal(f(number, tg.Variable(x)), f(number, x))
    for k in range(3):
        assert bool(f(tg.Variable(x[k]), number)) is bool(f(x[k], number))

    def chosen(v):
        return np.sum(np.where(f(v, number), v**2, 3 * v))

    compiled = tg.compile(tg.grad(chosen))
    for at in (x, x, x, x + 0.2, x):
        np.testing.assert_array_equal(compiled(at), np.where(f(at, number), 2 * at, 3.0))
