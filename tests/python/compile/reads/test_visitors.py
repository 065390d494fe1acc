"""Complex Variables that a compiled function reads, and leaves behind."""

import functools
import warnings

import numpy as np
import pytest

import tapegrad as tg

X = np.array([1.0, 2.0, -1.0])


def test_complex_variables_are_read_anew():
    w = tg.Variable(np.array([1 + 1j, 2.0, 3j]))
    c = tg.Variable(2j)

    def f(x):
        return np.sum(np.abs(x * w * c) ** 2)

    gradient = tg.compile(tg.grad(f))
    for k in range(9):
        wanted = 2 * X * np.abs(tg.value(w) * tg.value(c)) ** 2
        np.testing.assert_allclose(tg.value(gradient(X)), wanted, rtol=1e-14)
        if k == 3:
            w[0] = 5j
        if k == 4:
            w.real[1] = 7.0
        if k == 5:
            w = tg.Variable(np.array([1, 1, 1j]))
        if k == 6:
            c = tg.Variable(3.0 + 0j)
        if k == 7:
            c.imag.value = 9.0


def test_what_is_left_behind_is_plain():
    kept = []

    def f(z):
        kept.append(z * 2)
        return np.abs(z)

    compiled = tg.compile(f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(4):
            compiled((k + 1j) * X)
    assert len(kept) == 4
    for k, z in enumerate(kept):
        assert type(z) is np.ndarray
        np.testing.assert_array_equal(z, (k + 1j) * X * 2)


@pytest.mark.parametrize("change", ["content", "array", "number"])
def test_captured_complex_data(change):
    data = {"w": np.array([1j, 2, 3 - 1j]), "s": 1j}

    def f(x):
        return np.real(np.sum(x * data["w"] * data["s"])) + np.linalg.norm(data["w"])

    compiled = tg.compile(f)
    for k in range(7):
        np.testing.assert_allclose(compiled(X * k), f(X * k), rtol=1e-14)
        if k == 3:
            if change == "content":
                data["w"].imag[0] = 9.0
            elif change == "array":
                data["w"] = data["w"] * 3j
            else:
                data["s"] = 2.0 - 1j


def test_functions_of_scipy_fft_may_be_named():
    fft = pytest.importorskip("scipy.fft")
    dct, weights = fft.dct, np.array([1.0, 2.0, 3.0])

    def f(x):
        return np.sum(dct(weights) * x)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient = tg.compile(tg.grad(f))
        for k in range(6):
            weights[0] = k
            np.testing.assert_allclose(gradient(X), fft.dct(weights), rtol=1e-14)


class Disk:
    def __init__(self, radius):
        self.radius = radius


@functools.singledispatch
def size_of(x):
    return np.sum(x)


@size_of.register
def _(x: Disk):
    return x.radius**2


def test_functions_that_choose_by_a_type():
    def f(x):
        return size_of(Disk(x[0])) * size_of(x) + size_of([x[1], x[2]])

    gradient, plain = tg.compile(tg.grad(f)), tg.grad(f)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(9):
            if k == 3:
                size_of.register(list, lambda items: items[0] * items[1])
            if k == 6:
                size_of.register(Disk, lambda x: 3.0 * x.radius)
            x = X + 0.1 * k
            np.testing.assert_allclose(gradient(x), plain(x), rtol=1e-13)
            if k > 6:
                assert plain(x)[1] == 3.0 * x[0] + x[2]
