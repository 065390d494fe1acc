"""Convolutions over chosen axes."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat.autograd.scipy.signal import convolve

rng = np.random.default_rng(0)


@pytest.mark.parametrize("mode", ["full", "valid", "same"])
@pytest.mark.parametrize("n", [1, 3, 6])
def test_of_one_axis_it_is_numpys(mode, n):
    a, b = rng.normal(size=5), rng.normal(size=n)
    if mode != "same" or n <= 5:  # NumPy's is as long as the longer one
        assert np.allclose(convolve(a, b, mode=mode), np.convolve(a, b, mode))
    assert np.shape(convolve(a, b, mode="same")) == (5,)


@pytest.mark.parametrize("mode", ["full", "valid", "same"])
def test_other_axes_stay_or_are_summed(mode):
    a, b = rng.normal(size=(2, 5, 3)), rng.normal(size=(3, 4, 4))
    found = convolve(a, b, axes=([1], [2]), mode=mode)
    assert found.shape[:4] == (2, 3, 3, 4)
    assert np.allclose(found[1, 2, 0, 3], np.convolve(a[1, :, 2], b[0, 3], mode))
    summed = convolve(a, b, axes=([1], [2]), dot_axes=([2], [0]), mode=mode)
    assert np.allclose(summed, np.einsum("ijjkl->ikl", found))


def test_no_axis_is_a_tensor_product():
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    assert np.allclose(convolve(a, b, ([], []), ([1], [0])), a @ b)


@pytest.mark.parametrize("mode", ["full", "valid", "same"])
def test_derivatives(mode):
    a, b = rng.normal(size=(4, 5)), rng.normal(size=(2, 3))
    tg.testing.check_grads(lambda a, b: convolve(a, b, mode=mode), (a, b))
    tg.testing.check_grads(lambda a: convolve(a, b, axes=([0], [1]), mode=mode), (a,))


def test_derivatives_compiled_and_over_lanes():
    b = rng.normal(size=3)
    f = tg.compile(tg.grad(lambda a: np.sum(convolve(a, b) ** 2)))
    batch = rng.normal(size=(4, 5))
    expected = [tg.grad(lambda a: np.sum(np.convolve(a, b) ** 2))(a) for a in batch]
    for a, g in zip(batch, expected, strict=True):
        assert np.allclose(f(a), g)
    assert np.allclose(tg.vmap(tg.grad(lambda a: np.sum(convolve(a, b) ** 2)))(batch), expected)


def test_wrong_calls():
    a, b = np.ones((2, 5)), np.ones((3, 4))
    with pytest.raises(ValueError, match=r"mode='valid' of lengths \[\(2, 3\), \(5, 4\)\]"):
        convolve(a, b, mode="valid")
    with pytest.raises(ValueError, match="give 'full', 'valid' or 'same'"):
        convolve(a, b, mode="wrap")
