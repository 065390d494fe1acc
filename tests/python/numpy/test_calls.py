"""Functions that call functions, and even steps: compiled, in lanes, refused as NumPy refuses."""

import numpy as np
import pytest
from surface_cases import CALLS, V, X

import tapegrad as tg
from tapegrad.numpy import calls, spaces
from tapegrad.numpy.families import name_of, whole_table

FUNCTIONS = [f for f, r in whole_table().items() if getattr(r.implementation, "__module__", "") in (
    calls.__name__, spaces.__name__)]  # fmt: skip
ROWS = [(name_of(f), call, x) for f in FUNCTIONS for call, x in CALLS[f]]


@pytest.mark.parametrize(("name", "f", "x"), ROWS, ids=[name for name, _, _ in ROWS])
@pytest.mark.filterwarnings("ignore:.*guard:UserWarning")
def test_compiled_and_in_lanes(name, f, x):
    def parts(found):
        return found if isinstance(found, tuple) else (found,)

    def total(x):
        return sum(np.sum(np.sin(part)) for part in parts(f(x)))

    compiled, gradient = tg.compile(f), tg.compile(tg.grad(total))
    for scale in (1.0, 1.5, 0.75, 1.25):
        for found, expected in zip(parts(compiled(x * scale)), parts(f(x * scale)), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-14)
        expected = tg.grad(total)(x * scale)
        np.testing.assert_allclose(gradient(x * scale), expected, rtol=1e-12, atol=1e-15)
    stack = np.stack([x, x * 1.25])
    for k, found in enumerate(parts(tg.vmap(f)(stack))):
        np.testing.assert_allclose(found, [parts(f(y))[k] for y in stack], rtol=1e-13)


def test_values_are_numpys_to_the_bit():
    rng = np.random.default_rng(1)
    for num in (0, 1, 2, 7, 50):
        for endpoint in (True, False):
            for shape in ((), (3,), (2, 3)):
                start, stop = np.exp(rng.normal(size=(2, *shape)))
                for f in (np.linspace, np.geomspace, np.logspace):
                    expected = f(start, stop, num, endpoint)
                    found = tg.value(f(tg.Variable(start), stop, num, endpoint))
                    assert found.shape == expected.shape
                    np.testing.assert_array_max_ulp(found, expected, 0 if f is np.linspace else 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes(dtype):
    v, x = tg.Variable(X.astype(np.float32)), X.astype(np.float32)
    for f in (np.linspace, np.logspace):
        assert f(v, v + 1, 3).dtype == f(x, x + 1, 3).dtype
        assert f(v, 1.0, 3, dtype=dtype).dtype == dtype
        assert f(v, 1.0, 3).dtype == f(x, 1.0, 3).dtype
    positive = np.exp(v)
    assert np.geomspace(positive, 1.0, 3, dtype=dtype).dtype == dtype
    assert np.geomspace(positive, 1.0, 3).dtype == np.geomspace(np.exp(x), 1.0, 3).dtype
    assert np.piecewise(v, [v > 0], [2.0]).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda v: np.linspace(v, 1.0, -1), ValueError, "non-negative"),
        (lambda v: np.linspace(v, 1.0, 2.5), TypeError, "integer"),
        (lambda v: np.linspace(v, 1.0, 3, dtype=int), TypeError, "int64"),
        (lambda v: np.geomspace(v * 0.0, 1.0), ValueError, "zero"),
        (lambda v: np.piecewise(v, [v > 0], []), ValueError, "1 or 2 functions"),
        (lambda v: np.apply_along_axis(np.sum, 2, v), np.exceptions.AxisError, "axis 2"),
        (lambda v: np.apply_along_axis(np.sum, 0, v[:, None][:, :0]), ValueError, "are 0"),
        (lambda v: np.apply_over_axes(lambda a, i: a[0, 0], v[None], 0), ValueError, "shape"),
    ],
)
def test_what_numpy_refuses_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call(V * 1.0) if text != "int64" else call(tg.Variable(V))
    with pytest.raises(error, match=text):
        call(tg.Variable(V))


def test_a_plain_array_and_conditions_of_variables():
    v = tg.Variable(V)
    np.testing.assert_array_equal(np.piecewise(V, [v > 0], [1.0, 2.0]), np.where(V > 0, 1.0, 2.0))


def test_rows_are_views_that_are_written_through():
    def f(x):
        y = x * 1.0

        def double(row):
            row *= 2.0
            return np.sum(row)

        return np.apply_along_axis(double, 0, y), y

    for found, expected in zip(f(tg.Variable(X)), f(X), strict=True):
        np.testing.assert_array_equal(tg.value(found), expected)
