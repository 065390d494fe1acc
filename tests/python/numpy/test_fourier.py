"""np.fft on Variables: norms, programs, lanes, orders, dtypes, out= and what is refused."""

import warnings

import numpy as np
import pytest

import tapegrad as tg

RNG = np.random.default_rng(5)
REAL = RNG.normal(size=(3, 4, 5))
COMPLEX = REAL + 1j * RNG.normal(size=(3, 4, 5))
NORMS = (None, "backward", "ortho", "forward")
OF_LINES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
OF_ARRAYS = (
    "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn",
)  # fmt: skip
OF_REAL = ("rfft", "ihfft", "rfft2", "rfftn")


def inputs_of(name):
    return [REAL] if name in OF_REAL else [REAL, COMPLEX]


def assert_numpys(found, wanted, rtol=1e-13):
    assert type(found) is np.ndarray
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * np.max(np.abs(wanted)))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", OF_LINES)
def test_lines(name, norm):
    f = getattr(np.fft, name)
    for x in inputs_of(name):
        for n in (None, 1, 2, 3, 4, 7):
            for axis in (0, 1, -1):
                found = f(tg.Variable(x), n, axis, norm)
                assert_numpys(tg.value(found), f(x, n, axis, norm))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", OF_ARRAYS)
def test_arrays(name, norm):
    f = getattr(np.fft, name)
    for x in inputs_of(name):
        for s, axes in ((None, (0, 1)), ((2, 6), (-1, 0)), ((-1, 3), (1, 2)), (None, (2,))):
            found = f(tg.Variable(x), s, axes, norm=norm)
            assert_numpys(tg.value(found), f(x, s, axes, norm=norm))
        assert_numpys(tg.value(f(tg.Variable(x))), f(x))


@pytest.mark.parametrize("name", OF_ARRAYS)
def test_lengths_without_axes_warn_as_numpys(name):
    if name.endswith("2"):
        return
    f = getattr(np.fft, name)
    with pytest.warns(DeprecationWarning, match="axes") as caught:
        found = f(tg.Variable(REAL), (2, 3))
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="axes"):
        assert_numpys(tg.value(found), f(REAL, (2, 3)))


@pytest.mark.parametrize("name", [*OF_LINES, *OF_ARRAYS])
def test_single_precision(name):
    f = getattr(np.fft, name)
    for x in inputs_of(name):
        single = x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)
        assert_numpys(tg.value(f(tg.Variable(single))), f(single), 1e-5)


def energy(name):
    """A real number of all of a transform, in which no two elements weigh the same."""
    f = getattr(np.fft, name)

    def of(x):
        y = f(x)
        weights = np.cos(np.arange(np.prod(np.shape(y)))).reshape(np.shape(y))
        return np.sum(weights * np.abs(y) ** 2) + np.sum(np.real(y) ** 3)

    return of


@pytest.mark.parametrize("name", [*OF_LINES, *OF_ARRAYS])
def test_derivatives_of_several_orders(name):
    f = energy(name)
    x = REAL[:2, :2, :4] if name in OF_ARRAYS else REAL[0, 0]
    tg.testing.check_grads(f, (x,), order=3)
    tg.testing.check_grads(lambda x: f(x * (1 + 2j) if name not in OF_REAL else x), (x,), order=2)


@pytest.mark.parametrize("name", [*OF_LINES, *OF_ARRAYS])
def test_programs_and_lanes(name):
    f = energy(name)
    both = tg.compile(tg.value_and_grad(f))
    x = REAL if name in OF_ARRAYS else REAL[0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(4):
            value, gradient = both(x * (1 + 0.2 * k))
            wanted, slope = tg.value_and_grad(f)(x * (1 + 0.2 * k))
            np.testing.assert_allclose(value, wanted, rtol=1e-13)
            np.testing.assert_allclose(gradient, slope, rtol=1e-12, atol=1e-13)
    assert sum(s.replays for s in both.inspect().signatures) > 0
    points = np.stack([x, 2 * x, x - 1])
    value, gradient = tg.vmap(tg.value_and_grad(f))(points)
    for i, point in enumerate(points):
        wanted, slope = tg.value_and_grad(f)(point)
        np.testing.assert_allclose(value[i], wanted, rtol=1e-13)
        np.testing.assert_allclose(gradient[i], slope, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", [8, 7])
def test_the_imaginary_part_of_real_bins_does_not_count(n):
    """irfft reads no imaginary part of the first bin, nor of the last one of an even length."""
    z = np.fft.rfft(RNG.normal(size=n))
    gradient = tg.grad(lambda z: np.sum(np.fft.irfft(z, n) ** 3))(z)
    assert gradient.imag[0] == 0
    assert (gradient.imag[-1] == 0) == (n % 2 == 0)
    assert np.all(gradient.imag[1 : (n + 1) // 2] != 0)


def test_parseval():
    x = RNG.normal(size=12)
    gradient = tg.grad(lambda x: np.sum(np.abs(np.fft.fft(x, norm="ortho")) ** 2))(x)
    np.testing.assert_allclose(gradient, 2 * x, rtol=1e-13)


def test_convolution_theorem():
    x, y = RNG.normal(size=9), RNG.normal(size=5)

    def by_fourier(x, y):
        return np.fft.irfft(np.fft.rfft(x, 13) * np.fft.rfft(y, 13), 13)

    for argnum in (0, 1):
        np.testing.assert_allclose(
            tg.jacobian(by_fourier, argnum)(x, y),
            tg.jacobian(np.convolve, argnum)(x, y),
            rtol=1e-12,
            atol=1e-13,
        )


def test_out():
    out = tg.Variable(np.zeros((3, 4, 5), complex))
    assert np.fft.fft(tg.Variable(REAL), out=out) is out
    np.testing.assert_allclose(tg.value(out), np.fft.fft(REAL), rtol=1e-13)
    real = tg.Variable(np.zeros((3, 4, 8)))
    assert np.fft.irfft(tg.Variable(COMPLEX), out=real) is real
    np.testing.assert_allclose(tg.value(real), np.fft.irfft(COMPLEX), rtol=1e-12, atol=1e-14)
    for shape in ((3, 4, 5), (2, 3, 4, 8)):
        with pytest.raises(ValueError, match=r"\(3, 4, 8\)"):
            np.fft.irfft(tg.Variable(REAL), out=tg.Variable(np.zeros(shape)))
    with pytest.raises(ValueError, match=r"\(3, 4, 8\)"):
        np.fft.irfft(tg.Variable(COMPLEX), out=tg.Variable(np.zeros((3, 4, 5))))
    with pytest.raises(TypeError, match="cannot hold"):
        np.fft.fft(tg.Variable(REAL), out=np.zeros((3, 4, 5), complex))


BAD = [
    "np.fft.fft(x, 0)", "np.fft.fft(x, -1)", "np.fft.fft(x[:, :0])", "np.fft.irfft(x[:, :1])",
    "np.fft.hfft(x[:, :1])", "np.fft.fft(x, norm='both')", "np.fft.hfft(x, norm='both')",
    "np.fft.fft(x, 3, 2)", "np.fft.fft(x, axis=2)", "np.fft.fft(x[0, 0])", "np.fft.fft(x, 2.5)",
    "np.fft.fftn(x, (2,), (0, 1))", "np.fft.fft2(x[0])", "np.fft.rfft(x * 1j)",
    "np.fft.rfftn(x * 1j)", "np.fft.ihfft(x * 1j)", "np.fft.rfftn(x, axes=())",
    "np.fft.fftshift(x, 2)",
]  # fmt: skip


@pytest.mark.parametrize("code", BAD)
def test_what_numpy_refuses_is_refused(code):
    x = RNG.normal(size=(2, 3))
    with pytest.raises(Exception) as expected:  # noqa: PT011 - NumPy says which
        eval(code, {"np": np, "x": x})
    kind = ValueError if expected.type is np.exceptions.AxisError else expected.type
    with pytest.raises(kind):
        eval(code, {"np": np, "x": tg.Variable(x)})


def test_nothing_along_other_axes():
    x = np.zeros((0, 4))
    for f in (np.fft.fft, np.fft.rfft, np.fft.irfft):
        assert tg.value(f(tg.Variable(x))).shape == f(x).shape
    gradient = tg.grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(x)
    assert gradient.shape == (0, 4)


def test_shifts_and_frequencies():
    x = RNG.normal(size=(4, 5))
    for f in (np.fft.fftshift, np.fft.ifftshift):
        for axes in (None, 0, -1, (0, 1), (1,)):
            np.testing.assert_array_equal(tg.value(f(tg.Variable(x), axes)), f(x, axes))
    for f in (np.fft.fftfreq, np.fft.rfftfreq):
        np.testing.assert_array_equal(tg.value(f(7, tg.Variable(0.5))), f(7, 0.5))
        slopes = tg.jacobian(lambda d, f=f: f(7, d))(0.5)
        np.testing.assert_allclose(slopes, -f(7, 0.5) / 0.5, rtol=1e-14)
