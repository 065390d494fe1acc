"""np.lib.stride_tricks.sliding_window_view: what is written shows in it; refusals."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import tapegrad as tg

X = np.random.default_rng(0).normal(size=(3, 5))


def test_windows_follow_the_array():
    def f(x):
        y = x * 1.0
        shown = sliding_window_view(y, 2, 1)
        column = shown[1]
        y[1, 2] = x[0, 0] ** 2
        return shown, column * 1.0, shown.reshape(-1)

    for found, expected in zip(f(tg.Variable(X)), f(X), strict=True):
        np.testing.assert_array_equal(tg.value(found), expected)
    tg.testing.check_grads(f, (X,))
    compiled = tg.compile(f)
    for scale in (1.0, 2.0, 0.5):
        for found, expected in zip(compiled(X * scale), f(X * scale), strict=True):
            np.testing.assert_array_equal(found, expected)
    stack = np.stack([X, X[::-1]])
    for k, found in enumerate(tg.vmap(f)(stack)):
        np.testing.assert_array_equal(found, [f(x)[k] for x in stack])


@pytest.mark.parametrize("k", [1, 2, 7])
def test_a_moving_average_and_a_convolution(k):
    x, kernel = np.random.default_rng(1).normal(size=40), np.arange(1.0, k + 1.0)

    def f(x, kernel):
        windows = sliding_window_view(x, k)
        return np.mean(windows, axis=-1), windows @ kernel[::-1], np.max(windows, axis=1)

    expected = np.convolve(x, kernel, "valid")
    np.testing.assert_allclose(tg.value(f(tg.Variable(x), kernel)[1]), expected, rtol=1e-13)
    tg.testing.check_grads(f, (x, kernel))
    compiled = tg.compile(tg.grad(lambda x: sum(np.sum(np.sin(part)) for part in f(x, kernel))))
    for scale in (1.0, 2.0, 0.5):
        g = tg.grad(lambda x: sum(np.sum(np.sin(part)) for part in f(x, kernel)))(x * scale)
        np.testing.assert_allclose(compiled(x * scale), g, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: sliding_window_view(x, 2), ValueError, "window_shape"),
        (lambda x: sliding_window_view(x, (2, -1)), ValueError, "negative"),
        (lambda x: sliding_window_view(x, (2, 9)), ValueError, "larger"),
        (lambda x: sliding_window_view(x, 2, 2), np.exceptions.AxisError, "axis 2"),
    ],
)
def test_what_numpy_refuses_is_refused(call, error, text):
    for x in (X, tg.Variable(X)):
        with pytest.raises(error, match=text):
            call(x)
    assert sliding_window_view(tg.Variable(X), 0, 0).shape == sliding_window_view(X, 0, 0).shape


def test_windows_for_writing_are_refused():
    with pytest.raises(TypeError, match="writeable=True"):
        sliding_window_view(tg.Variable(X), (2, 2), writeable=True)
