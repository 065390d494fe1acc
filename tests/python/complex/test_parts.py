"""Arrays made inside tg.patch_numpy(), constants beside Variables, and the dtypes of results."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import tapegrad as tg

Z = np.array([0.3 + 0.7j, -1.2 + 0.4j, 0.9 - 0.6j])


def filled(z):
    y = np.zeros(3, dtype=complex)
    total = np.zeros((2, 3), complex)
    for k in range(3):
        y[k] = z[k] * z[2 - k]
    y += 1j
    total[1] = y
    total[0, 1] = 2j
    return np.sum(np.abs(total) ** 2)


def differences(f, z, h=1e-6):
    found = np.zeros(3, complex)
    for k in range(3):
        e = np.zeros(3)
        e[k] = h
        found[k] = (f(z + e) - f(z - e)) / (2 * h) - 1j * (f(z + 1j * e) - f(z - 1j * e)) / (2 * h)
    return found


def test_filled_arrays_are_differentiated():
    f = tg.patch_numpy()(filled)
    np.testing.assert_allclose(f(Z), filled(Z))
    np.testing.assert_allclose(tg.grad(f)(Z), differences(filled, Z), rtol=1e-7)
    compiled = tg.compile(tg.grad(f))
    for k in range(4):
        np.testing.assert_allclose(compiled(Z * (k + 1)), tg.grad(f)(Z * (k + 1)), rtol=1e-12)


def test_real_variables_fill_complex_arrays():
    @tg.patch_numpy()
    def f(x):
        y = np.empty(2, complex)
        y[0] = x * 1j
        y.real[1] = x**2
        y.imag[1] = 3.0
        return np.sum(np.abs(y) ** 2)

    np.testing.assert_allclose(tg.grad(f)(2.0), 2 * 2.0 + 4 * 2.0**3)


def test_blank_arrays_count_as_plain():
    with tg.patch_numpy():
        y = np.zeros(3, complex)
        y[0] = 1j
        assert isinstance(y, np.ndarray)
        assert y[0] == 1j
        assert type(y[0]) is np.complex128
        np.testing.assert_array_equal(np.fft.fft(y), np.fft.fft(np.array([1j, 0, 0])))
        np.testing.assert_array_equal(np.asarray(y * 2 + 1), [1 + 2j, 1, 1])
        assert y.tolist() == [1j, 0, 0]
        assert complex(y[0]) == 1j
        assert repr(y) == "array([0.+1.j, 0.+0.j, 0.+0.j])"
        assert np.sum(y) == 1j


def test_results_of_blanks_alone_are_plain():
    @tg.patch_numpy()
    def f(x):
        y = np.zeros(2, complex)
        y[1] = 1j
        return x * 2, y

    value, tangent = tg.jvp(f, (1.0,), (1.0,))
    assert type(value[1]) is np.ndarray
    np.testing.assert_array_equal(value[1], [0, 1j])
    np.testing.assert_array_equal(tangent[1], [0, 0])


def test_arrays_of_complex_variables():
    @tg.patch_numpy()
    def f(z):
        y = np.array([[z[0], 1j], [2.0, z[1] * z[2]]])
        w = np.array([z[0].real, 1.0], dtype=complex)
        return np.sum(np.abs(y) ** 2) + np.sum(np.abs(w * np.array(z[:2])) ** 2)

    def plain(z):
        return f(z)

    np.testing.assert_allclose(tg.grad(f)(Z), differences(plain, Z), rtol=1e-7)


def test_the_package_may_be_imported_inside_a_block():
    code = """
import numpy as np, tapegrad as tg
@tg.patch_numpy()
def f(x):
    z = x * 1j
    y = np.zeros_like(z)
    y[0] = np.linspace(z[0], 1j, 3)[1]
    return np.sum(np.abs(np.copy(y) + np.full_like(z * 1, 2)) ** 2)
print(tg.grad(f)(np.array([1.0, 2.0])))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout == "[1. 0.]\n", found.stderr


# Dtypes: 1j * x of a float is a number of Python's, whose precision is weak.
POINTS = {
    "double": np.float64(1.5),
    "single": np.float32(1.5),
    "doubles": np.array([1.5, 2.0]),
    "singles": np.array([1.5, 2.0], np.float32),
    "array": np.array(1.5),
}
FIRST = {
    "1j * x": lambda x: 1j * x,
    "x * 1j": lambda x: x * 1j,
    "1j - x": lambda x: 1j - x,
    "1j / x": lambda x: 1j / x,
    "1j ** x": lambda x: 1j**x,
    "(1j * x) * x": lambda x: (1j * x) * x,
    "x * (1j * x)": lambda x: x * (1j * x),
    "-(2 + 1j * x)": lambda x: -(2 + 1j * x),
    "conjugate": lambda x: (0.5j * x).conjugate(),
    "square": lambda x: (1j * x) ** 2,
    "cosine": lambda x: np.cos(1j * x),
    "sum": lambda x: sum([1j * x, 2.0]),
}
SECOND = {
    "int": 3,
    "float": 2.5,
    "complex": 0.5j,
    "bool": True,
    **{t.__name__: t(2) for t in (np.float64, np.float32, np.int64, np.int8, np.uint8, np.bool_)},
    **{t.__name__: t(2j) for t in (np.complex64, np.complex128)},
    "array of no axes": np.array(2.0, np.float32),
    **{f"array of {d}": np.array([1, 2], d) for d in "dfFDlbB?"},
}
OPERATIONS = {
    "multiply": lambda a, b: a * b,
    "add": lambda a, b: a + b,
    "divide": lambda a, b: a / (b + 1),
    "power": lambda a, b: (a + 0.5) ** b,
    "np.multiply": np.multiply,
    "np.dot": np.dot,
    "np.clip": lambda a, b: np.clip(a, b, None),
    "stack": lambda a, b: np.stack([np.ravel(a)[0], np.ravel(b)[0]]),
    "concatenate": lambda a, b: np.concatenate([np.atleast_1d(a), np.atleast_1d(b)]),
}


def kind_of(x):
    """The class of a number of Python's, else dtype and shape."""
    found = x.__class__
    is_pythons = found in (complex, float, bool, int)
    return found if is_pythons else (np.dtype(x.dtype), np.shape(x))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("first", FIRST)
def test_dtypes_are_numpys(first, point):
    x, found = POINTS[point], {}
    pairs = list(itertools.product(OPERATIONS, SECOND, (False, True)))

    def result(x, operation, second, is_turned):
        a, b = FIRST[first](x), SECOND[second]
        return OPERATIONS[operation](*((b, a) if is_turned else (a, b)))

    def f(x):
        for pair in pairs:
            found[pair] = result(x, *pair)
        return np.sum(x)

    for transform in (tg.grad, tg.compile):
        transform(f)(x)
        for pair in pairs:
            expected = result(x, *pair)
            assert kind_of(found[pair]) == kind_of(expected), pair
            rtol = 1e-5 if np.asarray(expected).dtype == np.complex64 else 1e-13
            if transform is tg.grad:
                np.testing.assert_allclose(tg.value(found[pair]), expected, rtol, rtol)


@pytest.mark.filterwarnings("ignore:compile")  # f writes down what it sees
def test_parts_of_pythons_numbers_are_floats_while_recording():
    kinds = []

    def f(x, y):
        z = 1j * x
        kinds.append([(part * y).dtype for part in (z.imag, z.real, abs(z))])
        return z.imag * y

    singles = np.ones(2, np.float32)
    assert tg.compile(f)(np.float64(1.5), singles).dtype == np.float32
    assert kinds == [[np.float32] * 3]


def test_what_a_weak_number_gives_is_differentiated():
    singles = np.array([0.5, 2.0], np.float32)

    def f(x):
        waves = singles * np.exp(1j * x) + (1j * x) * singles
        return np.sum(np.abs(waves) ** 2).astype(np.float64)

    x, h = np.float64(0.7), 1e-2
    slope = tg.grad(f)(x)
    assert slope == pytest.approx((f(x + h) - f(x - h)) / (2 * h), rel=1e-3)
    assert tg.compile(tg.grad(f))(x) == pytest.approx(slope, rel=1e-6)
    assert tg.jvp(f, (x,), (1.0,))[1] == pytest.approx(slope, rel=1e-6)
    assert tg.vmap(tg.grad(f))(np.array([x, x]))[1] == pytest.approx(slope, rel=1e-6)
