"""scipy.fft's cosine and sine transforms of Variables: SciPy's values, derivatives, programs."""

from itertools import product

import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import fft

RNG = np.random.default_rng(3)
X, EVEN, M = RNG.standard_normal(5), RNG.standard_normal(6), RNG.standard_normal((3, 4))
NAMES = ("dct", "idct", "dst", "idst")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_every_type_and_norm(name, kind):
    f = getattr(fft, name)
    for norm, orthogonal in product((None, "ortho", "forward"), (None, True, False)):
        for x in (X, EVEN):
            plain = f(x, kind, norm=norm, orthogonalize=orthogonal)
            found = f(tg.Variable(x), kind, norm=norm, orthogonalize=orthogonal)
            np.testing.assert_allclose(tg.value(found), plain, rtol=1e-12, atol=1e-13)
    for norm in (None, "ortho", "forward"):
        holds(lambda x, n=norm: f(x, kind, norm=n), (X,), single_rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_lengths_and_axes(name):
    f = getattr(fft, name)
    holds(lambda x: f(x, n=7), (X,))
    holds(lambda x: f(x, n=3), (X,))
    holds(lambda x: f(x, axis=0), (M,))
    holds(lambda x: f(x, 3, 5, 1, "ortho"), (M,))


@pytest.mark.parametrize("name", [f"{name}n" for name in NAMES])
def test_several_axes(name):
    f = getattr(fft, name)
    holds(f, (M,))
    holds(lambda x: f(x, 4, norm="ortho"), (M,))
    holds(lambda x: f(x, 3, s=(2, 6)), (M,))
    holds(lambda x: f(x, s=(3,), axes=(0,), norm="forward"), (M,))
    holds(lambda x: f(x, s=[5]), (M,))


def test_complex_signals():
    def parts(re, im):
        z = fft.dct(re + 1j * im, 2, norm="ortho")
        return np.real(z), np.imag(z)

    holds(parts, (X, X[::-1] ** 2))


def test_transforms_undo_each_other_and_keep_lengths():
    x = tg.Variable(X)
    np.testing.assert_allclose(tg.value(fft.idst(fft.dst(x, 4), 4)), X, rtol=1e-13)
    slope = tg.grad(lambda x: np.sum(fft.dct(x, norm="ortho") ** 2))(X)
    np.testing.assert_allclose(slope, 2 * X, rtol=1e-13)
    assert fft.dct(np.arange(3) * tg.Variable(1.0)).dtype == np.float64


def test_arguments_that_do_not_fit():
    x = tg.Variable(X)
    with pytest.raises(ValueError, match="type=5 is not known"):
        fft.dct(x, 5)
    with pytest.raises(ValueError, match="Invalid norm value 'unit'"):
        fft.dct(x, norm="unit")
    with pytest.raises(ValueError, match="at least 2 points"):
        fft.dct(x[:1], 1)
    with pytest.raises(ValueError, match=r"invalid number of data points \(0\)"):
        fft.dst(x, n=0)
    with pytest.raises(ValueError, match="all axes must be unique"):
        fft.dctn(tg.Variable(M), axes=(0, -2))
    with pytest.raises(ValueError, match="have to be of the same length"):
        fft.idctn(tg.Variable(M), s=(2, 2, 2))
