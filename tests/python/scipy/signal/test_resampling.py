import numpy as np
import pytest
import signal_cases
from scipy_checks import holds

import tapegrad as tg
from tapegrad.scipy import signal


@pytest.mark.parametrize("name", signal_cases.RATES)
def test_values_and_derivatives(name):
    f, args = signal_cases.RATES[name]
    holds(f, args)


@pytest.mark.parametrize("method", ["linear", "quadratic", "logarithmic", "hyperbolic"])
def test_chirps_of_one_frequency_know_what_another_end_would_do(method):
    t = np.array([0.3, 1.1])

    def f(f1):
        return signal.chirp(t, 1.5, 2.0, f1, method)

    slope, bend = tg.jacobian(f)(1.5), tg.jacobian(tg.jacobian(f))(1.5)
    h = 1e-3
    np.testing.assert_allclose(slope, (f(1.5 + h) - f(1.5 - h)) / (2 * h), rtol=1e-4)
    curve = (f(1.5 + h) - 2 * f(1.5) + f(1.5 - h)) / h**2
    np.testing.assert_allclose(bend, curve, rtol=1e-4)


def test_arguments_that_do_not_fit():
    v = tg.Variable(signal_cases.X)
    with pytest.raises(TypeError, match="padtype='line' has no derivative; pad the signal"):
        signal.resample_poly(v, 2, 1, padtype="line")
    with pytest.raises(TypeError, match="mode='wrap' has no derivative; pad the signal"):
        signal.upfirdn([1.0], v, mode="wrap")
    with pytest.raises(ValueError, match="one weight for each frequency"):
        signal.resample(v, 3, window=np.ones(3))
    with pytest.raises(ValueError, match="method must be"):
        signal.chirp(v, 1.0, 1.0, 2.0, "up")
