import numpy as np
import pytest
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import integrate


def wave(t, k, c):
    return np.exp(-k * t) * np.sin(t) + c * t**2


def integral(a, b, k, c):
    return integrate.quad(wave, a, b, (k, c), epsabs=1e-12, epsrel=1e-12)[0]


ARGS = np.array(0.2), np.array(1.7), np.array(0.6), np.array(1.3)


def test_limits_and_arguments():
    holds(integral, ARGS, single=False)


def bell(t, w):
    return np.exp(-t * t * w[0]) * np.cos(w[1] * t)


def test_infinite_limits_and_arrays():
    def f(w):
        return integrate.quad(bell, -np.inf, np.inf, (w,), epsabs=1e-12)[0]

    w = np.array([0.7, 0.3])
    expected = np.sqrt(np.pi / w[0]) * np.exp(-(w[1] ** 2) / (4 * w[0]))
    assert tg.value(f(tg.Variable(w))) == pytest.approx(expected, rel=1e-10)
    tg.testing.check_grads(f, (w,))


def test_the_error_is_scipys():
    found = integrate.quad(wave, 0.0, tg.Variable(1.0), (0.5, 0.1))
    assert found[1] == integrate.quad(wave, 0.0, 1.0, (0.5, 0.1))[1]


class Outside:
    k = tg.Variable(0.5)


def test_variables_that_cannot_be_found_are_refused():
    with pytest.raises(TypeError, match=r"scipy\.integrate\.quad: .* pass them in args="):
        integrate.quad(lambda t: Outside.k * t, 0.0, tg.Variable(1.0))
