"""check_grads itself: it must find what is wrong."""

import numpy as np
import pytest

import tapegrad as tg
from tapegrad.testing import check_grads

X = np.array([0.5, -1.0, 2.0])


def detached(x):
    """Right value, wrong derivative."""
    return x * tg.stop_gradient(x)


def wrong_in_second_order(x):
    """Right value and first derivative, wrong second derivative."""
    plain = tg.stop_gradient(x)
    return plain**3 + 3 * plain**2 * (x - plain)


def test_a_wrong_derivative_is_found():
    for modes in (("fwd",), ("rev",), ("fwd", "rev")):
        with pytest.raises(AssertionError, match=r"jvp|vjp") as error:
            check_grads(detached, (X,), modes=modes)
        assert "detached" in str(error.value)
        assert "expected" in str(error.value)


def test_a_wrong_second_derivative_is_found():
    check_grads(wrong_in_second_order, (X,), order=1)
    for modes in (("fwd",), ("rev",), ("fwd", "rev")):
        with pytest.raises(AssertionError, match=r"of (jvp|vjp)\(wrong_in_second_order\)"):
            check_grads(wrong_in_second_order, (X,), modes=modes)


def test_one_wrong_leaf_is_named():
    def f(p):
        return {"right": p["a"] ** 2, "wrong": [detached(p["a"])]}

    with pytest.raises(
        AssertionError, match=r"result\['wrong'\]\[0\]\[0\] is .*3 of 3|result\['wrong'\]\[0\]"
    ):
        check_grads(f, ({"a": X},))


def test_a_jump_is_found():
    with pytest.raises(AssertionError):
        check_grads(np.floor, (np.array([1.0, 2.5]),))


def test_third_order_and_containers():
    check_grads(lambda p, n: p["w"] ** 3 * n, ({"w": X}, 2), order=3)
    check_grads(lambda x, y: (x * y, [np.sin(x)]), (0.5, X))


def test_float32():
    check_grads(lambda x: np.exp(x) * x, (X.astype(np.float32),), rtol=2e-4, atol=2e-4)


def test_wrong_calls():
    with pytest.raises(ValueError, match="'backward'"):
        check_grads(np.sin, (X,), modes=("backward",))
    with pytest.raises(ValueError, match="order=0"):
        check_grads(np.sin, (X,), order=0)
    with pytest.raises(TypeError, match=r"check_grads\(sin\).*argument .*int64"):
        check_grads(np.sin, (np.array([1, 2]),))


def test_one_argument_needs_no_tuple():
    tg.testing.check_grads(np.sin, 2.0)
    tg.testing.check_grads(np.sin, np.array([1.0, 2.0]))
