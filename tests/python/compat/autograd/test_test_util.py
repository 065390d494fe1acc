"""Checks that a wrong derivative does not pass."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.compat.autograd.test_util import (
    check_equivalent,
    check_grads,
    check_jvp,
    check_vjp,
    combo_check,
    scalar_close,
)


def wrong(x):
    """Sin(x), and a derivative that misses the part of one factor."""
    return np.sin(x) * (1 + tg.stop_gradient(x))


def test_right_derivatives_pass():
    check_grads(np.sin)(0.5)
    check_grads(lambda x, y: x["a"] * y, (0, 1))({"a": np.ones(2)}, 3.0)
    check_grads(lambda z: z**2 * np.exp(z))(0.5 + 1j)
    combo_check(np.sum, (0,))([np.ones((2, 3)), np.ones((1, 2))], axis=[None, 0, 1])


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_wrong_derivatives_fail(mode):
    with pytest.raises(AssertionError):
        check_grads(wrong, modes=[mode], order=1)(0.5)
    with pytest.raises(AssertionError):  # right at first order, wrong at second
        check_grads(lambda x: np.sin(x) + wrong_curvature(x), modes=[mode])(0.5)


def wrong_curvature(x):
    c = tg.stop_gradient(x)
    return c * (x - c)


def test_each_check_by_itself():
    check_vjp(np.sin, 0.5)
    check_jvp(np.sin, 0.5)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of wrong failed at 0.5"):
        check_vjp(wrong, 0.5)
    with pytest.raises(AssertionError, match=r"check_equivalent: .* differ"):
        check_jvp(wrong, 0.5)
    with pytest.raises(AssertionError, match=r"check_equivalent: .* is in "):
        check_equivalent(np.ones(2), np.ones(3))
    with pytest.raises(AssertionError, match=r"check_equivalent: .* differ"):
        check_equivalent(np.ones(2), 2 * np.ones(2))
    with pytest.raises(ValueError, match="the modes are 'fwd' and 'rev'"):
        check_grads(np.sin, modes=["reverse"])(0.5)


def test_closeness_is_absolute_or_relative():
    assert scalar_close(1e9, 1e9 + 1)
    assert scalar_close(0.0, 1e-7)
    assert not scalar_close(1.0, 1.001)
