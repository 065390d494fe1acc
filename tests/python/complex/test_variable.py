"""The complex Variable as an array: views, writes, conversions, leaves."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from complex_cases import WRITES

import tapegrad as tg

Z = np.array([1 + 2j, 3 - 1j, 0.5j])


def test_what_makes_one():
    for x in (1j, np.complex64(1j), Z, Z.astype(np.complex64), [1j, 2.0]):
        z = tg.Variable(x)
        assert type(z) is tg.ComplexVariable
        assert z.dtype == np.asarray(x).dtype
        np.testing.assert_array_equal(z.value, x)
    assert type(tg.Variable(1.0, dtype=complex)) is tg.ComplexVariable
    v = tg.Variable(np.ones(3))
    for z in (1j * v, v * 1j, v + Z, Z - v, Z @ v, v @ Z, v**1j, np.exp(1j * v), v / 1j):
        assert type(z) is tg.ComplexVariable
        assert z.dtype == np.complex128


def test_importing_the_library_does_not_import_the_package():
    code = (
        "import sys, numpy as np, tapegrad as tg; tg.grad(lambda x: np.sum(x * x))(np.ones(3)); "
        "print('tapegrad.complex' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_types():
    array, number = tg.Variable(Z), tg.Variable(1j)
    assert isinstance(array, tg.ComplexVariable)
    assert not isinstance(array, tg.Variable)
    assert isinstance(array, np.ndarray)
    assert not isinstance(number, np.ndarray)
    assert isinstance(number, complex)
    assert np.iscomplexobj(array)
    assert np.iscomplexobj(number)
    assert isinstance(number, np.complexfloating)
    assert np.isscalar(number)
    for code in ("len(number)", "iter(number)", "1 in number", "number[0]"):
        with pytest.raises((TypeError, IndexError)):
            eval(code, {"number": number})
    seen = []
    tg.grad(lambda z: (seen.append(isinstance(z, complex)), np.abs(z))[1])(1j)
    assert seen == [True]


def test_parts_and_views_write_through():
    z, plain = tg.Variable(Z) * 1, Z.copy()
    for a in (z, plain):
        a.real[0] = 7.0
        a.imag[1:] = [5.0, 6.0]
        a[2] = 1 - 1j
        a[:1] += 2j
        a.T[1] *= 2
        a.flat[0] = 3
        a.real *= 2
        a.imag = a.imag + 1
        a.put([1], 9j)
    np.testing.assert_array_equal(tg.value(z), plain)
    view = z[1:]
    z[1] = 4j
    assert view.value[0] == 4j


def test_writes_are_differentiated():
    def f(z):
        y = np.zeros_like(z * 1)
        for i in range(3):
            y[i] = z[i] * z[2 - i]
        y.imag[0] += z[1].real
        y *= 1j
        return np.sum(np.abs(y) ** 2)

    def differences(h=1e-6):
        g = np.zeros(3, complex)
        for i in range(3):
            e = np.zeros(3)
            e[i] = h
            g[i] = (f(Z + e) - f(Z - e)) / (2 * h) - 1j * (f(Z + 1j * e) - f(Z - 1j * e)) / (2 * h)
        return g

    np.testing.assert_allclose(tg.grad(f)(Z), differences(), rtol=1e-7)


@pytest.mark.parametrize("code", WRITES)
def test_writes(code):
    found, plain = tg.Variable(Z) * 1, Z.copy()
    exec(code, {"np": np, "z": found})
    exec(code, {"np": np, "z": plain})
    np.testing.assert_array_equal(tg.value(found), plain)


def test_numbers_are_new_objects_in_place():
    z = before = tg.Variable(1j)
    z += 1
    assert before.value == 1j
    assert z.value == 1 + 1j


@pytest.mark.parametrize(
    "code",
    ["float(z[0])", "complex(z[0])", "int(z[0])", "z.item()", "z.tolist()", "np.array(z)",
     "np.asarray(z)", "z.astype(float)", "v.__setitem__(0, z[0])", "v.__iadd__(z)", "z // 2",
     "z.backward()", "plain.__setitem__(0, z[0])", "plain.__iadd__(z)", "tg.Variable(z)"],
)  # fmt: skip
def test_what_would_lose_a_part_or_the_derivative_is_refused(code):
    names = {
        "z": tg.Variable(Z),
        "v": tg.Variable(np.ones(3)),
        "plain": Z.copy(),
        "np": np,
        "tg": tg,
    }
    with pytest.raises(TypeError):
        eval(code, names)
    np.testing.assert_array_equal(names["z"].value, Z)
    np.testing.assert_array_equal(names["plain"], Z)


def test_backward_and_leaves():
    z = tg.Variable(Z)
    np.sum(np.abs(z) ** 2).backward()
    np.testing.assert_allclose(z.grad, 2 * np.conj(Z))
    np.sum(np.abs(z) ** 2).backward()
    np.testing.assert_allclose(z.grad, 4 * np.conj(Z))
    z.grad = None
    assert z.grad is None
    loss = np.sum(np.abs(z * 1j) ** 2)
    np.testing.assert_allclose(tg.grad(loss, z), 2 * np.conj(Z))
    np.testing.assert_allclose(tg.grad(z * z, z, seeds=1j * np.ones(3)), 2j * Z)
    with pytest.raises(TypeError, match=r"tg\.grad\(z\.real, w\)"):
        tg.grad(z, z)


def test_descent_by_variables():
    target = np.array([2 - 1j, 1j])
    z, w = tg.Variable(np.zeros(2, complex)), tg.Variable(1.0)
    optimiser = tg.SGD([z, w], lr=0.1)
    for _ in range(100):
        optimiser.zero_grad()
        loss = np.sum(np.abs(z - target) ** 2) + w**2
        loss.backward()
        optimiser.step()
    np.testing.assert_allclose(z.value, target, atol=1e-8)
    for _ in range(100):
        z.grad = None
        np.sum(np.abs(z - 2 * target) ** 2).backward()
        z.value = z.value - 0.1 * np.conj(z.grad)
    np.testing.assert_allclose(z.value, 2 * target, atol=1e-8)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        z.value = 1j
    with pytest.raises(TypeError, match="got a Variable"):
        z.value = z * 2


def test_copies_and_pickles():
    z = tg.Variable(Z, name="w")
    for other in (copy.copy(z), copy.deepcopy(z), pickle.loads(pickle.dumps(z)), z.copy()):
        assert type(other) is tg.ComplexVariable
        np.testing.assert_array_equal(other.value, Z)
        other.real[0] = 100.0
        np.testing.assert_array_equal(z.value, Z)


def test_texts():
    assert repr(tg.Variable(1 + 2j)) == "ComplexVariable((1+2j))"
    assert repr(tg.Variable(np.array([1j], np.complex64))).endswith("dtype=complex64)")
    assert f"{tg.Variable(1 + 2j):.1f}" == "1.0+2.0j"


def test_object_arrays_and_lists():
    def f(z):
        return np.array([z[0] * 2, z[1] ** 2, 1j])

    found = tg.jvp(f, (Z,), (np.ones(3),))
    np.testing.assert_allclose(found[0], f(Z))
    np.testing.assert_allclose(found[1], [2, 2 * Z[1], 0])
    z = tg.Variable(Z)
    np.testing.assert_array_equal(np.add(z, [1j, 2, z[0]]).value, Z + np.array([1j, 2, Z[0]]))


def test_flat_goes_on_where_it_was():
    z = np.array([[1 + 2j, 3.0], [4j, 2.0]])
    for x in (z, tg.Variable(z)):
        it = x.flat
        assert it.base is x
        assert [complex(tg.value(next(it))) for _ in range(3)] == [1 + 2j, 3.0, 4j]
        assert (it.index, it.coords, len(it)) == (3, (1, 1), 4)
        assert [complex(tg.value(e)) for e in it] == [2.0]
        np.testing.assert_array_equal(tg.value(it.copy()), z.ravel())
        np.testing.assert_array_equal(it == z.ravel(), [True] * 4)
        np.testing.assert_array_equal(it != x.flat, [False] * 4)


def by_elements(z, x):
    z.real[0] = x
    z.imag[:, 1] = 2.0 * x
    z.real += 1.0
    z.real[1, 1] *= 3.0
    z.imag[0] -= x
    return z.real


def by_rows(z, x):
    row, tail = z.real[0], z.real[0][1:]
    row[:] = x * x
    tail[0] = 7.0 * x
    z.real[1] = x**3
    return np.sum(row) + np.sum(tail)


def by_reshaped(z, x):
    turned = z.real.T
    turned[0, 0] = x**2
    turned.reshape(-1)[1] = 9.0  # a copy
    z.real.reshape(-1)[3] = x**4
    z.real.ravel()[2] = 5.0 * x  # a copy, as no array of complex numbers has its parts side by side
    z.ravel().imag[2] = 3.0 * x
    z.imag.squeeze()[1, 1] = 4.0
    return turned


def as_a_whole(z, x):
    part, lengths = z.imag, np.ascontiguousarray(z.imag)
    z *= 2.0
    lengths[0] = x
    z.imag[...] += z.real
    return np.sum(part) + np.sum(lengths)


@pytest.mark.parametrize("program", [by_elements, by_rows, by_reshaped, as_a_whole])
@pytest.mark.parametrize(
    "start", [lambda x: np.zeros((2, 3), complex), lambda x: x + np.ones((2, 3)) * 1j]
)
def test_parts_are_views_in_steps_of_two(program, start):
    def f(x):
        z = start(x)
        found = program(z, x)
        return (
            np.sum(z.real**2)
            + 3.0 * np.sum(z.imag**2 * np.arange(6.0).reshape(2, 3))
            + np.sum(found)
        )

    compiled = tg.compile(tg.value_and_grad(f))
    for x in (1.5, 2.0, 0.5, 1.25):
        value, slope = compiled(x)
        assert value == pytest.approx(f(x), rel=1e-14)
        assert slope == pytest.approx((f(x + 1e-6) - f(x - 1e-6)) / 2e-6, rel=1e-7)
        assert tg.value_and_grad(f)(x) == pytest.approx((value, slope), rel=1e-14)
