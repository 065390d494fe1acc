"""Arrays that creation functions make inside tg.patch_numpy(), and constants beside Variables."""

import subprocess
import sys

import numpy as np

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
