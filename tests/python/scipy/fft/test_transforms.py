"""scipy.fft's Fourier transforms of Variables."""

import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import fft

RNG = np.random.default_rng(4)
X, M = RNG.standard_normal(6), RNG.standard_normal((3, 4))


def parts(z):
    return np.real(z), np.imag(z)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "ihfft"])
def test_of_real_signals(name):
    f = getattr(fft, name)
    holds(lambda x: parts(f(x)), (X,))
    holds(lambda x: parts(f(x, 5, 0, "ortho")), (M,))


@pytest.mark.parametrize("name", ["irfft", "hfft"])
def test_of_half_spectra(name):
    f = getattr(fft, name)
    holds(lambda re, im: f(re + 1j * im, 7, norm="forward"), (X, X[::-1] ** 2))


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "fftn", "ifftn", "rfftn"])
def test_of_several_axes(name):
    f = getattr(fft, name)
    holds(lambda x: parts(f(x)), (M,))
    if name.endswith("n"):
        holds(lambda x: parts(f(x, (3,))), (M,))
    else:
        holds(lambda x: parts(f(x, (2, 5), norm="ortho")), (M,))


@pytest.mark.parametrize("name", ["irfft2", "irfftn"])
def test_of_several_axes_and_back(name):
    f = getattr(fft, name)
    holds(lambda re, im: f(re + 1j * im), (M, M[::-1] ** 2))


def test_shifts():
    holds(lambda x: (fft.fftshift(x), fft.ifftshift(x, 1)), (M,))


def test_plans_are_refused():
    with pytest.raises(TypeError, match=r"scipy\.fft\.rfft: plan=.* has no derivative; leave it"):
        fft.rfft(tg.Variable(X), plan=object())
