"""Polynomials: compiled, in lanes, coefficients that are zero, refusals."""

import numpy as np
import pytest
from surface_cases import CALLS, V

import tapegrad as tg
from tapegrad import numerical
from tapegrad.numpy import polynomials
from tapegrad.numpy.families import name_of, whole_table

FUNCTIONS = [f for f, r in whole_table().items() if getattr(r.implementation, "__module__", "")
             == polynomials.__name__ and f in CALLS]  # fmt: skip
ROWS = [(name_of(f), call, x) for f in FUNCTIONS for call, x in CALLS[f]]


@pytest.mark.parametrize(("name", "f", "x"), ROWS, ids=[name for name, _, _ in ROWS])
def test_compiled_and_in_lanes(name, f, x):
    def parts(found):
        return found if isinstance(found, tuple) else (found,)

    def total(x):
        return sum(np.sum(np.sin(part)) for part in parts(f(x)))

    compiled, gradient = tg.compile(f), tg.compile(tg.grad(total))
    for scale in (1.0, 1.5, 0.75, 1.25):
        for found, expected in zip(parts(compiled(x * scale)), parts(f(x * scale)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
        expected = tg.grad(total)(x * scale)
        np.testing.assert_allclose(gradient(x * scale), expected, rtol=1e-12, atol=1e-13)
    assert compiled.inspect().signatures[0].replays == 2
    stack = np.stack([x, x * 1.25])
    for k, found in enumerate(parts(tg.vmap(f)(stack))):
        np.testing.assert_allclose(found, [parts(f(y))[k] for y in stack], rtol=1e-13, atol=1e-13)


def test_leading_zeros_follow_the_values():
    """NumPy leaves them out of products, so that the result is shorter."""
    compiled = tg.compile(np.polymul)
    for a in ([1.0, 2.0, 3.0], [0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [4.0, 0.0, 1.0]):
        for _ in range(2):
            expected = np.polymul(a, V)
            found = compiled(np.array(a), V)
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(dtype):
    x = V.astype(dtype)
    for f in (np.polyder, np.polyint, np.poly, lambda p: np.polymul(p, p[:2]),
              lambda p: np.polyadd(p, p[:2]), lambda p: np.polydiv(p, p[:2])[1]):  # fmt: skip
        expected = f(x)
        assert f(tg.Variable(x)).dtype == expected.dtype
    assert np.poly(tg.Variable(x)[:0]) == 1.0


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda v: np.polyder(v, -1), ValueError, "must be positive"),
        (lambda v: np.polyint(v, -1), ValueError, "must be positive"),
        (lambda v: np.polyint(v, 3, [1.0, 2.0]), ValueError, "k must be a scalar"),
        (lambda v: np.poly(v.reshape(1, 2, 2)), ValueError, "1d or non-empty square 2d"),
        (lambda v: np.polymul(v.reshape(2, 2), v), ValueError, "1d only"),
    ],
)
def test_what_numpy_refuses_is_refused(call, error, text):
    for x in (V, tg.Variable(V)):
        with pytest.raises(error, match=text):
            call(x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.polyval(x, np.poly1d([2.0, 1.0])).coeffs,
        lambda x: np.polyval(x, np.poly1d(x[:2])).coeffs,
        lambda x: np.polyval([1.0, 3.0, 2.0], np.poly1d(x[:2]))(0.3),
        lambda x: np.poly1d(x)(np.poly1d(x[:2])).coeffs,
    ],
)
def test_the_polynomial_of_a_polynomial(f):
    at = V + 0.3  # no coefficient is zero
    expected = f(at)
    compiled = tg.compile(f)
    for scale in (1.0, 1.5, 0.75, 1.25):
        np.testing.assert_allclose(compiled(at * scale), f(at * scale), rtol=1e-13)
    np.testing.assert_allclose(tg.jvp(f, (at,), (at,))[0], expected, rtol=1e-13)
    found = tg.grad(lambda x: np.sum(np.sin(f(x))))(at)
    wanted = numerical.grad(lambda x: float(np.sum(np.sin(f(x)))))(at)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    lanes = np.stack([at, at * 1.1])
    np.testing.assert_allclose(tg.vmap(f)(lanes), [f(x) for x in lanes], rtol=1e-13)


def test_refusals_say_why():
    v = tg.Variable(V)
    with pytest.raises(TypeError, match=r"np\.polyadd: .*p\.coeffs"):
        np.polyadd(v, np.poly1d([1.0, 2.0]))
